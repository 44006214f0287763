// Paid money whose grant the database refuses: a trigger somebody added by hand. The order is captured and stuck with the
// database's reason for as long as that lasts, however often the service starts, and its neighbours notice nothing.
import postgres from 'postgres';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { expectSoundBooks } from './support/databaseChecks.ts';
import { until } from './support/embeddedProcesses.ts';
import { freePort } from './support/freePort.ts';
import { Purchase } from './support/purchase.ts';
import { call, delivered, get, type Json } from './support/serviceClient.ts';
import { newFolder, type ServiceProcess, startService } from './support/serviceProcess.ts';
import { createTestDatabase, type TestDatabase } from './support/testDatabase.ts';

const REASON = 'the ledger of May is closed';

let database: TestDatabase;
let sql: postgres.Sql;
let dataDir: string;
let sandboxPort: string;
let service: ServiceProcess | undefined;

beforeAll(async () => {
  database = await createTestDatabase();
  sql = postgres(database.url, { max: 2, onnotice: () => {} });
  dataDir = await newFolder();
  sandboxPort = String(await freePort());
});
afterAll(async () => {
  await service?.stop();
  await sql.end({ timeout: 1 });
  await database.drop();
});

async function restart(whileStopped: () => Promise<unknown> = async () => {}): Promise<string> {
  if (service) expect(await service.stop()).toEqual({ code: 0, signal: null });
  await whileStopped();
  service = await startService({
    dataDir,
    env: { DATABASE_URL: database.url, SANDBOX: 'true', SANDBOX_PORT: sandboxPort },
  });
  return service.url;
}

async function refuseGrantsOf(orderId: string): Promise<void> {
  await sql.unsafe(
    `create function refuse() returns trigger language plpgsql as $$ begin raise exception '${REASON}'; end $$`,
  );
  await sql.unsafe(
    `create trigger refuse before insert on grants for each row when (new.order_id = '${orderId}') execute function refuse()`,
  );
}
const allowGrants = () => sql.unsafe('drop function if exists refuse() cascade');

/** An order that is opened, then refused its grant, then paid; and a neighbour paid at the same moment. */
async function paidButRefused(): Promise<Purchase> {
  const purchase = new Purchase();
  const neighbour = new Purchase();
  const before = await restart();
  for (const each of [purchase, neighbour]) await each.checkOut(before);
  const url = await restart(() => refuseGrantsOf(purchase.orderId));
  for (const each of [purchase, neighbour]) await each.pay();
  const [told, , others] = await Promise.all(
    [
      () => purchase.sendWebhook(url),
      () => purchase.sendCallback(url),
      () => neighbour.sendWebhook(url),
      () => neighbour.sendCallback(url),
    ].map(delivered),
  );
  expect(told).toMatchObject({
    status: 200,
    body: { verdict: expect.stringMatching(/applied|duplicate/), state: 'captured' },
  });
  expect(others).toMatchObject({ status: 200, body: { state: 'subscribed' } });
  await neighbour.expectOnce(url, sql);
  return purchase;
}

async function expectStuck(url: string, purchase: Purchase): Promise<void> {
  const stuck = { cause: 'grant_failed', since: expect.any(String), detail: expect.stringContaining(REASON) };
  const order = await get(url, `/v1/orders/${purchase.orderId}`);
  expect(order).toMatchObject({ state: 'captured', stuck });
  expect(order.legalEvents).toContain('retry.requested');
  const timeline = await purchase.timeline(url);
  expect(timeline).toMatchObject({ order: { state: 'captured', stuck }, grant: null });
  expect(timeline.payments).toMatchObject([{ paymentId: purchase.paymentId, state: 'captured' }]);
  const { orders } = await get(url, '/v1/orders?stuck=true');
  expect(orders.map((entry: Json) => entry.id)).toEqual([purchase.orderId]);
  const access = await get(url, `/v1/users/${purchase.userId}/access?product=pro`);
  expect(access).toMatchObject({ access: false, reason: 'never_paid' });
  await expectSoundBooks(sql);
}

/** Whether the service has tried this order at its start: the attempt is a decision in the log. */
const droveAtStart = (orderId: string) => () =>
  (service?.out() ?? '').split('\n').some(line => line.includes('"source":"sweeper"') && line.includes(orderId));

test('an order that is refused its grant stays captured with the reason over restarts, and subscribes at the start after', async () => {
  const purchase = await paidButRefused();
  await expectStuck(service!.url, purchase);
  await restart();
  await until(droveAtStart(purchase.orderId), 'the start to try the order');
  await expectStuck(service!.url, purchase);
  const url = await restart(allowGrants);
  await until(async () => (await get(url, `/v1/orders/${purchase.orderId}`)).state === 'subscribed', 'the grant');
  await purchase.expectOnce(url, sql);
});

test('retry answers with the reason while it lasts, and completes the order without a restart once it is gone', async () => {
  const purchase = await paidButRefused();
  const url = service!.url;
  const retry = () => call(url, 'POST', `/v1/orders/${purchase.orderId}/retry`, { reason: 'the ledger is open again' });
  expect(await retry()).toMatchObject({ status: 200, body: { order: { state: 'captured' } } });
  await expectStuck(url, purchase);
  await allowGrants();
  expect(await retry()).toMatchObject({
    status: 200,
    body: { verdict: 'applied', order: { state: 'subscribed', stuck: null } },
  });
  expect(await retry()).toMatchObject({ status: 409, body: { code: 'nothing_to_retry' } });
  await purchase.expectOnce(url, sql);
});
