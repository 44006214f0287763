// An endpoint that answers nobody: the others hear everything at once, and it hears everything in order when it is back.
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { systemRandom } from '../src/clock.ts';
import type { EffectHandler } from '../src/effects/effect.ts';
import { LONGEST_PUT_OFF_MS } from '../src/effects/shares.ts';
import { startWorker, workOff } from '../src/effects/worker.ts';
import { createNotifications } from '../src/notifications/notifications.ts';
import { until } from './support/databaseChecks.ts';
import { NOTIFICATION_KEY } from './support/httpService.ts';
import { type Receiver, startReceiver } from './support/merchantReceiver.ts';
import { handlersOf, logLines, outboxRows } from './support/outboxRig.ts';
import { captured, createWorld, openOrder, operator, type World, webhook } from './support/world.ts';

const NEVER_MS = 3_600_000;
const DAY_MS = 86_400_000;
/** Longer than a place at an endpoint is waited for. */
const TIMEOUT_MS = 1_500;

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

/** A worker that only tells, endpoints at both, and how long it waits for an answer. */
async function telling(timeoutMs: number) {
  const { db, clock, newId } = world;
  const { log } = logLines();
  const made = createNotifications({ db, clock, newId, log, key: NOTIFICATION_KEY, privateAddresses: true, timeoutMs });
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

const ordersToldTo = ({ calls }: Receiver) => new Set(calls.map(({ body }) => JSON.parse(body).data.orderId));
const notices = async () => (await outboxRows(world.sql)).filter(({ effect }) => effect === 'notify');

test('of 200 orders paid at once a good endpoint hears while a silent one still holds the first eight', async () => {
  const deps = await telling(NEVER_MS);
  const orders = await paidOrders(200);
  const worker = startWorker({ ...deps, pollMs: NEVER_MS });
  await until('good has heard of every order', () => {
    // Should this machine be slow, who was put off comes back.
    later(1);
    worker.wake();
    return ordersToldTo(good).size === orders.length;
  });
  await until('the silent one alone keeps places', () => worker.running() === 8);
  expect(bad.calls).toHaveLength(8);
  expect(good.calls).toHaveLength(200);
  const waiting = (await notices()).filter(({ leased }) => !leased);
  expect(waiting).toHaveLength(192);
  expect(waiting.every(({ status, attempts }) => status === 'pending' && attempts === 0)).toBe(true);
  await bad.close();
  await worker.close();
  bad = await startReceiver();
});

test('a silent endpoint is asked by one message at a time, and when it answers hears of each order in its order', async () => {
  const deps = await telling(TIMEOUT_MS);
  const orders = await paidOrders(20);
  await workOff(deps);
  expect(bad.calls).toHaveLength(8);
  for (const { id, paymentId } of orders) {
    const refund = { paymentId, refundId: `re_${id}`, state: 'completed' as const, amountMinor: 49_900 };
    await world.dispatch(operator(id, { type: 'refund.updated', ...refund }));
  }
  later(LONGEST_PUT_OFF_MS);
  await workOff({ ...deps, width: { provider: 1, closing: 1, question: 1, merchant: 100, operator: 1 } });
  expect(bad.calls, 'one of all that were due').toHaveLength(9);
  expect(good.calls).toHaveLength(40);
  bad.otherwise = { status: 204 };
  bad.calls.length = 0;
  for (let rounds = 0; rounds < 20; rounds++) {
    later(LONGEST_PUT_OFF_MS);
    await workOff(deps);
  }
  expect(bad.calls).toHaveLength(40);
  for (const { id } of orders) {
    const heard = bad.calls.map(({ body }) => JSON.parse(body)).filter(({ data }) => data.orderId === id);
    expect(heard.map(({ type }) => type)).toEqual(['order.subscribed', 'order.refunded']);
  }
  expect(good.calls, 'and nobody heard anything twice').toHaveLength(40);
  expect((await notices()).every(({ status }) => status === 'done')).toBe(true);
});

test('a message that has waited its turn for a day pays for waiting on, so that somebody hears of it in the end', async () => {
  const deps = await telling(TIMEOUT_MS);
  await paidOrders(9);
  await workOff(deps);
  const tries = async () => (await notices()).map(({ attempts }) => attempts).toSorted();
  expect(await tries()).toEqual([0, 1, 1, 1, 1, 1, 1, 1, 1]);
  later(DAY_MS);
  await workOff(deps);
  expect(bad.calls).toHaveLength(9);
  expect(await tries(), 'one asked, and eight paid for waiting').toEqual([1, 2, 2, 2, 2, 2, 2, 2, 2]);
});
