// Payments at a strict Stripe over real HTTP, through the real SDK: read, captured, sent back and let go exactly once.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { systemRandom } from '../src/clock.ts';
import { ProviderRefused, ProviderUnreachable } from '../src/errors.ts';
import { idsFrom } from '../src/ids.ts';
import type { CheckoutRequest, PaymentProvider } from '../src/providers/provider.ts';
import { createStripeProvider } from '../src/providers/stripe/adapter.ts';
import { SECRET } from './support/stripeFixtures.ts';
import { STRIPE_KEY, type StripeFake, startStripeFake } from './support/stripeServer.ts';

let fake: StripeFake;
let provider: PaymentProvider;
const newId = idsFrom(() => new Date(), systemRandom);
const adapter = (secretKey = STRIPE_KEY, apiUrl = fake.url) =>
  createStripeProvider({
    settings: { secretKey, webhookSecrets: [SECRET], apiUrl, live: false },
    clock: () => new Date(),
    jitter: () => 0,
  });
const request = (more: Partial<CheckoutRequest> = {}): CheckoutRequest => ({
  orderId: newId('ord'),
  userId: 'user-1',
  planId: 'pro-monthly',
  amountMinor: 1_999,
  currency: 'EUR',
  callbackUrl: 'https://shop.test/v1/callbacks/stripe',
  ...more,
});
const paid = async (how?: Parameters<StripeFake['state']['pay']>[1], more: Partial<CheckoutRequest> = {}) => {
  const asked = request(more);
  const { providerOrderId } = await provider.createCheckout(asked);
  const intent = fake.state.pay(providerOrderId, how);
  return { ...asked, providerOrderId, paymentId: intent.id as string, intent };
};
const refundCalls = () => fake.calls.filter(({ method, path }) => method === 'POST' && path === '/v1/refunds');

beforeAll(async () => {
  fake = await startStripeFake();
  provider = adapter();
});
afterAll(() => fake.close());
beforeEach(() => {
  fake.faults.length = 0;
  fake.calls.length = 0;
});

describe('a payment', () => {
  it('is fetched with its state, its time and its refunds', async () => {
    const { paymentId, orderId } = await paid();
    expect(await provider.fetchPayment(paymentId)).toEqual({
      paymentId,
      providerOrderId: null,
      orderId,
      state: 'captured',
      amountMinor: 1_999,
      currency: 'EUR',
      live: false,
      refunds: [],
      disputes: [],
      occurredAt: expect.stringMatching(/^\d{4}-.*\.000Z$/),
    });
  });

  it.each([
    ['declined', 'failed'],
    ['authorized', 'authorized'],
    ['processing', 'pending'],
  ] as const)('that is %s is %s', async (how, state) => {
    const { paymentId } = await paid(how);
    expect(await provider.fetchPayment(paymentId)).toMatchObject({ state, amountMinor: 1_999 });
  });

  it('that nobody knows is refused, and one of an impossible id is not asked for', async () => {
    await expect(provider.fetchPayment('pi_3Nobody')).rejects.toThrow(ProviderRefused);
    fake.calls.length = 0;
    await expect(provider.fetchPayment('../refunds')).rejects.toThrow(ProviderRefused);
    expect(fake.calls).toEqual([]);
  });

  it('is found by its order', async () => {
    const { orderId, providerOrderId, paymentId } = await paid('declined');
    fake.state.pay(providerOrderId);
    const found = await provider.findPayments({ orderId, providerOrderId });
    expect(found).toMatchObject([{ paymentId, providerOrderId, orderId, state: 'captured' }]);
  });

  it('of an order that nobody paid or knows is none', async () => {
    const asked = request();
    const { providerOrderId } = await provider.createCheckout(asked);
    expect(await provider.findPayments({ orderId: asked.orderId, providerOrderId })).toEqual([]);
    expect(await provider.findPayments({ orderId: asked.orderId, providerOrderId: 'cs_test_none' })).toEqual([]);
  });

  it('is listed, page by page', async () => {
    for (let i = 0; i < 130; i++) fake.state.addIntent({ status: 'succeeded', amount_received: 1_999 });
    const ids = new Set<string>();
    let cursor: string | null = null;
    let pages = 0;
    do {
      const page = await provider.listPayments(new Date(Date.now() - 3_600_000), cursor);
      for (const { paymentId } of page.payments) ids.add(paymentId);
      cursor = page.cursor;
      pages++;
    } while (cursor !== null);
    expect(ids.size).toBe(fake.state.intents.size);
    expect(pages).toBe(Math.ceil(ids.size / 100));
    expect(await provider.listPayments(new Date(Date.now() + 3_600_000), null)).toEqual({ cursor: null, payments: [] });
  });

  it('known by its invoice is the payment that paid it', async () => {
    const { paymentId } = await paid();
    fake.state.invoices.set('in_1Fake01', {
      id: 'in_1Fake01',
      currency: 'eur',
      parent: { subscription_details: { subscription: 'sub_1Fake' } },
      payments: { data: [{ status: 'paid', payment: { payment_intent: paymentId } }] },
    });
    const byInvoice = await provider.fetchPayment('in_1Fake01');
    expect(byInvoice).toMatchObject({ paymentId: 'in_1Fake01', subscriptionId: 'sub_1Fake', state: 'captured' });
    await provider.refund({ paymentId: 'in_1Fake01', amountMinor: 100, currency: 'EUR', key: newId('eff') });
    expect((await provider.fetchPayment(paymentId)).refunds).toHaveLength(1);
  });
});

