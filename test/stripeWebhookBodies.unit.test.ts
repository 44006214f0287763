// What a webhook of Stripe's may hold besides what it should: the other mode, odd amounts, hostile bodies, no signature.
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
  dispute,
  INTENT,
  intent,
  invoice,
  refund,
  SECRET,
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
