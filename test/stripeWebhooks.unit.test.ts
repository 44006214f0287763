import { describe, expect, it } from 'vitest';
import { translateWebhook } from '../src/providers/stripe/webhookEvents.ts';
import {
  bytesOf,
  CREATED,
  CREATED_AT,
  charge,
  dispute,
  INTENT,
  intent,
  ORDER,
  refund,
  SESSION,
  session,
  stripeEvent,
} from './support/stripeFixtures.ts';

const hear = (type: string, object: Record<string, unknown>, more = {}) =>
  translateWebhook(bytesOf(stripeEvent(type, object, more)), false);
const capturedFact = {
  type: 'payment.captured',
  paymentId: INTENT,
  amountMinor: 1_999,
  currency: 'EUR',
  live: false,
  occurredAt: CREATED_AT,
};
const bySession = { orderId: ORDER, providerOrderId: SESSION };
const byIntent = { orderId: ORDER, providerOrderId: null };
const time = { occurredAt: CREATED_AT };

describe('checkout.session', () => {
  it.each(['completed', 'async_payment_succeeded'])('%s and paid is a capture of the payment intent', what => {
    const type = `checkout.session.${what}`;
    expect(hear(type, session())).toEqual({
      eventKey: 'evt_1Unit0001',
      eventType: type,
      ...bySession,
      event: capturedFact,
    });
  });

  it.each([
    ['unpaid', 'on its way'],
    ['no_payment_required', 'no money'],
    ['something_new', 'on its way'],
  ])('completed and %s waits', (payment_status, detail) => {
    const heard = hear('checkout.session.completed', session({ payment_status }));
    expect(heard).toMatchObject({ ...bySession, event: null, because: 'ignored' });
    expect(heard).toHaveProperty('detail', expect.stringContaining(detail));
  });

  it('of a subscription is left to its invoices', () => {
    const ofSubscription = session({ mode: 'subscription', payment_intent: null });
    expect(hear('checkout.session.completed', ofSubscription)).toMatchObject({ event: null, because: 'ignored' });
    expect(hear('checkout.session.async_payment_succeeded', ofSubscription)).toMatchObject({ event: null });
  });

  it('paid without a payment intent cannot be read', () => {
    expect(hear('checkout.session.completed', session({ payment_intent: null }))).toMatchObject({
      because: 'undecodable',
    });
  });

  it('async_payment_failed is a failed attempt', () => {
    expect(hear('checkout.session.async_payment_failed', session({ payment_status: 'unpaid' }))).toMatchObject({
      ...bySession,
      event: { type: 'payment.failed', paymentId: INTENT, ...time },
    });
  });

  it('expired cancels without naming a payment', () => {
    const heard = hear('checkout.session.expired', session({ status: 'expired', payment_intent: INTENT }));
    expect(heard).toMatchObject({ ...bySession, event: { type: 'payment.canceled', ...time } });
    expect(heard.event).not.toHaveProperty('paymentId');
  });

  it('with an expanded payment intent reads its id', () => {
    expect(hear('checkout.session.completed', session({ payment_intent: intent() })).event).toEqual(capturedFact);
  });

  it('without our mark is not addressed to an order by id', () => {
    const foreign = session({ client_reference_id: 'cart-17', metadata: { order_id: 'ord_01J8' } });
    expect(hear('checkout.session.completed', foreign)).toMatchObject({ orderId: null, providerOrderId: SESSION });
  });
});

describe('payment_intent', () => {
  it('succeeded is the same fact as the session tells', () => {
    expect(hear('payment_intent.succeeded', intent())).toMatchObject({ ...byIntent, event: capturedFact });
  });

  it('succeeded is worth what was received', () => {
    const heard = hear('payment_intent.succeeded', intent({ amount_received: 1_000 }));
    expect(heard.event).toMatchObject({ amountMinor: 1_000 });
  });

  it('amount_capturable_updated is an authorisation while it waits for its capture', () => {
    const waiting = intent({ status: 'requires_capture', amount_capturable: 1_999, amount_received: 0 });
    expect(hear('payment_intent.amount_capturable_updated', waiting)).toMatchObject({
      ...byIntent,
      event: { ...capturedFact, type: 'payment.authorized' },
    });
    expect(hear('payment_intent.amount_capturable_updated', intent())).toMatchObject({ because: 'ignored' });
  });

  it('payment_failed is a failed attempt in the words of Stripe', () => {
    const declined = intent({
      status: 'requires_payment_method',
      amount_received: 0,
      last_payment_error: { code: 'card_declined', decline_code: 'insufficient_funds', message: 'Too\u0000 little.' },
    });
    expect(hear('payment_intent.payment_failed', declined)).toMatchObject({
      ...byIntent,
      event: { type: 'payment.failed', paymentId: INTENT, reason: 'insufficient_funds: Too\ufffd little.', ...time },
    });
  });

  it.each(['automatic', 'expired', 'requested_by_customer', 'abandoned'])('canceled (%s) is canceled', reason => {
    const canceled = intent({ status: 'canceled', cancellation_reason: reason, canceled_at: CREATED - 60 });
    expect(hear('payment_intent.canceled', canceled)).toMatchObject({
      ...byIntent,
      event: { type: 'payment.canceled', paymentId: INTENT, reason, occurredAt: '2026-01-31T09:59:00.000Z' },
    });
  });

  it.each(['created', 'processing', 'requires_action', 'partially_funded'])(
    '%s tells nothing for the machine',
    what => {
      expect(hear(`payment_intent.${what}`, intent())).toMatchObject({ event: null, because: 'ignored' });
    },
  );
});

