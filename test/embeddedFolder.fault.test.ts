// The folder of the embedded PostgreSQL: what lies in it and who may read it, whose it is as root and as somebody else,
// and which folders are refused.
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, cp, lstat, mkdir, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { findBinaries, linkLibraries } from '../src/embedded/binaries.ts';
import {
  isRoot,
  modeOf,
  newFolder,
  nobody,
  passableFolder,
  query,
  refusal,
  somebody,
  start,
  testAsRoot,
} from './support/embeddedFixture.ts';
import { processesOf, startService, untilNothingRuns } from './support/embeddedProcesses.ts';

test('the database is UTF-8 with builtin collation, durable, in UTC, and asks for the password', async () => {
  const dataDir = await newFolder();
  const server = await start(dataDir, { max_connections: '17' });
  const names =
    'fsync synchronous_commit full_page_writes wal_compression TimeZone max_connections listen_addresses'.split(' ');
  const shown = await Promise.all(
    names.map(async name => Object.values((await query(server.url, `SHOW "${name}"`))[0]!)[0]),
  );
  expect(shown).toEqual(['on', 'on', 'on', 'pglz', 'UTC', '17', '127.0.0.1']);
  expect(
    await query(
      server.url,
      "SELECT pg_encoding_to_char(encoding) AS encoding, datlocprovider, datlocale, lower('ÄÖ') FROM pg_database WHERE datname = current_database()",
    ),
  ).toEqual([{ encoding: 'UTF8', datlocprovider: 'b', datlocale: 'C.UTF-8', lower: 'äö' }]);
  expect(await modeOf(join(dataDir, 'postgres.password'))).toBe('600');
  expect(await modeOf(join(dataDir, 'postgres.log'))).toBe('600');
  expect(await modeOf(join(dataDir, 'pg'))).toBe('700');
  const password = new URL(server.url).password;
  expect(processesOf(dataDir).join('\n')).not.toContain(password);
  await expect(query(server.url.replace(password, 'wrong'), 'SELECT 1')).rejects.toThrow(
    /password authentication failed/,
  );
});

test("the caller's locale does not reach the database", async () => {
  const service = startService(await newFolder(), { env: { LANG: 'C', LC_ALL: 'xx_YY.latin1', PGTZ: 'Mars/Phobos' } });
  const { url } = await service.said;
  expect(await query(url, 'SELECT upper($$ß é$$), current_setting($$server_encoding$$) AS encoding')).toEqual([
    { upper: 'ß É', encoding: 'UTF8' },
  ]);
});

test('a DATA_DIR whose path is too long for a socket is locked all the same', async () => {
  const dataDir = join(await passableFolder(), 'long'.repeat(30), 'longer'.repeat(20));
  const service = startService(dataDir);
  await service.said;
  expect(await refusal(start(dataDir))).toContain(`(process ${service.pid})`);
  await service.stop();
  expect(existsSync(join(dataDir, 'service.sock'))).toBe(false);
  await start(dataDir);
});

test('a database of another major version is refused with both versions', async () => {
  const dataDir = await newFolder();
  await (await start(dataDir)).stop();
  await writeFile(join(dataDir, 'pg', 'PG_VERSION'), '15\n');
  expect(await refusal(start(dataDir))).toMatch(/made by PostgreSQL 15 and the installed one is PostgreSQL 18/);
});

test('a folder that is not a database, a missing password and an unusable setting are each refused with a sentence', async () => {
  const strange = await newFolder();
  await mkdir(join(strange, 'pg'));
  await writeFile(join(strange, 'pg', 'holiday.jpg'), '');
  expect(await refusal(start(strange))).toContain('holds files but no PostgreSQL database');
  const dataDir = await newFolder();
  expect(await refusal(start(dataDir, { wal_level: 'nonsense' }))).toContain('invalid value for parameter "wal_level"');
  await rm(join(dataDir, 'postgres.password'));
  expect(await refusal(start(dataDir))).toContain('postgres.password is missing');
  const file = join(await newFolder(), 'file');
  await writeFile(file, '');
  expect(await refusal(start(file))).toContain(`DATA_DIR ${file} cannot be used`);
});

