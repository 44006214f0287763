// The markup of the small shop: plans to pick, and what became of an order. No JavaScript; `html` escapes what is put in.
import { html } from 'hono/html';
import { formatAmount } from '../pages/formatAmount.ts';
import type { AccessView, PlanView, TimelineView } from '../ports.ts';

type Html = ReturnType<typeof html>;

/** How often the order page looks again while the payment is on its way, in s. */
const REFRESH_S = 1;

/** The plans, each with its button. `attempt` marks this showing of the page, so that a double click buys once. */
export function plansPage(plans: PlanView[], userId: string, attempt: string): Html {
  return layout(
    'Pick a plan',
    html`<h1>Pick a plan</h1>
      <p class="lead">A shop with a test provider: no money moves. Pay, decline, pay twice or cut the network in the middle, and see what the order makes of it.</p>
      <form method="post" action="/">
        <input type="hidden" name="attempt" value="${attempt}" />
        <label>Who buys (your own user id)
          <input name="userId" value="${userId}" required maxlength="128" pattern="[A-Za-z0-9._:@+\\-]+" autocomplete="off" spellcheck="false" />
        </label>
        <ul class="plans">${plans.map(planCard)}</ul>
      </form>
      ${plans.length === 0 ? html`<p>There is no plan yet. Make one with <code>PUT /v1/plans/{id}</code>.</p>` : ''}`,
  );
}

function planCard(plan: PlanView): Html {
  return html`<li>
    <h2>${plan.id}</h2>
    <p class="price">${formatAmount(plan.amountMinor, plan.currency)}</p>
    <p class="per">${periodWords(plan)} of <b>${plan.product}</b>, ${plan.graceDays} days of grace</p>
    <button class="buy" name="planId" value="${plan.id}">Buy ${plan.id}</button>
  </li>`;
}

function periodWords({ period }: PlanView): string {
  const [count, unit] = 'months' in period ? [period.months, 'month'] : [period.days, 'day'];
  return count === 1 ? `1 ${unit}` : `${count} ${unit}s`;
}

const HEADLINES: Record<string, [string, string]> = {
  created: ['Waiting for your payment', 'held'],
  authorized: ['Reserved, not yet captured', 'held'],
  captured: ['Paid; your subscription is being written', 'held'],
  subscribed: ['Subscribed', 'good'],
  failed: ['Not paid', 'bad'],
  parked: ['Somebody must look at this payment', 'bad'],
  refunded: ['Refunded', 'bad'],
};

/** What became of one order, with everything that arrived for it, and the access its user has now. */
export function orderPage(timeline: TimelineView, access: AccessView, payUrl: string | null): Html {
  const { order } = timeline;
  const [headline, tone] = HEADLINES[order.state] ?? [order.state, 'held'];
  return layout(
    headline,
    html`<h1>${headline}</h1>
      <p class="lead"><span class="state ${tone}">${order.state}</span> version ${order.version}</p>
      <dl class="facts">
        <div><dt>Plan</dt><dd>${order.planId}, ${formatAmount(order.amountMinor, order.currency)}</dd></div>
        <div><dt>Customer</dt><dd>${order.userId}</dd></div>
        <div><dt>Order</dt><dd><code>${order.id}</code></dd></div>
        <div><dt>Access to ${access.product}</dt><dd>${accessWords(access)}</dd></div>
        ${order.stuck ? html`<div><dt>Stuck</dt><dd>${order.stuck.cause}: ${order.stuck.detail}</dd></div>` : ''}
      </dl>
      ${payUrl && order.state !== 'subscribed' ? html`<p><a href="${payUrl}">Go to the payment page</a></p>` : ''}
      ${steps(timeline)} ${arrivals(timeline)}
      <p><a href="/">Back to the plans</a></p>`,
    order.state === 'created' || order.state === 'captured',
  );
}

function accessWords({ access, reason, until }: AccessView): string {
  return `${access ? 'yes' : 'no'} (${reason}${until ? `, until ${until}` : ''})`;
}

function steps({ transitions }: TimelineView): Html {
  return html`<h2>The order's life</h2>
    <div class="scroll"><table class="steps">
      <thead><tr><th>Version</th><th>Event</th><th>From → to</th><th>Sent by</th><th>At</th></tr></thead>
      <tbody>${transitions.map(
        t =>
          html`<tr><td>${t.version}</td><td>${t.type}</td><td>${t.from ?? '—'} → ${t.to}</td><td>${t.source}</td><td>${t.at}</td></tr>`,
      )}</tbody>
    </table></div>`;
}

function arrivals({ received }: TimelineView): Html {
  if (received.length === 0) return html``;
  return html`<h2>Everything that arrived, applied or not</h2>
    <div class="scroll"><table class="steps">
      <thead><tr><th>Event</th><th>Key</th><th>Verdict</th><th>Deliveries</th></tr></thead>
      <tbody>${received.map(
        r =>
          html`<tr><td>${r.type}</td><td><code>${r.eventKey}</code></td><td>${r.verdict}${r.detail ? `: ${r.detail}` : ''}</td><td>${r.deliveries}</td></tr>`,
      )}</tbody>
    </table></div>`;
}

/** A page with one sentence, for what went wrong. */
export function sentencePage(title: string, sentence: string): Html {
  return layout(title, html`<h1>${title}</h1><p class="lead">${sentence}</p><p><a href="/">Back to the plans</a></p>`);
}

/** Where there is no sandbox there is nothing to try out, only to look up. */
export function frontPage(): Html {
  return layout(
    'Paylatch',
    html`<h1>Paylatch</h1><p class="lead">Payments in, subscriptions out, each exactly once.</p><p>The API reference is at <a href="/docs">/docs</a>.</p>`,
  );
}

function layout(title: string, content: Html, refresh = false): Html {
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        ${refresh ? html`<meta http-equiv="refresh" content="${REFRESH_S}" />` : ''}
        <title>${title} · Paylatch</title>
        <link rel="stylesheet" href="/shop.css" />
        <link rel="icon" href="/shop.svg" />
      </head>
      <body>
        <p class="brand"><b>Paylatch shop</b> <a href="/docs">API reference</a></p>
        <main>${content}</main>
      </body>
    </html>`;
}
