// Invoices of subscriptions: each that is paid is a charge of its own, the first of the order that was checked out, the
// later ones renewals of it.

import { readableText } from '../readableText.ts';
import { ignored } from '../signedBody.ts';
import {
  intentOf,
  invoiceSchema,
  isFirst,
  isRegular,
  orderOf,
  type StripeInvoice,
  subscriptionOf,
} from './invoices.ts';
import { type EventAbout, type Translated, timeOf } from './translation.ts';
import { money } from './webhookPayments.ts';

const NO_CHARGE = 'The invoice is no regular charge of a subscription.';

/**
 * Where the invoice names no payment intent — the bodies of newer API versions do not — the invoice's own id stands for
 * the payment: it is as unique, stays the same over redeliveries, and fetching it leads to the payment intent.
 */
export function invoicePaid(object: unknown, about: EventAbout): Translated {
  const invoice = invoiceSchema.parse(object);
  const subscriptionId = subscriptionOf(invoice);
  if (!isRegular(invoice) || subscriptionId === null) return ignored(NO_CHARGE);
  const address = { orderId: markOf(invoice) };
  const amount = invoice.amount_paid ?? 0;
  if (amount === 0) return { ...address, ...ignored('The invoice asked for no money, as at the start of a trial.') };
  const paymentId = intentOf(invoice) ?? invoice.id;
  const { currency, livemode: live } = invoice;
  return { ...address, ...money('payment.captured', { paymentId, amount, currency, live, subscriptionId }, about) };
}

/** Moves no money: Stripe tries again by its own calendar, and tells. */
export function invoiceFailed(object: unknown, about: EventAbout): Translated {
  const invoice = invoiceSchema.parse(object);
  if (!isRegular(invoice)) return ignored(NO_CHARGE);
  const paymentId = intentOf(invoice) ?? invoice.id;
  const reason = readableText('The charge of the subscription failed', invoice.billing_reason) ?? '';
  return { orderId: markOf(invoice), event: { type: 'payment.failed', paymentId, reason, ...timeOf(about) } };
}

/** The subscription's metadata names the order it began with, which a renewal is not. */
const markOf = (invoice: StripeInvoice) => (isFirst(invoice) ? orderOf(invoice) : null);