describe('a capture', () => {
  const capture = (paymentId: string, amountMinor = 1_999) =>
    provider.capture({ paymentId, amountMinor, currency: 'EUR', key: `capture:${paymentId}` });

  it('captures, once and again', async () => {
    const { paymentId } = await paid('authorized');
    expect(await capture(paymentId)).toMatchObject({ paymentId, state: 'captured', amountMinor: 1_999 });
    expect(await capture(paymentId)).toMatchObject({ state: 'captured' });
  });

  it('that was done already, by anybody, is success', async () => {
    const { paymentId } = await paid();
    expect(await capture(paymentId)).toMatchObject({ state: 'captured' });
  });

  it('whose answer was lost is success when it is asked for again', async () => {
    const { paymentId } = await paid('authorized');
    fake.faults.push({ path: /capture/, fault: 'lose' }, { path: /capture/, fault: 'lose' });
    await expect(capture(paymentId)).rejects.toThrow(ProviderUnreachable);
    fake.forgetKeys();
    expect(await capture(paymentId)).toMatchObject({ state: 'captured' });
  });

  it.each(['declined', 'processing'] as const)('of a payment that is %s is refused', async how => {
    const { paymentId } = await paid(how);
    await expect(capture(paymentId)).rejects.toThrow(ProviderRefused);
  });

  it('of more than was authorised is refused', async () => {
    const { paymentId } = await paid('authorized');
    await expect(capture(paymentId, 2_000)).rejects.toThrow(ProviderRefused);
  });
});

