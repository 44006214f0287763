// The embedded PostgreSQL under everything that happens to a service: killed, started twice, interrupted while making
// its database. Every test has a DATA_DIR of its own and ends with nothing running.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync } from 'node:fs';
import { chown, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { isRoot, logOf, newFolder, nobody, passableFolder, query, refusal, start } from './support/embeddedFixture.ts';
import { startService, until, untilNothingRuns } from './support/embeddedProcesses.ts';

test('the first start makes a database, and the second finds what was written to it', async () => {
  const dataDir = join(await passableFolder(), 'made/by/the/start');
  const first = await start(dataDir);
  expect(first.url).toMatch(/^postgres:\/\/paylatch:[0-9a-f]{48}@127\.0\.0\.1:\d+\/paylatch$/);
  await query(first.url, "CREATE TABLE kept AS SELECT 'grüße' AS word");
  await first.stop();
  expect(await first.exited).toMatchObject({ asked: true });
  expect(await logOf(dataDir)).toMatch(/received fast shutdown request.*database system is shut down/s);
  await untilNothingRuns(dataDir);
  const second = await start(dataDir);
  expect(await query(second.url, 'SELECT word FROM kept')).toEqual([{ word: 'grüße' }]);
});

test('SIGKILL of the whole process group stops the server cleanly', async () => {
  const dataDir = await newFolder();
  const service = startService(dataDir);
  const { url } = await service.said;
  await query(url, 'CREATE TABLE kept (n int)');
  service.killGroup();
  await untilNothingRuns(dataDir);
  expect(await logOf(dataDir)).toContain('database system is shut down');
  expect(existsSync(join(dataDir, 'service.sock')), 'the dead socket that the next start must get over').toBe(true);
});

test('after SIGKILL of the whole process group the next start works at once, while the old server is still closing', async () => {
  const dataDir = await newFolder();
  const service = startService(dataDir);
  const { url, pid } = await service.said;
  await query(url, 'CREATE TABLE kept AS SELECT generate_series(1, 50000) AS n');
  process.kill(pid!, 'SIGSTOP'); // its end takes as long as we like
  service.killGroup();
  const starting = start(dataDir);
  starting.catch(() => {}); // judged below, where it is awaited
  try {
    await until(async () => (await logOf(dataDir)).includes('already exists'), 'a start that meets the old server');
  } finally {
    process.kill(pid!, 'SIGCONT');
  }
  const again = await starting;
  expect(again.pid).not.toBe(pid);
  expect(await query(again.url, 'SELECT count(*)::int AS n FROM kept')).toEqual([{ n: 50_000 }]);
  expect(await logOf(dataDir)).not.toContain('not properly shut down');
  await again.stop();
  await untilNothingRuns(dataDir);
});

test('SIGTERM to everything in the group leaves the server to the service', async () => {
  const dataDir = await newFolder();
  const service = startService(dataDir);
  await service.said;
  process.kill(-service.pid, 'SIGTERM');
  await untilNothingRuns(dataDir);
  const said = await logOf(dataDir);
  expect(said).toContain('received fast shutdown request');
  expect(said, 'what the server itself answers to SIGTERM').not.toContain('received smart shutdown request');
});

test('a second service on the same folder is refused with the process that has it, and the first goes on', async () => {
  const dataDir = await newFolder();
  const service = startService(dataDir);
  const { url } = await service.said;
  const sentence = await refusal(start(dataDir));
  expect(sentence).toContain(`DATA_DIR ${dataDir} is in use by another running Paylatch (process ${service.pid})`);
  expect((await startService(dataDir).said).refused).toBe(sentence);
  expect(await query(url, 'SELECT 1 AS n')).toEqual([{ n: 1 }]);
  await service.stop();
  await start(dataDir);
});

test('of several services started at the same instant exactly one gets the folder, a new one or one just killed', async () => {
  const dataDir = await newFolder();
  for (let round = 0; round < 4; round++) {
    const services = [1, 2, 3, 4].map(() => startService(dataDir));
    const said = await Promise.all(services.map(service => service.said));
    expect(said.filter(each => each.url !== undefined)).toHaveLength(1);
    for (const { refused } of said.filter(each => each.url === undefined)) expect(refused).toContain('is in use by');
    for (const service of services) service.killGroup();
  }
});

test('a start killed while it makes the database leaves nothing that hinders the next', async () => {
  const dataDir = await newFolder();
  const service = startService(dataDir);
  const unfinished = () => readdirSync(dataDir).find(name => name.startsWith('initdb-'));
  await until(() => {
    const name = unfinished();
    return name !== undefined && existsSync(join(dataDir, name, 'pg', 'global'));
  }, 'a half made database');
  service.killGroup();
  expect(existsSync(join(dataDir, 'pg'))).toBe(false);
  const server = await start(dataDir);
  expect(unfinished()).toBeUndefined();
  expect(await query(server.url, 'SELECT current_database() AS name')).toEqual([{ name: 'paylatch' }]);
});

test('a killed database server is told to the service, which can stop and start again', async () => {
  const dataDir = await newFolder();
  const server = await start(dataDir);
  await query(server.url, 'CREATE TABLE kept (n int)');
  process.kill(server.pid, 'SIGKILL');
  expect(await server.exited).toEqual({
    asked: false,
    sentence: `The embedded PostgreSQL (process ${server.pid}) ended with signal SIGKILL.`,
  });
  await server.stop();
  const again = await start(dataDir);
  expect(await query(again.url, 'SELECT count(*)::int AS n FROM kept')).toEqual([{ n: 0 }]);
});

test('a lock file that names a stranger, as after a restart in a container, does not block the start', async context => {
  if (!existsSync('/proc/self/cwd')) return context.skip('needs /proc to tell a stranger from a server');
  const dataDir = await newFolder();
  await (await start(dataDir)).stop();
  const stranger = spawn('sleep', ['600'], { stdio: 'ignore', ...(isRoot && nobody) });
  await once(stranger, 'spawn');
  try {
    const lockFile = join(dataDir, 'pg', 'postmaster.pid');
    await writeFile(lockFile, `${stranger.pid}\n${join(dataDir, 'pg')}\n`);
    if (isRoot) await chown(lockFile, nobody.uid, nobody.gid);
    const server = await start(dataDir);
    expect(await query(server.url, 'SELECT 1 AS n')).toEqual([{ n: 1 }]);
  } finally {
    stranger.kill();
  }
});

test('a server that does not let go of the folder is named after ten seconds', async () => {
  const dataDir = await newFolder();
  const { pid } = await startService(dataDir).said;
  await rm(join(dataDir, 'service.sock')); // otherwise the service's own lock would refuse first
  const began = performance.now();
  const sentence = await refusal(start(dataDir));
  expect(performance.now() - began).toBeGreaterThan(9_000);
  expect(sentence).toContain(`is held by process ${pid} (postgres), which has not ended`);
});
