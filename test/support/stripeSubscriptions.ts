// Subscriptions of a fake Stripe: charged by an invoice a period, and cancelled now or at the end of the period.
import { type Fields, found, list, only, type StripeObject, StripeRefusal } from './stripeRules.ts';

export type StripeSubscriptions = {
  byId: Map<string, StripeObject>;
  /** A period is charged: an invoice and the payment intent that paid it. Answers the intent. */
  charge(subscriptionId: string, more?: { intent?: StripeObject; invoice?: StripeObject }): StripeObject;
  /** `POST` and `GET /subscriptions/:id`, `GET /invoices?subscription=`. */
  handle(method: string, id: string, fields: Fields): unknown;
};

type Parts = {
  invoices: Map<string, StripeObject>;
  addIntent(more: StripeObject): StripeObject;
  charged(intent: StripeObject): void;
  seconds(): number;
};

export function createStripeSubscriptions({ invoices, addIntent, charged, seconds }: Parts): StripeSubscriptions {
  const byId = new Map<string, StripeObject>();

  function charge(id: string, { intent = {}, invoice = {} } = {}): StripeObject {
    if (!byId.has(id)) byId.set(id, { id, object: 'subscription', status: 'active', cancel_at_period_end: false });
    const made = addIntent({ status: 'succeeded', amount_received: 1_999, ...intent });
    charged(made);
    const bill = {
      id: `in_${made.id}`,
      object: 'invoice',
      status: 'paid',
      billing_reason: 'subscription_cycle',
      amount_paid: made.amount_received,
      currency: made.currency,
      created: seconds(),
      parent: { subscription_details: { subscription: id, metadata: {} } },
      payments: { data: [{ status: 'paid', payment: { type: 'payment_intent', payment_intent: made.id } }] },
      ...invoice,
    };
    invoices.set(bill.id, bill);
    return made;
  }

  function handle(method: string, id: string, fields: Fields): unknown {
    if (id === '') {
      only(fields, ['subscription', 'status', 'limit', 'expand', 'starting_after']);
      const shows = Object.values((fields.expand ?? {}) as Fields).includes('data.payments');
      const theirs = [...invoices.values()].filter(
        bill =>
          bill.parent?.subscription_details?.subscription === fields.subscription && bill.status === fields.status,
      );
      const newestFirst = theirs.reverse().map(bill => (shows ? bill : { ...bill, payments: undefined }));
      return list(newestFirst, Number(fields.limit ?? 10), fields.starting_after);
    }
    const subscription = found(byId, id, 'subscription');
    if (method === 'GET') return subscription;
    only(fields, ['cancel_at_period_end']);
    if (subscription.status === 'canceled') {
      throw new StripeRefusal(400, undefined, 'A canceled subscription can only update its cancellation_details.');
    }
    return Object.assign(subscription, { cancel_at_period_end: fields.cancel_at_period_end === 'true' });
  }

  return { byId, charge, handle };
}
