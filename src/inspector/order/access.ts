// May this user use this product, at whatever instant somebody asks about, and why or why not: the grants one by one.
import { html } from 'hono/html';
import type { Html } from '../page.ts';
import { copyable, definitionList, emptyState, instant, notice, panel, toneBadge } from '../parts.ts';
import { explainAccess, explainAccessNow, type GrantAt, whoWished } from './accessWords.ts';
import type { OrderModel } from './model.ts';
import { orderHref } from './pageQuery.ts';
import { sentence } from './words.ts';

export function accessPanel(model: OrderModel): Html {
  const { row, query, now } = model;
  const { order, grants, subscription } = row;
  const asked = query.at?.instant ?? null;
  const at = asked ?? now;
  const cancelled = subscription ?? { cancelAtEnd: false, cancellations: [] };
  const explained = asked ? explainAccess(grants, asked, cancelled) : explainAccessNow(grants, now, cancelled);
  return panel({
    id: 'access',
    title: 'Access',
    aside: html`<span class="hidden">Access: </span>${toneBadge(explained.access ? 'yes' : 'no', explained.access ? 'good' : 'quiet')}`,
    // While an instant is looked at, what happens now must not change the answer under the reader's eyes.
    live: query.at === null,
    body: html`<form class="at" method="get" action="${orderHref(order.id)}#access">
        <label for="at">May ${order.userId} use ${order.product} at</label>
        <input id="at" name="at" type="datetime-local" step="1" value="${inputValue(at)}" />
        <span class="quiet">UTC</span>
        <button class="button">Ask</button>
        ${query.at ? html`<a href="${orderHref(order.id)}#access">Now</a>` : ''}
      </form>
      ${query.at && !query.at.instant ? notice('held', 'That is not an instant such as 2026-01-31T10:00:00; this is the answer for now.') : ''}
      <p class="access-answer tone-${explained.access ? 'good' : 'quiet'}">${asked ? html`At ${instant(asked)}: ` : ''}${sentence(explained.headline)}</p>
      ${explained.steps.length > 0 ? html`<ul class="because">${explained.steps.map(step => html`<li>${sentence(step)}</li>`)}</ul>` : ''}
      ${grants.length === 0 ? emptyState('No grant', `Nobody has ever given ${order.userId} time of ${order.product}.`) : grantsTable(model, explained.grants)}
      ${subscription ? subscriptionFacts(model, subscription) : ''}`,
  });
}

const inputValue = (at: Date): string => at.toISOString().slice(0, 19);

function grantsTable({ row }: OrderModel, grants: GrantAt[]): Html {
  return html`<div class="scroll"><table class="grants cards">
    <thead><tr><th scope="col">Grant</th><th scope="col">Then</th><th scope="col">Period</th><th scope="col">Bought</th><th scope="col">Order</th></tr></thead>
    <tbody>${grants.map(
      ({
        grant,
        startsAt,
        endsAt,
        tone,
        word,
        why,
      }) => html`<tr ${grant.orderId === row.order.id ? html`class="own"` : ''}>
        <th scope="row" data-label="Grant">${grant.seq}</th>
        <td data-label="Then"><div>${toneBadge(word, tone)} <span class="quiet">${sentence(why)}</span></div></td>
        <td data-label="Period">${startsAt && endsAt ? html`<div>${instant(startsAt)}<br />to ${instant(endsAt)}</div>` : '–'}</td>
        <td data-label="Bought"><div>${bought(grant)}</div></td>
        <td data-label="Order">${grant.orderId === row.order.id ? 'this order' : copyable(grant.orderId, { short: true, href: orderHref(grant.orderId) })}</td>
      </tr>`,
    )}</tbody></table></div>`;
}

function bought({ months, days, graceDays, kind, paymentId }: GrantAt['grant']): Html {
  const period = [months > 0 ? counted(months, 'month') : '', days > 0 ? counted(days, 'day') : '']
    .filter(Boolean)
    .join(' and ');
  return html`${period}, ${counted(graceDays, 'day')} of grace <span class="quiet">${kind}${paymentId ? html`, paid by <code>${paymentId}</code>` : ''}</span>`;
}

const counted = (count: number, unit: string) => `${count} ${unit}${count === 1 ? '' : 's'}`;

function subscriptionFacts({ row }: OrderModel, subscription: NonNullable<OrderModel['row']['subscription']>): Html {
  const { endsAt, graceDays, grants, version } = subscription;
  return html`<h3>Subscription of ${row.order.userId} to ${row.order.product}</h3>
    ${definitionList([
      { term: 'Paid until', value: endsAt ? instant(endsAt) : 'nothing is paid' },
      { term: 'Grace', value: counted(graceDays, 'day') },
      { term: 'Cancelled at its end', value: cancelledNow(subscription) },
      { term: 'Grants given', value: grants },
      { term: 'Version', value: version },
    ])}`;
}

function cancelledNow({ cancelAtEnd, cancellations }: NonNullable<OrderModel['row']['subscription']>): Html | string {
  if (!cancelAtEnd) return 'no';
  const last = cancellations.at(-1);
  return last
    ? html`since ${instant(last.at)} <span class="quiet">${whoWished(last)}</span>`
    : 'yes, nobody noted since when';
}
