// Razorpay's webhooks: who may speak, under which key it is kept, and what hostile bodies can do, which is nothing.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { orderEventSchema } from '../machines/orderEvents.ts';
import { BadSignature } from '../src/errors.ts';
import type { OrderLookup } from '../src/providers/provider.ts';
import { createRazorpayProvider } from '../src/providers/razorpay/adapter.ts';
import {
  disputeEntity,
  envelope,
  type Fields,
  hmac,
  incoming,
  jsonCall,
  orderEntity,
  PUBLIC_URL,
  paymentEntity,
  RAZORPAY,
  razorpayProvider,
  refundEntity,
  signedWebhook,
} from './support/razorpayBodies.ts';

const provider = razorpayProvider('http://razorpay.test');
/** 1 772 000 300 s. */
const AT = '2026-02-25T06:18:20.000Z';

describe('signature', () => {
  const body = Buffer.from(`${JSON.stringify(envelope('payment.captured', { payment: paymentEntity() }))}\n`);

  test.each(RAZORPAY.webhookSecrets)('holds with any of the secrets, over the bytes as they came', secret => {
    expect(provider.parseWebhook(signedWebhook(body, { secret })).event).toMatchObject({ type: 'payment.captured' });
  });

  const good = hmac(RAZORPAY.webhookSecrets[0]!, body);
  test.each([
    ['missing', {}],
    ['empty', { 'x-razorpay-signature': '' }],
    ['upper case', { 'x-razorpay-signature': good.toUpperCase() }],
    ['of other bytes', { 'x-razorpay-signature': hmac(RAZORPAY.webhookSecrets[0]!, body.subarray(0, -1)) }],
    [
      're-serialised',
      { 'x-razorpay-signature': hmac(RAZORPAY.webhookSecrets[0]!, JSON.stringify(JSON.parse(body.toString()))) },
    ],
    ['by the API key', { 'x-razorpay-signature': hmac(RAZORPAY.keySecret, body) }],
    ['by an empty secret', { 'x-razorpay-signature': hmac('', body) }],
    ['cut', { 'x-razorpay-signature': good.slice(0, 63) }],
    ['given twice', { 'x-razorpay-signature': `${good}, ${good}` }],
    ['base64', { 'x-razorpay-signature': Buffer.from(good, 'hex').toString('base64') }],
  ])('refused: %s', (_, headers) => {
    expect(() => provider.parseWebhook(incoming(body, 'application/json', headers as Record<string, string>))).toThrow(
      BadSignature,
    );
  });

  test.each([[{ keySecret: '' }], [{ webhookSecrets: [] }], [{ webhookSecrets: ['webhook-secret-new-0000001', ''] }]])(
    'no provider without secrets: %j',
    more => {
      const settings = { ...RAZORPAY, apiUrl: 'http://razorpay.test', ...more };
      const options = { settings, publicUrl: PUBLIC_URL, clock: () => new Date(0), jitter: () => 0 };
      expect(() => createRazorpayProvider(options)).toThrow('secret');
    },
  );
});

/** Made with `openssl dgst -sha256 -hmac`, so that signer and verifier cannot be wrong together. */
describe('vectors', () => {
  const settings = {
    ...RAZORPAY,
    apiUrl: 'http://razorpay.test',
    keySecret: 'vector-secret-of-the-api-key',
    webhookSecrets: ['vector-secret-of-a-webhook'],
  };
  const fetch = async () => Response.json(paymentEntity({ id: 'pay_V7mQx9', order_id: 'order_V7mQx2' }));
  const options = { settings, publicUrl: PUBLIC_URL, clock: () => new Date(0), jitter: () => 0, fetch };
  const vectors = createRazorpayProvider(options);

  test('a webhook, its last newline included', () => {
    const text = '{"entity":"event","event":"payment.pending","payload":{},"created_at":1772000000}\n';
    const headers = { 'x-razorpay-signature': '514c7ea38f87b86aaa6bf4e029aa85fc3c1947f152708f50d4748635bbdf729f' };
    const call = (body: string) => incoming(Buffer.from(body), 'application/json', headers);
    expect(vectors.parseWebhook(call(text))).toMatchObject({ eventType: 'payment.pending', because: 'ignored' });
    expect(() => vectors.parseWebhook(call(text.trimEnd()))).toThrow(BadSignature);
  });

  test('a callback: the order first, then the payment', async () => {
    const signature = '6628529bdcb4cf7e30065178603c39f468da14b5a7e111e1b0750cffe141d337';
    const order = {
      orderId: `ord_${'v'.repeat(26)}`,
      userId: 'asha',
      amountMinor: 49_900,
      currency: 'INR',
      state: 'created',
    };
    const orders: OrderLookup = {
      byId: async () => null,
      byProviderOrderId: async id => ({ ...order, providerOrderId: id }),
    };
    const take = (orderId: string, paymentId: string) =>
      vectors.parseCallback(
        jsonCall({ razorpay_order_id: orderId, razorpay_payment_id: paymentId, razorpay_signature: signature }),
        orders,
      );
    expect(await take('order_V7mQx2', 'pay_V7mQx9')).toMatchObject({ event: { type: 'payment.captured' } });
    await expect(take('pay_V7mQx9', 'order_V7mQx2')).rejects.toThrow(BadSignature);
  });
});

describe('event key', () => {
  const body = envelope('payment.captured', { payment: paymentEntity() });
  const keyWith = (eventId: string | null) => provider.parseWebhook(signedWebhook(body, { eventId })).eventKey;

  test('is the event id', () => expect(keyWith('PqRsTuVwXyZ012')).toBe('PqRsTuVwXyZ012'));

  test.each([null, '', 'cb:pay_Q1:captured', 'a b', 'x'.repeat(129), 'é'])(
    'is the hash of the body for %j',
    eventId => {
      expect(keyWith(eventId)).toMatch(/^sha256-[0-9a-f]{64}$/);
      expect(keyWith(eventId)).toBe(keyWith(null));
    },
  );
});

describe('hostile bodies', () => {
  const json = fc.jsonValue();
  const entity = (base: Fields) =>
    fc.dictionary(fc.constantFrom(...Object.keys(base)), json).map(odd => ({ ...base, ...odd }) as Fields);
  const types = ['payment.captured', 'order.paid', 'refund.processed', 'payment.dispute.lost', 'subscription.charged'];
  const likely = fc
    .record({
      payment: entity(paymentEntity()),
      order: entity(orderEntity()),
      refund: entity(refundEntity()),
      dispute: entity(disputeEntity()),
      subscription: json,
    })
    .chain(payload => fc.record({ event: fc.constantFrom(...types), payload: fc.constant(payload), createdAt: json }))
    .map(({ event, payload, createdAt }) => envelope(event, payload, createdAt));

  test('signed: whatever comes out is an event the machine takes, or said to be none', () => {
    fc.assert(
      fc.property(fc.oneof(likely, json), body => {
        const { event } = provider.parseWebhook(signedWebhook(body));
        if (event !== null) orderEventSchema.parse({ ...event, at: AT });
      }),
      { numRuns: 1_000 },
    );
  });

  test('unsigned: nothing but BadSignature', () => {
    const headers = fc.dictionary(
      fc.constantFrom('x-razorpay-signature', 'x-razorpay-event-id', '__proto__'),
      fc.string(),
    );
    fc.assert(
      fc.property(fc.uint8Array(), headers, (body, given) => {
        expect(() => provider.parseWebhook(incoming(body, '', given))).toThrow(BadSignature);
      }),
    );
  });
});
