// Every event of Stripe's that we know, translated; and everything else, which is kept and never throws.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { orderEventSchema } from '../machines/orderEvents.ts';
import { BadSignature } from '../src/errors.ts';
import { createStripeProvider } from '../src/providers/stripe/adapter.ts';
import { translateWebhook } from '../src/providers/stripe/webhookEvents.ts';
import {
  bytesOf,
  CREATED,
  CREATED_AT,
  callOf,
  charge,
  dispute,
  INTENT,
  intent,
  invoice,
  ORDER,
  refund,
  SECRET,
  SESSION,
  session,
  signedCall,
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

describe('an invoice', () => {
  const fact = { ...capturedFact, subscriptionId: 'sub_1Unit0001' };
  it('of a new period is a charge of its own, of no order we name', () => {
    expect(hear('invoice.paid', invoice())).toMatchObject({
      orderId: null,
      event: { ...fact, paymentId: 'in_1Unit0002' },
    });
  });

  it('of the first period belongs to the order of its subscription', () => {
    expect(hear('invoice.paid', invoice({ billing_reason: 'subscription_create' }))).toMatchObject({ orderId: ORDER });
  });

  it.each([
    [
      'since 2025',
      {
        payments: {
          data: [
            { status: 'open', payment: { payment_intent: 'pi_other' } },
            { status: 'paid', payment: { type: 'payment_intent', payment_intent: INTENT } },
          ],
        },
      },
    ],
    ['before', { parent: null, subscription: 'sub_1Unit0001', payment_intent: INTENT }],
    ['before, expanded', { parent: null, subscription: { id: 'sub_1Unit0001' }, payment_intent: intent() }],
  ])('names its payment intent as %s', (_name, more) => {
    expect(hear('invoice.paid', invoice(more)).event).toEqual(fact);
  });

  it('of the first period in the older shape belongs to its order too', () => {
    const older = {
      parent: null,
      subscription: 'sub_1Unit0001',
      subscription_details: { metadata: { order_id: ORDER } },
    };
    expect(hear('invoice.paid', invoice({ ...older, billing_reason: 'subscription_create' }))).toMatchObject({
      orderId: ORDER,
    });
  });

  it.each([
    ['manual', { billing_reason: 'manual' }],
    ['of a change', { billing_reason: 'subscription_update' }],
    ['of no subscription', { parent: null }],
    ['of a trial', { amount_paid: 0 }],
  ])('%s is left out', (_name, more) => {
    expect(hear('invoice.paid', invoice(more))).toMatchObject({ event: null, because: 'ignored' });
  });

  it('that could not be charged is a failed attempt', () => {
    expect(hear('invoice.payment_failed', invoice({ amount_paid: 0, status: 'open' }))).toMatchObject({
      orderId: null,
      event: { type: 'payment.failed', paymentId: 'in_1Unit0002' },
    });
  });
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

describe('test and live', () => {
  it('a payment of the other mode says so and is compared by the machine', () => {
    expect(hear('payment_intent.succeeded', intent({ livemode: true })).event).toMatchObject({ live: true });
    expect(hear('payment_intent.succeeded', intent({ livemode: undefined }), { livemode: true }).event).toMatchObject({
      live: true,
    });
  });

  it.each([
    ['refund.updated', refund()],
    ['charge.dispute.closed', dispute()],
    ['payment_intent.canceled', intent({ status: 'canceled' })],
    ['checkout.session.expired', session()],
  ])('%s of the other mode never reaches the machine', (type, object) => {
    expect(hear(type, object, { livemode: true })).toMatchObject({ event: null, because: 'ignored' });
  });
});

describe('amounts', () => {
  it.each([
    ['jpy', 500, 500],
    ['isk', 50_000, 500],
    ['ugx', 1_200, 12],
    ['mga', 7, 700],
    ['kwd', 1_230, 1_230],
  ])('of %s are read in our minor units', (currency, amount, amountMinor) => {
    const heard = hear('payment_intent.succeeded', intent({ currency, amount, amount_received: amount }));
    expect(heard.event).toMatchObject({ amountMinor, currency: currency.toUpperCase() });
  });

  it.each([
    ['a fraction of our unit', { currency: 'isk', amount_received: 50_050 }],
    ['nothing', { amount_received: 0 }],
    ['less than nothing', { amount_received: -1 }],
    ['half a cent', { amount_received: 0.5 }],
    ['text', { amount_received: '1999' }],
    ['no currency', { currency: null }],
  ])('of %s cannot be read', (_name, more) => {
    expect(hear('payment_intent.succeeded', intent(more))).toMatchObject({ event: null, because: 'undecodable' });
  });
});

describe('hostile bodies', () => {
  it.each([
    '',
    'null',
    '[]',
    '"x"',
    '{',
    '{"id":1}',
    '{"id":"evt_1"}',
    '{"id":"evt_1","type":"refund.updated"}',
    '\ud800',
  ])('such as %j are kept as undecodable', text => {
    expect(translateWebhook(bytesOf(text), false)).toMatchObject({ event: null, because: 'undecodable' });
  });

  it('give the same key each time', () => {
    expect(translateWebhook(bytesOf('{'), false).eventKey).toBe(translateWebhook(bytesOf('{'), false).eventKey);
  });

  const types = [
    'checkout.session.completed',
    'payment_intent.succeeded',
    'payment_intent.canceled',
    'charge.expired',
    'refund.created',
    'charge.dispute.closed',
    'invoice.paid',
    'invoice.payment_failed',
  ];
  const whole = { ...session(), ...invoice(), ...refund(), ...intent() };
  it('of any shape become events the machine can read, or none, and never throw', () => {
    const odd = fc.oneof(fc.jsonValue(), fc.constantFrom('a\u0000b', '\ud800', 1e308, -1, 8.64e15, 'evt_1', { id: 7 }));
    fc.assert(
      fc.property(
        fc.constantFrom(...types),
        fc.dictionary(fc.constantFrom(...Object.keys(whole)), odd),
        odd,
        (type, changed, created) => {
          const heard = hear(type, { ...whole, ...changed }, { created });
          if (heard.event === null) return;
          expect(orderEventSchema.safeParse({ ...heard.event, at: CREATED_AT }).error).toBeUndefined();
        },
      ),
      { numRuns: 2_000 },
    );
  });

  it('of any bytes never throw', () => {
    fc.assert(fc.property(fc.uint8Array(), bytes => void translateWebhook(bytes, true)));
    fc.assert(fc.property(fc.json(), text => void translateWebhook(bytesOf(text), true)));
  });
});

describe('the adapter', () => {
  const settings = {
    secretKey: 'sk_test_unit0001',
    webhookSecrets: [SECRET],
    apiUrl: 'https://api.stripe.com',
    live: false,
  };
  const provider = createStripeProvider({ settings, clock: () => new Date(CREATED * 1_000), jitter: () => 0 });

  it('translates what is signed and nothing else', () => {
    const event = stripeEvent('payment_intent.succeeded', intent());
    expect(provider.parseWebhook(signedCall(event)).event).toEqual(capturedFact);
    expect(() => provider.parseWebhook(callOf(bytesOf(event)))).toThrow(BadSignature);
    const swapped = { ...callOf(bytesOf(stripeEvent('refund.created', refund()))), headers: signedCall(event).headers };
    expect(() => provider.parseWebhook(swapped)).toThrow(BadSignature);
  });

  it('is of the mode of its key', () => {
    expect(provider).toMatchObject({ name: 'stripe', account: 'stripe', live: false });
  });
});
