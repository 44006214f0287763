// Reconciliation by listing against each provider's own protocol: nothing is told by webhook or browser, and every order
// still reaches the state its money is in. The served providers are strict and speak real HTTP.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type CloudPaymentsService, startCloudPaymentsService } from './support/cloudpaymentsService.ts';
import { expectSoundBooks } from './support/databaseChecks.ts';
import { later, listingOf, reconcile, reconcileFrom } from './support/listingRig.ts';
import type { ProviderService } from './support/providerService.ts';
import { refundEntity } from './support/razorpayBodies.ts';
import { type RazorpayService, startRazorpayService } from './support/razorpayService.ts';
import { type StripeService, startStripeService } from './support/stripeService.ts';

const running = new AbortController().signal;
const statesOf = (service: Pick<ProviderService, 'order'>, ids: string[]) =>
  Promise.all(ids.map(async id => (await service.order(id)).state));
const recent = async ({ core }: Pick<ProviderService, 'core'>) =>
  (await core.reconciliation.progress()).find(({ depth }) => depth === 'recent')!;

describe('Razorpay', () => {
  let service: RazorpayService;
  beforeAll(async () => {
    service = await startRazorpayService();
    service.world.clock.set('2026-03-01T12:00:00.000Z');
  });
  afterAll(() => service?.close());

  test('told nothing: captured, authorised, declined, paid twice, sent back and given back are all found', async () => {
    const { bank } = service;
    const orders = await Promise.all(Array.from({ length: 6 }, () => service.checkOut()));
    const [paid, held, declined, twice, back, partly] = orders.map(order => order.providerOrderId) as string[];
    bank.pay(paid!);
    bank.pay(held!, { status: 'authorized', captured: false });
    bank.pay(declined!, { status: 'failed', error_description: 'No funds' });
    bank.pay(twice!);
    bank.pay(twice!);
    for (const [order, amount] of [
      [back, 49_900],
      [partly, 10_000],
    ] as const) {
      const payment = bank.pay(order!);
      const whole = amount === 49_900;
      Object.assign(payment, {
        amount_refunded: amount,
        refund_status: whole ? 'full' : 'partial',
        ...(whole && { status: 'refunded' }),
      });
      const refund = refundEntity({ id: `rfnd_${order}`, payment_id: payment.id, amount });
      bank.refunds.set(String(refund.id), refund);
    }
    // Somebody else's sale on the same account: kept, and nobody's order.
    bank.pay(null, { amount: 100 });
    await reconcile(service);
    const ids = orders.map(order => order.id);
    expect(await statesOf(service, ids)).toEqual([
      'subscribed',
      'authorized',
      'failed',
      'subscribed',
      'refunded',
      'subscribed',
    ]);
    expect((await service.timeline(ids[3]!)).payments).toHaveLength(2);
    expect((await service.timeline(ids[5]!)).refunds).toMatchObject([{ state: 'completed', amountMinor: 10_000 }]);
    expect(await recent(service)).toMatchObject({ underWay: false, payments: 8, lastError: null });
    await expectSoundBooks(service.world.sql);
    const found = await service.world.sql`select verdict, mark from inbox where verdict = 'unmatched'`;
    expect([...found]).toEqual([{ verdict: 'unmatched', mark: null }]);
    expect([...(await service.world.sql`select kind from findings`)]).toEqual([]);
  });

  test('a payment for an order of ours that is not in our books any more is a finding, by the receipt of its order', async () => {
    const { bank, world, provider } = service;
    const order = await service.checkOut();
    const orderId = world.newId('ord');
    const request = { orderId, userId: 'u', planId: 'pro-monthly', amountMinor: 49_900, currency: 'INR' };
    const { providerOrderId } = await provider.createCheckout({ ...request, callbackUrl: 'http://x.test/' });
    const payment = bank.pay(providerOrderId);
    for (const _ of [1, 2]) {
      later(service, 16);
      await reconcile(service);
      const found =
        await world.sql`select kind, resolved_at from findings where fingerprint = ${`payment:razorpay:${payment.id}`}`;
      expect([...found]).toEqual([{ kind: 'payment_without_order', resolved_at: null }]);
    }
    expect(bank.calls.filter(call => call === `GET /v1/orders/${providerOrderId}`)).toHaveLength(1);
    expect([...(await world.sql`select mark from inbox where event->>'paymentId' = ${String(payment.id)}`)]).toEqual([
      { mark: orderId },
    ]);
    expect(await service.order(order.id)).toMatchObject({ state: 'created' });
  });

  test('read again, nothing is told twice, and busy it is left for a while', async () => {
    const count = () => service.world.sql`select count(*)::int as n, sum(deliveries)::int as deliveries from inbox`;
    const before = await count();
    later(service, 16);
    // Reads are repeated once at once: two tries, two answers.
    service.bank.faults.push({ to: /GET \/v1\/payments\?/, fault: 429 }, { to: /GET \/v1\/payments\?/, fault: 503 });
    const listing = listingOf(service);
    await listing.run(running);
    expect(await recent(service)).toMatchObject({ underWay: true, pages: 0, lastError: expect.stringMatching(/503/) });
    later(service, 2);
    await reconcile(service, listing);
    expect(await recent(service)).toMatchObject({ underWay: false, news: 0, lastError: null });
    expect(await count()).toEqual(before);
  });
});

