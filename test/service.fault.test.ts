// The service killed at each step of a purchase, at the step and not at a time: held there by a lock of the test's own,
// or killed as soon as the step can be seen. After every kill a normal start on the same folder and the usual
// redeliveries end in one order, one grant and one subscription, with everything that had been acknowledged.
import postgres from 'postgres';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { seeded } from './support/databaseChecks.ts';
import { until } from './support/embeddedProcesses.ts';
import { freePort } from './support/freePort.ts';
import { Purchase } from './support/purchase.ts';
import { type Json, type Sent, sandbox } from './support/serviceClient.ts';
import { embeddedDatabaseUrl, newFolder, type ServiceProcess, startService } from './support/serviceProcess.ts';

/** Writes that can be held: each waits for the advisory lock of its number, which is free unless a test has it. */
const GATES = {
  'the key of a checkout': { number: 1, write: 'insert on idempotency_keys' },
  'a new order': { number: 2, write: 'insert on orders' },
  'a transition of an order': { number: 3, write: 'update on orders' },
  'an event that arrived': { number: 4, write: 'insert on inbox' },
} as const;
type Gate = keyof typeof GATES;

let dataDir: string;
/** Pay links are to be good over every kill. */
let sandboxPort: string;
let service: ServiceProcess;
let sql: postgres.Sql;

async function start(): Promise<void> {
  service = await startService({ dataDir, env: { SANDBOX_PORT: sandboxPort } });
  sql = postgres(await embeddedDatabaseUrl(service), { max: 3, onnotice: () => {} });
}

/** Kills, and starts again at once: whatever the old life left running is the new one's to deal with. */
async function killAndRestart(whom: 'alone' | 'group'): Promise<void> {
  await service.kill(whom);
  await sql.end({ timeout: 0 });
  await start();
}

beforeAll(async () => {
  dataDir = await newFolder();
  sandboxPort = String(await freePort());
  await start();
  await sql.unsafe(`create function hold() returns trigger language plpgsql as
    'begin perform pg_advisory_xact_lock_shared(tg_argv[0]::int); return null; end'`);
  for (const { number, write } of Object.values(GATES))
    await sql.unsafe(
      `create trigger hold_${number} before ${write} for each statement execute function hold(${number})`,
    );
});
afterAll(() => sql?.end({ timeout: 0 }));

/** Resolves when somebody waits at the gate; it stays shut until the database goes down with the service. */
async function reach(gate: Gate, act: () => unknown): Promise<void> {
  const holder = await sql.reserve();
  await holder`select pg_advisory_lock(${GATES[gate].number})`;
  act();
  await until(
    async () => (await sql`select 1 from pg_locks where locktype = 'advisory' and not granted`).length > 0,
    `somebody to write ${gate}`,
  );
}

const seesTransition = (orderId: string, type: string) => async () =>
  (await sql`select 1 from transitions where order_id = ${orderId} and event_type = ${type}`).length > 0;

type Step = [name: string, whom: 'alone' | 'group', take: (p: Purchase) => Promise<unknown>];
const CHECKOUT: Step[] = [
  ['a checkout is written to its socket', 'alone', p => p.sendCheckout(service.url).written],
  ['a checkout writes its key', 'group', p => reach('the key of a checkout', () => p.sendCheckout(service.url))],
  ['a checkout writes its order', 'alone', p => reach('a new order', () => p.sendCheckout(service.url))],
  [
    'the sandbox has opened an order and its opening is being written',
    'group',
    p => reach('a transition of an order', () => p.sendCheckout(service.url)),
  ],
  ['a checkout was answered', 'alone', p => p.checkOut(service.url)],
  [
    'the payment was made at the sandbox',
    'group',
    async p => {
      await p.checkOut(service.url);
      await p.pay();
    },
  ],
];

test.each(CHECKOUT)('killed when %s (%s): the same key makes one order, paid once', async (_name, whom, take) => {
  const purchase = new Purchase();
  await take(purchase);
  await killAndRestart(whom);
  await purchase.finish(service.url);
  await purchase.expectOnce(service.url, sql);
});

const { seed, shuffle } = seeded();

