// Razorpay's webhooks: who may speak, under which key it is kept, and what each documented event means to the machine.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { orderEventSchema } from '../machines/orderEvents.ts';
import { BadSignature } from '../src/errors.ts';
import { createRazorpayProvider } from '../src/providers/razorpay/adapter.ts';
import {
  disputeEntity,
  envelope,
  type Fields,
  hmac,
  incoming,
  orderEntity,
  PUBLIC_URL,
  paymentEntity,
  RAZORPAY,
  razorpayProvider,
  refundEntity,
  signedWebhook,
} from './support/razorpayBodies.ts';

const provider = razorpayProvider('http://razorpay.test');
const hear = (event: string, payload: Fields, createdAt?: unknown) =>
  provider.parseWebhook(signedWebhook(envelope(event, payload, createdAt)));
/** 1 772 000 300 s. */
const AT = '2026-02-25T06:18:20.000Z';
const MONEY = { paymentId: 'pay_Q1', amountMinor: 49_900, currency: 'INR', occurredAt: AT };

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

describe('payments', () => {
  test.each([
    ['payment.authorized', 'authorized', { type: 'payment.authorized', ...MONEY }],
    ['payment.captured', 'captured', { type: 'payment.captured', ...MONEY }],
    ['payment.authorized', 'captured', { type: 'payment.captured', ...MONEY }],
    ['payment.failed', 'captured', { type: 'payment.captured', ...MONEY }],
    ['payment.captured', 'refunded', { type: 'payment.captured', ...MONEY }],
  ])('%s of a payment that is %s', (event, status, expected) => {
    const heard = hear(event, { payment: paymentEntity({ status }) });
    expect(heard).toEqual({
      eventKey: 'EvtQ1',
      eventType: event,
      orderId: null,
      providerOrderId: 'order_Q1',
      event: expected,
    });
  });

  test('a failure with its reason, in spite of captured: true', () => {
    const payment = paymentEntity({
      status: 'failed',
      error_code: 'BAD_REQUEST_ERROR',
      error_description: 'Declined by bank\u0000.',
    });
    expect(hear('payment.failed', { payment }).event).toEqual({
      type: 'payment.failed',
      paymentId: 'pay_Q1',
      reason: 'Declined by bank\ufffd.',
      occurredAt: AT,
    });
    const bare = paymentEntity({ status: 'failed', error_description: '', error_reason: null });
    expect(hear('payment.failed', { payment: bare }).event).not.toHaveProperty('reason');
  });

  test('an authorised payment that was given back is canceled', () => {
    const payment = paymentEntity({ status: 'refunded', captured: false, amount_refunded: 49_900 });
    expect(hear('payment.authorized', { payment }).event).toMatchObject({ type: 'payment.canceled' });
  });

  test('one that is still pending tells nothing', () => {
    const heard = hear('payment.authorized', { payment: paymentEntity({ status: 'created' }) });
    expect(heard).toMatchObject({ event: null, because: 'ignored' });
  });

  test('an order of nobody: a payment without order', () => {
    expect(hear('payment.captured', { payment: paymentEntity({ order_id: null }) }).providerOrderId).toBeNull();
  });

  test('notes are set by browsers and name no order', () => {
    const notes = { order_id: `ord_${'7'.repeat(26)}` };
    expect(hear('payment.captured', { payment: paymentEntity({ notes }) }).orderId).toBeNull();
  });

  test('order.paid carries our id in the receipt, if it has its shape', () => {
    const ours = `ord_${'7'.repeat(26)}`;
    const heard = (receipt: unknown) =>
      hear('order.paid', { payment: paymentEntity(), order: orderEntity({ receipt }) });
    expect(heard(ours)).toMatchObject({ orderId: ours, event: { type: 'payment.captured', ...MONEY } });
    for (const receipt of [null, 'rcpt 1', `${ours} `, `ord_${'A'.repeat(26)}`, 7])
      expect(heard(receipt).orderId).toBeNull();
  });

  test('order.paid with a payment of another order is no fact', () => {
    const heard = hear('order.paid', { payment: paymentEntity({ order_id: 'order_Q2' }), order: orderEntity() });
    expect(heard).toMatchObject({ event: null, because: 'undecodable' });
  });

  test('subscription.charged is a payment of a subscription', () => {
    const payment = paymentEntity({ captured: '1', invoice_id: 'inv_Q1' });
    expect(hear('subscription.charged', { subscription: { id: 'sub_Q1' }, payment }).event).toEqual({
      type: 'payment.captured',
      ...MONEY,
      subscriptionId: 'sub_Q1',
    });
  });

  test('amounts are in the currency’s own unit', () => {
    const heard = (amount: number, currency: string) =>
      hear('payment.captured', { payment: paymentEntity({ amount, currency }) }).event;
    expect(heard(500, 'JPY')).toMatchObject({ amountMinor: 500 });
    expect(heard(500, 'ISK')).toMatchObject({ amountMinor: 500 });
    expect(heard(1_230, 'KWD')).toMatchObject({ amountMinor: 1_230 });
  });

  test.each([
    ['inside the payload', undefined],
    ['as text', '1772000300'],
    ['negative', -1],
    ['beyond the calendar', 1e300],
  ])('a time that is %s', (_, createdAt) => {
    const body = envelope('payment.captured', { payment: paymentEntity() }, createdAt ?? null);
    if (createdAt === undefined) (body.payload as Fields).created_at = 1_772_000_300;
    const { event } = provider.parseWebhook(signedWebhook(body));
    expect(event).toMatchObject({ type: 'payment.captured' });
    expect(event && 'occurredAt' in event ? event.occurredAt : undefined).toBe(
      createdAt === undefined ? AT : undefined,
    );
  });
});

