// Stripe's own subscriptions, as far as the service has to do with them: stopped at the end of the paid period, and asked
// what they charged.
import { z } from 'zod';
import { ProviderRefused } from '../../errors.ts';
import type { PaymentProvider, ProviderPayment } from '../provider.ts';
import { type StripeApi, StripeSaidNo } from './api.ts';
import {
  intentOf,
  invoiceSchema,
  isFirst,
  isRegular,
  orderOf,
  type StripeInvoice,
  subscriptionOf,
} from './invoices.ts';
import { withDisputes } from './moneyBack.ts';
import { PAYMENT_EXPANSION, paymentFrom, paymentIntentSchema } from './objects.ts';
import { fromStripeAmount } from './units.ts';

/** Ids Stripe gives to subscriptions. Others are not asked for: `..` as an id would address something else. */
const SUBSCRIPTION_ID = /^sub_[A-Za-z0-9_]{1,250}$/;
/** Charges asked for, the newest: each costs a call of its own, and older ones were told long ago. */
const RENEWALS_LISTED = 5;
/** States out of which Stripe charges nothing any more. */
const ENDED = new Set(['canceled', 'incomplete_expired']);

const subscriptionSchema = z.object({ status: z.string(), cancel_at_period_end: z.boolean().nullish() });
const invoicesSchema = z.object({ data: z.array(z.unknown()) });

type Subscriptions = Required<Pick<PaymentProvider, 'cancelSubscription' | 'findRenewals'>>;

export function stripeSubscriptions(api: StripeApi): Subscriptions {
  return {
    async cancelSubscription({ subscriptionId, key }) {
      const id = knownId(subscriptionId);
      const call = { cancel_at_period_end: true };
      try {
        await api.ask(subscriptionSchema, stripe => stripe.subscriptions.update(id, call, { idempotencyKey: key }));
      } catch (error) {
        if (!(error instanceof StripeSaidNo)) throw error;
        // A cancelled one cannot be updated: its state tells whether that is the reason of the no.
        const now = await api.ask(subscriptionSchema, stripe => stripe.subscriptions.retrieve(id));
        if (!ENDED.has(now.status) && now.cancel_at_period_end !== true) throw error;
      }
    },

    async findRenewals(subscriptionId) {
      const subscription = knownId(subscriptionId);
      const page = await api.ask(invoicesSchema, stripe =>
        stripe.invoices.list({ subscription, status: 'paid', limit: RENEWALS_LISTED, expand: ['data.payments'] }),
      );
      const invoices = page.data.flatMap(readable).filter(invoice => subscriptionOf(invoice) === subscription);
      const payments = await Promise.all(invoices.filter(isRegular).map(invoice => chargeOf(api, invoice)));
      // Stripe lists the newest first.
      return payments.flatMap(payment => (payment ? [{ ...payment, subscriptionId }] : [])).reverse();
    },
  };
}

/** The payment with its refunds; where the invoice was paid outside Stripe, the invoice stands in for it, as in its webhook. */
async function chargeOf(api: StripeApi, invoice: StripeInvoice): Promise<ProviderPayment | null> {
  const orderId = isFirst(invoice) ? orderOf(invoice) : null;
  const intentId = intentOf(invoice);
  if (intentId !== null) {
    const expand = [PAYMENT_EXPANSION];
    const intent = await api.ask(paymentIntentSchema, stripe => stripe.paymentIntents.retrieve(intentId, { expand }));
    const payment = paymentFrom(intent);
    return payment && { ...(await withDisputes(api, intent, payment)), orderId };
  }
  const amountMinor = fromStripeAmount(invoice.amount_paid ?? 0, invoice.currency);
  if (!amountMinor) return null;
  const { id: paymentId, currency, livemode: live } = invoice;
  const told = { paymentId, providerOrderId: null, orderId, state: 'captured' as const, amountMinor, currency };
  return { ...told, ...(live !== undefined && { live }) };
}

/** One that cannot be read must not hide the others. */
function readable(value: unknown): StripeInvoice[] {
  const invoice = invoiceSchema.safeParse(value);
  return invoice.success ? [invoice.data] : [];
}

/** @throws ProviderRefused for what never was an id of Stripe's */
function knownId(id: string): string {
  if (!SUBSCRIPTION_ID.test(id)) throw new ProviderRefused('Stripe never gave a subscription this id.');
  return id;
}
