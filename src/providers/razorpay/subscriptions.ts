// Razorpay's own subscriptions, as far as the service has to do with them: stopped at the end of the paid cycle, and asked
// what they charged.
import { z } from 'zod';
import type { PaymentProvider } from '../provider.ts';
import { idInPath, itemsOf, type RazorpayApi, RazorpayRefusal } from './api.ts';
import { Unreadable } from './entities.ts';
import { readPaymentById, withRefunds } from './payments.ts';

/** Charges asked for, the newest: each costs two calls, and older ones were told long ago. */
const RENEWALS_LISTED = 5;
/** States out of which Razorpay charges nothing any more (payments/subscriptions/states.md). */
const ENDED = new Set(['cancelled', 'completed', 'expired']);

const subscriptionSchema = z.object({ status: z.string() });
const invoiceSchema = z.object({
  status: z.unknown(),
  payment_id: z.string().nullish().catch(null),
  subscription_id: z.unknown().optional(),
  issued_at: z.number().nullish().catch(null),
});
type Invoice = z.infer<typeof invoiceSchema>;

type Subscriptions = Required<Pick<PaymentProvider, 'cancelSubscription' | 'findRenewals'>>;

export function razorpaySubscriptions(api: RazorpayApi): Subscriptions {
  return {
    async cancelSubscription({ subscriptionId }) {
      const path = `/subscriptions/${idInPath(subscriptionId)}`;
      try {
        await api.post(`${path}/cancel`, { cancel_at_cycle_end: true }, readSubscription);
      } catch (error) {
        if (!(error instanceof RazorpayRefusal)) throw error;
        // "Not cancellable in … status" may mean that it is over: its state tells, whatever the words were.
        if (!ENDED.has((await api.get(path, readSubscription)).status)) throw error;
      }
    },

    async findRenewals(subscriptionId) {
      const query = { subscription_id: idInPath(subscriptionId), count: String(RENEWALS_LISTED) };
      const invoices = await api.get('/invoices', json => itemsOf(json).flatMap(readableInvoice), query);
      const paid = invoices
        // A filter that was not understood would list everybody's.
        .filter(({ status, subscription_id }) => status === 'paid' && subscription_id === subscriptionId)
        .toSorted((a, b) => (a.issued_at ?? 0) - (b.issued_at ?? 0));
      const ids = paid.map(({ payment_id }) => payment_id).filter(id => id != null);
      const payments = await Promise.all(ids.map(async id => withRefunds(api, await readPaymentById(api, id))));
      return payments.map(payment => ({ ...payment, subscriptionId }));
    },
  };
}

function readSubscription(json: unknown): z.infer<typeof subscriptionSchema> {
  const read = subscriptionSchema.safeParse(json);
  if (!read.success) throw new Unreadable("The subscription's status is missing or malformed.");
  return read.data;
}

/** One that cannot be read must not hide the others. */
function readableInvoice(value: unknown): Invoice[] {
  const read = invoiceSchema.safeParse(value);
  return read.success ? [read.data] : [];
}
