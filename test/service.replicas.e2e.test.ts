// Two services on one PostgreSQL server of others, started at the same moment: one set of tables, one set of plans, one
// sandbox, and a purchase that may go through either of them at every step.
import { readFile } from 'node:fs/promises';
import postgres from 'postgres';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { expectSoundBooks, seeded } from './support/databaseChecks.ts';
import { freePort } from './support/freePort.ts';
import { Purchase } from './support/purchase.ts';
import { call, delivered, get } from './support/serviceClient.ts';
import { launch, newFolder, type ServiceProcess } from './support/serviceProcess.ts';
import { createTestDatabase, type TestDatabase } from './support/testDatabase.ts';

let database: TestDatabase;
let sql: postgres.Sql;
let services: ServiceProcess[] = [];
let urls: string[] = [];

beforeAll(async () => {
  database = await createTestDatabase();
  sql = postgres(database.url, { max: 2, onnotice: () => {} });
  const sandboxPort = String(await freePort());
  const shared = { DATABASE_URL: database.url, SANDBOX: 'true' };
  services = [
    launch({ dataDir: await newFolder(), env: { ...shared, SANDBOX_PORT: sandboxPort } }),
    launch({ dataDir: await newFolder(), env: { ...shared, SANDBOX_URL: `http://127.0.0.1:${sandboxPort}` } }),
  ];
  urls = await Promise.all(services.map(service => service.ready));
});
afterAll(async () => {
  await Promise.all(services.map(service => service.stop()));
  await sql.end({ timeout: 1 });
  await database.drop();
});

test('started at the same moment they apply each migration once and seed the plans once', async () => {
  const journal = await readFile(new URL('../db/migrations/meta/_journal.json', import.meta.url), 'utf8');
  const applied = await sql`select hash from drizzle.__drizzle_migrations`;
  expect(applied).toHaveLength(JSON.parse(journal).entries.length);
  expect(new Set(applied.map(row => row.hash)).size).toBe(applied.length);
  for (const url of urls) {
    expect((await get(url, '/v1/plans')).plans).toMatchObject([{ id: 'pro-monthly' }, { id: 'pro-yearly' }]);
    expect((await get(url, '/health/ready')).checks).toEqual({ database: true, sandbox: true, accepting: true });
  }
});

test('a purchase through either of them, and through both at once, is one purchase', async () => {
  const { shuffle } = seeded();
  const purchases = Array.from({ length: 10 }, () => new Purchase());
  await Promise.all(
    purchases.map(async purchase => {
      // The same key at both at the same moment, as when a proxy repeats a request elsewhere.
      await Promise.all(shuffle(urls).map(url => purchase.checkOut(url)));
      await purchase.pay();
      const sends = urls.flatMap(url => [
        () => purchase.sendWebhook(url),
        () => purchase.sendWebhook(url),
        () => purchase.sendCallback(url),
      ]);
      const answers = await Promise.all(shuffle(sends).map(delivered));
      for (const answer of answers) expect(answer, JSON.stringify(answer)).toMatchObject({ status: 200 });
    }),
  );
  for (const purchase of purchases) for (const url of urls) await purchase.expectOnce(url, sql);
});

test('one that is killed leaves its purchases to the other', async () => {
  const [first = '', second = ''] = urls;
  const purchase = new Purchase();
  await purchase.checkOut(second);
  await purchase.pay();
  const inFlight = [purchase.sendWebhook(second), purchase.sendCallback(second)];
  await Promise.race(inFlight.map(sent => sent.written));
  await services[1]?.kill('group');
  await purchase.finish(first);
  await purchase.expectOnce(first, sql);
  expect(await call(first, 'GET', '/health/ready')).toMatchObject({ status: 200 });
  await expectSoundBooks(sql);
});
