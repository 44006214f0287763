// An alert in words: what happened, with which money, to which order, and what to do now, for somebody who was asleep.
import { formatAmount } from '../pages/formatAmount.ts';

/** Longest piece of an alert that others wrote, in characters. */
const MAX_PIECE = 300;

export type AlertedOrder = {
  id: string;
  userId: string;
  planId: string;
  provider: string | null;
  amountMinor: number;
  currency: string;
  state: string;
};

export type AlertAbout = {
  payload: Record<string, unknown>;
  /** Of the order it is about, if it is about one. */
  orderId: string | null;
  /** Null also where there is no such order. */
  order: AlertedOrder | null;
  publicUrl: string;
};

type Words = { says: string; todo: string };

const CAUSES: Readonly<Record<string, Words>> = {
  mismatch: {
    says: 'A payment is not what its order costs',
    todo: 'Compare it with the provider, then refund it there or with POST /v1/orders/{id}/refund.',
  },
  surplus: {
    says: 'An order was paid twice',
    todo: 'The plan says what becomes of the second payment; the timeline shows whether that has happened.',
  },
  surplus_held: {
    says: 'An order was paid twice, and the second payment is held until you decide',
    todo: 'Refund it with POST /v1/orders/{id}/refund and its paymentId, or agree with the customer to keep it.',
  },
  dispute: {
    says: 'A customer disputes a payment',
    todo: 'Answer it on the provider’s pages before its time is over; access follows the outcome by itself.',
  },
  unanswered: {
    says: 'Nobody can say what became of a payment',
    todo: 'Look the payment up on the provider’s pages, then POST /v1/orders/{id}/retry, or /cancel if there is none.',
  },
  capture_late: {
    says: 'Money has been reserved for a day and could not be taken',
    todo: 'Capture it on the provider’s pages, or mend what the capture’s last error names and POST /v1/orders/{id}/retry.',
  },
  grant_overdue: {
    says: 'A customer has paid and has no access yet',
    todo: 'It is tried again by itself; if it stays so, remove what the order’s stuck.detail names and POST /v1/orders/{id}/retry.',
  },
  refund_failed: {
    says: 'A refund failed and the customer does not have the money back',
    todo: 'Find the reason on the provider’s pages, then refund again with POST /v1/orders/{id}/refund, or pay it back another way.',
  },
  renewed_after_cancel: {
    says: 'A customer was charged to renew what they had cancelled',
    todo: 'Stop the subscription on the provider’s pages and refund the charge with POST /v1/orders/{id}/refund.',
  },
  effect_dead: {
    says: 'Something that had to be done outside was given up',
    todo: 'Remove the cause, then POST /v1/orders/{id}/retry.',
  },
  effects_dead: {
    says: 'Things that had to be done outside were given up',
    todo: 'Remove the cause, then POST /v1/retry?cause=effect_dead, page by page.',
  },
  unmatched_event: {
    says: 'A provider told of something that belongs to no order we know',
    todo: 'Look it up on the provider’s pages; if money was taken for nothing, refund it there.',
  },
  payment_without_order: {
    says: 'A provider took money for an order we do not have',
    todo: 'Look the payment up on the provider’s pages and refund it there, unless the order is in another database.',
  },
  payment_not_counted: {
    says: 'A provider has money that its order does not count',
    todo: 'Compare the order’s timeline with the provider’s pages.',
  },
  payment_not_at_provider: {
    says: 'An order counts money that its provider does not have',
    todo: 'Compare the order’s timeline with the provider’s pages.',
  },
  chart_unknown: {
    says: 'Orders live on a chart that this release does not know, and nothing happens to them',
    todo: 'Run the release that has this chart; what was told of them meanwhile is kept and decided then.',
  },
  snapshot_unreadable: {
    says: 'An order cannot be read, so what was told of it is kept and nothing is decided',
    todo: 'Find the release or the change by hand that wrote it so and put that right; it goes on by itself then. Until then look its payments up on the provider’s pages.',
  },
  webhook_undecodable: {
    says: 'A provider’s webhooks are genuine and cannot be understood',
    todo: 'Look at them with GET /v1/events?verdict=parked, compare them with the provider’s pages, and see whether the API version set there has changed.',
  },
  listing_late: {
    says: 'A provider’s payments have not been listed to the end for a day, so what its webhooks lose is not found',
    todo: 'Remove the cause, for example a key without the right to list payments; it is tried again by itself.',
  },
  disputes_not_listed: {
    says: 'A provider does not list its disputes to us, so one that its webhooks lose is not found',
    todo: 'Give the key the right to read disputes; the list is tried again by itself.',
  },
  refunds_not_listed: {
    says: 'A provider does not list its refunds to us, so an old payment’s refund that its webhooks lose is not found',
    todo: 'Give the key the right to read refunds; the list is tried again by itself.',
  },
  event_key_reused: {
    says: 'An event came again under its id with another body, and the first one stays',
    todo: 'Compare both with the provider’s pages; if nobody changed its endpoint, somebody may have its secret: change that.',
  },
  deadline_refused: {
    says: 'Orders stand still: their time is over and what should happen then cannot be done',
    todo: 'Find the reason in the log and remove it; it is tried again by itself every ten minutes.',
  },
  event_refused: {
    says: 'Something a provider told is kept and cannot be decided, so its money may have bought nothing yet',
    todo: 'Find the reason in the log and remove it; it is tried again by itself every ten minutes.',
  },
  endpoint_disabled: {
    says: 'An endpoint answered 410 Gone and hears nothing any more',
    todo: 'If that was not meant, enable it again with PATCH /v1/endpoints/{endpointId}, then redeliver what it missed.',
  },
};