/** Both at the same instant, in an order that the seed decides. */
function sendBoth(p: Purchase) {
  const sent = shuffle([() => p.sendWebhook(service.url), () => p.sendCallback(service.url)]).map(each => each());
  return { written: sent.map(each => each.written), answers: sent.map(each => each.answer) };
}
const TELLING: Step[] = [
  ['the first of them is written to its socket', 'alone', p => Promise.race(sendBoth(p).written)],
  ['both are written to their sockets', 'group', p => Promise.all(sendBoth(p).written)],
  ['the first of them is being stored', 'alone', p => reach('an event that arrived', () => sendBoth(p))],
  ['the order is being moved', 'group', p => reach('a transition of an order', () => sendBoth(p))],
  [
    'the capture can be seen in the database',
    'alone',
    p => {
      sendBoth(p);
      return until(seesTransition(p.orderId, 'payment.captured'), 'the capture');
    },
  ],
  ['the first answer is here', 'alone', p => Promise.race(sendBoth(p).answers)],
  ['both answers are here', 'group', p => Promise.all(sendBoth(p).answers)],
];

describe.each([1, 2])(`callback and webhook at the same instant (SEED=${seed}), round %i`, () => {
  test.each(TELLING)('killed when %s (%s): redelivered, they grant once', async (_name, whom, take) => {
    const purchase = new Purchase();
    await purchase.checkOut(service.url);
    await purchase.pay();
    await take(purchase);
    await killAndRestart(whom);
    const before = await purchase.timeline(service.url);
    const kept = before.received.map((entry: Json) => entry.eventKey);
    expect(kept, 'acknowledged, so here before anything is redelivered').toEqual(
      expect.arrayContaining([...purchase.acknowledged.keys()]),
    );
    await purchase.finish(service.url);
    await purchase.expectOnce(service.url, sql);
  });
});

test('a payment whose webhook never left the sandbox before the kill is told by its next life without any help', async () => {
  const purchase = new Purchase();
  await purchase.checkOut(service.url);
  await sandbox(purchase.payUrl, 'POST', '/webhooks/pause');
  const path = `/orders/${purchase.providerOrderId}/scenarios/succeed`;
  const { payments, webhookIds } = await sandbox(purchase.payUrl, 'POST', path);
  purchase.paymentId = payments[0].paymentId;
  await killAndRestart('group');
  await until(seesTransition(purchase.orderId, 'grant.recorded'), 'the grant');
  await sandbox(purchase.payUrl, 'POST', `/webhooks/${webhookIds[0]}/deliver`);
  await purchase.expectOnce(service.url, sql);
});

type RefundStep = [name: string, whom: 'alone' | 'group', take: (send: () => Sent) => Promise<unknown>];
const REFUND: RefundStep[] = [
  ['is written to its socket', 'alone', send => send().written],
  ['is being stored', 'group', send => reach('an event that arrived', send)],
  ['was answered', 'alone', send => send().answer],
];

test.each(REFUND)('killed when a refund webhook %s (%s): the money goes back once', async (_name, whom, take) => {
  const purchase = new Purchase();
  await purchase.finish(service.url);
  await sandbox(purchase.payUrl, 'POST', '/webhooks/pause');
  const path = `/orders/${purchase.providerOrderId}/scenarios/refund`;
  const [webhookId] = (await sandbox(purchase.payUrl, 'POST', path)).webhookIds;
  const { webhooks } = await sandbox(purchase.payUrl, 'GET', `/webhooks?providerOrderId=${purchase.providerOrderId}`);
  const { body } = webhooks.find((webhook: Json) => webhook.webhookId === webhookId);
  await take(() => purchase.sendEvent(service.url, webhookId, body));
  await killAndRestart(whom);
  // The sandbox's next life sends the same webhook by itself, perhaps at this very moment.
  for (let i = 0; i < 2; i++)
    expect(await purchase.sendEvent(service.url, webhookId, body).answer).toMatchObject({ status: 200 });
  await purchase.expectOnce(service.url, sql, 'refunded');
  const { payments, refunds } = await purchase.timeline(service.url);
  expect(payments[0].refundedMinor).toBe(payments[0].capturedMinor);
  expect(refunds).toHaveLength(1);
});
