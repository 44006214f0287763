// An endpoint that answers nobody: the others hear everything at once, and it hears everything in order when it is back.
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { systemRandom } from '../src/clock.ts';
import type { EffectHandler } from '../src/effects/effect.ts';
import { LONGEST_PUT_OFF_MS } from '../src/effects/shares.ts';
import { startWorker, type Worker, workOff } from '../src/effects/worker.ts';
import { createNotifications } from '../src/notifications/notifications.ts';
import { until } from './support/databaseChecks.ts';
import { NOTIFICATION_KEY } from './support/httpService.ts';
import { type Receiver, startReceiver } from './support/merchantReceiver.ts';
import { handlersOf, logLines, outboxRows } from './support/outboxRig.ts';
import { captured, createWorld, openOrder, operator, type World, webhook } from './support/world.ts';

const NEVER_MS = 3_600_000;
const DAY_MS = 86_400_000;

let world: World;
let good: Receiver;
let bad: Receiver;
beforeAll(async () => {
  world = await createWorld();
});
beforeEach(async () => {
  world.clock.set('2026-01-31T10:00:00.000Z');
  [good, bad] = await Promise.all([startReceiver(), startReceiver()]);
  bad.otherwise = 'silence';
});
afterEach(async () => {
  await Promise.all([good.close(), bad.close()]);
  await world.sql`delete from endpoints`;
  await world.sql`delete from outbox`;
});
afterAll(() => world.close());

const later = (ms: number) => world.clock.set(new Date(world.clock().getTime() + ms).toISOString());

/** What a worker needs that only tells, and endpoints at both. Nobody's patience ends by itself: a test ends silence by cutting it. */
async function telling() {
  const { db, clock, newId } = world;
  const { log } = logLines();
  const made = createNotifications({
    db,
    clock,
    newId,
    log,
    key: NOTIFICATION_KEY,
    privateAddresses: true,
    timeoutMs: NEVER_MS,
  });
  for (const { url } of [good, bad]) await made.endpoints.create({ url, topics: null });
  const nothing: EffectHandler = async () => ({ end: 'done' });
  const handlers = { ...handlersOf(nothing), notify: made.notifyHandler };
  return { db, clock, newId, log, handlers, random: systemRandom, workerId: newId('wrk') };
}

async function paidOrders(count: number): Promise<{ id: string; paymentId: string }[]> {
  const orders: { id: string; paymentId: string }[] = [];
  for (let i = 0; i < count; i++) {
    const { id, providerOrderId } = await openOrder(world);
    const paymentId = `pay_${id}`;
    await world.dispatch(webhook(providerOrderId, captured(paymentId)));
    orders.push({ id, paymentId });
  }
  return orders;
}

/** What is held by silence, when all else is over; how long the machine takes for that is no matter. */
async function untilHeld(worker: Worker, held: number, told: number): Promise<void> {
  await until(`${held} are held by silence and the good one has heard ${told} or more`, () => {
    // Should this machine be slow, the good one seems so, too, and whoever was put off comes back.
    if (good.calls.length < told) {
      later(1);
      worker.wake();
    }
    return worker.running() === held && good.calls.length >= told;
  });
}

/** The silent one breaks off what it holds: no answer, as after a time-out. */
async function cutShort(worker: Worker): Promise<void> {
  bad.cut();
  await until('what was cut off is written down', () => worker.running() === 0);
}

const ordersToldTo = ({ calls }: Receiver) => new Set(calls.map(({ body }) => JSON.parse(body).data.orderId));
const notices = async () => (await outboxRows(world.sql)).filter(({ effect }) => effect === 'notify');

test('of 200 orders paid at once a good endpoint hears while a silent one still holds the first eight', async () => {
  const deps = await telling();
  const orders = await paidOrders(200);
  const worker = startWorker({ ...deps, pollMs: NEVER_MS });
  await untilHeld(worker, 8, 200);
  expect(ordersToldTo(good).size).toBe(orders.length);
  expect(bad.calls).toHaveLength(8);
  const waiting = (await notices()).filter(({ leased }) => !leased);
  expect(waiting).toHaveLength(192);
  expect(waiting.every(({ status, attempts }) => status === 'pending' && attempts === 0)).toBe(true);
  await cutShort(worker);
  await worker.close();
});

test('a silent endpoint is asked by one message at a time, and when it answers hears of each order in its order', async () => {
  const deps = await telling();
  const orders = await paidOrders(20);
  const worker = startWorker({ ...deps, pollMs: NEVER_MS });
  await untilHeld(worker, 8, 20);
  expect(bad.calls).toHaveLength(8);
  await cutShort(worker);
  for (const { id, paymentId } of orders) {
    const refund = { paymentId, refundId: `re_${id}`, state: 'completed' as const, amountMinor: 49_900 };
    await world.dispatch(operator(id, { type: 'refund.updated', ...refund }));
  }
  later(LONGEST_PUT_OFF_MS);
  worker.wake();
  // Of the order whose message is held, the next one may have to wait until that is over.
  await untilHeld(worker, 1, 39);
  expect(bad.calls, 'one of all that were due').toHaveLength(9);
  bad.otherwise = { status: 204 };
  await cutShort(worker);
  await worker.close();
  bad.calls.length = 0;
  while (!(await notices()).every(({ status }) => status === 'done')) {
    later(LONGEST_PUT_OFF_MS);
    await workOff(deps);
  }
  expect(bad.calls).toHaveLength(40);
  for (const { id } of orders) {
    const heard = bad.calls.map(({ body }) => JSON.parse(body)).filter(({ data }) => data.orderId === id);
    expect(heard.map(({ type }) => type)).toEqual(['order.subscribed', 'order.refunded']);
  }
  expect(good.calls, 'and nobody heard anything twice').toHaveLength(40);
});

test('a message that has waited its turn for a day pays for waiting on, so that somebody hears of it in the end', async () => {
  const deps = await telling();
  await paidOrders(9);
  const worker = startWorker({ ...deps, pollMs: NEVER_MS });
  await untilHeld(worker, 8, 9);
  await cutShort(worker);
  const tries = async () => (await notices()).map(({ attempts }) => attempts).toSorted();
  expect(await tries()).toEqual([0, 1, 1, 1, 1, 1, 1, 1, 1]);
  later(DAY_MS);
  worker.wake();
  await until('one asks and the others are done waiting', () => worker.running() === 1 && bad.calls.length === 9);
  await cutShort(worker);
  expect(bad.calls).toHaveLength(9);
  expect(await tries(), 'one asked, and eight paid for waiting').toEqual([1, 2, 2, 2, 2, 2, 2, 2, 2]);
  await worker.close();
});
