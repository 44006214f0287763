// Stripe's objects and events with values of our own, in the shape of the pinned API version.
import { createHmac } from 'node:crypto';
import type { IncomingCall } from '../../src/providers/provider.ts';

export const ORDER = 'ord_01kb0stripeunit00000000001';
export const SESSION = 'cs_test_b1Unit0001';
export const INTENT = 'pi_3Unit0001';
export const SECRET = 'whsec_unit_0123456789abcdefghij';
export const CREATED = 1_769_853_600;
export const CREATED_AT = '2026-01-31T10:00:00.000Z';

type Fields = Record<string, unknown>;

export const session = (more: Fields = {}): Fields => ({
  id: SESSION,
  object: 'checkout.session',
  mode: 'payment',
  status: 'complete',
  payment_status: 'paid',
  payment_intent: INTENT,
  client_reference_id: ORDER,
  metadata: { order_id: ORDER },
  amount_total: 1_999,
  currency: 'eur',
  livemode: false,
  ...more,
});

export const intent = (more: Fields = {}): Fields => ({
  id: INTENT,
  object: 'payment_intent',
  status: 'succeeded',
  amount: 1_999,
  amount_capturable: 0,
  amount_received: 1_999,
  currency: 'eur',
  capture_method: 'automatic',
  livemode: false,
  metadata: { order_id: ORDER },
  canceled_at: null,
  cancellation_reason: null,
  last_payment_error: null,
  latest_charge: 'ch_3Unit0001',
  ...more,
});

export const charge = (more: Fields = {}): Fields => ({
  id: 'ch_3Unit0001',
  object: 'charge',
  amount: 1_999,
  captured: true,
  payment_intent: INTENT,
  metadata: { order_id: ORDER },
  livemode: false,
  ...more,
});

export const refund = (more: Fields = {}): Fields => ({
  id: 're_3Unit0001',
  object: 'refund',
  amount: 500,
  currency: 'eur',
  status: 'succeeded',
  payment_intent: INTENT,
  charge: 'ch_3Unit0001',
  created: CREATED,
  metadata: {},
  ...more,
});

export const dispute = (more: Fields = {}): Fields => ({
  id: 'du_1Unit0001',
  object: 'dispute',
  amount: 1_999,
  currency: 'eur',
  status: 'needs_response',
  reason: 'fraudulent',
  charge: 'ch_3Unit0001',
  payment_intent: INTENT,
  livemode: false,
  ...more,
});

export const invoice = (more: Fields = {}): Fields => ({
  id: 'in_1Unit0002',
  object: 'invoice',
  amount_paid: 1_999,
  currency: 'eur',
  billing_reason: 'subscription_cycle',
  livemode: false,
  status: 'paid',
  parent: {
    type: 'subscription_details',
    subscription_details: { subscription: 'sub_1Unit0001', metadata: { order_id: ORDER } },
  },
  ...more,
});

export const stripeEvent = (type: string, object: Fields, more: Fields = {}): Fields => ({
  id: 'evt_1Unit0001',
  object: 'event',
  api_version: '2026-10-28.endive',
  created: CREATED,
  livemode: false,
  pending_webhooks: 1,
  type,
  data: { object },
  ...more,
});

export const bytesOf = (value: unknown) => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value));

/** Written apart from the adapter, by Stripe's words: hex HMAC-SHA256 of `t.body` under the whole secret. */
export function signedHeader(body: Uint8Array, atS = CREATED, secret = SECRET): string {
  return `t=${atS},v1=${createHmac('sha256', secret).update(`${atS}.`).update(body).digest('hex')}`;
}

export const callOf = (body: Uint8Array, headers: Record<string, string> = {}): IncomingCall => ({
  body,
  headers,
  query: {},
  rawQuery: '',
  contentType: 'application/json',
  kind: null,
});

export const signedCall = (value: unknown): IncomingCall => {
  const body = bytesOf(value);
  return callOf(body, { 'stripe-signature': signedHeader(body) });
};
