// Which event of Stripe's becomes which event of the order machine. One payment is told several times, by session, payment
// intent and charge: all that name the payment intent become the same fact, and the machine hears it once.

import type { Translation } from './translation.ts';
import { invoiceFailed, invoicePaid } from './webhookInvoices.ts';
import { disputeUpdated, refundUpdated } from './webhookMoneyBack.ts';
import {
  chargeExpired,
  intentAuthorized,
  intentCanceled,
  intentFailed,
  intentSucceeded,
  sessionCompleted,
  sessionExpired,
  sessionFailed,
  sessionSucceeded,
} from './webhookPayments.ts';

// Maps, because a type such as "constructor" must find nothing.
export const TRANSLATIONS = new Map<string, Translation>([
  ['checkout.session.completed', sessionCompleted],
  ['checkout.session.async_payment_succeeded', sessionSucceeded],
  ['checkout.session.async_payment_failed', sessionFailed],
  ['checkout.session.expired', sessionExpired],
  ['payment_intent.amount_capturable_updated', intentAuthorized],
  ['payment_intent.succeeded', intentSucceeded],
  ['payment_intent.payment_failed', intentFailed],
  ['payment_intent.canceled', intentCanceled],
  ['charge.expired', chargeExpired],
  ['refund.created', refundUpdated],
  ['refund.updated', refundUpdated],
  ['refund.failed', refundUpdated],
  ['charge.refund.updated', refundUpdated],
  ['charge.dispute.created', disputeUpdated],
  ['charge.dispute.updated', disputeUpdated],
  ['charge.dispute.closed', disputeUpdated],
  ['charge.dispute.funds_withdrawn', disputeUpdated],
  ['charge.dispute.funds_reinstated', disputeUpdated],
  ['invoice.paid', invoicePaid],
  ['invoice.payment_failed', invoiceFailed],
]);

const BY_INTENT = 'The events of the payment intent tell the same.';
const BY_INVOICE = 'The invoices of a subscription tell what was paid.';

/** Types that are known and left out on purpose, with the reason for whoever looks at the stored event. */
export const LEFT_OUT = new Map<string, string>([
  ['payment_intent.created', 'Nothing has been paid yet.'],
  ['payment_intent.processing', 'The payment is under way.'],
  ['payment_intent.requires_action', 'The customer has to confirm the payment first.'],
  ['payment_intent.partially_funded', 'The payment is under way.'],
  ['charge.succeeded', BY_INTENT],
  ['charge.captured', BY_INTENT],
  ['charge.failed', BY_INTENT],
  ['charge.pending', BY_INTENT],
  ['charge.updated', BY_INTENT],
  ['charge.refunded', 'The refund.* events tell of each refund and its state.'],
  ['invoice.payment_succeeded', 'The event invoice.paid tells the same.'],
  ['invoice_payment.paid', 'The event invoice.paid tells the same.'],
  ['customer.subscription.created', BY_INVOICE],
  ['customer.subscription.updated', BY_INVOICE],
  ['customer.subscription.deleted', BY_INVOICE],
  ['customer.subscription.paused', BY_INVOICE],
  ['customer.subscription.resumed', BY_INVOICE],
  ['customer.subscription.trial_will_end', BY_INVOICE],
]);
