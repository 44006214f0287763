import { describe, expect, test } from 'vitest';
import {
  disputeEntity,
  envelope,
  type Fields,
  orderEntity,
  paymentEntity,
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

  test('a subscription made for an order of ours says so in its notes', () => {
    const ours = `ord_${'7'.repeat(26)}`;
    const heard = (notes: unknown) =>
      hear('subscription.charged', { subscription: { id: 'sub_Q1', notes }, payment: paymentEntity() }).orderId;
    expect(heard({ order_id: ours })).toBe(ours);
    for (const notes of [[], {}, null, { order_id: 'x' }]) expect(heard(notes)).toBeNull();
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