describe('refunds', () => {
  test.each([
    ['refund.created', 'pending', 'pending'],
    ['refund.created', 'processed', 'completed'],
    ['refund.processed', 'processed', 'completed'],
    ['refund.failed', 'failed', 'failed'],
    ['refund.speed_changed', 'pending', 'pending'],
  ])('%s, status %s', (event, status, state) => {
    const heard = hear(event, { refund: refundEntity({ status }), payment: paymentEntity() });
    expect(heard).toMatchObject({ providerOrderId: 'order_Q1' });
    expect(heard.event).toEqual({
      type: 'refund.updated',
      paymentId: 'pay_Q1',
      refundId: 'rfnd_Q1',
      state,
      amountMinor: 10_000,
      occurredAt: AT,
    });
  });

  test('of a payment that was only authorised', () => {
    const payment = paymentEntity({ status: 'refunded', captured: false });
    const heard = hear('refund.processed', { refund: refundEntity({ amount: 49_900 }), payment });
    expect(heard.event).toMatchObject({ type: 'refund.updated', state: 'completed', amountMinor: 49_900 });
  });

  test('without the payment', () => {
    expect(hear('refund.failed', { refund: refundEntity({ status: 'failed' }) })).toMatchObject({
      providerOrderId: null,
      event: { type: 'refund.updated', state: 'failed' },
    });
  });

  test.each([
    ['of another payment', { payment: paymentEntity({ id: 'pay_Q2' }), refund: refundEntity() }],
    ['in another currency', { payment: paymentEntity(), refund: refundEntity({ currency: 'USD' }) }],
    ['of unknown status', { payment: paymentEntity(), refund: refundEntity({ status: 'initiated' }) }],
    ['missing', { payment: paymentEntity() }],
  ])('undecodable: %s', (_, payload) => {
    expect(hear('refund.processed', payload)).toMatchObject({ event: null, because: 'undecodable' });
  });
});

describe('disputes', () => {
  test.each([
    ['payment.dispute.created', { status: 'open' }, 'opened'],
    ['payment.dispute.under_review', { status: 'under_review' }, 'opened'],
    ['payment.dispute.action_required', { status: 'action_required' }, 'opened'],
    ['payment.dispute.won', { status: 'won' }, 'won'],
    ['payment.dispute.lost', { status: 'lost', amount_deducted: 49_900 }, 'lost'],
    ['payment.dispute.won', { status: 'under_review' }, 'won'],
    ['payment.dispute.lost', { status: 'open' }, 'lost'],
    ['payment.dispute.created', { status: 'lost' }, 'lost'],
    ['payment.dispute.closed', { status: 'closed', amount_deducted: 0 }, 'won'],
    ['payment.dispute.closed', { status: 'closed', amount_deducted: 49_900 }, 'lost'],
  ])('%s, %j', (event, fields, state) => {
    const heard = hear(event, { payment: paymentEntity(), dispute: disputeEntity(fields) });
    expect(heard).toMatchObject({ providerOrderId: 'order_Q1' });
    expect(heard.event).toEqual({
      type: 'dispute.updated',
      paymentId: 'pay_Q1',
      disputeId: 'disp_Q1',
      state,
      amountMinor: 49_900,
      occurredAt: AT,
    });
  });

  test('closed without a word about money outdoes nothing', () => {
    const dispute = disputeEntity({ status: 'closed', amount_deducted: null });
    const { event } = hear('payment.dispute.closed', { payment: paymentEntity(), dispute });
    expect(event).toMatchObject({ state: 'opened' });
    expect(event).not.toHaveProperty('occurredAt');
  });
});

test.each([
  'payment.pending',
  'settlement.processed',
  'payment.downtime.started',
  'refund.arn_updated',
  'constructor',
  '__proto__',
  ...['authenticated', 'activated', 'pending', 'halted', 'completed', 'cancelled', 'paused', 'resumed', 'updated'].map(
    state => `subscription.${state}`,
  ),
])('%s is stored and not used', event => {
  const payload = { payment: paymentEntity(), subscription: { id: 'sub_Q1' } };
  expect(hear(event, payload)).toMatchObject({ eventType: event, event: null, because: 'ignored', detail: /./ });
});

test.each([
  ['no JSON', 'hello'],
  ['nothing', ''],
  ['no UTF-8', new Uint8Array([0x7b, 0xff])],
  ['an array', '[]'],
  ['null', 'null'],
  ['no type', '{"payload":{}}'],
  ['a type that is no text', '{"event":7}'],
  ['no payload', '{"event":"payment.captured"}'],
  ['a payload that is none', '{"event":"payment.captured","payload":7}'],
  ['an amount with a fraction', envelope('payment.captured', { payment: paymentEntity({ amount: 1.5 }) })],
  ['an amount as text', envelope('payment.captured', { payment: paymentEntity({ amount: '49900' }) })],
  ['an amount of nothing', envelope('payment.captured', { payment: paymentEntity({ amount: 0 }) })],
  ['a currency in small letters', envelope('payment.captured', { payment: paymentEntity({ currency: 'inr' }) })],
  ['an unknown status', envelope('payment.captured', { payment: paymentEntity({ status: 'settled' }) })],
  ['a charge of no subscription', envelope('subscription.charged', { payment: paymentEntity() })],
])('a signed body that is %s is undecodable', (_, body) => {
  expect(provider.parseWebhook(signedWebhook(body))).toMatchObject({
    event: null,
    because: 'undecodable',
    detail: /./,
  });
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
