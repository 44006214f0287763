// What an order asked of the world: what is still to be done first, with its attempts, its last error and its next try.
import { html } from 'hono/html';
import type { EffectRow } from '../../../db/inspect/orderPageRows.ts';
import { EFFECT_POLICIES } from '../../effects/policies.ts';
import type { Html } from '../page.ts';
import { age, copyable, emptyState, instant, panel } from '../parts.ts';
import { effectWords, isRunning } from './effectWords.ts';
import type { OrderModel } from './model.ts';
import { EFFECTS_PAGE, effectCursorText, pageHref } from './pageQuery.ts';
import { statusBadge } from './timeline.ts';
import { olderLinks } from './words.ts';

export function effectsPanel(model: OrderModel): Html {
  const { row, query } = model;
  const { id } = row.order;
  const done = row.doneEffects.slice(0, EFFECTS_PAGE);
  const last = done.at(-1);
  const older =
    row.doneEffects.length > EFFECTS_PAGE && last
      ? pageHref(id, query, { effects_before: effectCursorText(last) }, 'effects')
      : null;
  const newest = query.effectsBefore ? pageHref(id, query, { effects_before: null }, 'effects') : null;
  const all = [...row.openEffects, ...done];
  const open = row.openEffects.length;
  return panel({
    id: 'effects',
    title: 'Effects',
    aside: open === 0 ? 'none is waiting' : `${open} not over`,
    body: html`${
      all.length === 0
        ? emptyState('No effect yet', 'The order has asked nothing of the provider or the merchant so far.')
        : html`<div class="scroll"><table class="effects cards">
            <thead><tr><th scope="col">Effect</th><th scope="col">Status</th><th scope="col">Tries</th><th scope="col">When</th><th scope="col">Last answer</th></tr></thead>
            <tbody>${all.map(effect => effectRow(model, effect))}</tbody></table></div>`
    }${olderLinks(older, newest)}`,
  });
}

function effectRow({ row, now }: OrderModel, effect: EffectRow): Html {
  const { status, attempts, lastError, orderVersion, dedupKey } = effect;
  return html`<tr class="effect-${status}">
    <th scope="row" data-label="Effect"><div>${effectWords(effect, row.order)} <span class="quiet">version ${orderVersion}, key ${copyable(dedupKey)}</span></div></th>
    <td data-label="Status">${statusBadge(status)}</td>
    <td data-label="Tries" class="nowrap">${attempts}${triesAllowed(effect.effect)}</td>
    <td data-label="When"><div>${when(effect, now)}</div></td>
    <td data-label="Last answer" class="error">${lastError ?? '–'}</td>
  </tr>`;
}

/** How many tries it has in all, where the effect is one that is known here. */
function triesAllowed(effect: string): string {
  const policy = Object.hasOwn(EFFECT_POLICIES, effect)
    ? EFFECT_POLICIES[effect as keyof typeof EFFECT_POLICIES]
    : null;
  return policy ? ` of ${policy.maxAttempts}` : '';
}

function when(effect: EffectRow, now: Date): Html {
  const { status, doneAt, availableAt, attempts } = effect;
  if (status === 'done') return html`done ${doneAt ? instant(doneAt) : ''}`;
  if (status === 'dead') return html`given up, last due ${instant(availableAt)}`;
  if (isRunning(effect, now)) return html`running now`;
  return html`${attempts === 0 ? 'first' : 'next'} try ${age(availableAt, now)}<br /><span class="quiet">${instant(availableAt)}</span>`;
}
