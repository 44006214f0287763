// Operators are told: in the log always, and at their own address over real HTTP where one is set.
import { pino } from 'pino';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { LeasedEffect } from '../src/effects/effect.ts';
import { type AlertDeps, alertHandler } from '../src/notifications/alert.ts';
import { type Receiver, startReceiver } from './support/merchantReceiver.ts';
import { captured, createWorld, openOrder, type World, webhook } from './support/world.ts';

let world: World;
let chat: Receiver;
let lines: Record<string, unknown>[] = [];
beforeAll(async () => {
  world = await createWorld();
  chat = await startReceiver();
});
afterAll(() => Promise.all([world.close(), chat.close()]));
afterEach(() => {
  lines = [];
  Object.assign(chat, { calls: [], next: [], otherwise: { status: 200 } });
});

const handler = (more: Partial<AlertDeps> = {}) =>
  alertHandler({
    db: world.db,
    clock: world.clock,
    newId: world.newId,
    log: pino({ base: undefined, timestamp: false }, { write: line => void lines.push(JSON.parse(line)) }),
    webhookUrl: `${chat.url}/hooks/T1/secret-path`,
    publicUrl: 'https://pay.test',
    timeoutMs: 60_000,
    ...more,
  });

/** The alert about an order that was paid with the wrong amount, as the worker leases it. */
async function mismatch(): Promise<LeasedEffect> {
  const order = await openOrder(world);
  await world.dispatch(webhook(order.providerOrderId, captured(`pay_${order.id}`, 39_900)));
  const [row] = await world.sql`select * from outbox where order_id = ${order.id} and effect = 'alert'`;
  return {
    id: row!.id,
    orderId: order.id,
    orderVersion: row!.order_version,
    effect: 'alert',
    payload: row!.payload,
    dedupKey: row!.dedup_key,
    attempt: 1,
    maybeSent: false,
    availableAt: row!.available_at,
  };
}

test('an alert reaches the operator’s address in words, and is done', async () => {
  const effect = await mismatch();
  expect(await handler()(effect)).toEqual({ end: 'done' });
  expect(chat.calls).toHaveLength(1);
  expect(chat.calls[0]!.path).toBe('/hooks/T1/secret-path');
  const body = JSON.parse(chat.calls[0]!.body);
  expect(body).toMatchObject({ id: effect.id, cause: 'mismatch', orderId: effect.orderId });
  expect(body.text).toMatch(
    /^A payment is not what its order costs\..* Payment pay_ord_\w+: ₹399\.00\. Order ord_\w+ of /,
  );
  expect(body.text).toContain('₹499.00 at sandbox) is parked');
  expect(body.text).toContain(`https://pay.test/v1/orders/${effect.orderId}/timeline`);
});

test('without an address it is one line in the log, with named fields and nothing else', async () => {
  const effect = await mismatch();
  const payload = { ...effect.payload, reason: 'free text', metadata: { card: '4111' }, by: 'x' };
  expect(await handler({ webhookUrl: null })({ ...effect, payload })).toEqual({ end: 'done' });
  expect(lines).toHaveLength(1);
  expect(lines[0]).toMatchObject({
    level: 40,
    msg: 'alert',
    alertId: effect.id,
    orderId: effect.orderId,
    cause: 'mismatch',
    amountMinor: 39_900,
    currency: 'INR',
  });
  expect(JSON.stringify(lines)).not.toMatch(/free text|4111/);
});

describe('an address that does not take it', () => {
  test.each([
    ['answers 500', { status: 500 }, /answered 500/],
    ['answers 404', { status: 404 }, /answered 404/],
    ['redirects', { status: 301, headers: { location: 'http://127.0.0.1:1/' } }, /answered 301/],
    ['cuts the line', 'cut' as const, /could not be reached \(ECONNRESET\)/],
    ['is silent', 'silence' as const, /did not answer in time/],
  ])('because it %s is asked again, and the log has one line of it', async (_how, mood, error) => {
    const effect = await mismatch();
    chat.next = [mood];
    const end = await handler(mood === 'silence' ? { timeoutMs: 1_000 } : {})(effect);
    expect(end).toMatchObject({ end: 'again', error: expect.stringMatching(error) });
    expect(JSON.stringify(end)).not.toContain('secret-path');
    expect(await handler()({ ...effect, attempt: 2 })).toEqual({ end: 'done' });
    expect(chat.calls).toHaveLength(2);
    expect(chat.calls[1]!.body).toBe(chat.calls[0]!.body);
    expect(lines).toHaveLength(1);
    expect(JSON.stringify(lines)).not.toContain('secret-path');
  });

  test('but names a time is not asked again before', async () => {
    chat.next = [{ status: 429, headers: { 'retry-after': '30' } }];
    const notBefore = new Date(world.clock().getTime() + 30_000);
    expect(await handler()(await mismatch())).toMatchObject({ end: 'again', notBefore });
  });
});

test('an alert about no order, and one about an order in its payload, are told too', async () => {
  const effect = await mismatch();
  const about = { ...effect, orderId: null, payload: { cause: 'payment_not_counted', orderId: effect.orderId } };
  await handler()(about);
  await handler()({ ...about, payload: { cause: 'unmatched_event', orderId: null } });
  const [first, second] = chat.calls.map(({ body }) => JSON.parse(body));
  expect(first).toMatchObject({ orderId: effect.orderId, text: expect.stringContaining('is parked') });
  expect(second).toMatchObject({ orderId: null, text: expect.not.stringContaining('/timeline') });
});