describe('CloudPayments', () => {
  let service: CloudPaymentsService;
  beforeAll(async () => {
    service = await startCloudPaymentsService();
  });
  afterAll(() => service?.close());

  test('told nothing: payments, holds, declines, refunds and the charges of a subscription are all found', async () => {
    const { bank, world } = service;
    const orders = [];
    for (let n = 0; n < 6; n++) orders.push(await service.checkOut());
    const [paid, held, declined, back, twice, monthly] = orders.map(order => order.id) as string[];
    const Amount = 499.1;
    bank.charge(paid!, { Amount });
    bank.charge(held!, { Amount, Status: 'Authorized' });
    bank.charge(declined!, { Amount, Status: 'Declined' });
    const { TransactionId } = bank.charge(back!, { Amount });
    bank.charge(twice!, { Amount });
    bank.charge(twice!, { Amount });
    bank.charge(monthly!, { Amount, SubscriptionId: 'sc_month' });
    world.clock.set('2026-02-02T10:00:00.000Z');
    bank.byHand('/payments/refund', { TransactionId, Amount });
    await reconcile(service);
    expect(
      await statesOf(
        service,
        orders.map(order => order.id),
      ),
    ).toEqual(['subscribed', 'authorized', 'failed', 'refunded', 'subscribed', 'subscribed']);
    // The recurring charges name the provider's subscription and nothing else.
    for (const month of ['02-28', '03-31', '04-30']) {
      world.clock.set(`2026-${month}T09:00:00.000Z`);
      bank.charge(null, { Amount, SubscriptionId: 'sc_month' });
    }
    // The merchant charges a stored card: its owner is all that is told.
    bank.charge(null, { Amount, Token: 'tk_1', AccountId: orders[0]!.userId });
    world.clock.set('2026-05-01T09:00:00.000Z');
    await reconcile(service);
    await reconcileFrom(service, 120);
    const grants =
      await world.sql`select o.kind, g.starts_at, g.ends_at from grants g join orders o on o.id = g.order_id
      where g.user_id = ${orders[5]!.userId} and g.revoked_at is null order by g.seq`;
    expect(grants.map(grant => grant.kind)).toEqual(['purchase', 'renewal', 'renewal', 'renewal']);
    expect(await service.order(orders[0]!.id)).toMatchObject({ state: 'subscribed' });
    const [stored] = await world.sql`select count(*)::int as n from grants where user_id = ${orders[0]!.userId}`;
    expect(stored?.n).toBe(2);
    await expectSoundBooks(world.sql);
  });
});

describe('Stripe', () => {
  let service: StripeService;
  beforeAll(async () => {
    service = await startStripeService();
  });
  afterAll(() => service?.close());

  test('told nothing: captured, authorised, declined, under way and refunded are all found', async () => {
    const { state, faults } = service.fake;
    const orders = [];
    for (let n = 0; n < 5; n++) orders.push(await service.checkOut());
    const [paid, held, declined, debit, back] = orders.map(order => order.providerOrderId) as string[];
    state.pay(paid!);
    state.pay(held!, 'authorized');
    state.pay(declined!, 'declined');
    const intent = state.pay(debit!, 'processing');
    state.handle('POST', '/v1/refunds', { payment_intent: state.pay(back!).id });
    state.addIntent({ status: 'succeeded', amount_received: 1_999 });
    faults.push({ path: /payment_intents$/, fault: { status: 429, body: '{"error":{"type":"rate_limit"}}' } });
    faults.push({ path: /payment_intents$/, fault: { status: 429, body: '{"error":{"type":"rate_limit"}}' } });
    later(service, 20);
    await reconcile(service);
    const ids = orders.map(order => order.id);
    expect(await statesOf(service, ids)).toEqual(['subscribed', 'authorized', 'failed', 'created', 'refunded']);
    state.settle(intent.id, 'succeeded');
    await reconcileFrom(service, 1);
    expect((await statesOf(service, ids))[3]).toBe('subscribed');
    await expectSoundBooks(service.world.sql);
  });

  test('money in our books that Stripe no longer knows is a finding', async () => {
    const order = await service.checkOut();
    const intent = service.fake.state.pay(order.providerOrderId);
    await service.webhook('payment_intent.succeeded', service.shown(intent));
    service.fake.state.intents.delete(intent.id);
    await reconcileFrom(service, 1);
    const found = await service.world.sql`select kind, order_id from findings where resolved_at is null`;
    expect([...found]).toEqual([{ kind: 'payment_not_at_provider', order_id: order.id }]);
  });
});
