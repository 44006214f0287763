// Orders as the rows of a list: enough of each to know whether it is the one, and what is the matter with it.
import { html } from 'hono/html';
import type { OrderListRow } from '../../../db/inspect/orderRows.ts';
import { orderView } from '../../orderView.ts';
import type { OrderView } from '../../ports.ts';
import type { Html } from '../page.ts';
import { age, badge, copyable, money, toneBadge, verdictBadge } from '../parts.ts';
import { CAUSE_WORDS } from './causes.ts';
import { orderLink, searchLink } from './query.ts';

/** All orders, whatever they are. */
export function orderTable(rows: readonly OrderListRow[], now: Date): Html {
  return html`<div class="scroll" tabindex="0" role="region" aria-label="Orders, a table that may scroll sideways"><table class="cards orders">
    <thead><tr><th scope="col">Order</th><th scope="col">State</th><th scope="col">User</th><th scope="col">Product</th><th scope="col" class="right">Amount</th><th scope="col">Provider</th><th scope="col">Made</th><th scope="col">Last event</th></tr></thead>
    <tbody>${rows.map(row => orderRow(row, now))}</tbody>
  </table></div>`;
}

function orderRow(row: OrderListRow, now: Date): Html {
  const order = orderView(row.order, now);
  return html`<tr data-row>
    <td data-label="Order" class="nowrap">${idCell(order)}</td>
    <td data-label="State"><span class="badges">${badge(order.state)}${order.stuck && order.stuck.cause !== order.state ? causeBadge(order) : ''}</span></td>
    <td data-label="User" class="any-length user wide">${userCell(order)}</td>
    <td data-label="Product">${order.product}${order.kind === 'purchase' ? '' : html` <span class="quiet">${order.kind}</span>`}</td>
    <td data-label="Amount" class="right">${money(order.amountMinor, order.currency)}</td>
    <td data-label="Provider" class="nowrap">${order.provider ?? '–'}</td>
    <td data-label="Made" class="nowrap">${age(order.createdAt, now)}</td>
    <td data-label="Last event" class="wide">${lastEvent(row, now)}</td>
  </tr>`;
}

/** Orders that are stuck, with why and what comes next. */
export function stuckTable(rows: readonly OrderListRow[], now: Date): Html {
  return html`<div class="scroll" tabindex="0" role="region" aria-label="Stuck orders, a table that may scroll sideways"><table class="cards orders">
    <thead><tr><th scope="col">Order</th><th scope="col">Cause</th><th scope="col">Detail</th><th scope="col">Stuck since</th><th scope="col">Next try</th><th scope="col">User</th><th scope="col" class="right">Amount</th><th scope="col">Provider</th></tr></thead>
    <tbody>${rows.map(row => stuckRow(row, now))}</tbody>
  </table></div>`;
}

function stuckRow(row: OrderListRow, now: Date): Html {
  const order = orderView(row.order, now);
  return html`<tr data-row>
    <td data-label="Order" class="nowrap">${idCell(order)}</td>
    <td data-label="Cause"><span class="badges">${order.stuck ? causeBadge(order) : badge(order.state)}</span></td>
    <td data-label="Detail" class="detail any-length wide">${order.stuck ? (order.stuck.detail ?? '–') : 'It moves again.'}</td>
    <td data-label="Stuck since" class="nowrap">${order.stuck ? age(order.stuck.since, now) : '–'}</td>
    <td data-label="Next try" class="nowrap">${nextTry(row, order, now)}</td>
    <td data-label="User" class="any-length user wide">${userCell(order)}</td>
    <td data-label="Amount" class="right">${money(order.amountMinor, order.currency)}</td>
    <td data-label="Provider" class="nowrap">${order.provider ?? '–'}</td>
  </tr>`;
}

const idCell = ({ id }: OrderView): Html => copyable(id, { short: true, href: orderLink(id) });
const userCell = ({ userId }: OrderView): Html =>
  html`<a class="plain" href="${searchLink(userId)}" title="All orders of ${userId}">${breakable(userId)}</a>`;
/** An address that does not fit breaks before its domain, where people read a pause. */
const breakable = (userId: string): Html => {
  const [name = '', ...domain] = userId.split(/(?=@)/);
  return html`${name}${domain.map(part => html`<wbr />${part}`)}`;
};
const causeBadge = ({ stuck }: OrderView): Html =>
  stuck
    ? html`<span title="${CAUSE_WORDS[stuck.cause].sentence}">${toneBadge(CAUSE_WORDS[stuck.cause].label, 'bad')}</span>`
    : html``;

/** The last thing heard; an order that was told nothing has at least begun. */
function lastEvent({ lastEvent: heard, lastStep }: OrderListRow, now: Date): Html {
  if (!heard) return html`<span class="quiet">${lastStep.type} ${age(lastStep.at, now)}</span>`;
  return html`<span class="heard">${heard.type} ${verdictBadge(heard.verdict)} <span class="quiet">${age(heard.at, now)}</span></span>`;
}

const BY_SWEEPER = 'now, by the sweeper';

/** When what holds the order is tried again by itself. A dead effect, a doubt and an unreadable order wait for a person. */
function nextTry({ order: { wakeAt }, nextEffect }: OrderListRow, { stuck }: OrderView, now: Date): Html | string {
  if (!stuck) return '–';
  if (stuck.cause === 'deadline_passed') return BY_SWEEPER;
  if (stuck.cause === 'grant_failed' && wakeAt) return wakeAt <= now ? BY_SWEEPER : age(wakeAt, now);
  if (nextEffect?.effect !== 'reconcile') return 'by hand only';
  const asks = nextEffect.availableAt <= now ? 'now' : age(nextEffect.availableAt, now);
  return html`<span class="two"><span>by hand only</span><span class="quiet">asks the provider ${asks}</span></span>`;
}