describe('charge', () => {
  it.each(['succeeded', 'captured', 'failed', 'pending', 'updated', 'refunded'])('%s is told by others', what => {
    expect(hear(`charge.${what}`, charge())).toMatchObject({ event: null, because: 'ignored' });
  });

  it('expired gives the authorisation back', () => {
    expect(hear('charge.expired', charge({ captured: false }))).toMatchObject({
      ...byIntent,
      event: { type: 'payment.canceled', paymentId: INTENT },
    });
    expect(hear('charge.expired', charge({ payment_intent: null }))).toMatchObject({ because: 'ignored' });
  });
});

describe('a refund', () => {
  const types = ['refund.created', 'refund.updated', 'charge.refund.updated'];
  const states = [
    ['pending', 'pending', {}],
    ['requires_action', 'pending', {}],
    ['a_new_state', 'pending', {}],
    [null, 'pending', {}],
    ['succeeded', 'completed', time],
    ['failed', 'failed', time],
    ['canceled', 'failed', time],
  ] as const;
  it.each(types.flatMap(type => states.map(([status, state, at]) => ({ type, status, state, at }))))(
    '$type $status is $state, with a time only when it is over',
    ({ type, status, state, at }) => {
      expect(hear(type, refund({ status })).event).toEqual({
        type: 'refund.updated',
        paymentId: INTENT,
        refundId: 're_3Unit0001',
        state,
        amountMinor: 500,
        ...at,
      });
    },
  );

  it('that failed is failed whatever else it says', () => {
    expect(hear('refund.failed', refund({ status: 'succeeded' })).event).toMatchObject({ state: 'failed' });
  });

  it('of a charge without payment intent is left out', () => {
    expect(hear('refund.created', refund({ payment_intent: null }))).toMatchObject({ because: 'ignored' });
  });
});

describe('a dispute', () => {
  const states = [
    ['needs_response', 'opened'],
    ['under_review', 'opened'],
    ['warning_needs_response', 'opened'],
    ['warning_under_review', 'opened'],
    ['warning_closed', 'opened'],
    ['prevented', 'opened'],
    ['won', 'won'],
    ['lost', 'lost'],
  ] as const;
  const types = ['created', 'updated', 'closed', 'funds_withdrawn', 'funds_reinstated'];
  it.each(types.flatMap(type => states.map(([status, state]) => ({ type, status, state }))))(
    '$type $status is $state',
    ({ type, status, state }) => {
      expect(hear(`charge.dispute.${type}`, dispute({ status })).event).toEqual({
        type: 'dispute.updated',
        paymentId: INTENT,
        disputeId: 'du_1Unit0001',
        state,
        amountMinor: 1_999,
        ...(state !== 'opened' && time),
      });
    },
  );
});

describe('other events', () => {
  it.each([
    'customer.subscription.created',
    'customer.subscription.updated',
    'customer.subscription.deleted',
    'invoice.payment_succeeded',
    'payout.paid',
    'constructor',
    '__proto__',
  ])('%s is kept and ignored', type => {
    expect(hear(type, {})).toMatchObject({ eventType: type, event: null, because: 'ignored' });
  });

  it('of API v2 are kept and ignored', () => {
    const thin = {
      id: 'evt_test_65Unit',
      object: 'v2.core.event',
      type: 'v1.billing.meter.error_report_triggered',
      related_object: {},
    };
    expect(translateWebhook(bytesOf(thin), false)).toMatchObject({ eventKey: 'evt_test_65Unit', because: 'ignored' });
  });

  it('of a connected account are ignored', () => {
    expect(hear('payment_intent.succeeded', intent(), { account: 'acct_1Other' })).toMatchObject({
      because: 'ignored',
    });
  });
});
