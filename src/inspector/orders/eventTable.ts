// Received events as the rows of a list: what came, what became of it and why, and what it names.
import { html } from 'hono/html';
import type { EventListRow } from '../../../db/inspect/eventList.ts';
import type { KeptFound } from '../../../db/inspect/orderSearch.ts';
import type { Html } from '../page.ts';
import { age, copyable, verdictBadge } from '../parts.ts';
import { linkTo, orderLink, searchLink } from './query.ts';

const rawLink = (orderId: string, provider: string, eventKey: string): string =>
  `${orderLink(orderId)}/events/${encodeURIComponent(provider)}/${encodeURIComponent(eventKey)}`;

export function eventTable(events: readonly EventListRow[], now: Date): Html {
  return html`<div class="scroll" tabindex="0" role="region" aria-label="Events, a table that may scroll sideways"><table class="cards events">
    <thead><tr><th scope="col">Event</th><th scope="col">Verdict</th><th scope="col">Why</th><th scope="col">Order</th><th scope="col">It names</th><th scope="col">Provider</th><th scope="col">Received</th><th scope="col">Next try</th></tr></thead>
    <tbody>${events.map(event => eventRow(event, now))}</tbody>
  </table></div>`;
}

function eventRow(event: EventListRow, now: Date): Html {
  const { provider, eventKey, type, source, orderId, deliveries } = event;
  const times = deliveries > 1 ? html` <span class="quiet nowrap">${deliveries} times</span>` : '';
  return html`<tr ${orderId ? html`data-row` : ''}>
    <td data-label="Event"><span class="two"><b>${type}</b> ${copyable(eventKey, { short: true, ...(orderId && { href: rawLink(orderId, provider, eventKey) }) })}</span></td>
    <td data-label="Verdict">${verdictBadge(event.verdict)}</td>
    <td data-label="Why" class="detail">${event.detail ?? '–'}</td>
    <td data-label="Order" class="nowrap">${orderId ? copyable(orderId, { short: true, href: orderLink(orderId) }) : html`<span class="quiet">none</span>`}</td>
    <td data-label="It names"><span class="two">${names(event)}</span></td>
    <td data-label="Provider">${provider} <span class="quiet">${source}</span></td>
    <td data-label="Received" class="nowrap">${age(event.receivedAt, now)}${times}</td>
    <td data-label="Next try" class="nowrap">${nextTry(event, now)}</td>
  </tr>`;
}

/** The ids an event carries, each to be searched for. */
function names({ mark, providerOrderId, paymentId }: EventListRow): Html | string {
  const named = [...new Set([providerOrderId, paymentId, mark].filter(id => id !== null))];
  if (named.length === 0) return '–';
  return html`${named.map(id => copyable(id, { short: true, href: searchLink(id) }))}`;
}

function nextTry({ nextAttemptAt, verdict, attempts }: EventListRow, now: Date): Html | string {
  const tries = attempts > 0 ? html` <span class="quiet">after ${attempts}</span>` : '';
  if (nextAttemptAt) return html`${nextAttemptAt <= now ? 'now' : age(nextAttemptAt, now)}${tries}`;
  return verdict === 'unmatched' || verdict === 'foreign' ? 'when its order appears' : '–';
}

/** Beside a search: the events that carry what was looked for. */
export function keptTable(kept: readonly KeptFound[], now: Date): Html {
  return html`<div class="scroll" tabindex="0" role="region" aria-label="Kept events, a table that may scroll sideways"><table class="cards events">
    <thead><tr><th scope="col">Event</th><th scope="col">Verdict</th><th scope="col">Provider</th><th scope="col">Received</th></tr></thead>
    <tbody>${kept.map(
      event => html`<tr>
        <td data-label="Event"><span class="two"><b>${event.type}</b> ${copyable(event.eventKey, { short: true })}</span></td>
        <td data-label="Verdict"><a href="${linkTo('/inspector/events', { verdict: event.verdict })}">${verdictBadge(event.verdict)}</a></td>
        <td data-label="Provider">${event.provider}</td>
        <td data-label="Received" class="nowrap">${age(event.receivedAt, now)}</td>
      </tr>`,
    )}</tbody>
  </table></div>`;
}
