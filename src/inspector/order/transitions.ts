// Each committed step of an order: its event, who sent it and why, and what it changed in the order's memory.
import { html } from 'hono/html';
import type { TransitionRow } from '../../../db/inspect/orderPageRows.ts';
import type { ReplayStep } from '../../../machines/replay.ts';
import type { Html } from '../page.ts';
import { copyable, instant, notice, panel } from '../parts.ts';
import { effectWords } from './effectWords.ts';
import type { OrderModel } from './model.ts';
import { orderHref, pageHref, TRANSITIONS_PAGE } from './pageQuery.ts';
import { differences, stepPath, whoAndWhy } from './steps.ts';
import { jsonValue, olderLinks } from './words.ts';

export function transitionsPanel(model: OrderModel): Html {
  const { row, query } = model;
  const { id, version } = row.order;
  const { versionsBefore } = query;
  const rows = row.transitions.filter(t => versionsBefore === null || t.version < versionsBefore);
  const shown = rows.slice(0, TRANSITIONS_PAGE);
  const last = shown.at(-1);
  const hasOlder = rows.length > TRANSITIONS_PAGE && last;
  const older = hasOlder ? pageHref(id, query, { versions_before: String(last.version) }, 'transitions') : null;
  const newest = versionsBefore === null ? null : pageHref(id, query, { versions_before: null }, 'transitions');
  return panel({
    id: 'transitions',
    title: 'Transitions',
    aside: html`${version} so far, newest first`,
    body: html`${replayNotice(model)}
      <ol class="steps">${shown.map((t, i) => stepView(model, t, i === 0 && versionsBefore === null))}</ol>
      ${olderLinks(older, newest)}`,
  });
}

/** What the replay says about all of them: that they give what is stored, or where they part. */
function replayNotice({ row, replay }: OrderModel): Html {
  const href = `${orderHref(row.order.id)}/replay`;
  if (!replay)
    return html`<p class="quiet">The order has ${row.order.version} transitions: what each changed is shown by the <a href="${href}">replay</a>, page by page.</p>`;
  const [first] = replay.mismatches;
  if (first)
    return notice(
      'bad',
      html`<b>The replay does not give what is stored:</b> ${first.sentence}. <a href="${href}">Step through it</a>`,
    );
  return html`<p class="quiet">Replayed through ${row.order.machine}, they give the stored snapshot. <a href="${href}">Step through them</a></p>`;
}

function stepView({ row, stepAt }: OrderModel, t: TransitionRow, isOpen: boolean): Html {
  const { version, type, source, eventKey, at } = t;
  const step = stepAt.get(version);
  return html`<li id="version-${version}"><details ${isOpen ? html`open` : ''}>
    <summary><span class="step-version">${version}</span> <b>${type}</b>
      <span class="step-path">${stepPath(t)}</span>
      <span class="step-at">${instant(at)}</span></summary>
    <div class="step-body">
      ${whoAndWhy(t)}
      <p class="quiet">by ${source}${eventKey ? html`, event key ${copyable(eventKey)}` : ', in the same commit as the one before'}
        · <a href="${orderHref(row.order.id)}/replay?step=${version}">step ${version} of the replay</a></p>
      ${eventFields(t)} ${step ? differences(step) : ''} ${step ? asked(step, row.order) : ''}
    </div>
  </details></li>`;
}

/** The event's own fields; its stamps, who and why stand above. */
function eventFields({ event }: TransitionRow): Html | '' {
  const fields = Object.entries(event).filter(([name]) => !['type', 'at', 'reason', 'by'].includes(name));
  if (fields.length === 0) return '';
  return html`<dl class="fields">${fields.map(([name, value]) => html`<div><dt>${name}</dt><dd><code>${jsonValue(value)}</code></dd></div>`)}</dl>`;
}

function asked({ effects }: ReplayStep, order: OrderModel['row']['order']): Html | '' {
  if (effects.length === 0) return '';
  return html`<p>Asked for ${effects.map(
    (effect, i) =>
      html`${i > 0 ? ', ' : ''}${effectWords(effect, order)} <code class="quiet">${effect.dedupKey}</code>`,
  )}</p>`;
}
