// A transaction of CloudPayments, read from whatever call told of it: a payment, or the refund of one, which is a
// transaction of its own.
import { z } from 'zod';
import { currencySchema } from '../../../machines/orderEvents.ts';
import type { ProviderPayment, ProviderRefund } from '../provider.ts';
import { minorOf } from './amounts.ts';
import { instantOf, liveOf, orderOf, payerOf, reasonOf, textOf, theirId } from './fields.ts';

/** Our key in the JsonData of a refund, by which it is known again after the hour for which X-Request-ID holds. */
export const REFUND_KEY = 'paylatchKey';

const text = z
  .unknown()
  .optional()
  .transform(value => textOf(value));
const transactionSchema = z.object({
  TransactionId: text,
  OriginalTransactionId: text,
  Type: text,
  InvoiceId: text,
  AccountId: text,
  Token: text,
  SubscriptionId: text,
  Amount: text,
  Currency: currencySchema,
  Status: text,
  TestMode: text,
  Reason: text,
  ReasonCode: text,
  CreatedDateIso: text,
  AuthDateIso: text,
  ConfirmDateIso: text,
  JsonData: text,
});
type Transaction = z.infer<typeof transactionSchema>;

export type KnownRefund = ProviderRefund & { paymentId: string; key: string | null };
export type Read = { payment: ProviderPayment } | { refund: KnownRefund } | null;

/** Null for what is neither, a payout for instance, or cannot be read. */
export function readTransaction(model: unknown): Read {
  const read = transactionSchema.safeParse(model);
  if (!read.success) return null;
  const { data } = read;
  const id = theirId(data.TransactionId);
  const amountMinor = minorOf(data.Amount ?? '', data.Currency);
  if (id === null || amountMinor === null) return null;
  // 0 payment, 1 refund, 2 payout. Where no type is told, only what goes back has an original.
  const type = data.Type ?? (data.OriginalTransactionId === undefined ? '0' : '1');
  if (/^(0|payment)$/i.test(type)) return { payment: paymentFrom(data, id, amountMinor) };
  const original = theirId(data.OriginalTransactionId);
  if (!/^(1|refund)$/i.test(type) || original === null) return null;
  return { refund: refundFrom(data, id, amountMinor, original) };
}

/** What is known of a status. 3-D Secure under way has none, and one we never heard of settles nothing. */
const STATES: ReadonlyMap<string | undefined, ProviderPayment['state']> = new Map([
  ['Authorized', 'authorized'],
  ['Completed', 'captured'],
  ['Cancelled', 'canceled'],
  ['Declined', 'failed'],
]);

function paymentFrom(data: Transaction, paymentId: string, amountMinor: number): ProviderPayment {
  const state = STATES.get(data.Status) ?? 'pending';
  const live = liveOf(data.TestMode);
  const subscriptionId = theirId(data.SubscriptionId);
  const { Token: token, InvoiceId: invoiceId, SubscriptionId, AccountId: accountId } = data;
  const reason = state === 'failed' ? reasonOf(data.Reason, data.ReasonCode) : undefined;
  const occurredAt = instantOf(timeOf(state, data));
  return {
    paymentId,
    ...orderOf(invoiceId),
    ...payerOf({ token, invoiceId, subscriptionId: SubscriptionId, accountId }),
    state,
    amountMinor,
    currency: data.Currency,
    ...(live !== undefined && { live }),
    ...(subscriptionId !== null && { subscriptionId }),
    ...(reason !== undefined && { reason }),
    ...(occurredAt !== undefined && { occurredAt }),
  };
}

/** When the transaction came to this state; when it was cancelled is told nowhere. */
function timeOf(state: ProviderPayment['state'], data: Transaction): string | undefined {
  if (state === 'captured') return data.ConfirmDateIso;
  if (state === 'authorized') return data.AuthDateIso;
  return state === 'canceled' ? undefined : data.CreatedDateIso;
}

const REFUND_STATES: ReadonlyMap<string | undefined, ProviderRefund['state']> = new Map([
  ['Completed', 'completed'],
  ['Declined', 'failed'],
  ['Cancelled', 'failed'],
]);

function refundFrom(data: Transaction, refundId: string, amountMinor: number, paymentId: string): KnownRefund {
  const occurredAt = instantOf(data.CreatedDateIso);
  return {
    refundId,
    paymentId,
    state: REFUND_STATES.get(data.Status) ?? 'pending',
    amountMinor,
    key: keyIn(data.JsonData),
    ...(occurredAt !== undefined && { occurredAt }),
  };
}

function keyIn(jsonData: string | undefined): string | null {
  try {
    const data: unknown = JSON.parse(jsonData ?? 'null');
    const key = typeof data === 'object' && data !== null ? (data as Record<string, unknown>)[REFUND_KEY] : null;
    return typeof key === 'string' ? key : null;
  } catch {
    return null;
  }
}

/** The refund as the port tells it. */
export function refundOf({ refundId, state, amountMinor, occurredAt }: KnownRefund): ProviderRefund {
  return { refundId, state, amountMinor, ...(occurredAt !== undefined && { occurredAt }) };
}

/** The payment with one more refund of it known. */
export function withRefund(payment: ProviderPayment, refund: KnownRefund): ProviderPayment {
  return { ...payment, refunds: [...(payment.refunds ?? []), refundOf(refund)] };
}
