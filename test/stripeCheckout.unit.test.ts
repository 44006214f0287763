// Checkouts at a strict Stripe over real HTTP, through the real SDK: one session an order, with answers that get lost,
// come late or make no sense.
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
    ['XXX', 1_999],
  ])('in %s of %i is not possible', async (currency, amountMinor) => {
    await expect(provider.createCheckout(request({ currency, amountMinor }))).rejects.toThrow(InvalidRequest);
  });

  it('of an id that tells no time lives a day', async () => {
    const { providerOrderId } = await provider.createCheckout(request({ orderId: 'ord_zzzzzzzzzzzzzzzzzzzzzzzzzz' }));
    expect(fake.calls[0]!.fields).not.toHaveProperty('expires_at');
    expect(fake.state.sessions.get(providerOrderId)!.status).toBe('open');
  });
});

it.each([
  ['comes too late', { lateMs: 4_000 }],
  ['never comes to an end', { dripMs: 500 }],
])('an answer that %s is no answer', { timeout: 20_000 }, async (_name, fault) => {
  fake.faults.push({ path: /sessions/, fault }, { path: /sessions/, fault });
  const startedAt = performance.now();
  await expect(provider.createCheckout(request())).rejects.toThrow(ProviderUnreachable);
  expect(performance.now() - startedAt).toBeLessThan(8_000);
});
