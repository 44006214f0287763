// What goes back at Stripe: disputes, read from a webhook or an answer alike and asked for of one payment, and the lists of
// disputes and of refunds.
import { z } from 'zod';
import { amountMinorSchema, providerIdSchema } from '../../../machines/orderEvents.ts';
import type { MoneyBack, MoneyBackList, PaymentProvider, ProviderDispute, ProviderPayment } from '../provider.ts';
import { type StripeApi, StripeSaidNo } from './api.ts';
import { type AskForList, madeSince, PAGE_SIZE, pageSchema } from './lists.ts';
import { reference, refundFrom, refundSchema, type StripePaymentIntent, stripeCurrency } from './objects.ts';
import { fromStripeAmount } from './units.ts';

export const disputeSchema = z.object({
  id: providerIdSchema,
  amount: z.int(),
  currency: stripeCurrency,
  status: z.string(),
  payment_intent: reference,
});
type StripeDispute = z.infer<typeof disputeSchema>;

/** No time: Stripe tells when a dispute was opened, not since when it is in this state. Null when the amount is not ours to say. */
export function disputeFrom({ id, amount, currency, status }: StripeDispute): ProviderDispute | null {
  const amountMinor = fromStripeAmount(amount, currency);
  return amountMinor === null ? null : { disputeId: id, state: stateOf(status), amountMinor };
}

/** `warning_*` are inquiries, which take no money and so are neither won nor lost; states we do not know are open ones. */
function stateOf(status: string): ProviderDispute['state'] {
  return status === 'won' || status === 'lost' ? status : 'opened';
}

export function stripeMoneyBack(api: StripeApi): Required<Pick<PaymentProvider, 'listMoneyBack'>> {
  const listed = (list: AskForList, read: (value: unknown) => MoneyBack[]): MoneyBackList => {
    return async (since, cursor) => {
      const page = await madeSince(api, pageSchema, { since, cursor }, list);
      return { found: page.data.flatMap(read), cursor: page.cursor };
    };
  };
  return {
    listMoneyBack: {
      disputes: listed((stripe, call) => stripe.disputes.list(call), readDispute),
      refunds: listed((stripe, call) => stripe.refunds.list(call), readRefund),
    },
  };
}

/**
 * The payment with its disputes, where its charge says whether there are any: then it costs a call more, and only then.
 * A key that may not read them leaves them untold; the payment is no less true.
 * @throws ProviderUnreachable
 */
export async function withDisputes(
  api: StripeApi,
  intent: StripePaymentIntent,
  payment: ProviderPayment,
): Promise<ProviderPayment> {
  const isDisputed = intent.latest_charge?.disputed;
  if (typeof isDisputed !== 'boolean') return payment;
  if (!isDisputed) return { ...payment, disputes: [] };
  try {
    const call = { payment_intent: intent.id, limit: PAGE_SIZE };
    const { data } = await api.ask(pageSchema, stripe => stripe.disputes.list(call));
    const ofThis = data.flatMap(readDispute).filter(({ paymentId }) => paymentId === intent.id);
    return { ...payment, disputes: ofThis.flatMap(({ disputes }) => disputes) };
  } catch (error) {
    if (error instanceof StripeSaidNo) return payment;
    throw error;
  }
}

const isMoney = <T extends { amountMinor: number }>(told: T | null): told is T =>
  told !== null && amountMinorSchema.safeParse(told.amountMinor).success;

/** None for charges without a payment intent: no order of ours was paid by one. */
function readDispute(value: unknown): (MoneyBack & { disputes: ProviderDispute[] })[] {
  const { data } = disputeSchema.safeParse(value);
  const dispute = data ? disputeFrom(data) : null;
  return data?.payment_intent && isMoney(dispute) ? [{ paymentId: data.payment_intent, disputes: [dispute] }] : [];
}

/** As with disputes. */
function readRefund(value: unknown): MoneyBack[] {
  const { data } = refundSchema.safeParse(value);
  const refund = data ? refundFrom(data) : null;
  return data?.payment_intent && isMoney(refund) ? [{ paymentId: data.payment_intent, refunds: [refund] }] : [];
}