/** What each effect was to do. */
const EFFECTS: Readonly<Record<string, string>> = {
  open: 'opening an order at the provider',
  close: 'closing the provider’s session, so that nobody can still pay there,',
  capture: 'capturing a reserved payment',
  void: 'releasing a reserved payment',
  refund: 'paying money back',
  reconcile: 'asking the provider what became of a payment',
  notify: 'telling the merchant',
};

/** Some sentences without markup: Slack shows them as they are. What others wrote is shortened and cannot format, link or mention. */
export function alertText({ payload, orderId, order, publicUrl }: AlertAbout): string {
  const cause = piece(payload.cause) ?? 'unknown';
  const { says, todo } = CAUSES[cause] ?? {
    says: `Something needs a look (${cause.replaceAll('_', ' ')})`,
    todo: 'Read the timeline; what to do depends on it.',
  };
  const detail = piece(payload.detail) ?? piece(payload.error);
  const link = orderId ? `${publicUrl}/v1/orders/${orderId}/timeline` : null;
  const sentences = [
    cause === 'effect_dead' ? givenUp(payload) : cause === 'effects_dead' ? moreGivenUp(payload, says) : says,
    detail && capital(detail),
    moneyOf(payload, order),
    orderId && `${cause === 'effects_dead' ? 'One of them: order' : 'Order'} ${order ? aboutOrder(order) : orderId}`,
    fill(todo, { id: orderId, endpointId: piece(payload.endpointId) }),
  ];
  const text = sentences.flatMap(sentence => (sentence ? [ended(sentence)] : [])).join(' ');
  return [text, link].filter(Boolean).join(' ');
}

function givenUp({ effect }: Record<string, unknown>): string {
  const name = piece(effect) ?? 'an effect';
  return `${capital(EFFECTS[name] ?? name)} did not work and is not tried any more`;
}

function moreGivenUp(payload: Record<string, unknown>, otherwise: string): string {
  const { count, provider } = payload;
  if (typeof count !== 'number') return otherwise;
  const times = count === 1 ? 'Once more' : `${count} times more`;
  return `${times} within an hour: ${givenUp(payload)}, for orders at ${piece(provider) ?? 'no provider'}`;
}

function moneyOf({ paymentId, amountMinor, currency }: Record<string, unknown>, order: AlertedOrder | null) {
  const code = piece(currency) ?? order?.currency;
  const amount = typeof amountMinor === 'number' && code ? amountText(amountMinor, code) : null;
  const payment = piece(paymentId);
  if (payment) return amount ? `Payment ${payment}: ${amount}` : `Payment ${payment}`;
  return amount && `Amount: ${amount}`;
}

function aboutOrder({ id, userId, planId, provider, amountMinor, currency, state }: AlertedOrder): string {
  const where = provider ? ` at ${piece(provider)}` : '';
  return `${id} of ${piece(userId)} (${piece(planId)}, ${amountText(amountMinor, currency)}${where}) is ${state}`;
}

/** A currency nobody knows is told as it came. */
function amountText(amountMinor: number, currency: string): string {
  return /^[A-Z]{3}$/.test(currency) ? formatAmount(amountMinor, currency) : `${amountMinor} ${piece(currency)}`;
}

/** One line, shortened, with the three characters escaped by which Slack knows links and mentions; null when there is none. */
function piece(value: unknown): string | null {
  if (typeof value !== 'string' || value === '') return null;
  const line = value
    .toWellFormed()
    .replaceAll(/[\p{Cc}\s]+/gu, ' ')
    .trim();
  const short = line.length > MAX_PIECE ? `${line.slice(0, MAX_PIECE - 1)}…`.toWellFormed() : line;
  return short.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

const capital = (text: string) => text.charAt(0).toUpperCase() + text.slice(1);
const ended = (text: string) => (/[.!?…]$/.test(text) ? text : `${text}.`);
const fill = (text: string, names: Record<string, string | null>) =>
  text.replaceAll(/\{(\w+)\}/g, (whole, name: string) => names[name] ?? whole);