test('a log that has grown large is set aside at the next start', async () => {
  const dataDir = await newFolder();
  await writeFile(join(dataDir, 'postgres.log'), 'old words\n');
  await truncate(join(dataDir, 'postgres.log'), 5 * 1024 * 1024);
  await start(dataDir);
  expect((await stat(join(dataDir, 'postgres.log'))).size).toBeLessThan(100_000);
  expect((await stat(join(dataDir, 'postgres.log.1'))).size).toBe(5 * 1024 * 1024);
});

testAsRoot('as root a folder of mode 0700 works: the server runs as nobody and owns only its own folder', async () => {
  const dataDir = await newFolder();
  expect(await modeOf(dataDir)).toBe('700');
  const server = await start(dataDir);
  expect(await modeOf(dataDir)).toBe('711');
  expect((await stat(join(dataDir, 'pg'))).uid).toBe(nobody.uid);
  for (const ours of ['postgres.password', 'postgres.log', 'lib', '.'])
    expect((await stat(join(dataDir, ours))).uid).toBe(0);
  expect((await stat(`/proc/${server.pid}`)).uid).toBe(nobody.uid);
});

testAsRoot('as root a DATA_DIR below a closed folder is refused with the folder that is closed', async () => {
  const closed = await newFolder();
  expect(await refusal(start(join(closed, 'data')))).toContain(`cannot enter ${closed} (mode 0700)`);
  await chmod(closed, 0o711);
  await start(join(closed, 'data'));
});

testAsRoot(
  'an ordinary user starts it in a folder of mode 0700, kills it and starts again; root can take it over',
  async () => {
    const dataDir = await newFolder(somebody);
    const scratch = await newFolder(somebody); // the TypeScript loader keeps its cache there
    const asSomebody = { user: somebody, env: { TMPDIR: scratch } };
    const service = startService(dataDir, asSomebody);
    await query((await service.said).url, 'CREATE TABLE kept (n int)');
    expect(await modeOf(dataDir)).toBe('700');
    service.killGroup();
    const again = startService(dataDir, asSomebody);
    expect(await query((await again.said).url, 'SELECT count(*)::int AS n FROM kept')).toEqual([{ n: 0 }]);
    await again.stop();
    await untilNothingRuns(dataDir);
    const asRoot = await start(dataDir);
    expect((await stat(`/proc/${asRoot.pid}`)).uid).toBe(somebody.uid);
    expect(await query(asRoot.url, 'SELECT count(*)::int AS n FROM kept')).toEqual([{ n: 0 }]);
  },
);

test('the programs run without the links that an install without package scripts leaves out', async () => {
  const dataDir = await passableFolder();
  const copy = join(dataDir, 'native');
  const installed = (await findBinaries(process.platform, process.arch)).root;
  for (const part of ['bin/initdb', 'lib', 'pg-symlinks.json'])
    await cp(join(installed, part), join(copy, part), {
      recursive: true,
      filter: async from => !(await lstat(from)).isSymbolicLink(),
    });
  const initdb = join(copy, 'bin', 'initdb');
  const options = { cwd: '/', ...(isRoot && nobody) };
  const version = (env: Record<string, string>) => promisify(execFile)(initdb, ['-V'], { ...options, env });
  await expect(version({})).rejects.toThrow(/librar/i);
  const env = await linkLibraries({ root: copy, initdb, postgres: '' }, dataDir, process.platform);
  expect((await version(env)).stdout).toContain('PostgreSQL');
});

testAsRoot('the links can be read by the server under a strict umask', async () => {
  const dataDir = await newFolder();
  await startService(dataDir).said;
  expect(await modeOf(join(dataDir, 'lib'))).toBe('755');
});
