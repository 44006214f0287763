// Translates the body of a verified Razorpay webhook into an event of the order machine. Nothing in here throws: a signed
// body that cannot be read is stored and looked at by a person, never bounced back at Razorpay until it gives up on us.
import { providerIdSchema, type UnstampedOrderEvent } from '../../../machines/orderEvents.ts';
import { paymentEvent } from '../paymentEvent.ts';
import type { ReceivedEvent } from '../provider.ts';
import {
  eventTypeSchema,
  ignored,
  NOT_JSON,
  NOT_USED,
  parseJson,
  UNREADABLE_TYPE,
  undecodable,
} from '../signedBody.ts';
import {
  disputeState,
  fieldOf,
  instantOf,
  ourOrderId,
  type RazorpayDispute,
  readDispute,
  readOrder,
  readPayment,
  readRefund,
  Unreadable,
} from './entities.ts';

/** `payload` holds one wrapped entity a name; which ones, the documentation's `contains` does not say reliably. */
type Told = { type: string; entity: (name: string) => unknown; occurredAt: string | undefined };
type Translated = {
  event: UnstampedOrderEvent | null;
  /** Why there is none. */
  detail?: string;
  orderId?: string | null;
};

// A Map, because a type such as "constructor" must find nothing.
const TRANSLATIONS = new Map<string, (told: Told) => Translated>([
  ...['payment.authorized', 'payment.captured', 'payment.failed'].map(type => [type, payment] as const),
  ['order.paid', orderPaid],
  ...['created', 'processed', 'failed', 'speed_changed'].map(type => [`refund.${type}`, refund] as const),
  ...['created', 'under_review', 'action_required', 'won', 'lost', 'closed'].map(
    type => [`payment.dispute.${type}`, dispute] as const,
  ),
  ['subscription.charged', subscriptionCharged],
]);

/** Reads a verified body loosely: unknown fields are dropped, unknown types ignored, unreadable bodies reported with a sentence. */
export function translateWebhook(body: Uint8Array, eventKey: string): ReceivedEvent {
  const json = parseJson(body);
  const read = eventTypeSchema.safeParse(fieldOf(json, 'event'));
  const payload = fieldOf(json, 'payload');
  const entity = (name: string) => fieldOf(fieldOf(payload, name), 'entity');
  const eventType = read.success ? read.data : UNREADABLE_TYPE;
  const base = { eventKey, eventType, orderId: null, providerOrderId: orderNamedBy(entity) };

  if (json === undefined) return { ...base, ...undecodable(NOT_JSON) };
  if (!read.success) return { ...base, ...undecodable('The body names no type of event.') };
  const translate = TRANSLATIONS.get(eventType);
  if (translate === undefined) return { ...base, ...ignored(whyUnused(eventType)) };
  try {
    // Some of the documentation's samples have the time inside the payload.
    const occurredAt = instantOf(fieldOf(json, 'created_at')) ?? instantOf(fieldOf(payload, 'created_at'));
    const { event, detail = '', orderId = null } = translate({ type: eventType, entity, occurredAt });
    return event === null ? { ...base, orderId, ...ignored(detail) } : { ...base, orderId, event };
  } catch (error) {
    if (!(error instanceof Unreadable)) throw error;
    return { ...base, ...undecodable(error.message) };
  }
}

/** The event name lags behind: `payment.failed` may tell of a payment that is captured by now, and then it is. */
function payment({ entity, occurredAt }: Told, subscriptionId?: string): Translated {
  const told = readPayment(entity('payment')).payment;
  const event = paymentEvent({ ...told, ...(subscriptionId !== undefined && { subscriptionId }) }, occurredAt);
  return event === null ? { event, detail: 'The payment is still pending at Razorpay.' } : { event };
}

/** The order's receipt is set by our server alone, so here our own id is known. */
function orderPaid(told: Told): Translated {
  const order = readOrder(told.entity('order'));
  const paidFor = readPayment(told.entity('payment')).payment.providerOrderId;
  if (paidFor !== null && paidFor !== order.providerOrderId) throw new Unreadable('The payment is for another order.');
  return { ...payment(told), orderId: ourOrderId(order.receipt) };
}

/** A subscription and its notes are made by a server with the merchant's key, so our id in them is believed. */
function subscriptionCharged(told: Told): Translated {
  const subscription = told.entity('subscription');
  const subscriptionId = providerIdSchema.safeParse(fieldOf(subscription, 'id'));
  if (!subscriptionId.success) throw new Unreadable("The subscription's id is missing or malformed.");
  const orderId = ourOrderId(fieldOf(fieldOf(subscription, 'notes'), 'order_id'));
  return { ...payment(told, subscriptionId.data), orderId };
}

/** Also of a payment that was never captured: Razorpay gives it back by itself, and that is a refund like others. */
function refund({ entity, occurredAt }: Told): Translated {
  const { refund: told, paymentId, currency } = readRefund(entity('refund'));
  checkPayment('refund', entity('payment'), paymentId, currency);
  return { event: { type: 'refund.updated', paymentId, ...told, ...(occurredAt !== undefined && { occurredAt }) } };
}

function dispute({ type, entity, occurredAt }: Told): Translated {
  const told = readDispute(entity('dispute'));
  const { paymentId, disputeId, amountMinor, currency } = told;
  checkPayment('dispute', entity('payment'), paymentId, currency);
  const state = toldState(told, type);
  // What only says that it is not over must not outdo, by being later, what said that it is.
  const time = occurredAt === undefined || (state === 'opened' && told.status === 'closed') ? {} : { occurredAt };
  return { event: { type: 'dispute.updated', paymentId, disputeId, state, amountMinor, ...time } };
}

/** A status that is not documented leaves it to the name of the event. */
function toldState(told: RazorpayDispute, type: string): 'opened' | 'won' | 'lost' {
  if (told.status === 'won' || told.status === 'lost') return told.status;
  if (type === 'payment.dispute.won') return 'won';
  return type === 'payment.dispute.lost' ? 'lost' : disputeState(told);
}

/** Where the payment comes along: it is the one that is meant, and its money the same kind of money. */
function checkPayment(what: string, entity: unknown, paymentId: string, currency: string): void {
  const id = fieldOf(entity, 'id');
  const told = fieldOf(entity, 'currency');
  if (id !== undefined && id !== paymentId) throw new Unreadable(`The ${what} is of another payment.`);
  if (told !== undefined && told !== currency) throw new Unreadable(`The ${what} is in another currency.`);
}

function orderNamedBy(entity: (name: string) => unknown): string | null {
  const named = [fieldOf(entity('payment'), 'order_id'), fieldOf(entity('order'), 'id')];
  return named.map(id => providerIdSchema.safeParse(id)).find(id => id.success)?.data ?? null;
}

function whyUnused(type: string): string {
  if (!type.startsWith('subscription.')) return NOT_USED;
  return 'Of a subscription only its charges are used: they alone are money.';
}
