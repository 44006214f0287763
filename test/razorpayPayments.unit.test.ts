// Razorpay's payments at a strict, stateful Razorpay over real HTTP: what is found, captured and sent back
// happens once, whatever becomes of the answers.
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { InvalidRequest, ProviderRefused, ProviderUnreachable } from '../src/errors.ts';
import type { RazorpayProvider } from '../src/providers/razorpay/adapter.ts';
import { razorpayProvider } from './support/razorpayBodies.ts';
import { type RazorpayServer, startRazorpay } from './support/razorpayServer.ts';

let server: RazorpayServer;
let provider: RazorpayProvider;
beforeEach(async () => {
  server = await startRazorpay();
  provider = razorpayProvider(server.url);
});
afterEach(() => server.close());

const ORDER_ID = `ord_${'3k'.repeat(13)}`;
const REQUEST = {
  orderId: ORDER_ID,
  userId: 'asha',
  planId: 'pro',
  amountMinor: 49_900,
  currency: 'INR',
  callbackUrl: 'https://shop.test/v1/callbacks/razorpay',
};
const posts = () => server.calls.filter(call => call.startsWith('POST'));
const fail = (to: RegExp, fault: RazorpayServer['faults'][number]['fault']) => server.faults.push({ to, fault });

describe('payments', () => {
  test('one, with its refunds', async () => {
    const { id } = server.pay('order_1');
    await provider.refund({ paymentId: String(id), amountMinor: 900, currency: 'INR', key: 'refund:1' });
    expect(await provider.fetchPayment(String(id))).toEqual({
      paymentId: id,
      providerOrderId: 'order_1',
      orderId: null,
      state: 'captured',
      amountMinor: 49_900,
      currency: 'INR',
      refunds: [{ refundId: expect.stringMatching(/^rfnd_/), state: 'completed', amountMinor: 900 }],
    });
  });

  test('a read is tried again', async () => {
    const { id } = server.pay('order_1');
    fail(/^GET .*payments/, 'lost');
    expect(await provider.fetchPayment(String(id))).toMatchObject({ state: 'captured' });
    for (let i = 0; i < 2; i++) fail(/^GET .*payments/, 503);
    await expect(provider.fetchPayment(String(id))).rejects.toThrow(ProviderUnreachable);
  });

  test.each(['pay_unknown', '../orders', 'pay 1', ''])('unknown: %j', async id => {
    await expect(provider.fetchPayment(id)).rejects.toThrow(ProviderRefused);
  });

  test.each([
    ['created', 'pending'],
    ['authorized', 'authorized'],
    ['failed', 'failed'],
  ])('%s is %s', async (status, state) => {
    const { id } = server.pay('order_1', { status });
    expect(await provider.fetchPayment(String(id))).toMatchObject({ state });
  });

  test('those of an order, oldest first, under our id', async () => {
    const { providerOrderId } = await provider.createCheckout(REQUEST);
    const second = server.pay(providerOrderId, { created_at: 1_772_000_050 });
    const first = server.pay(providerOrderId, {
      status: 'failed',
      created_at: 1_772_000_040,
      error_description: 'No funds',
    });
    server.pay('order_other');
    expect(await provider.findPayments({ orderId: ORDER_ID, providerOrderId })).toMatchObject([
      { paymentId: first.id, orderId: ORDER_ID, state: 'failed', reason: 'No funds' },
      { paymentId: second.id, orderId: ORDER_ID, state: 'captured' },
    ]);
  });

  test('a payment that cannot be read hides no other', async () => {
    const { providerOrderId } = await provider.createCheckout(REQUEST);
    server.pay(providerOrderId, { amount: 0 });
    const { id } = server.pay(providerOrderId);
    expect(await provider.findPayments({ orderId: ORDER_ID, providerOrderId })).toMatchObject([{ paymentId: id }]);
  });

  test('since when, page by page, with what may still have changed since', async () => {
    const since = new Date('2026-03-01T10:00:00.000Z');
    const sinceS = since.getTime() / 1_000;
    for (let i = 0; i < 230; i++) server.pay('order_1', { created_at: sinceS + i });
    const late = server.pay('order_1', { created_at: sinceS - 4 * 86_400 });
    const old = server.pay('order_1', { created_at: sinceS - 6 * 86_400 });
    const seen: string[] = [];
    let cursor: string | null = null;
    do {
      const page = await provider.listPayments(since, cursor);
      seen.push(...page.payments.map(({ paymentId }) => paymentId));
      // Somebody pays while we read: it must not push anything over the edge of a page.
      server.pay('order_1', { created_at: sinceS + 100_000 });
      cursor = page.cursor;
    } while (cursor !== null);
    expect(new Set(seen).size).toBe(231);
    expect(seen).toHaveLength(231);
    expect(seen).toContain(late.id);
    expect(seen).not.toContain(old.id);
    await expect(provider.listPayments(since, 'nonsense')).rejects.toThrow(InvalidRequest);
  });
});

