// What the service asks CloudPayments to do: open and close an order's link, capture, refund, void. A no is looked into
// before it is believed: the texts of "done already" are not documented, the transaction's status is.
import { z } from 'zod';
import { providerIdSchema } from '../../../machines/orderEvents.ts';
import { ProviderRefused, ProviderUnreachable } from '../../errors.ts';
import type { CheckoutRequest, OpenedCheckout, PaymentProvider, ProviderPayment, ProviderRefund } from '../provider.ts';
import { decimalOf } from './amounts.ts';
import { type Api, type ApiAnswer, Exact, refusal, unreadable } from './api.ts';
import { textOf, theirId } from './fields.ts';
import { type Payments, transactionId } from './payments.ts';
import { type KnownRefund, REFUND_KEY, refundOf } from './transactions.ts';

const linkSchema = z.object({ Id: providerIdSchema, Url: z.url({ protocol: /^https?$/ }).max(2_048) });
const madeSchema = z.object({ TransactionId: z.unknown().transform(value => theirId(textOf(value))) });

type Writes = Pick<PaymentProvider, 'createCheckout' | 'capture' | 'refund' | 'findRefund' | 'cancel'>;

export function writesOf(api: Api, payments: Payments): Writes {
  return {
    createCheckout: request => openLink(api, request),

    async capture({ paymentId, amountMinor, currency, key }) {
      const body = { TransactionId: transactionId(paymentId), Amount: new Exact(decimalOf(amountMinor, currency)) };
      const answer = await api.call('/payments/confirm', body, key);
      const payment = await payments.fetchPayment(paymentId);
      if (payment.state === 'captured') return payment;
      if (!answer.success) throw refusal(answer);
      throw new ProviderUnreachable('CloudPayments took the capture, and does not show it yet.');
    },

    refund: request => sendBack(api, payments, request),
    async findRefund({ paymentId, key, since }) {
      const found = await payments.refundUnder(paymentId, key, since);
      return found && refundOf(found);
    },

    async cancel({ providerOrderId, handle, paymentId, key }) {
      if (paymentId !== null) return letGo(api, payments, paymentId, key);
      // Without a link there is only the widget, which asks with a Check before it charges.
      if (handle === null) return;
      const answer = await api.call('/orders/cancel', { Id: handle }, key);
      if (answer.success) return;
      // There is no call that shows a link. Either it is paid, or it was cancelled before.
      const [payment] = await payments.findPayments({ orderId: providerOrderId, providerOrderId });
      if (payment?.state === 'captured' || payment?.state === 'authorized') throw refusal(answer);
    },
  };
}

/** The amount is fixed on their side, which a widget's is not. A repetition within the hour answers the same link. */
async function openLink(api: Api, request: CheckoutRequest): Promise<OpenedCheckout> {
  const { orderId, userId, planId, amountMinor, currency } = request;
  const back = callbackOf(request.callbackUrl, orderId);
  const body = {
    Amount: new Exact(decimalOf(amountMinor, currency)),
    Currency: currency,
    Description: planId,
    InvoiceId: orderId,
    AccountId: userId,
    RequireConfirmation: false,
    SendEmail: false,
    SuccessRedirectUrl: back,
    FailRedirectUrl: back,
  };
  const answer = await api.call('/orders/create', body, orderId);
  if (!answer.success) throw refusal(answer);
  const link = linkSchema.safeParse(answer.model);
  if (!link.success) throw unreadable('a link');
  return { providerOrderId: orderId, url: link.data.Url, handle: link.data.Id };
}

/** What their redirect brings along is not documented, so the order is named in the address itself. */
export function callbackOf(callbackUrl: string, orderId: string): string {
  const url = new URL(callbackUrl);
  url.searchParams.set('orderId', orderId);
  return url.href;
}

async function letGo(api: Api, payments: Payments, paymentId: string, key: string): Promise<void> {
  const answer = await api.call('/payments/void', { TransactionId: transactionId(paymentId) }, key);
  if (answer.success) return;
  const { state } = await payments.fetchPayment(paymentId);
  if (state === 'canceled' || state === 'failed') return;
  throw refusal(answer);
}

/**
 * X-Request-ID keeps a refund from being sent twice for one hour. Past that, what was sent is known again by our key in
 * its JsonData, so it is looked for before another one is sent.
 */
async function sendBack(
  api: Api,
  payments: Payments,
  { paymentId, amountMinor, currency, key }: Parameters<PaymentProvider['refund']>[0],
): Promise<ProviderRefund> {
  const payment = await payments.fetchPayment(paymentId);
  const before = await sentBefore(payments, payment, key);
  if (before !== null) return refundOf(before);
  const body = {
    TransactionId: transactionId(paymentId),
    Amount: new Exact(decimalOf(amountMinor, currency)),
    JsonData: JSON.stringify({ [REFUND_KEY]: key }),
  };
  const answer = await api.call('/payments/refund', body, key, 'once');
  if (answer.success) return stateOfRefund(payments, answer, amountMinor);
  const after = await sentBefore(payments, payment, key);
  if (after !== null) return refundOf(after);
  throw refusal(answer);
}

/** By the last transaction of the invoice. A payment without an invoice has nothing to be looked up by. */
async function sentBefore(
  payments: Payments,
  { paymentId, providerOrderId }: ProviderPayment,
  key: string,
): Promise<KnownRefund | null> {
  const last = providerOrderId === null ? null : await payments.lastOf(providerOrderId);
  if (last === null || !('refund' in last)) return null;
  return last.refund.paymentId === paymentId && last.refund.key === key ? last.refund : null;
}

/** The answer names only the refund. Some methods (SBP) pay back later, so its own status is asked for. */
async function stateOfRefund(payments: Payments, answer: ApiAnswer, amountMinor: number): Promise<ProviderRefund> {
  const made = madeSchema.safeParse(answer.model);
  const refundId = made.success ? made.data.TransactionId : null;
  if (refundId === null) throw unreadable('a refund');
  try {
    const read = await payments.fetchTransaction(refundId);
    if (read !== null && 'refund' in read) return refundOf(read.refund);
  } catch (error) {
    if (!(error instanceof ProviderRefused || error instanceof ProviderUnreachable)) throw error;
  }
  // It is on its way, and the Refund notification ends it.
  return { refundId, state: 'pending', amountMinor };
}
