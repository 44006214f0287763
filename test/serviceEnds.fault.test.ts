// How the service ends: killed with everything in its process group, as root and as somebody else, asked to stop in the
// middle of load or of its own start, and without its database. Afterwards nothing runs, and a normal start works at once.
import { execFileSync } from 'node:child_process';
import { chmod, stat } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import postgres from 'postgres';
import { afterAll, expect, test } from 'vitest';
import { SHUTDOWN_MS } from '../src/http/server.ts';
import { isRoot, nobody, testAsRoot } from './support/embeddedFixture.ts';
import { processesOf, until, untilNothingRuns } from './support/embeddedProcesses.ts';
import { freePort } from './support/freePort.ts';
import { Purchase } from './support/purchase.ts';
import { paymentEntity, RAZORPAY } from './support/razorpayBodies.ts';
import { call } from './support/serviceClient.ts';
import {
  embeddedDatabaseUrl,
  type Launch,
  launch,
  newFolder,
  type ServiceProcess,
  startService,
} from './support/serviceProcess.ts';

const NO_KEYS = { API_KEY: undefined, ADMIN_KEY: undefined, SANDBOX_WEBHOOK_SECRET: undefined };
const pools: postgres.Sql[] = [];
afterAll(() => Promise.all(pools.map(sql => sql.end({ timeout: 0 }))));

async function databaseOf(service: ServiceProcess): Promise<postgres.Sql> {
  const sql = postgres(await embeddedDatabaseUrl(service), { max: 2, onnotice: () => {} });
  pools.push(sql);
  return sql;
}

/** Of these processes those that still run; what has ended may wait as a zombie for a parent that never asks. */
function alive(pids: number[]): string[] {
  const all = execFileSync('ps', ['-ax', '-o', 'pid=,stat=,comm='], { encoding: 'utf8' }).split('\n');
  return all.filter(line => {
    const [, pid, state] = /^\s*(\d+)\s+(\S)/.exec(line) ?? [];
    return pids.includes(Number(pid)) && state !== 'Z';
  });
}

/** Pay links are to be good in every life of a service. */
const keptSandboxPort = async () => ({ SANDBOX_PORT: String(await freePort()) });

/** Buys, kills the whole group, sees that everything is gone, starts again at once and finds what was bought. */
async function killTwice(given: Launch): Promise<void> {
  const how = { ...given, env: { ...given.env, ...(await keptSandboxPort()) } };
  const first = await startService(how);
  const purchase = new Purchase();
  await purchase.finish(first.url);
  const pids = [first.pid, ...processesOf(how.dataDir).map(line => Number.parseInt(line, 10))];
  expect(pids.length, 'service, database and its watcher').toBeGreaterThanOrEqual(3);
  await first.kill('group');
  await untilNothingRuns(how.dataDir);
  expect(alive(pids)).toEqual([]);
  const second = await startService(how);
  await purchase.expectOnce(second.url, await databaseOf(second));
  // And once more without waiting for the old server to be gone.
  await second.kill('group');
  const service = await startService(how);
  await purchase.expectOnce(service.url, await databaseOf(service));
  expect(await service.stop()).toEqual({ code: 0, signal: null });
  await untilNothingRuns(how.dataDir);
}

test('SIGKILL of the whole process group leaves nothing running, and the next start has everything at once', async () => {
  await killTwice({ dataDir: await newFolder() });
});

testAsRoot('as root the same holds in a nested DATA_DIR that the service makes in a folder of mode 0700', async () => {
  const parent = await newFolder();
  await chmod(parent, 0o711); // others must get through what is not ours to change
  const dataDir = join(parent, 'made/by/the/start');
  await (await startService({ dataDir, env: NO_KEYS })).stop(); // keys are made in the folder too, and must not close it
  await killTwice({ dataDir });
  expect((await stat(join(dataDir, 'pg'))).uid).toBe(nobody.uid);
});

testAsRoot('as root a DATA_DIR of mode 0700 works, with keys only root can read', async () => {
  const dataDir = await newFolder();
  expect((await stat(dataDir)).mode & 0o777).toBe(0o700);
  const service = await startService({ dataDir, env: NO_KEYS });
  expect((await stat(join(dataDir, 'keys.json'))).mode & 0o777).toBe(0o600);
  await service.kill('group');
  const again = await startService({ dataDir, env: NO_KEYS });
  expect(await again.stop()).toEqual({ code: 0, signal: null });
});

testAsRoot('an ordinary user kills it and starts it again in a folder of mode 0700', async () => {
  const dataDir = await newFolder(nobody);
  const scratch = await newFolder(nobody); // the TypeScript loader keeps its cache there
  await killTwice({ dataDir, user: nobody, env: { TMPDIR: scratch, HOME: scratch } });
  expect((await stat(dataDir)).mode & 0o777).toBe(0o700);
});
if (!isRoot) console.warn('the tests of this file run as this ordinary user; the start as root is not tested here');