describe('capture', () => {
  const asked = (payment: Record<string, unknown>) => ({
    paymentId: String(payment.id),
    amountMinor: 49_900,
    currency: 'INR',
    key: 'capture:1',
  });

  test('an authorised payment', async () => {
    const payment = server.pay('order_1', { status: 'authorized' });
    expect(await provider.capture(asked(payment))).toMatchObject({ paymentId: payment.id, state: 'captured' });
  });

  test.each([
    'This payment has already been captured',
    'Your payment has been declined as the order is already paid. Please initiate the payment with a new order.',
  ])('captured already is success: %s', async text => {
    server.readings.alreadyCapturedText = text;
    const payment = server.pay('order_1');
    expect(await provider.capture(asked(payment))).toMatchObject({ state: 'captured' });
  });

  test('captured already, of another amount, is not', async () => {
    const payment = server.pay('order_1', { amount: 10_000 });
    await expect(provider.capture(asked(payment))).rejects.toThrow(ProviderRefused);
  });

  test.each(['failed', 'created', 'refunded'])('%s cannot be', async status => {
    const payment = server.pay('order_1', { status, captured: false });
    await expect(provider.capture(asked(payment))).rejects.toThrow(ProviderRefused);
  });

  test('a lost answer is unknown; asked again it is success', async () => {
    const payment = server.pay('order_1', { status: 'authorized' });
    fail(/capture/, 'lost');
    await expect(provider.capture(asked(payment))).rejects.toThrow(ProviderUnreachable);
    expect(await provider.capture(asked(payment))).toMatchObject({ state: 'captured' });
  });
});

describe('refund', () => {
  const asked = (payment: Record<string, unknown>, more = {}) => ({
    paymentId: String(payment.id),
    amountMinor: 20_000,
    currency: 'INR',
    key: 'refund:ord:1',
    reason: 'asked for',
    ...more,
  });

  describe.each([true, false])('idempotency header honoured: %s', refundKeyIsHonoured => {
    beforeEach(() => {
      server.readings.refundKeyIsHonoured = refundKeyIsHonoured;
    });

    test('the same key sends money once', async () => {
      const payment = server.pay('order_1');
      const made = await provider.refund(asked(payment));
      expect(made).toEqual({ refundId: expect.stringMatching(/^rfnd_/), state: 'completed', amountMinor: 20_000 });
      expect(await provider.refund(asked(payment))).toEqual(made);
      expect(server.refunds.size).toBe(1);
      await provider.refund(asked(payment, { key: 'refund:ord:2' }));
      expect(server.refunds.size).toBe(2);
    });

    test.each(['lost', 'garbage', { lateMs: 4_000 }] as const)(
      'an answer that is %j',
      { timeout: 20_000 },
      async fault => {
        const payment = server.pay('order_1');
        fail(/^POST/, fault);
        await expect(provider.refund(asked(payment))).rejects.toThrow(ProviderUnreachable);
        expect(await provider.refund(asked(payment))).toMatchObject({ amountMinor: 20_000 });
        expect(server.refunds.size).toBe(1);
      },
    );
  });

  test('refused: more than there is, twice the whole, a key with another amount', async () => {
    const payment = server.pay('order_1');
    await expect(provider.refund(asked(payment, { amountMinor: 50_000 }))).rejects.toThrow(ProviderRefused);
    await provider.refund(asked(payment));
    await expect(provider.refund(asked(payment, { amountMinor: 10_000 }))).rejects.toThrow(ProviderRefused);
    await provider.refund(asked(payment, { amountMinor: 29_900, key: 'rest' }));
    await expect(provider.refund(asked(payment, { amountMinor: 100, key: 'more' }))).rejects.toThrow(/fully refunded/);
  });

  test('still busy with the same key is unknown, another request under it is a no', async () => {
    const answering = (description: string) =>
      razorpayProvider(server.url, {
        fetch: async (_, init) =>
          init?.method === 'POST'
            ? Response.json({ error: { code: 'BAD_REQUEST_ERROR', description } }, { status: 409 })
            : Response.json({ items: [] }),
      });
    await expect(answering('Request in progress').refund(asked({ id: 'pay_1' }))).rejects.toThrow(ProviderUnreachable);
    const other = 'Different request with the same idempotency key has already been processed.';
    await expect(answering(other).refund(asked({ id: 'pay_1' }))).rejects.toThrow(ProviderRefused);
  });
});

describe('cancel', () => {
  const asked = (paymentId: unknown) => ({
    providerOrderId: 'order_1',
    handle: null,
    paymentId: paymentId as string | null,
    key: 'cancel:1',
  });

  test('an order: there is nothing to close', async () => {
    await provider.cancel(asked(null));
    expect(server.calls).toEqual([]);
  });

  test.each(['failed', 'created', 'refunded'])('a payment that is %s holds nothing', async status => {
    await provider.cancel(asked(server.pay('order_1', { status, captured: false }).id));
  });

  test.each(['authorized', 'captured'])('a payment that is %s cannot be voided', async status => {
    await expect(provider.cancel(asked(server.pay('order_1', { status }).id))).rejects.toThrow(ProviderRefused);
    expect(posts()).toEqual([]);
  });
});
