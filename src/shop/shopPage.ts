// The shop's plans to pick from, and its pages of one sentence. What is bought goes through the same checkout as any
// merchant's.
import { html } from 'hono/html';
import { formatAmount } from '../pages/formatAmount.ts';
import type { Html } from '../pages/htmlDocument.ts';
import type { PlanView } from '../ports.ts';
import { layout } from './layout.ts';

/** The plans, each with its button. `attempt` marks this showing of the page, so that a double click buys once. */
export function plansPage(plans: PlanView[], userId: string, attempt: string): Html {
  return layout(
    'Pick a plan',
    html`<h1>Pick a plan</h1>
      <p class="lead">You pay on a test provider's page, so no money moves. Pay there, decline, pay twice, or let a webhook
        get lost, and see what the order makes of it.</p>
      <form method="post" action="/">
        <input type="hidden" name="attempt" value="${attempt}" />
        <label for="userId">Customer</label>
        <input id="userId" name="userId" value="${userId}" required maxlength="128" pattern="[A-Za-z0-9._:@+\\-]+"
          title="1 to 128 letters, digits or . _ : @ + -" autocomplete="off" autocapitalize="none" spellcheck="false" />
        <ul class="plans">${plans.map(planCard)}</ul>
      </form>
      ${plans.length === 0 ? html`<p class="notice">There is no plan yet. Make one with <code>PUT /v1/plans/{id}</code>.</p>` : ''}
      <p class="foot">This page uses the same HTTP API as your shop would: its reference is at <a href="/docs">/docs</a>,
        its description at <a href="/openapi.json">/openapi.json</a>.</p>`,
  );
}

function planCard(plan: PlanView): Html {
  const grace = plan.graceDays === 0 ? '' : `, ${counted(plan.graceDays, 'day')} of grace`;
  return html`<li>
    <h2>${plan.id}</h2>
    <p class="price">${formatAmount(plan.amountMinor, plan.currency)}</p>
    <p class="per">${periodWords(plan)} of ${plan.product}${grace}</p>
    <button class="buy" name="planId" value="${plan.id}" aria-label="Buy ${plan.id}">Buy</button>
  </li>`;
}

function periodWords({ period }: PlanView): string {
  return 'months' in period ? counted(period.months, 'month') : counted(period.days, 'day');
}

const counted = (count: number, unit: string) => `${count} ${unit}${count === 1 ? '' : 's'}`;

/** A page with one sentence, for what went wrong. */
export function sentencePage(title: string, sentence: string): Html {
  return layout(
    title,
    html`<h1>${title}</h1><p class="lead">${sentence}</p><p class="actions"><a class="back" href="/">Back to the plans</a></p>`,
  );
}

/** Where there is no sandbox there is nothing to try out, only to look up. */
export function frontPage(): Html {
  return layout(
    'Paylatch',
    html`<h1>Paylatch</h1>
      <p class="lead">Turns payments into subscriptions exactly as often as money arrived: once.</p>
      <p>The API reference is at <a href="/docs">/docs</a>, the inspector at <a href="/inspector">/inspector</a>.</p>`,
  );
}