describe('a refund', () => {
  const back = (paymentId: string, amountMinor: number, key: string, reason?: string) =>
    provider.refund({ paymentId, amountMinor, currency: 'EUR', key, ...(reason && { reason }) });

  it('of a part, then of the rest, each under its key', async () => {
    const { paymentId } = await paid();
    const first = await back(paymentId, 500, newId('eff'), 'not as expected');
    expect(first).toEqual({ refundId: expect.stringMatching(/^re_/), state: 'completed', amountMinor: 500 });
    await back(paymentId, 1_499, newId('eff'));
    const { refunds, state } = await provider.fetchPayment(paymentId);
    expect(state).toBe('captured');
    expect(refunds?.map(({ amountMinor }) => amountMinor)).toEqual([500, 1_499]);
    expect([...fake.state.refunds.values()].at(-2)!.metadata).toMatchObject({ reason: 'not as expected' });
  });

  it('under one key is one, also when Stripe has forgotten the key', async () => {
    const { paymentId } = await paid();
    const key = newId('eff');
    const first = await back(paymentId, 500, key);
    expect(await back(paymentId, 500, key)).toEqual(first);
    fake.forgetKeys();
    expect(await back(paymentId, 500, key)).toEqual(first);
    expect(refundCalls()).toHaveLength(1);
  });

  it('whose answers were all lost is found and not sent again', async () => {
    const { paymentId } = await paid();
    const key = newId('eff');
    fake.faults.push(
      { path: /refunds$/, fault: { lateMs: 0 } },
      { path: /refunds$/, fault: 'lose' },
      { path: /refunds$/, fault: 'lose' },
    );
    await expect(back(paymentId, 1_999, key)).rejects.toThrow(ProviderUnreachable);
    fake.forgetKeys();
    expect(await back(paymentId, 1_999, key)).toMatchObject({ state: 'completed', amountMinor: 1_999 });
    expect((await provider.fetchPayment(paymentId)).refunds).toHaveLength(1);
  });

  it.each([
    ['more than there is', 2_000],
    ['more than is left', 1_800],
  ])('of %s is refused', async (_name, amountMinor) => {
    const { paymentId } = await paid();
    await back(paymentId, 500, newId('eff'));
    await expect(back(paymentId, amountMinor, newId('eff'))).rejects.toThrow(ProviderRefused);
  });

  it('of what has gone back already, under another key, is refused', async () => {
    const { paymentId } = await paid();
    await back(paymentId, 1_999, newId('eff'));
    await expect(back(paymentId, 1_999, newId('eff'))).rejects.toThrow(ProviderRefused);
  });

  it('of a disputed payment is refused', async () => {
    const { paymentId, intent } = await paid();
    intent.disputed = true;
    await expect(back(paymentId, 1_999, newId('eff'))).rejects.toThrow(ProviderRefused);
  });

  it.each([
    ['requires_action', 'pending'],
    ['failed', 'failed'],
  ])('that is %s is fetched as %s', async (status, state) => {
    const { paymentId } = await paid();
    const { refundId } = await back(paymentId, 500, newId('eff'));
    fake.state.refunds.get(refundId)!.status = status;
    expect((await provider.fetchPayment(paymentId)).refunds).toMatchObject([{ refundId, state }]);
  });
});

describe('a cancellation', () => {
  const close = (providerOrderId: string) =>
    provider.cancel({ providerOrderId, handle: null, paymentId: null, key: `close:${providerOrderId}` });
  const release = (providerOrderId: string, paymentId: string) =>
    provider.cancel({ providerOrderId, handle: null, paymentId, key: `void:${paymentId}` });

  it('closes the page, once and again', async () => {
    const { providerOrderId } = await provider.createCheckout(request());
    await close(providerOrderId);
    await close(providerOrderId);
    fake.forgetKeys();
    await close(providerOrderId);
    expect(fake.state.sessions.get(providerOrderId)!.status).toBe('expired');
  });

  it('of a page that was paid on is refused', async () => {
    const { providerOrderId } = await paid();
    await expect(close(providerOrderId)).rejects.toThrow(ProviderRefused);
  });

  it('gives an authorisation back, once and again', async () => {
    const { providerOrderId, paymentId, intent } = await paid('authorized');
    await release(providerOrderId, paymentId);
    fake.forgetKeys();
    await release(providerOrderId, paymentId);
    await close(providerOrderId);
    expect(intent.status).toBe('canceled');
    expect(await provider.fetchPayment(paymentId)).toMatchObject({
      state: 'canceled',
      reason: 'requested_by_customer',
    });
  });

  it('of captured money is refused', async () => {
    const { providerOrderId, paymentId } = await paid();
    await expect(release(providerOrderId, paymentId)).rejects.toThrow(ProviderRefused);
  });

  it('without an answer is unknown', async () => {
    const { providerOrderId } = await provider.createCheckout(request());
    fake.faults.push({ path: /expire/, fault: 'drop' }, { path: /expire/, fault: 'drop' });
    await expect(close(providerOrderId)).rejects.toThrow(ProviderUnreachable);
  });
});
