// A second payment of a plan that extends, through dispatch and the database: it is in the books of one order only, and what
// was told of it before that order was open reaches it.
import { pino } from 'pino';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { insertOrder } from '../db/insertOrder.ts';
import { readOrderRow } from '../db/orders.ts';
import type { OrderCreated, UnstampedOrderEvent } from '../machines/orderEvents.ts';
import { withCompany } from '../src/company.ts';
import { derivedOrderId } from '../src/ids.ts';
import { newOrder } from '../src/newOrder.ts';
import { expectSoundBooks } from './support/databaseChecks.ts';
import { captured, createWorld, MONTHLY, openOrder, operator, type World, webhook } from './support/world.ts';

let world: World;
beforeAll(async () => {
  world = await createWorld();
});
afterAll(() => world.close());

const EXTENDING = { ...MONTHLY, surplusPolicy: 'extend' as const };
const dispatch = (envelope: Parameters<World['dispatch']>[0]) =>
  withCompany({ db: world.db, dispatch: world.dispatch, clock: world.clock, log: pino({ level: 'silent' }) })(envelope);
const refundOf = (paymentId: string): UnstampedOrderEvent => ({
  type: 'refund.updated',
  paymentId,
  refundId: `rf-${paymentId}`,
  state: 'completed',
  amountMinor: EXTENDING.amountMinor,
});
const stateOf = async (id: string) => (await readOrderRow(world.db, id))?.state;
const effectsOf = async (id: string) =>
  (await world.sql`select effect, dedup_key from outbox where order_id = ${id} order by dedup_key`).map(
    row => row.dedup_key,
  );

/** What the effect `open` does: the order for this payment, and the payment told to it. */
async function openSurplus(first: { userId: string }, paymentId: string): Promise<string> {
  const id = derivedOrderId('sandbox', paymentId);
  const { amountMinor, currency } = EXTENDING;
  const created: OrderCreated = {
    type: 'order.created',
    at: world.clock().toISOString(),
    kind: 'surplus',
    userId: first.userId,
    plan: EXTENDING,
    provider: 'sandbox',
    account: 'sandbox',
    live: false,
    amountMinor,
    currency,
  };
  const origin = { another: false, returnUrl: null, metadata: null, source: 'worker', eventKey: `open-${paymentId}` };
  await insertOrder(world.db, newOrder(id, created, origin));
  await dispatch(operator(id, captured(paymentId), { source: 'worker', eventKey: `wk:${paymentId}:captured` }));
  return id;
}

async function paidTwice() {
  const first = await openOrder(world, { plan: EXTENDING });
  const [own, second] = [`pay-1-${first.id}`, `pay-2-${first.id}`];
  await dispatch(webhook(first.providerOrderId, captured(own)));
  expect(await dispatch(webhook(first.providerOrderId, captured(second)))).toMatchObject({ verdict: 'surplus' });
  return { first, second };
}

test('a second payment becomes an order of its own, extends the paid time once, and is no mismatch when it is told again', async () => {
  const { first, second } = await paidTwice();
  expect(await effectsOf(first.id)).toContain(`${first.id}:open:surplus:${second}`);
  expect(await world.sql`select 1 from payments where payment_id = ${second}`).toHaveLength(0);
  const surplus = await openSurplus(first, second);
  expect(await openSurplus(first, second)).toBe(surplus);
  expect([await stateOf(first.id), await stateOf(surplus)]).toEqual(['subscribed', 'subscribed']);
  expect(await dispatch(webhook(first.providerOrderId, captured(second)))).toMatchObject({
    verdict: 'duplicate',
    orderId: first.id,
  });
  expect((await effectsOf(first.id)).filter(key => key.includes('mismatch'))).toEqual([]);
  const [subscription] = await world.sql`select grants, ends_at from subscriptions where user_id = ${first.userId}`;
  expect(subscription).toMatchObject({ grants: 2, ends_at: new Date('2026-03-31T10:00:00.000Z') });
  await expectSoundBooks(world.sql);
});

test('what goes back of it before its order is open waits for that order, and reaches it with its payment', async () => {
  const { first, second } = await paidTwice();
  const early = webhook(first.providerOrderId, refundOf(second));
  expect(await dispatch(early)).toMatchObject({ verdict: 'unmatched', orderId: first.id });
  const [waiting] =
    await world.sql`select verdict, next_attempt_at, event from inbox where event_key = ${early.eventKey}`;
  expect(waiting).toMatchObject({
    verdict: 'unmatched',
    next_attempt_at: new Date('2026-01-31T10:00:10.000Z'),
    event: { type: 'refund.updated', paymentId: second },
  });
  const surplus = await openSurplus(first, second);
  expect([await stateOf(first.id), await stateOf(surplus)]).toEqual(['subscribed', 'refunded']);
  const [decided] = await world.sql`select verdict, order_id from inbox where event_key = ${early.eventKey}`;
  expect(decided).toEqual({ verdict: 'applied', order_id: surplus });
  await expectSoundBooks(world.sql);
});

test('what goes back of it afterwards goes to its order, whatever order the provider names', async () => {
  const { first, second } = await paidTwice();
  const surplus = await openSurplus(first, second);
  expect(await dispatch(webhook(first.providerOrderId, refundOf(second)))).toMatchObject({
    verdict: 'applied',
    orderId: surplus,
    state: 'refunded',
  });
  expect(await stateOf(first.id)).toBe('subscribed');
  await expectSoundBooks(world.sql);
});
