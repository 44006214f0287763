// Razorpay's objects (payment, refund, dispute, order) read into our words, the same from an API answer and from a
// webhook. Only `status` is believed: the documentation's own samples disagree about every other hint of a state.
import { z } from 'zod';
import { amountMinorSchema, currencySchema, instantSchema, providerIdSchema } from '../../../machines/orderEvents.ts';
import type { ProviderPayment, ProviderRefund } from '../provider.ts';
import { readableText } from '../readableText.ts';
import { fromRazorpay } from './units.ts';

/** What came has not the shape Razorpay documents; the message is a sentence of our own words alone. */
export class Unreadable extends Error {}

/** Our order id as it is put into `receipt` and notes; anything else there was put by somebody else. */
const OUR_ORDER_ID = /^ord_[0-9a-z]{26}$/;
/** Latest instant with a four-digit year, in seconds. */
const MAX_INSTANT_S = 253_402_300_799;

const idOrNothing = providerIdSchema.nullish().catch(null);
const paymentSchema = z.object({
  id: providerIdSchema,
  amount: z.int(),
  currency: currencySchema,
  status: z.enum(['created', 'authorized', 'captured', 'refunded', 'failed']),
  order_id: idOrNothing,
  captured: z.unknown().optional(),
  amount_refunded: z.unknown().optional(),
  refund_status: z.unknown().optional(),
  error_code: z.unknown().optional(),
  error_description: z.unknown().optional(),
  error_reason: z.unknown().optional(),
  created_at: z.unknown().optional(),
});
const refundSchema = z.object({
  id: providerIdSchema,
  payment_id: providerIdSchema,
  amount: z.int(),
  currency: currencySchema,
  status: z.enum(['pending', 'processed', 'failed']),
  notes: z.unknown().optional(),
});
const disputeSchema = z.object({
  id: providerIdSchema,
  payment_id: providerIdSchema,
  amount: z.int(),
  currency: currencySchema,
  status: z.string(),
  amount_deducted: z.unknown().optional(),
  created_at: z.unknown().optional(),
});
const orderSchema = z.object({
  id: providerIdSchema,
  amount: z.int(),
  currency: currencySchema,
  receipt: z.string().nullish().catch(null),
  created_at: z.unknown().optional(),
});

/** A payment with what is needed to ask on about it. */
export type RazorpayPayment = { payment: ProviderPayment; mayHaveRefunds: boolean; createdAtS: number };
export type RazorpayRefund = { refund: ProviderRefund; paymentId: string; currency: string; notes: unknown };
export type RazorpayDispute = {
  disputeId: string;
  paymentId: string;
  amountMinor: number;
  currency: string;
  status: string;
  /** Money taken for it; null where that is not told. */
  deducted: number | null;
  /** When it was opened; null where that is not told. */
  createdAtS: number | null;
};
export type RazorpayOrder = {
  providerOrderId: string;
  amount: number;
  currency: string;
  receipt: string | null;
  createdAtS: number;
};

/** @throws Unreadable */
export function readPayment(value: unknown): RazorpayPayment {
  const entity = read('payment', paymentSchema, value);
  const reason =
    readableText(entity.error_description) ?? readableText(entity.error_reason) ?? readableText(entity.error_code);
  const state = stateOf(entity);
  return {
    payment: {
      paymentId: entity.id,
      providerOrderId: entity.order_id ?? null,
      // Notes of a payment are set by the browser that pays: they prove nothing about which order it pays for.
      orderId: null,
      state,
      amountMinor: minor('payment', entity.amount, entity.currency),
      currency: entity.currency,
      ...(state === 'failed' && reason !== undefined && { reason }),
    },
    mayHaveRefunds:
      entity.status === 'refunded' || (numberOf(entity.amount_refunded) ?? 0) > 0 || Boolean(entity.refund_status),
    createdAtS: numberOf(entity.created_at) ?? 0,
  };
}

