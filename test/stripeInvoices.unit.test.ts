import { describe, expect, it } from 'vitest';
import { translateWebhook } from '../src/providers/stripe/webhookEvents.ts';
import { bytesOf, CREATED_AT, INTENT, intent, invoice, ORDER, stripeEvent } from './support/stripeFixtures.ts';

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

  it('that is none of a subscription and could not be charged is left out', () => {
    const manual = invoice({ billing_reason: 'manual', amount_paid: 0 });
    expect(hear('invoice.payment_failed', manual)).toMatchObject({ event: null, because: 'ignored' });
  });

  it('that could not be charged is a failed attempt', () => {
    expect(hear('invoice.payment_failed', invoice({ amount_paid: 0, status: 'open' }))).toMatchObject({
      orderId: null,
      event: { type: 'payment.failed', paymentId: 'in_1Unit0002' },
    });
  });
});
