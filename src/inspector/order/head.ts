// The head of an order's page: which order, where it stands, and in one sentence what it waits for, since when and what
// happens next.
import { html } from 'hono/html';
import { formatAmount } from '../../pages/formatAmount.ts';
import { EVENT_WORDS } from '../act/eventWords.ts';
import { actHref } from '../act/formView.ts';
import type { Html } from '../page.ts';
import { age, badge, copyable, definitionList, instant, notice, toneBadge } from '../parts.ts';
import { type Guidance, guidanceFor, type NextStep } from './guidance.ts';
import { maskObject } from './mask.ts';
import type { OrderModel } from './model.ts';
import { askProvider } from './money.ts';
import { orderHref } from './pageQuery.ts';
import { waitsFor } from './waitsFor.ts';
import { sentence } from './words.ts';

const SECTIONS = [
  ['chart', 'Chart'],
  ['timeline', 'Timeline'],
  ['transitions', 'Transitions'],
  ['effects', 'Effects'],
  ['money', 'Money'],
  ['access', 'Access'],
] as const;

/** `canAct`: the page has a section that says what can be done. */
export function orderHead(model: OrderModel, canAct: boolean): Html {
  const { row, view, live, now } = model;
  const { order, openEffects, grants } = row;
  const about = { order, openEffects, grants, live, stuck: view.stuck, now };
  const waiting = waitsFor(about);
  return html`<div class="order-head" data-live="head">
    <p class="crumbs"><a href="/inspector/orders">Orders</a></p>
    <h1><span class="order-what">${formatAmount(order.amountMinor, order.currency)} for ${order.planId}</span> ${badge(order.state)}
      ${row.live ? '' : toneBadge('test', 'quiet')}</h1>
    <p class="order-ids">${copyable(order.id)} <span class="quiet">of ${order.userId}</span></p>
    <div class="waiting tone-${waiting.tone}">
      <p class="waiting-sentence" ${view.stuck ? html`role="status"` : ''}>${sentence(waiting.sentence)}</p>
      ${waiting.detail ? html`<p class="waiting-detail">${waiting.detail}</p>` : ''}
      <p class="waiting-times">
        <span>Since ${instant(waiting.since)}, ${age(waiting.since, now)}.</span>
        ${waiting.next ? html`<span class="next">${nextWords(waiting.next, now)}</span>` : ''}
      </p>
      ${guide(model, guidanceFor(about), canAct)}
    </div>
    ${openFindings(model)}
  </div>
  <nav class="sections" aria-label="Parts of this page">${SECTIONS.map(([id, label]) => html`<a href="#${id}">${label}</a>`)}${canAct ? html`<a href="#act">Act</a>` : ''}<a href="${orderHref(order.id)}/replay">Replay</a></nav>`;
}

/** What to do, what to say, and the buttons for it. */
function guide({ row: { order } }: OrderModel, { todo, tell, steps }: Guidance, canAct: boolean): Html | '' {
  const shown = steps.filter(({ does }) => does === 'ask' || canAct);
  return html`${
    todo || tell
      ? html`<dl class="guide">
      ${todo ? html`<div><dt>What to do</dt><dd>${todo}</dd></div>` : ''}
      ${tell ? html`<div><dt>To tell the customer</dt><dd>“${sentence(tell)}”</dd></div>` : ''}
    </dl>`
      : ''
  }
  ${shown.length > 0 ? html`<div class="buttons">${shown.map(step => stepButton(order, step))}${canAct ? html`<a href="#act">All that can be done</a>` : ''}</div>` : ''}`;
}

function stepButton({ id, provider }: OrderModel['row']['order'], { does, isFirst }: NextStep): Html {
  if (does === 'ask') return askProvider(id, provider ?? '', isFirst);
  return html`<a class="button ${isFirst ? 'primary' : ''}" href="${actHref(id, does)}">${EVENT_WORDS[does].title}…</a>`;
}

/** The countdown: words as served, kept true by a script. */
function nextWords({ what, at }: { what: string; at: string }, now: Date): Html {
  return html`Due ${age(at, now)}: ${what} (${instant(at)}).`;
}

function openFindings({ row }: OrderModel): Html[] {
  return row.findings
    .filter(({ resolvedAt }) => resolvedAt === null)
    .map(({ findingKind, severity, detail, openedAt }) =>
      notice(
        severity === 'critical' ? 'bad' : 'held',
        html`<b>Finding: ${findingKind.replaceAll('_', ' ')}.</b> ${detail} <span class="quiet">Since ${instant(openedAt)}.</span>`,
      ),
    );
}

/** What is known of the order whatever happens to it. */
export function orderFacts({ row, now }: OrderModel): Html {
  const { order, checkoutKeys, metadata, providerAccount, providerSubscriptionId } = row;
  const orders = (params: Record<string, string>) => `/inspector/orders?${new URLSearchParams(params)}`;
  return definitionList([
    { term: 'User', value: copyable(order.userId, { href: orders({ q: order.userId }) }) },
    { term: 'Product', value: order.product },
    { term: 'Plan', value: order.planId },
    { term: 'Kind', value: order.kind },
    { term: 'Price', value: formatAmount(order.amountMinor, order.currency) },
    {
      term: 'Provider',
      value: order.provider
        ? html`<a href="${orders({ provider: order.provider })}">${order.provider}</a>${row.live ? '' : ', test mode'}`
        : 'none',
    },
    { term: 'Account', value: providerAccount ? html`<code>${providerAccount}</code>` : null },
    { term: 'Provider’s order', value: order.providerOrderId ? copyable(order.providerOrderId) : 'not opened' },
    ...(providerSubscriptionId ? [{ term: 'Provider’s subscription', value: copyable(providerSubscriptionId) }] : []),
    { term: 'Version', value: `${order.version} on ${order.machine}` },
    { term: 'Created', value: instant(order.createdAt) },
    { term: 'Last change', value: html`${instant(order.updatedAt)}, ${age(order.updatedAt, now)}` },
    ...(checkoutKeys.length > 0
      ? [{ term: 'Checkout keys', value: html`${checkoutKeys.map(key => html`${copyable(key)} `)}` }]
      : []),
    ...(metadata
      ? [{ term: 'Metadata', value: html`<pre class="inline-json">${maskObject(metadata).text}</pre>` }]
      : []),
  ]);
}
