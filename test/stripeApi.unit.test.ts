// The adapter against a strict Stripe over real HTTP, through the real SDK: opened once, found again, captured, sent back
// and let go exactly once, with answers that get lost, come late or make no sense.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { systemRandom } from '../src/clock.ts';
import { InvalidRequest, ProviderRefused, ProviderUnreachable } from '../src/errors.ts';
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

describe('a checkout', () => {
  it('is a session that names the order wherever Stripe shows it later', async () => {
    const asked = request();
    const opened = await provider.createCheckout(asked);
    expect(opened).toEqual({
      providerOrderId: expect.stringMatching(/^cs_test_/),
      url: expect.stringMatching(/^https:/),
    });
    expect(fake.state.sessions.get(opened.providerOrderId)).toMatchObject({
      client_reference_id: asked.orderId,
      metadata: { order_id: asked.orderId },
      intentData: { metadata: { order_id: asked.orderId }, capture_method: 'automatic' },
      amount_total: 1_999,
      currency: 'eur',
      success_url: 'https://shop.test/v1/callbacks/stripe?session_id={CHECKOUT_SESSION_ID}',
      cancel_url: `https://shop.test/v1/callbacks/stripe?canceled=${asked.orderId}`,
    });
    expect(fake.calls[0]).toMatchObject({ key: asked.orderId });
    const { expires_at } = fake.state.sessions.get(opened.providerOrderId)!;
    expect(expires_at * 1_000 - Date.now()).toBeGreaterThan(60 * 60_000);
    const order = { ...asked, ...opened };
    expect(provider.checkoutParams(order)).toEqual({ sessionId: opened.providerOrderId });
  });

  it('asked for again, even at once, is the same session', async () => {
    const asked = request();
    const opened = await Promise.all([provider.createCheckout(asked), provider.createCheckout(asked)]);
    expect(opened[0]).toEqual(opened[1]);
    expect(await provider.createCheckout(asked)).toEqual(opened[0]);
  });

  it.each([
    ['lost', 'lose'],
    ['never done', 'drop'],
    ['a 500', { status: 500, body: '{"error":{"type":"api_error","message":"x"}}' }],
    ['a 500 after it was done', { status: 500, body: '{"error":{"type":"api_error"}}', done: true }],
    ['a 503 of a proxy', { status: 503, body: '<html>' }],
    ['a 429', { status: 429, body: '{"error":{"type":"invalid_request_error","code":"rate_limit","message":"x"}}' }],
    ['a key in use', { status: 409, body: '{"error":{"type":"idempotency_error","code":"idempotency_key_in_use"}}' }],
    [
      'a key in use as a 400',
      { status: 400, body: '{"error":{"type":"idempotency_error","code":"idempotency_key_in_use"}}' },
    ],
    ['no JSON', { status: 200, body: 'hello' }],
    ['JSON of something else', { status: 200, body: '{"id":"cs_1"}' }],
    ['a redirect', { status: 302, body: '{}', headers: { location: 'http://elsewhere.test/' } }],
  ] as const)('whose answer is %s is asked for once more and is one session', async (_name, fault) => {
    const before = fake.state.sessions.size;
    fake.faults.push({ path: /sessions/, fault });
    await provider.createCheckout(request());
    expect(fake.state.sessions.size).toBe(before + 1);
    expect(fake.calls).toHaveLength(2);
    expect(fake.calls[0]!.key).toBe(fake.calls[1]!.key);
  });

  it('without an answer twice is unknown, and found when it is asked for again', async () => {
    const asked = request();
    const before = fake.state.sessions.size;
    fake.faults.push({ path: /sessions/, fault: 'lose' }, { path: /sessions/, fault: 'lose' });
    await expect(provider.createCheckout(asked)).rejects.toThrow(ProviderUnreachable);
    await provider.createCheckout(asked);
    expect(fake.state.sessions.size).toBe(before + 1);
  });

  it('is not asked for again when Stripe says not to', async () => {
    fake.faults.push({
      path: /sessions/,
      fault: { status: 500, body: '{"error":{}}', headers: { 'stripe-should-retry': 'false' } },
    });
    await expect(provider.createCheckout(request())).rejects.toThrow(ProviderUnreachable);
    expect(fake.calls).toHaveLength(1);
  });

  it('under the id of another one is refused', async () => {
    const asked = request();
    await provider.createCheckout(asked);
    await expect(provider.createCheckout({ ...asked, amountMinor: 2_999 })).rejects.toThrow(ProviderRefused);
  });

  it('with a wrong key is refused, and the key is in no sentence', async () => {
    const refused = await adapter('sk_test_wrong0000')
      .createCheckout(request())
      .catch(error => error);
    expect(refused).toBeInstanceOf(ProviderRefused);
    expect(refused.message).not.toMatch(/sk_/);
  });

  it('of a Stripe that is not there is unknown', async () => {
    await expect(adapter(STRIPE_KEY, 'http://127.0.0.1:1').createCheckout(request())).rejects.toThrow(
      ProviderUnreachable,
    );
  });

  it.each([
    ['JPY', 500, 500],
    ['ISK', 500, 50_000],
    ['UGX', 5_000, 500_000],
    ['MGA', 700, 7],
    ['KWD', 1_230, 1_230],
  ])('in %s of %i is %i at Stripe', async (currency, amountMinor, amount) => {
    const { providerOrderId } = await provider.createCheckout(request({ currency, amountMinor }));
    expect(fake.state.sessions.get(providerOrderId)).toMatchObject({ amount_total: amount });
  });

  it.each([
    ['KWD', 1_231],
    ['MGA', 701],
    ['EUR', 100_000_000],
    ['EUR', 1],
  ])('in %s of %i is not possible', async (currency, amountMinor) => {
    await expect(provider.createCheckout(request({ currency, amountMinor }))).rejects.toThrow(InvalidRequest);
  });

  it('of an id that tells no time lives a day', async () => {
    const { providerOrderId } = await provider.createCheckout(request({ orderId: 'ord_zzzzzzzzzzzzzzzzzzzzzzzzzz' }));
    expect(fake.calls[0]!.fields).not.toHaveProperty('expires_at');
    expect(fake.state.sessions.get(providerOrderId)!.status).toBe('open');
  });
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

it('an answer that comes too late is no answer', { timeout: 20_000 }, async () => {
  const { paymentId } = await paid();
  fake.faults.push(
    { path: /payment_intents/, fault: { lateMs: 4_000 } },
    { path: /payment_intents/, fault: { lateMs: 4_000 } },
  );
  const startedAt = performance.now();
  await expect(provider.fetchPayment(paymentId)).rejects.toThrow(ProviderUnreachable);
  expect(performance.now() - startedAt).toBeLessThan(8_000);
});
