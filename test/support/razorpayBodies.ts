// Razorpay's objects and signed calls with values of our own, in every spelling the documentation's samples have.
import { createHmac } from 'node:crypto';
import type { IncomingCall } from '../../src/providers/provider.ts';
import { createRazorpayProvider, type RazorpayProvider } from '../../src/providers/razorpay/adapter.ts';

export const RAZORPAY = {
  keyId: 'rzp_test_Paylatch0001',
  keySecret: 'key-secret-of-the-tests-0001',
  webhookSecrets: ['webhook-secret-new-0000001', 'webhook-secret-old-0000001'],
  live: false,
};
export const PUBLIC_URL = 'https://shop.test';

export function razorpayProvider(
  apiUrl: string,
  more: { clock?: () => Date; fetch?: typeof fetch } = {},
): RazorpayProvider {
  return createRazorpayProvider({
    settings: { ...RAZORPAY, apiUrl },
    publicUrl: PUBLIC_URL,
    clock: () => new Date('2026-03-01T12:00:00.000Z'),
    jitter: () => 0,
    ...more,
  });
}

export type Fields = Record<string, unknown>;

export const paymentEntity = (more: Fields = {}): Fields => ({
  id: 'pay_Q1',
  entity: 'payment',
  amount: 49_900,
  currency: 'INR',
  status: 'captured',
  order_id: 'order_Q1',
  invoice_id: null,
  international: false,
  method: 'upi',
  amount_refunded: 0,
  refund_status: null,
  captured: true,
  description: null,
  email: 'asha@example.test',
  contact: '+910000000001',
  notes: [],
  fee: 1_178,
  tax: 180,
  error_code: null,
  error_description: null,
  error_source: null,
  error_step: null,
  error_reason: null,
  acquirer_data: { rrn: '600000000001' },
  created_at: 1_772_000_000,
  ...more,
});

export const refundEntity = (more: Fields = {}): Fields => ({
  id: 'rfnd_Q1',
  entity: 'refund',
  amount: 10_000,
  currency: 'INR',
  payment_id: 'pay_Q1',
  notes: [],
  receipt: null,
  status: 'processed',
  speed_requested: 'normal',
  speed_processed: 'normal',
  created_at: 1_772_000_100,
  ...more,
});

export const disputeEntity = (more: Fields = {}): Fields => ({
  id: 'disp_Q1',
  entity: 'dispute',
  payment_id: 'pay_Q1',
  amount: 49_900,
  currency: 'INR',
  amount_deducted: 0,
  reason_code: 'goods_not_received',
  status: 'open',
  phase: 'chargeback',
  created_at: 1_772_000_200,
  ...more,
});

export const orderEntity = (more: Fields = {}): Fields => ({
  id: 'order_Q1',
  entity: 'order',
  amount: 49_900,
  amount_paid: 49_900,
  amount_due: 0,
  currency: 'INR',
  receipt: null,
  offer_id: null,
  status: 'paid',
  attempts: 1,
  notes: [],
  created_at: 1_772_000_000,
  ...more,
});

/** `payload` maps names to entities; `createdAt` is the event's own time. */
export function envelope(event: string, payload: Fields, createdAt: unknown = 1_772_000_300): Fields {
  const wrapped = Object.entries(payload).map(([name, entity]) => [name, { entity }]);
  return {
    entity: 'event',
    account_id: 'acc_Q1',
    event,
    contains: Object.keys(payload),
    payload: Object.fromEntries(wrapped),
    created_at: createdAt,
  };
}

export const hmac = (secret: string, data: string | Uint8Array) =>
  createHmac('sha256', secret).update(data).digest('hex');

export function signedWebhook(
  body: unknown,
  {
    secret = RAZORPAY.webhookSecrets[0]!,
    eventId = 'EvtQ1' as string | null,
    headers = {} as Record<string, string>,
  } = {},
): IncomingCall {
  const bytes = body instanceof Uint8Array ? body : Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
  return incoming(bytes, 'application/json', {
    'x-razorpay-signature': hmac(secret, bytes),
    ...(eventId !== null && { 'x-razorpay-event-id': eventId }),
    ...headers,
  });
}

export const callbackFields = (paymentId: string, providerOrderId: string) => ({
  razorpay_payment_id: paymentId,
  razorpay_order_id: providerOrderId,
  razorpay_signature: hmac(RAZORPAY.keySecret, `${providerOrderId}|${paymentId}`),
});

export const jsonCall = (body: unknown) => incoming(Buffer.from(JSON.stringify(body)), 'application/json');
export const formCall = (fields: Record<string, string>) =>
  incoming(Buffer.from(new URLSearchParams(fields).toString()), 'application/x-www-form-urlencoded; charset=UTF-8');

export function incoming(body: Uint8Array, contentType: string, headers: Record<string, string> = {}): IncomingCall {
  return { body, headers, query: {}, rawQuery: '', contentType, kind: null };
}
