// Invoices of subscriptions: which subscription and which payment they tell of. API versions differ in where both stand,
// and a webhook has the shape of its endpoint's version, so every place is read.
import { z } from 'zod';
import { providerIdSchema } from '../../../machines/orderEvents.ts';
import { ORDER_MARK, orderIdIn, reference, stripeCurrency } from './objects.ts';

const metadata = z.record(z.string(), z.unknown()).nullish().catch(null);
const details = z.object({ subscription: reference, metadata }).nullish();

export const invoiceSchema = z.object({
  id: providerIdSchema,
  amount_paid: z.int().min(0).nullish(),
  currency: stripeCurrency,
  billing_reason: z.string().nullish(),
  livemode: z.boolean().optional(),
  /** Since 2025: `parent.subscription_details.subscription`. */
  parent: z.object({ subscription_details: details }).nullish(),
  /** Before: `subscription`, `subscription_details.metadata`, `payment_intent`. */
  subscription: reference,
  subscription_details: details,
  payment_intent: reference,
  /** Since 2025: several payments an invoice, in the body only where they are expanded. */
  payments: z
    .object({
      data: z.array(
        z.object({
          status: z.string().nullish(),
          payment: z.object({ payment_intent: reference }).nullish(),
        }),
      ),
    })
    .nullish()
    .catch(null),
  last_finalization_error: z.unknown().optional(),
});
export type StripeInvoice = z.infer<typeof invoiceSchema>;

const FIRST = 'subscription_create';
const RENEWAL = 'subscription_cycle';
export const isFirst = ({ billing_reason: why }: StripeInvoice) => why === FIRST;
/** A charge of the period; others are corrections and extras. */
export const isRegular = (invoice: StripeInvoice) => isFirst(invoice) || invoice.billing_reason === RENEWAL;

/** An invoice stands in for its payment where it names none. */
export const INVOICE_ID = /^in_[A-Za-z0-9_]{1,250}$/;

export const subscriptionOf = (invoice: StripeInvoice) =>
  invoice.parent?.subscription_details?.subscription ??
  invoice.subscription ??
  invoice.subscription_details?.subscription ??
  null;

/** Our order id in the metadata of the subscription, as it was when the invoice was made. */
export const orderOf = (invoice: StripeInvoice) =>
  orderIdIn(
    invoice.parent?.subscription_details?.metadata?.[ORDER_MARK],
    invoice.subscription_details?.metadata?.[ORDER_MARK],
  );

/** The payment intent that paid it, or else its only one; null where the body does not tell. */
export function intentOf(invoice: StripeInvoice): string | null {
  const payments = invoice.payments?.data ?? [];
  const paying = payments.find(({ status }) => status === 'paid') ?? payments[0];
  return paying?.payment?.payment_intent ?? invoice.payment_intent ?? null;
}
