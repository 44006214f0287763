// What CloudPayments knows about payments: one by its id, the last of an invoice, and those of a day.
import type { Clock } from '../../clock.ts';
import { InvalidRequest, ProviderRefused } from '../../errors.ts';
import type { PaymentPage, ProviderPayment } from '../provider.ts';
import { type Api, Exact, foundNothing, refusal, unreadable } from './api.ts';
import { type KnownRefund, type Read, readTransaction, withRefund } from './transactions.ts';

const DAY_MS = 24 * 3_600_000;
/**
 * A list is by the day a transaction was made, and a hold may be confirmed or cancelled for this long afterwards, in days
 * (developers.cloudpayments.ru: up to 7 by the card): so the list begins that much earlier than it is asked for.
 */
const HOLD_DAYS = 7;
/** Transactions are numbers. Others are not asked for. */
const TRANSACTION_ID = /^[1-9][0-9]{0,18}$/;
/** Days looked through for a refund of ours, today included: longer than one is tried for, a call each. */
const REFUND_SEARCH_DAYS = 21;
const DAY = /^\d{4}-\d{2}-\d{2}$/;

export type Payments = {
  fetchPayment(paymentId: string): Promise<ProviderPayment>;
  /** A transaction of either sort. @throws ProviderRefused when there is none of this id */
  fetchTransaction(id: string): Promise<Read>;
  /** The last transaction of an invoice, or null: of two payments of one order the first is not told. */
  lastOf(invoiceId: string): Promise<Read>;
  findPayments(order: { orderId: string; providerOrderId: string }): Promise<ProviderPayment[]>;
  /** Every transaction made on a day, UTC. */
  listDay(day: string): Promise<NonNullable<Read>[]>;
  listPayments(since: Date, cursor: string | null): Promise<PaymentPage>;
  /** The refund of a payment that carries our key, made since then: by the last transaction of its invoice, else day by day. */
  refundUnder(paymentId: string, key: string, since: Date): Promise<KnownRefund | null>;
};

/** @throws ProviderRefused for what never was an id of theirs */
export function transactionId(id: string): Exact {
  if (!TRANSACTION_ID.test(id)) throw new ProviderRefused('CloudPayments never gave a transaction this id.');
  return new Exact(id);
}

export function paymentsOf(api: Api, clock: Clock): Payments {
  const payments: Payments = {
    async fetchTransaction(id) {
      const answer = await api.call('/payments/get', { TransactionId: transactionId(id) });
      // A declined one comes with `Success: false` and is told all the same.
      if (answer.model === null) throw answer.success ? unreadable('a transaction') : refusal(answer);
      return readTransaction(answer.model);
    },

    async fetchPayment(paymentId) {
      const read = await payments.fetchTransaction(paymentId);
      if (read === null) throw unreadable('a payment');
      if ('refund' in read) throw new ProviderRefused('This transaction is a refund and no payment.');
      if (read.payment.paymentId !== paymentId) throw unreadable('another payment than was asked for, one');
      return read.payment;
    },

    async lastOf(invoiceId) {
      const answer = await api.call('/v2/payments/find', { InvoiceId: invoiceId });
      if (foundNothing(answer)) return null;
      const read = readTransaction(answer.model);
      // There is one, and not to know it must not read as "no payment".
      if (read === null) throw unreadable('a transaction');
      return read;
    },

    async findPayments({ providerOrderId }) {
      const read = await payments.lastOf(providerOrderId);
      if (read === null) return [];
      if ('payment' in read) return [read.payment];
      return [withRefund(await payments.fetchPayment(read.refund.paymentId), read.refund)];
    },

    async listDay(day) {
      const answer = await api.call('/payments/list', { Date: day, TimeZone: 'UTC' });
      if (foundNothing(answer)) return [];
      if (!answer.success || !Array.isArray(answer.model)) throw unreadable('a list of payments');
      // A row that cannot be read is left out rather than hiding a whole day behind it.
      return answer.model.map(readTransaction).filter(read => read !== null);
    },

    async listPayments(since, cursor) {
      if (cursor !== null && !DAY.test(cursor)) throw new InvalidRequest('The cursor is no day.');
      const day = cursor ?? dayOf(new Date(since.getTime() - HOLD_DAYS * DAY_MS));
      const next = dayAfter(day);
      return {
        payments: await withRefunds(payments, await payments.listDay(day)),
        cursor: next <= dayOf(clock()) ? next : null,
      };
    },

    async refundUnder(paymentId, key, since) {
      const isOurs = (row: Read) =>
        row !== null && 'refund' in row && row.refund.paymentId === paymentId && row.refund.key === key;
      const { providerOrderId } = await payments.fetchPayment(paymentId);
      const last = providerOrderId === null ? null : await payments.lastOf(providerOrderId);
      if (last !== null && 'refund' in last && isOurs(last)) return last.refund;
      // Another transaction of the invoice has come since, or it has none to be found by.
      const today = clock().getTime();
      const first = Math.max(since.getTime(), today - (REFUND_SEARCH_DAYS - 1) * DAY_MS);
      for (let day = dayOf(new Date(first)); day <= dayOf(new Date(today)); day = dayAfter(day)) {
        const found = (await payments.listDay(day)).find(isOurs);
        if (found && 'refund' in found) return found.refund;
      }
      return null;
    },
  };
  return payments;
}

export const dayOf = (instant: Date) => instant.toISOString().slice(0, 10);
const dayAfter = (day: string) => dayOf(new Date(new Date(`${day}T00:00:00Z`).getTime() + DAY_MS));

/** The payments of a page with their refunds; a refund of an older payment brings that payment along. */
export async function withRefunds(payments: Payments, rows: NonNullable<Read>[]): Promise<ProviderPayment[]> {
  const found = new Map<string, ProviderPayment>();
  for (const row of rows) if ('payment' in row) found.set(row.payment.paymentId, row.payment);
  for (const row of rows) {
    if (!('refund' in row)) continue;
    const { paymentId } = row.refund;
    const payment = found.get(paymentId) ?? (await originalOf(payments, row.refund));
    if (payment !== null) found.set(paymentId, withRefund(payment, row.refund));
  }
  return [...found.values()];
}

async function originalOf(payments: Payments, { paymentId }: KnownRefund): Promise<ProviderPayment | null> {
  try {
    return await payments.fetchPayment(paymentId);
  } catch (error) {
    if (error instanceof ProviderRefused) return null;
    throw error;
  }
}
