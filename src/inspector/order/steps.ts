// What one transition says wherever it is shown: from where to where, about which money, asked by whom and why, and what it
// changed in the order's memory.
import { html } from 'hono/html';
import type { TransitionRow } from '../../../db/inspect/orderPageRows.ts';
import type { ReplayStep } from '../../../machines/replay.ts';
import type { Html } from '../page.ts';
import { badge, copyable, money } from '../parts.ts';
import { jsonValue } from './words.ts';

export function stepPath({ from, to }: Pick<TransitionRow, 'from' | 'to'>): Html {
  if (from === to) return html`<span class="quiet">stays</span> ${badge(to)}`;
  if (!from) return badge(to);
  return html`${badge(from)} <span aria-hidden="true">→</span><span class="hidden">to</span> ${badge(to)}`;
}

/** Which money the event was about: what somebody with a customer on the phone compares first. */
export function moneyTold({ event }: Pick<TransitionRow, 'event'>): Html | '' {
  const { paymentId, amountMinor, currency } = event;
  if (typeof paymentId !== 'string') return '';
  const amount = typeof amountMinor === 'number' && typeof currency === 'string' ? money(amountMinor, currency) : '';
  return html`<p>${amount}${amount ? ', ' : ''}payment ${copyable(paymentId)}</p>`;
}

/** Who asked and why, where the event says so; and why something failed, where the provider said so. */
export function whoAndWhy({ event }: Pick<TransitionRow, 'event'>): Html | '' {
  const reason = typeof event.reason === 'string' ? event.reason : null;
  const by = typeof event.by === 'string' ? event.by : null;
  if (!reason && !by) return '';
  return html`<p class="why">${by ? html`<b>${by}</b>${reason ? ': ' : ''}` : ''}${reason ? html`“${reason}”` : ''}</p>`;
}

export function differences({ diff }: Pick<ReplayStep, 'diff'>): Html {
  if (diff.length === 0) return html`<p class="quiet">It changed nothing in the order’s memory.</p>`;
  return html`<div class="scroll"><table class="diff">
    <caption class="hidden">What this transition changed</caption>
    <thead><tr><th scope="col">Changed</th><th scope="col">Before</th><th scope="col">After</th></tr></thead>
    <tbody>${diff.map(
      ({ path, before, after }) =>
        html`<tr><th scope="row"><code>${path === '' ? 'all' : path}</code></th><td><code class="before">${jsonValue(before)}</code></td><td><code class="after">${jsonValue(after)}</code></td></tr>`,
    )}</tbody></table></div>`;
}
