// The orders an event could belong to, each with why; and for those that it does not find by itself, the way to tell them.
import { html } from 'hono/html';
import { BY_PRICE_LIMIT, type CandidateReason, PRICE_LOOK } from '../../../db/inspect/eventCandidates.ts';
import { plainAmount } from '../../../machines/amountText.ts';
import { isSendable } from '../../../machines/explain.ts';
import { isRequestType } from '../../../machines/orderEvents.ts';
import { formatAmount } from '../../pages/formatAmount.ts';
import { actHref } from '../act/formView.ts';
import { orderHref } from '../order/pageQuery.ts';
import type { Html, Viewer } from '../page.ts';
import { age, badge, copyable, duration, emptyState, panel } from '../parts.ts';
import type { Candidate, EventModel } from './eventModel.ts';

export function candidatesPanel(model: EventModel, viewer: Viewer): Html {
  const { event, candidates } = model;
  const isKnown = event.orderId !== null;
  const priced = candidates.filter(({ reasons }) => reasons[0] === 'price').sort(likelier(model));
  const shown = candidates.filter(candidate => !priced.includes(candidate)).concat(priced.slice(0, BY_PRICE_LIMIT));
  const body =
    shown.length === 0
      ? nobody(model)
      : html`<ul class="act-list event-orders">${shown.map(candidate => candidateRow(model, candidate, viewer))}</ul>
        ${priced.length > BY_PRICE_LIMIT ? html`<p class="note">More orders cost the same and were made in that hour. The latest ${BY_PRICE_LIMIT} are shown.</p>` : ''}
        ${isKnown || shown.length > priced.length ? '' : html`<p class="note">None of them is named in it. A price and an hour are a hint, no proof: ask the customer, or look at the provider.</p>`}`;
  return panel({ id: 'orders', title: isKnown ? 'Its order' : 'Orders it could belong to', body });
}

/**
 * What is not paid yet and was made before, the closer the likelier; then what was made after; then what is paid
 * already.
 */
const likelier = ({ event, names }: EventModel) => {
  const at = paidAt(event, names).getTime();
  const rank = ({ paid, createdAt }: Candidate) => (paid ? 2 : createdAt.getTime() > at ? 1 : 0);
  const distance = ({ createdAt }: Candidate) => Math.abs(at - createdAt.getTime());
  return (a: Candidate, b: Candidate) => rank(a) - rank(b) || distance(a) - distance(b);
};

function nobody({ event, names }: EventModel): Html {
  const carried = [event.mark, event.providerOrderId, names.paymentId, names.subscriptionId, event.payerId];
  const named = carried.some(id => id !== null)
    ? 'No order is known by any name that it carries'
    : 'It carries no name of an order';
  const price =
    names.amountMinor !== null && names.currency !== null
      ? `, and among the latest ${PRICE_LOOK.toLocaleString('en')} orders of the hour before it none at ${event.provider} costs ${formatAmount(names.amountMinor, names.currency)}`
      : '';
  return emptyState('No order fits', `${named}${price}.`);
}

function candidateRow(model: EventModel, candidate: Candidate, viewer: Viewer): Html {
  const { id, userId, planId, state, amountMinor, currency, createdAt, reasons } = candidate;
  const tell = tellHref(model, candidate);
  return html`<li data-row><div class="act-row">
    <div class="act-what">
      <p class="event-order">${copyable(id, { short: true, href: orderHref(id) })} ${badge(state)} <span class="quiet">${formatAmount(amountMinor, currency)} for ${planId}, ${userId}, made ${age(createdAt, model.now)}</span></p>
      ${reasons.map(reason => html`<p>${reasonWords(model, candidate, reason)}</p>`)}
      ${caveats(model, candidate).map(words => html`<p class="act-refused">${words}</p>`)}
    </div>
    ${tell ? html`<a class="button" href="${tell}" aria-label="${viewer.role === 'operator' ? 'Tell it by hand' : 'See what it would do'}: order ${id}">${viewer.role === 'operator' ? 'Tell it by hand…' : 'See'}</a>` : ''}
  </div></li>`;
}

function reasonWords({ event, names }: EventModel, candidate: Candidate, reason: CandidateReason): Html | string {
  switch (reason) {
    case 'decided':
      return 'The event was decided on this order.';
    case 'mark':
      return 'It carries the id of this order.';
    case 'provider order':
      return html`It names <code>${event.providerOrderId ?? ''}</code>, which is this order at ${candidate.provider ?? 'its provider'}.`;
    case 'payment':
      return html`Its payment <code>${names.paymentId ?? ''}</code> is in this order’s books.`;
    case 'subscription':
      return html`It was charged for <code>${names.subscriptionId ?? ''}</code>, the subscription of this order.`;
    case 'payer':
      return html`It was charged to the stored card of <code>${event.payerId ?? ''}</code>, who has this order.`;
    case 'price':
      return `It costs the same and was made ${beforeWords(candidate, paidAt(event, names))}.`;
  }
}

const paidAt = (event: EventModel['event'], { occurredAt }: EventModel['names']): Date =>
  occurredAt === null ? event.receivedAt : new Date(occurredAt);

function beforeWords({ createdAt }: Candidate, at: Date): string {
  const ms = at.getTime() - createdAt.getTime();
  return ms >= 0 ? `${duration(ms)} before` : `${duration(-ms)} after`;
}

/** Why it is not, or may not be, the one although something points to it. */
function caveats({ event, plan }: EventModel, { id, provider, paid, reasons }: Candidate): string[] {
  if (reasons.includes('decided')) return [];
  const isElsewhere = provider !== event.provider;
  return [
    ...(isElsewhere
      ? [
          `But this order is ${provider === null ? 'free of charge' : `at ${provider}`}, and the event came from ${event.provider}: it is never decided on it.`,
        ]
      : []),
    ...(paid && reasons[0] === 'price' ? ['It is paid already, by another payment.'] : []),
    ...(plan.orderId === id && plan.refused === null ? ['Deciding the event again leads here.'] : []),
  ];
}

/** The form of the same fact for this order, filled in. Not where deciding it again does it, and not across providers. */
function tellHref({ event, names, plan }: EventModel, { id, provider, reasons }: Candidate): string | null {
  const type = String(event.event?.type);
  const isOurs = provider === event.provider && !reasons.includes('decided') && plan.orderId !== id;
  if (!isOurs || plan.refused !== null || !isSendable(type) || isRequestType(type)) return null;
  const { amountMinor, currency } = names;
  const params = new URLSearchParams();
  for (const [name, value] of Object.entries(event.event ?? {})) {
    const param = name === 'reason' ? 'said' : name;
    if (['string', 'boolean'].includes(typeof value) && name !== 'type') params.set(param, String(value));
  }
  if (amountMinor !== null) params.set('amountMinor', plainAmount(amountMinor, currency ?? 'USD'));
  return `${actHref(id, type)}?${params}`;
}
