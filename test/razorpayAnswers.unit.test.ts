// Whatever Razorpay, or somebody in its place, answers to a call: the adapter gives a fact, a no, or says that nobody knows.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { orderEventSchema } from '../machines/orderEvents.ts';
import { InvalidRequest, ProviderRefused, ProviderUnreachable } from '../src/errors.ts';
import { paymentEvent } from '../src/providers/paymentEvent.ts';
import type { OrderLookup } from '../src/providers/provider.ts';
import {
  callbackFields,
  type Fields,
  jsonCall,
  orderEntity,
  paymentEntity,
  razorpayProvider,
  refundEntity,
} from './support/razorpayBodies.ts';

const ORDER_ID = `ord_${'9z'.repeat(13)}`;
const MONEY = { paymentId: 'pay_Q1', amountMinor: 49_900, currency: 'INR', key: 'key:1' };
const CHECKOUT = {
  orderId: ORDER_ID,
  userId: 'asha',
  planId: 'pro',
  amountMinor: 49_900,
  currency: 'INR',
  callbackUrl: 'https://shop.test/cb',
};
const orders: OrderLookup = {
  byId: async () => null,
  byProviderOrderId: async id => ({ ...CHECKOUT, providerOrderId: id, state: 'created' }),
};

const json = fc.jsonValue();
const nearly = (base: Fields) =>
  fc
    .dictionary(fc.constantFrom(...Object.keys(base)), json, { maxKeys: 3 })
    .map(odd => ({ ...base, ...odd }) as Fields);
const entity = fc.oneof(
  nearly(paymentEntity()),
  nearly(refundEntity()),
  nearly(orderEntity({ receipt: ORDER_ID })),
  json,
);
const answers = fc.oneof(
  { weight: 4, arbitrary: entity },
  { weight: 4, arbitrary: fc.array(entity, { maxLength: 4 }).map(items => ({ entity: 'collection', items })) },
  fc.record({ error: fc.oneof(json, fc.record({ code: json, description: json })) }),
);
// Those that are asked again after a pause would only make this slow.
const statuses = fc.constantFrom(200, 200, 200, 400, 401, 404, 409, 422);

test('a fact, a no, or nobody knows', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(answers, statuses), { minLength: 1, maxLength: 4 }), async told => {
      let n = 0;
      const fetch = async () => {
        const [body, status] = told[n++ % told.length]!;
        return Response.json(body, { status });
      };
      const provider = razorpayProvider('http://razorpay.test', { fetch });
      const asked = [
        () => provider.createCheckout(CHECKOUT),
        () => provider.fetchPayment('pay_Q1'),
        () => provider.findPayments({ orderId: ORDER_ID, providerOrderId: 'order_Q1' }),
        () => provider.listPayments(new Date(0), null),
        () => provider.capture(MONEY),
        () => provider.refund(MONEY),
        () => provider.cancel({ providerOrderId: 'order_Q1', handle: null, paymentId: 'pay_Q1', key: 'key:2' }),
      ];
      for (const ask of asked) {
        const error = await ask().then(
          () => null,
          reason => reason,
        );
        if (error !== null && !(error instanceof ProviderUnreachable)) expect(error).toBeInstanceOf(ProviderRefused);
      }
      const payments = await provider.findPayments({ orderId: ORDER_ID, providerOrderId: 'order_Q1' }).catch(() => []);
      for (const payment of payments) {
        const event = paymentEvent(payment);
        if (event !== null) orderEventSchema.parse({ ...event, at: '2026-03-01T12:00:00.000Z' });
      }
    }),
    { numRuns: 300 },
  );
});

test('a callback is never answered with a failure of ours', async () => {
  await fc.assert(
    fc.asyncProperty(entity, statuses, async (body, status) => {
      const provider = razorpayProvider('http://razorpay.test', { fetch: async () => Response.json(body, { status }) });
      const calls = [
        jsonCall(callbackFields('pay_Q1', 'order_Q1')),
        jsonCall({ error: { metadata: { order_id: 'order_Q1', payment_id: 'pay_Q1' } } }),
        jsonCall({ error: { metadata: { order_id: 'order_Q1' } } }),
      ];
      for (const call of calls) {
        const error = await provider.parseCallback(call, orders).catch(reason => reason);
        if (error instanceof Error) expect(error).toHaveProperty('code');
      }
    }),
  );
});

test('amounts that cannot be said exactly are never sent', async () => {
  const fetch = async () => {
    throw new Error('no call was expected');
  };
  const provider = razorpayProvider('http://razorpay.test', { fetch });
  const odd = { ...MONEY, amountMinor: 1_231, currency: 'KWD' };
  await expect(provider.capture(odd)).rejects.toThrow(InvalidRequest);
  await expect(provider.refund(odd)).rejects.toThrow(InvalidRequest);
});
