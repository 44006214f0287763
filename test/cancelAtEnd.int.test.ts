// Cancel at period end: what is paid stays, no grace follows, the provider stops charging, and nothing that happens at the
// same moment loses the wish.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { cancelAtEnd } from '../src/cancelAtEnd.ts';
import { until } from './support/databaseChecks.ts';
import { gated, isCommit } from './support/gatedDatabase.ts';
import { API_KEY, type Json } from './support/httpService.ts';
import { paymentEntity } from './support/razorpayBodies.ts';
import { type RazorpayService, startRazorpayService } from './support/razorpayService.ts';
import { captured, openOrder, webhook } from './support/world.ts';

let service: RazorpayService;
beforeAll(async () => {
  service = await startRazorpayService();
});
afterAll(() => service.close());

const PAID_AT = '2026-01-31T10:00:00.000Z';
const atS = () => Math.floor(service.world.clock().getTime() / 1_000);

/** Somebody who pays by a subscription of Razorpay's; `more` charges follow. */
async function subscriber() {
  service.world.clock.set(PAID_AT);
  const order = await service.checkOut();
  const subscription = { id: `sub_${order.id}`, notes: { order_id: order.id } };
  const charge = async (n: number) => {
    const payment = paymentEntity({ id: `pay_${order.id}_${n}`, amount: 49_900, order_id: `order_rzp_${n}` });
    return (await service.webhook('subscription.charged', { subscription, payment }, { at: atS() })).body;
  };
  expect(await charge(1)).toMatchObject({ orderId: order.id, state: 'subscribed' });
  return { ...order, subscriptionId: subscription.id, charge };
}

const cancel = (userId: string, body: Json = { reason: 'moving away' }) =>
  service.call('POST', `/v1/users/${userId}/subscriptions/pro/cancel`, body, { authorization: `Bearer ${API_KEY}` });
const accessAt = async (userId: string, at: string) =>
  (await service.call('GET', `/v1/users/${userId}/access?product=pro&at=${at}`)).body;
const effectsOf = (userId: string) =>
  service.world.sql`select x.* from outbox x join orders o on o.id = x.order_id
    where o.user_id = ${userId} and x.effect = 'close' order by x.id`;

test('paid time runs to its end, and no grace follows', async () => {
  const { userId } = await subscriber();
  expect((await accessAt(userId, '2026-03-01T10:00:00Z')).reason).toBe('in_grace');
  const { status, body } = await cancel(userId);
  const end = '2026-02-28T10:00:00.000Z';
  expect({ status, body }).toMatchObject({ status: 200, body: { cancelAtEnd: true, endsAt: end, graceUntil: end } });
  const listed = (await service.call('GET', `/v1/users/${userId}/subscriptions`)).body;
  expect(listed.subscriptions).toEqual([body]);
  expect(await accessAt(userId, '2026-02-28T09:59:59Z')).toMatchObject({ access: true, reason: 'active', until: end });
  expect(await accessAt(userId, '2026-02-28T10:00:00Z')).toMatchObject({ access: false, reason: 'expired' });
});

test('the provider is told to stop by one effect, however often it is asked', async () => {
  const { id, userId, subscriptionId } = await subscriber();
  const answers = await Promise.all(
    Array.from({ length: 8 }, () => cancel(userId, { reason: 'moving away', by: 'support/anna' })),
  );
  expect(new Set(answers.map(({ body }) => JSON.stringify(body))).size).toBe(1);
  expect(answers[0]).toMatchObject({ status: 200, body: { version: 2, cancelAtEnd: true } });
  const [effect, ...others] = await effectsOf(userId);
  expect(others).toEqual([]);
  expect(effect).toMatchObject({
    order_id: id,
    status: 'pending',
    dedup_key: `${id}:close:subscription:${subscriptionId}`,
    payload: { subscriptionId, reason: 'moving away', by: 'support/anna' },
    available_at: new Date(PAID_AT),
  });
});

test('an effect that had died is tried again when it is asked again, and one that is done is not', async () => {
  const { userId } = await subscriber();
  await cancel(userId);
  await service.world.sql`update outbox set status = 'dead', attempts = 9 where effect = 'close'
    and order_id in (select id from orders where user_id = ${userId})`;
  await cancel(userId);
  expect(await effectsOf(userId)).toMatchObject([{ status: 'pending', attempts: 0 }]);
  await service.world.sql`update outbox set status = 'done' where effect = 'close'
    and order_id in (select id from orders where user_id = ${userId})`;
  await cancel(userId);
  expect(await effectsOf(userId)).toMatchObject([{ status: 'done' }]);
});

test('a charge that was under way at the provider extends what is paid, and the wish stands', async () => {
  const { userId, charge } = await subscriber();
  await cancel(userId);
  service.world.clock.set('2026-02-28T09:00:00.000Z');
  expect(await charge(2)).toMatchObject({ verdict: 'applied', state: 'subscribed' });
  const { subscriptions } = (await service.call('GET', `/v1/users/${userId}/subscriptions`)).body;
  expect(subscriptions).toMatchObject([{ cancelAtEnd: true, endsAt: '2026-03-31T10:00:00.000Z', grants: 2 }]);
});

test('a new purchase takes it back', async () => {
  const { userId } = await subscriber();
  await cancel(userId);
  const order = await openOrder(service.world, { userId });
  await service.world.dispatch(webhook(order.providerOrderId, captured(`pay-again-${userId}`)));
  const { subscriptions } = (await service.call('GET', `/v1/users/${userId}/subscriptions`)).body;
  expect(subscriptions).toMatchObject([{ cancelAtEnd: false, grants: 2 }]);
});

test('who has no subscription has nothing to cancel, and a reason is needed', async () => {
  expect(await cancel('nobody-at-all')).toMatchObject({ status: 404, body: { code: 'not_found' } });
  const { userId } = await subscriber();
  expect(await cancel(userId, {})).toMatchObject({ status: 400, body: { code: 'invalid_request' } });
  expect(await effectsOf(userId)).toEqual([]);
});

test('a payment that was decided before the wish and is written after it does not undo it', async () => {
  const { userId, charge } = await subscriber();
  const gate = gated(service.world.db);
  const { dispatch } = service.world.dispatcherOn(gate.db);
  service.world.clock.set('2026-02-20T10:00:00.000Z');
  const order = await charge(2);
  // A refund in part, decided by a service that read the subscription before the wish and writes after it.
  const [payment] = await service.world.sql`select payment_id from payments where order_id = ${order.orderId}`;
  const refund = { type: 'refund.updated' as const, paymentId: payment!.payment_id, refundId: `rf-${userId}` };
  const told = dispatch(
    webhook(
      '',
      { ...refund, state: 'completed', amountMinor: 49_900 },
      { orderId: order.orderId, provider: 'razorpay' },
    ),
  );
  await until('it is loaded', () => gate.waiting() === 1);
  await gate.release();
  await until('it is decided', () => gate.waiting() === 1 && isCommit(gate.next()));
  const { clock, newId, db } = service.world;
  const log = { info: () => {} } as never;
  const wish = { userId, product: 'pro', reason: 'moving away' };
  expect(await cancelAtEnd({ db, clock, newId, log }, wish)).toMatchObject({ cancelAtEnd: true, version: 3 });
  gate.open();
  expect(await told).toMatchObject({ verdict: 'applied', state: 'refunded' });
  const [row] = await service.world
    .sql`select version, cancel_at_end, ends_at from subscriptions where user_id = ${userId}`;
  expect(row).toMatchObject({ version: 4, cancel_at_end: true, ends_at: new Date('2026-02-28T10:00:00.000Z') });
});