/**
 * `refunded` is said of a payment that was captured and sent back whole, and of an authorised one that Razorpay gave back
 * by itself; only `captured` tells them apart, and wherever it is believed wrongly, all of the money is gone either way.
 */
function stateOf({ status, captured }: z.infer<typeof paymentSchema>): ProviderPayment['state'] {
  if (status === 'created') return 'pending';
  if (status !== 'refunded') return status;
  return captured === false || captured === 0 || captured === '0' ? 'canceled' : 'captured';
}

const REFUND_STATES = { pending: 'pending', processed: 'completed', failed: 'failed' } as const;

/** The refund's `created_at` is no time of its state, so none is given. @throws Unreadable */
export function readRefund(value: unknown): RazorpayRefund {
  const entity = read('refund', refundSchema, value);
  const refund = {
    refundId: entity.id,
    state: REFUND_STATES[entity.status],
    amountMinor: minor('refund', entity.amount, entity.currency),
  };
  return { refund, paymentId: entity.payment_id, currency: entity.currency, notes: entity.notes };
}

/** @throws Unreadable */
export function readDispute(value: unknown): RazorpayDispute {
  const entity = read('dispute', disputeSchema, value);
  return {
    disputeId: entity.id,
    paymentId: entity.payment_id,
    amountMinor: minor('dispute', entity.amount, entity.currency),
    currency: entity.currency,
    status: entity.status,
    deducted: numberOf(entity.amount_deducted),
    createdAtS: numberOf(entity.created_at),
  };
}

/**
 * `closed` says that it is over, not how: money taken means lost (disputes/entity: "0 unless lost"), none taken means it
 * stayed with us.
 */
export function disputeState({ status, deducted }: Pick<RazorpayDispute, 'status' | 'deducted'>) {
  if (status === 'won' || status === 'lost') return status;
  if (status !== 'closed' || deducted === null) return 'opened';
  return deducted > 0 ? 'lost' : 'won';
}

/** @throws Unreadable */
export function readOrder(value: unknown): RazorpayOrder {
  const { id, amount, currency, receipt, created_at } = read('order', orderSchema, value);
  return { providerOrderId: id, amount, currency, receipt: receipt ?? null, createdAtS: numberOf(created_at) ?? 0 };
}

/** Our id where only a server sets it (a receipt, a subscription's notes); null when somebody else set it. */
export const ourOrderId = (value: unknown) => (typeof value === 'string' && OUR_ORDER_ID.test(value) ? value : null);

/** Unix seconds as the one form of an instant that is stored; undefined where they cannot be read. */
export function instantOf(seconds: unknown): string | undefined {
  const value = numberOf(seconds);
  if (value === null || value <= 0 || value > MAX_INSTANT_S) return undefined;
  const instant = new Date(Math.floor(value) * 1_000).toISOString();
  return instantSchema.safeParse(instant).success ? instant : undefined;
}

/** A field of an object that may be anything. */
export function fieldOf(value: unknown, name: string): unknown {
  const isObject = typeof value === 'object' && value !== null;
  return isObject && Object.hasOwn(value, name) ? (value as Record<string, unknown>)[name] : undefined;
}

function numberOf(value: unknown): number | null {
  return typeof value === 'number' && Number.isFinite(value) ? value : null;
}

function minor(what: string, amount: number, currency: string): number {
  const amountMinor = amountMinorSchema.safeParse(fromRazorpay(amount, currency));
  if (!amountMinor.success) throw new Unreadable(`The ${what}'s amount cannot be an amount of ours.`);
  return amountMinor.data;
}

/** Says which field is wrong from our own schema's words alone: nothing the sender wrote gets into the sentence. */
function read<T>(what: string, schema: z.ZodType<T>, value: unknown): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const field = result.error.issues[0]?.path[0];
  throw new Unreadable(`The ${what}${field === undefined ? '' : `'s ${String(field)}`} is missing or malformed.`);
}
