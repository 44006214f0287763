// Refunds of a fake Stripe: each is of one payment intent, and together they are no more than was received.
import { type Fields, found, listMade, need, only, type StripeObject, StripeRefusal } from './stripeRules.ts';

export type StripeRefunds = {
  byId: Map<string, StripeObject>;
  /** Newest first. */
  of(intentId: unknown): StripeObject[];
  /** Of the dashboard: all that is left unless told. */
  sendBack(intentId: string, more?: StripeObject): StripeObject;
  /** `POST` and `GET /refunds`. */
  handle(method: string, fields: Fields): unknown;
};

type Parts = { intents: Map<string, StripeObject>; id(prefix: string): string; seconds(): number };

export function createStripeRefunds({ intents, id, seconds }: Parts): StripeRefunds {
  const byId = new Map<string, StripeObject>();
  const of = (intentId: unknown) => [...byId.values()].filter(entry => entry.payment_intent === intentId).reverse();

  function create(fields: Fields): StripeObject {
    only(fields, ['payment_intent', 'amount', 'metadata']);
    const intent = found(intents, fields.payment_intent, 'payment_intent');
    need(intent.status === 'succeeded', 'payment_intent', 'charge_not_refundable');
    const back = of(intent.id)
      .filter(({ status }) => status !== 'failed' && status !== 'canceled')
      .reduce((sum, { amount }) => sum + amount, 0);
    if (back === intent.amount_received) {
      throw new StripeRefusal(
        400,
        'charge_already_refunded',
        `Charge ${intent.latest_charge.id} has already been refunded.`,
      );
    }
    if (intent.disputed) throw new StripeRefusal(400, 'charge_disputed', 'The charge has been charged back.');
    const amount = Number(fields.amount ?? intent.amount_received - back);
    const isFit = Number.isSafeInteger(amount) && amount > 0 && amount <= intent.amount_received - back;
    if (!isFit) throw new StripeRefusal(400, undefined, 'Refund amount is greater than unrefunded amount on charge.');
    const made = {
      id: id('re_3'),
      amount,
      currency: intent.currency,
      status: 'succeeded',
      payment_intent: intent.id,
      created: seconds(),
      metadata: fields.metadata ?? {},
    };
    byId.set(made.id, made);
    return made;
  }

  function handle(method: string, fields: Fields): unknown {
    if (method === 'POST') return create(fields);
    return listMade(byId.values(), fields);
  }

  function sendBack(payment_intent: string, { amount, ...more }: StripeObject = {}): StripeObject {
    return Object.assign(create({ payment_intent, ...(amount !== undefined && { amount }) }), more);
  }

  return { byId, of, sendBack, handle };
}
