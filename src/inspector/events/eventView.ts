// The page of one event: where it stands, the orders it could belong to, what can be done, and all of it as it arrived.
import { html } from 'hono/html';
import { formatAmount } from '../../pages/formatAmount.ts';
import { orderHref } from '../order/pageQuery.ts';
import { searchLink } from '../orders/query.ts';
import type { Html, Viewer } from '../page.ts';
import { age, copyable, definitionList, instant, notice, panel, verdictBadge } from '../parts.ts';
import { arrivalPanel, bodyPanel, headersPanel } from './arrivalView.ts';
import { candidatesPanel } from './candidatesView.ts';
import { actsPanel } from './eventActs.ts';
import type { EventModel } from './eventModel.ts';
import { standingOf } from './standing.ts';

/** `from` is the order through which somebody came here; null when through the events. */
export function eventView(model: EventModel, viewer: Viewer, from: string | null): Html {
  return html`<div class="order event">
    ${eventHead(model, from)}
    <div class="order-columns">
      <div class="order-main">${candidatesPanel(model, viewer)} ${actsPanel(model, viewer)} ${bodyPanel(model.event)}</div>
      <div class="order-side">${namesPanel(model)} ${arrivalPanel(model.event)} ${headersPanel(model.event)}</div>
    </div>
  </div>`;
}

function eventHead(model: EventModel, from: string | null): Html {
  const { event, now, finding } = model;
  const { type, verdict, receivedAt, deliveries, attempts, eventKey, provider } = event;
  const { tone, sentence, detail, next } = standingOf(model);
  const tried = attempts === 0 ? '' : `, decided again ${attempts === 1 ? 'once' : `${attempts} times`}`;
  return html`<div class="order-head" data-live="head">
    <p class="crumbs">${
      from === null
        ? html`<a href="/inspector/events?verdict=${verdict}">Events</a>`
        : html`<a href="/inspector/orders">Orders</a> / <a href="${orderHref(from)}#timeline"><code>${from}</code></a>`
    }</p>
    <h1>${type} ${verdictBadge(verdict)}</h1>
    <p class="order-ids">${copyable(eventKey)} <span class="quiet">from ${provider}</span></p>
    <div class="waiting tone-${tone}">
      <p class="waiting-sentence">${sentence}</p>
      ${detail ? html`<p class="waiting-detail">${detail}</p>` : ''}
      <p class="waiting-times"><span>Received ${age(receivedAt, now)}${deliveries > 1 ? `, delivered ${deliveries} times` : ''}${tried}.</span>
        ${next ? html`<span class="next">${next.at === null ? next.what : next.at <= now ? html`Due now: ${next.what}.` : html`Due ${age(next.at, now)}: ${next.what}.`}</span>` : ''}</p>
    </div>
    ${
      finding && finding.resolvedAt === null
        ? notice(
            finding.severity === 'critical' ? 'bad' : 'held',
            html`<b>Somebody was alerted ${age(finding.openedAt, now)}:</b> it is ours, and has waited too long.`,
          )
        : ''
    }
  </div>`;
}

function namesPanel({ event, names }: EventModel): Html {
  const id = (value: string | null) => value && copyable(value, { href: searchLink(value) });
  const { amountMinor, currency, occurredAt } = names;
  const all = [
    { term: 'Payment', value: id(names.paymentId) },
    { term: 'Amount', value: amountMinor !== null && currency !== null ? formatAmount(amountMinor, currency) : null },
    { term: 'Refund', value: id(names.refundId) },
    { term: 'Dispute', value: id(names.disputeId) },
    { term: 'Provider’s order', value: id(event.providerOrderId) },
    { term: 'Our order', value: id(event.mark) },
    { term: 'Subscription', value: id(names.subscriptionId) },
    { term: 'User', value: id(event.payerId) },
    { term: 'Happened', value: occurredAt && instant(occurredAt) },
  ].filter(({ value }) => value !== null);
  const body =
    all.length > 0
      ? definitionList(all)
      : html`<p class="quiet">Nothing more is kept of it than its body${event.orderId === null ? '' : ', since it was decided'}.</p>`;
  return panel({ id: 'names', title: 'It names', body });
}