test('SIGTERM in the middle of load answers what is in flight, refuses what comes after, and ends with code 0', async () => {
  const dataDir = await newFolder();
  const env = await keptSandboxPort();
  const service = await startService({ dataDir, env });
  const sql = await databaseOf(service);
  const purchases = Array.from({ length: 12 }, () => new Purchase());
  for (const purchase of purchases) {
    await purchase.checkOut(service.url);
    await purchase.pay();
  }
  const holder = await sql.reserve();
  await holder`begin`;
  await holder`lock table inbox in share row exclusive mode`;
  const sent = purchases.flatMap(each => [each.sendWebhook(service.url), each.sendCallback(service.url)]);
  await until(
    async () => (await sql`select 1 from pg_locks where not granted and relation = 'inbox'::regclass`).length > 0,
    'somebody to wait for the inbox',
  );
  // Connections are accepted in their order, so when this is answered all of them are inside.
  await Promise.all(sent.map(each => each.written));
  expect(await call(service.url, 'GET', '/health/live')).toMatchObject({ status: 200 });
  const began = performance.now();
  service.signal('SIGTERM');
  await until(async () => (await call(service.url, 'GET', '/health/live').catch(() => null)) === null, 'a shut door');
  await holder`commit`;
  holder.release();
  for (const answer of await Promise.all(sent.map(each => each.answer))) expect(answer).toMatchObject({ status: 200 });
  expect(await service.ended).toEqual({ code: 0, signal: null });
  expect(performance.now() - began).toBeLessThan(SHUTDOWN_MS);
  await untilNothingRuns(dataDir);
  const again = await startService({ dataDir, env });
  const database = await databaseOf(again);
  for (const purchase of purchases) await purchase.expectOnce(again.url, database);
});

test('SIGTERM while a slow provider is in the middle of a page does not wait for the page', async () => {
  const items = Array.from({ length: 100 }, (_, n) => paymentEntity({ id: `pay_${n}`, amount_refunded: 100 }));
  let pages = 0;
  // A hundred payments whose refunds are asked for five at a time, and each answer takes a second and a half.
  const slow = createServer((request, response) => {
    const isPage = /\/payments\?/.test(request.url ?? '');
    if (isPage) pages += 1;
    const answer = () => response.end(JSON.stringify({ count: 0, items: isPage ? items : [] }));
    setTimeout(answer, isPage ? 0 : 1_500);
  });
  await new Promise<void>(listening => slow.listen(0, '127.0.0.1', listening));
  const env = {
    RAZORPAY_KEY_ID: RAZORPAY.keyId,
    RAZORPAY_KEY_SECRET: RAZORPAY.keySecret,
    RAZORPAY_WEBHOOK_SECRETS: RAZORPAY.webhookSecrets.join(','),
    RAZORPAY_API_URL: `http://127.0.0.1:${(slow.address() as AddressInfo).port}`,
  };
  try {
    const dataDir = await newFolder();
    const service = await startService({ dataDir, env });
    await until(() => pages > 0, 'the list to be read');
    const began = performance.now();
    service.signal('SIGTERM');
    expect(await service.ended).toEqual({ code: 1, signal: null });
    expect(performance.now() - began).toBeLessThan(SHUTDOWN_MS + 2_000);
    expect(service.out()).toContain('"dispatch","sweeper"],"msg":"not everything ended in time"');
    await untilNothingRuns(dataDir);
    const again = await startService({ dataDir });
    expect(await again.stop()).toEqual({ code: 0, signal: null });
  } finally {
    slow.closeAllConnections();
    slow.close();
  }
});

test.each(['SIGTERM', 'SIGINT'] as const)(
  '%s while it is still starting ends it with code 0 and nothing left',
  async name => {
    const dataDir = await newFolder();
    const service = launch({ dataDir });
    await until(() => service.out().includes('embedded PostgreSQL is ready'), 'the database');
    service.signal(name);
    expect(await service.ended).toEqual({ code: 0, signal: null });
    expect(service.err()).toBe('');
    await untilNothingRuns(dataDir);
    const again = await startService({ dataDir });
    expect(await again.stop()).toEqual({ code: 0, signal: null });
  },
);

test('without its database the service ends with code 1 and says so, and the next start has everything', async () => {
  const dataDir = await newFolder();
  const env = await keptSandboxPort();
  const service = await startService({ dataDir, env });
  const purchase = new Purchase();
  await purchase.finish(service.url);
  const server = Number(/"pid":(\d+),"port":\d+,"msg":"embedded PostgreSQL is ready"/.exec(service.out())?.[1]);
  process.kill(server, 'SIGKILL');
  expect(await service.ended).toEqual({ code: 1, signal: null });
  expect(service.out()).toContain(`The embedded PostgreSQL (process ${server}) ended with signal SIGKILL.`);
  const again = await startService({ dataDir, env });
  await purchase.expectOnce(again.url, await databaseOf(again));
});
