// Received events as the rows of a list: what came, what became of it and why, and what it names.
import { html } from 'hono/html';
import type { EventListRow } from '../../../db/inspect/eventList.ts';
import { orderLink, searchLink } from '../orders/query.ts';
import type { Html } from '../page.ts';
import { age, copyable, verdictBadge } from '../parts.ts';
import { eventHref } from './eventHref.ts';

/** What is the same in all rows is left out. */
export type EventColumns = { verdict: boolean; order: boolean };

export function eventTable(events: readonly EventListRow[], now: Date, columns: EventColumns): Html {
  return html`<div class="scroll" tabindex="0" role="region" aria-label="Events, a table that may scroll sideways"><table class="cards events">
    <thead><tr><th scope="col">Event</th>${columns.verdict ? html`<th scope="col">Verdict</th>` : ''}<th scope="col">Why</th>${columns.order ? html`<th scope="col">Order</th>` : ''}<th scope="col">It names</th><th scope="col">Provider</th><th scope="col">Received</th><th scope="col">Next try</th></tr></thead>
    <tbody>${events.map(event => eventRow(event, now, columns))}</tbody>
  </table></div>`;
}

function eventRow(event: EventListRow, now: Date, columns: EventColumns): Html {
  const { provider, eventKey, type, source, orderId, deliveries } = event;
  const times = deliveries > 1 ? html` <span class="quiet">${deliveries} times</span>` : '';
  const order = orderId
    ? copyable(orderId, { short: true, href: orderLink(orderId) })
    : html`<span class="quiet">none</span>`;
  return html`<tr data-row>
    <td data-label="Event"><span class="two"><b>${type}</b> ${copyable(eventKey, { short: true, href: eventHref({ provider, eventKey }) })}</span></td>
    ${columns.verdict ? html`<td data-label="Verdict">${verdictBadge(event.verdict)}</td>` : ''}
    <td data-label="Why" class="detail any-length wide ${event.detail ? '' : 'none'}">${event.detail ?? '–'}</td>
    ${columns.order ? html`<td data-label="Order" class="nowrap">${order}</td>` : ''}
    <td data-label="It names"><span class="two">${names(event)}</span></td>
    <td data-label="Provider" class="nowrap">${provider} <span class="quiet">${source}</span></td>
    <td data-label="Received" class="nowrap">${age(event.receivedAt, now)}${times}</td>
    <td data-label="Next try" class="${waits(event) ? '' : 'none'}">${nextTry(event, now)}</td>
  </tr>`;
}

/** The ids an event carries, each to be searched for. */
function names({ mark, providerOrderId, paymentId }: EventListRow): Html | string {
  const named = [...new Set([providerOrderId, paymentId, mark].filter(id => id !== null))];
  if (named.length === 0) return '–';
  return html`${named.map(id => copyable(id, { short: true, href: searchLink(id) }))}`;
}

const waits = ({ nextAttemptAt, verdict }: EventListRow): boolean =>
  nextAttemptAt !== null || verdict === 'unmatched' || verdict === 'foreign';

function nextTry(event: EventListRow, now: Date): Html | string {
  const { nextAttemptAt, attempts } = event;
  const tries = attempts > 0 ? html` <span class="quiet">after ${attempts}</span>` : '';
  if (nextAttemptAt) return html`${nextAttemptAt <= now ? 'now' : age(nextAttemptAt, now)}${tries}`;
  return waits(event) ? 'when its order appears' : '–';
}
