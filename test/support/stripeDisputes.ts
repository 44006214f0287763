// Disputes of a fake Stripe: a bank opens them about a charge and decides them; they are listed by when they were opened.
import { type Fields, found, listMade, type StripeObject, StripeRefusal } from './stripeRules.ts';

export type StripeDisputes = {
  byId: Map<string, StripeObject>;
  /** The customer's bank disputes what this intent charged: all of it unless told. */
  open(intentId: string, more?: StripeObject): StripeObject;
  /** `GET /disputes` and `GET /disputes/:id`. */
  handle(method: string, id: string, fields: Fields): unknown;
};

type Parts = { intents: Map<string, StripeObject>; id(prefix: string): string; seconds(): number };

export function createStripeDisputes({ intents, id, seconds }: Parts): StripeDisputes {
  const byId = new Map<string, StripeObject>();

  function open(intentId: string, more: StripeObject = {}): StripeObject {
    const intent = found(intents, intentId, 'payment_intent');
    if (intent.status !== 'succeeded') throw new Error(`nothing was charged: ${intent.status}`);
    intent.latest_charge.disputed = true;
    const made = {
      id: id('du_1'),
      object: 'dispute',
      amount: intent.amount_received,
      balance_transactions: [],
      charge: intent.latest_charge.id,
      created: seconds(),
      currency: intent.currency,
      livemode: false,
      metadata: {},
      payment_intent: intent.id,
      reason: 'fraudulent',
      status: 'needs_response',
      ...more,
    };
    byId.set(made.id, made);
    return made;
  }

  function handle(method: string, name: string, fields: Fields): unknown {
    if (method !== 'GET') throw new StripeRefusal(404, undefined, `Unrecognized request URL (${method}: disputes).`);
    if (name !== '') return found(byId, name, 'dispute');
    return listMade(byId.values(), fields);
  }

  return { byId, open, handle };
}
