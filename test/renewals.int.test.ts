// Recurring charges on a real database: the first pays the order that was checked out, each later one a renewal of it,
// however often and in whatever company it is told.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { addressRenewal } from '../src/renewals.ts';
import { captured, createWorld, openOrder, type World, webhook } from './support/world.ts';

let world: World;
beforeAll(async () => {
  world = await createWorld();
});
afterAll(() => world.close());

const charge = (paymentId: string, subscriptionId: string, amountMinor?: number) => ({
  ...captured(paymentId, amountMinor),
  subscriptionId,
});
const hear = async (envelope: ReturnType<typeof webhook>) => world.dispatch(await addressRenewal(world, envelope));
/** As a provider tells a recurring charge: no order of ours, only its own subscription. */
const renewal = (paymentId: string, subscriptionId: string, amountMinor?: number) =>
  webhook('', charge(paymentId, subscriptionId, amountMinor), { providerOrderId: null });

test('the first charge pays the order, the second and third extend the subscription by an order each', async () => {
  const order = await openOrder(world);
  const first = await hear(webhook(order.providerOrderId, charge('pay_r1', 'sub_1')));
  expect(first).toMatchObject({ verdict: 'applied', orderId: order.id, state: 'subscribed' });
  world.clock.set('2026-02-28T09:00:00.000Z');
  const second = await hear(renewal('pay_r2', 'sub_1'));
  expect(second).toMatchObject({ verdict: 'applied', state: 'subscribed' });
  expect(second.orderId).not.toBe(order.id);
  world.clock.set('2026-03-31T09:00:00.000Z');
  await hear(renewal('pay_r3', 'sub_1'));
  const grants =
    await world.sql`select g.starts_at, g.ends_at, o.kind from grants g join orders o on o.id = g.order_id where g.user_id = ${order.userId} order by seq`;
  expect(grants.map(grant => [grant.kind, grant.starts_at.toISOString(), grant.ends_at.toISOString()])).toEqual([
    ['purchase', '2026-01-31T10:00:00.000Z', '2026-02-28T10:00:00.000Z'],
    ['renewal', '2026-02-28T10:00:00.000Z', '2026-03-31T10:00:00.000Z'],
    ['renewal', '2026-03-31T10:00:00.000Z', '2026-04-30T10:00:00.000Z'],
  ]);
});

test('one charge told eight times at once under different keys is one renewal', async () => {
  const order = await openOrder(world);
  await hear(webhook(order.providerOrderId, charge('pay_m1', 'sub_2')));
  const outcomes = await Promise.all(Array.from({ length: 8 }, () => hear(renewal('pay_m2', 'sub_2'))));
  expect(outcomes.map(outcome => outcome.verdict).sort()).toEqual(['applied', ...Array(7).fill('duplicate')]);
  const [count] = await world.sql`select count(*)::int as n from grants where user_id = ${order.userId}`;
  expect(count?.n).toBe(2);
});

test('the first charge told again belongs to its order, not to a renewal', async () => {
  const order = await openOrder(world);
  await hear(webhook(order.providerOrderId, charge('pay_f1', 'sub_3')));
  expect(await hear(renewal('pay_f1', 'sub_3'))).toMatchObject({ verdict: 'duplicate', orderId: order.id });
});

test('a renewal of another amount is parked, and the subscription stays as it was', async () => {
  const order = await openOrder(world);
  await hear(webhook(order.providerOrderId, charge('pay_o1', 'sub_4')));
  expect(await hear(renewal('pay_o2', 'sub_4', 1))).toMatchObject({ verdict: 'mismatch', state: 'parked' });
  const [count] = await world.sql`select count(*)::int as n from grants where user_id = ${order.userId}`;
  expect(count?.n).toBe(1);
});

test('a renewal that is not paid yet waits for its own charge, and the next one opens its own', async () => {
  const order = await openOrder(world);
  await hear(webhook(order.providerOrderId, charge('pay_w1', 'sub_6')));
  // The renewal of the second charge was written, and the service died before its charge was decided.
  const second = renewal('pay_w2', 'sub_6');
  const waiting = await addressRenewal(world, second);
  const third = await hear(renewal('pay_w3', 'sub_6'));
  expect(third).toMatchObject({ verdict: 'applied', state: 'subscribed' });
  expect(third.orderId).not.toBe(waiting.orderId);
  expect(await hear(second)).toMatchObject({ verdict: 'applied', state: 'subscribed', orderId: waiting.orderId });
  const [count] = await world.sql`select count(*)::int as n from grants where user_id = ${order.userId}`;
  expect(count?.n).toBe(3);
});

test('a charge of a subscription nobody knows is kept as unmatched', async () => {
  expect(await hear(renewal('pay_u1', 'sub_unknown'))).toMatchObject({ verdict: 'unmatched', orderId: null });
});

test('a refund of a renewal revokes that renewal alone', async () => {
  const order = await openOrder(world);
  await hear(webhook(order.providerOrderId, charge('pay_b1', 'sub_5')));
  const second = await hear(renewal('pay_b2', 'sub_5'));
  const back = {
    type: 'refund.updated' as const,
    paymentId: 'pay_b2',
    refundId: 'rf_b2',
    state: 'completed' as const,
    amountMinor: 49900,
  };
  expect(await hear(webhook(order.providerOrderId, back))).toMatchObject({
    orderId: second.orderId,
    state: 'refunded',
  });
  const live = await world.sql`select order_id from grants where user_id = ${order.userId} and revoked_at is null`;
  expect(live.map(grant => grant.order_id)).toEqual([order.id]);
});
