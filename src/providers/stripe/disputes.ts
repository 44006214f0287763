// Disputes at Stripe: read from a webhook or an answer alike, asked for of one payment, and listed. Every official SDK
// types the calls the same (stripe-node, resources/Disputes: `GET /v1/disputes` with `created`, `payment_intent`, `limit`,
// `starting_after`, newest first).
import { z } from 'zod';
import { amountMinorSchema, providerIdSchema } from '../../../machines/orderEvents.ts';
import type { DisputePage, PaymentProvider, ProviderDispute, ProviderPayment } from '../provider.ts';
import { type StripeApi, StripeSaidNo } from './api.ts';
import { reference, type StripePaymentIntent, stripeCurrency } from './objects.ts';
import { fromStripeAmount } from './units.ts';

/** Disputes asked for at once, the most Stripe gives. */
const PAGE_SIZE = 100;

export const disputeSchema = z.object({
  id: providerIdSchema,
  amount: z.int(),
  currency: stripeCurrency,
  status: z.string(),
  payment_intent: reference,
});
type StripeDispute = z.infer<typeof disputeSchema>;

/** What is needed to page on stands apart: a dispute that cannot be read must not hide the others. */
const pageSchema = z.object({ data: z.array(z.looseObject({ id: providerIdSchema })), has_more: z.boolean() });

/** No time: Stripe tells when a dispute was opened, not since when it is in this state. Null when the amount is not ours to say. */
export function disputeFrom({ id, amount, currency, status }: StripeDispute): ProviderDispute | null {
  const amountMinor = fromStripeAmount(amount, currency);
  return amountMinor === null ? null : { disputeId: id, state: stateOf(status), amountMinor };
}

/** `warning_*` are inquiries, which take no money and so are neither won nor lost; states we do not know are open ones. */
function stateOf(status: string): ProviderDispute['state'] {
  return status === 'won' || status === 'lost' ? status : 'opened';
}

export function stripeDisputes(api: StripeApi): Required<Pick<PaymentProvider, 'listDisputes'>> {
  return {
    async listDisputes(since, cursor) {
      const created = { gte: Math.floor(since.getTime() / 1_000) };
      const page = await api.ask(pageSchema, stripe =>
        stripe.disputes.list({ created, limit: PAGE_SIZE, ...(cursor !== null && { starting_after: cursor }) }),
      );
      const last = page.data.at(-1);
      return { disputes: page.data.flatMap(readable), cursor: page.has_more && last ? last.id : null };
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
    const disputes = data.flatMap(readable).filter(({ paymentId }) => paymentId === intent.id);
    return { ...payment, disputes: disputes.map(({ dispute }) => dispute) };
  } catch (error) {
    if (error instanceof StripeSaidNo) return payment;
    throw error;
  }
}

/** None for charges without a payment intent: no order of ours was paid by one. */
function readable(value: unknown): DisputePage['disputes'] {
  const read = disputeSchema.safeParse(value);
  if (!read.success || read.data.payment_intent === null) return [];
  const dispute = disputeFrom(read.data);
  const isMoney = dispute !== null && amountMinorSchema.safeParse(dispute.amountMinor).success;
  return isMoney ? [{ paymentId: read.data.payment_intent, dispute }] : [];
}
