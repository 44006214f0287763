// Stripe's objects as far as they are read: loosely, unknown fields dropped, ids and amounts held to what our books take.
import { z } from 'zod';
import { currencySchema, providerIdSchema } from '../../../machines/orderEvents.ts';
import type { ProviderPayment, ProviderRefund } from '../provider.ts';
import { readableText } from '../readableText.ts';
import { fromStripeAmount } from './units.ts';

/** Where our order id stands in the metadata of sessions, payment intents and subscriptions. */
export const ORDER_MARK = 'order_id';
const ORDER_ID = /^ord_[0-9a-z]{26}$/;

const amount = z.int().min(0);
/** `usd` at Stripe, `USD` with us. */
export const stripeCurrency = z
  .string()
  .transform(code => code.toUpperCase())
  .pipe(currencySchema);
const instant = z.number().optional().catch(undefined);
const metadata = z.record(z.string(), z.unknown()).nullish().catch(null);
/** An id, or the expanded object that has it; null where there is none. */
export const reference = z
  .union([providerIdSchema, z.object({ id: providerIdSchema }).transform(({ id }) => id)])
  .nullish()
  .transform(id => id ?? null);

export const refundSchema = z.object({
  id: providerIdSchema,
  amount,
  currency: stripeCurrency,
  status: z.string().nullish(),
  payment_intent: reference,
  failure_reason: z.unknown().optional(),
  metadata,
});
export type StripeRefund = z.infer<typeof refundSchema>;

export const refundListSchema = z.object({ data: z.array(refundSchema), has_more: z.boolean() });

const chargeSchema = z.object({
  id: providerIdSchema,
  created: instant,
  /** True for good once it was disputed, whatever became of it. */
  disputed: z.boolean().nullish().catch(null),
  refunds: refundListSchema.nullish(),
});

export const paymentIntentSchema = z.object({
  id: providerIdSchema,
  status: z.string(),
  amount,
  amount_capturable: amount.nullish(),
  amount_received: amount.nullish(),
  currency: stripeCurrency,
  capture_method: z.string().nullish(),
  livemode: z.boolean().optional(),
  metadata,
  canceled_at: instant.nullable(),
  cancellation_reason: z.unknown().optional(),
  last_payment_error: z
    .object({ code: z.unknown(), decline_code: z.unknown(), message: z.unknown() })
    .partial()
    .nullish(),
  // A bare id, or expanded; what cannot be read is only a time and refunds that are asked for again.
  latest_charge: z.union([chargeSchema, z.unknown().transform(() => null)]).optional(),
});
export type StripePaymentIntent = z.infer<typeof paymentIntentSchema>;

/** What `latest_charge` must be expanded with for a payment to carry its time and its refunds. */
export const PAYMENT_EXPANSION = 'latest_charge.refunds';

/** Our order id where Stripe carries it; null for what is not ours. */
export function orderIdIn(...places: unknown[]): string | null {
  return places.find((place): place is string => typeof place === 'string' && ORDER_ID.test(place)) ?? null;
}

/** Seconds since 1970 as an instant; undefined when they are none. */
export function instantOf(seconds: unknown): string | undefined {
  if (typeof seconds !== 'number' || !Number.isSafeInteger(seconds) || seconds < 0 || seconds > 253_402_300_799) return;
  return new Date(seconds * 1_000).toISOString();
}

/** Why a payment intent failed or was given up, in Stripe's words. */
export function reasonOf(intent: StripePaymentIntent): string | undefined {
  if (intent.status === 'canceled') return readableText(intent.cancellation_reason);
  const error = intent.last_payment_error;
  return error ? readableText(error.decline_code ?? error.code, error.message) : undefined;
}

/**
 * The state of a payment intent in our words. A decline puts it back to `requires_payment_method`, where the customer may
 * try again: failed for now, and a later success is believed.
 */
export function stateOf(intent: StripePaymentIntent): ProviderPayment['state'] {
  if (intent.status === 'succeeded') return 'captured';
  if (intent.status === 'requires_capture') return 'authorized';
  if (intent.status === 'canceled') return 'canceled';
  return intent.status === 'requires_payment_method' && intent.last_payment_error ? 'failed' : 'pending';
}

/** What a payment intent is worth now, in Stripe's unit: received, then capturable, then asked for. */
export function worthOf(intent: StripePaymentIntent): number {
  if (intent.status === 'succeeded') return intent.amount_received ?? intent.amount;
  if (intent.status === 'requires_capture') return intent.amount_capturable ?? intent.amount;
  return intent.amount;
}

/** A refund's state in our words; one that Stripe has not decided yet, or that we do not know, is pending. */
export function refundStateOf(status: string | null | undefined): ProviderRefund['state'] {
  if (status === 'succeeded') return 'completed';
  return status === 'failed' || status === 'canceled' ? 'failed' : 'pending';
}

/** No time: Stripe tells when a refund was made, not since when it is in this state. Null when the amount is not ours to say. */
export function refundFrom(refund: StripeRefund): ProviderRefund | null {
  const amountMinor = fromStripeAmount(refund.amount, refund.currency);
  return amountMinor === null ? null : { refundId: refund.id, state: refundStateOf(refund.status), amountMinor };
}

/** When the intent came to its state, where Stripe tells: a later capture has no time of its own, its charge is older. */
function occurredAtOf(intent: StripePaymentIntent): string | undefined {
  if (intent.status === 'canceled') return instantOf(intent.canceled_at);
  const chargedAtOnce = intent.status === 'requires_capture' || intent.capture_method?.startsWith('automatic');
  const isCharged = intent.status === 'requires_capture' || intent.status === 'succeeded';
  return isCharged && chargedAtOnce ? instantOf(intent.latest_charge?.created) : undefined;
}

/** Null when the amount has a fraction of our minor unit. */
export function paymentFrom(
  intent: StripePaymentIntent,
  providerOrderId: string | null = null,
): ProviderPayment | null {
  const amountMinor = fromStripeAmount(worthOf(intent), intent.currency);
  if (amountMinor === null) return null;
  const reason = reasonOf(intent);
  const occurredAt = occurredAtOf(intent);
  const refunds = intent.latest_charge?.refunds?.data.map(refundFrom).filter(refund => refund !== null);
  return {
    paymentId: intent.id,
    providerOrderId,
    orderId: orderIdIn(intent.metadata?.[ORDER_MARK]),
    state: stateOf(intent),
    amountMinor,
    currency: intent.currency,
    ...(intent.livemode !== undefined && { live: intent.livemode }),
    ...(reason !== undefined && { reason }),
    ...(refunds !== undefined && { refunds }),
    ...(occurredAt !== undefined && { occurredAt }),
  };
}
