// Orders opened at a strict, stateful Razorpay over real HTTP: one order of ours is one there, whatever becomes of the
// answers and whichever of Razorpay's two pages about receipts is right.
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

describe('createCheckout', () => {
  test('makes an order with our id as receipt, captured automatically', async () => {
    const opened = await provider.createCheckout(REQUEST);
    const [order] = [...server.orders.values()];
    expect(opened).toEqual({ providerOrderId: order?.id, url: `https://shop.test/pay/${ORDER_ID}` });
    expect(order).toMatchObject({ receipt: ORDER_ID, amount: 49_900, currency: 'INR', notes: { order_id: ORDER_ID } });
  });

  test.each([true, false])('asked again it answers the same order; receipts unique: %s', async receiptIsUnique => {
    server.readings.receiptIsUnique = receiptIsUnique;
    const opened = await provider.createCheckout(REQUEST);
    expect(await provider.createCheckout(REQUEST)).toEqual(opened);
    expect(server.orders.size).toBe(1);
  });

  test.each([true, false])(
    'after a lost answer the order that was made is found; receipts unique: %s',
    async receiptIsUnique => {
      server.readings.receiptIsUnique = receiptIsUnique;
      fail(/^POST/, 'lost');
      await expect(provider.createCheckout(REQUEST)).rejects.toThrow(ProviderUnreachable);
      const opened = await provider.createCheckout(REQUEST);
      expect([...server.orders.keys()]).toEqual([opened.providerOrderId]);
      expect(posts()).toHaveLength(1);
    },
  );

  test('two at once: the one who is told "unique" finds the other’s', async () => {
    const [one, other] = await Promise.all([provider.createCheckout(REQUEST), provider.createCheckout(REQUEST)]);
    expect(one).toEqual(other);
    expect(server.orders.size).toBe(1);
  });

  test('a receipt that merely contains ours is another order', async () => {
    await provider.createCheckout({ ...REQUEST, orderId: `${ORDER_ID}0` });
    await provider.createCheckout(REQUEST);
    expect(server.orders.size).toBe(2);
  });

  test('an order of another amount under our id is refused', async () => {
    await provider.createCheckout(REQUEST);
    await expect(provider.createCheckout({ ...REQUEST, amountMinor: 50_000 })).rejects.toThrow(ProviderRefused);
  });

  test.each([
    [99, 'INR'],
    [1_234, 'KWD'],
  ])('%i %s is nothing Razorpay takes', async (amountMinor, currency) => {
    await expect(provider.createCheckout({ ...REQUEST, amountMinor, currency })).rejects.toThrow(InvalidRequest);
    expect(server.calls).toEqual([]);
  });

  test.each([
    [500, 'JPY', 500],
    [500, 'ISK', 500],
    [1_230, 'KWD', 1_230],
    [1_999, 'USD', 1_999],
  ])('%i %s is %i there', async (amountMinor, currency, amount) => {
    await provider.createCheckout({ ...REQUEST, amountMinor, currency });
    expect([...server.orders.values()]).toMatchObject([{ amount, currency }]);
  });

  test.each([429, 500, 502, 503, 504])('%i: nobody knows, and the order is not sent twice', async status => {
    fail(/^POST/, status);
    await expect(provider.createCheckout(REQUEST)).rejects.toThrow(ProviderUnreachable);
    expect(posts()).toHaveLength(1);
  });

  test('an answer that cannot be read is none', async () => {
    fail(/^POST/, 'garbage');
    await expect(provider.createCheckout(REQUEST)).rejects.toThrow(ProviderUnreachable);
    await provider.createCheckout(REQUEST);
    expect(server.orders.size).toBe(1);
  });

  test('too late is lost', { timeout: 20_000 }, async () => {
    fail(/^POST/, { lateMs: 4_000 });
    await expect(provider.createCheckout(REQUEST)).rejects.toThrow(ProviderUnreachable);
    await provider.createCheckout(REQUEST);
    expect(server.orders.size).toBe(1);
  });

  test('a no is a no, with its sentence', async () => {
    await expect(provider.createCheckout({ ...REQUEST, orderId: 'x'.repeat(41) })).rejects.toThrow(
      /refused.*40 characters/,
    );
  });

  test('wrong keys and errors of the bank are no answer', async () => {
    const answering = (status: number, code: string) =>
      razorpayProvider(server.url, {
        fetch: async () => Response.json({ error: { code, description: 'x' } }, { status }),
      });
    await expect(answering(401, 'BAD_REQUEST_ERROR').fetchPayment('pay_1')).rejects.toThrow(ProviderUnreachable);
    await expect(answering(400, 'GATEWAY_ERROR').fetchPayment('pay_1')).rejects.toThrow(ProviderUnreachable);
    await expect(answering(400, 'SERVER_ERROR').fetchPayment('pay_1')).rejects.toThrow(ProviderUnreachable);
    await expect(answering(400, 'BAD_REQUEST_ERROR').fetchPayment('pay_1')).rejects.toThrow(ProviderRefused);
  });
});
