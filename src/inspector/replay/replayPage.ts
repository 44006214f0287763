// An order's life, step by step on its chart: what came, what it changed, what it asked for; and whether all of it gives
// what is stored. Steps are links, so a step can be pasted into a chat.
import { html } from 'hono/html';
import { spelledOut } from '../../../machines/contextDiff.ts';
import type { StoredSnapshot } from '../../../machines/snapshot.ts';
import { orderChartSvg } from '../chart/orderChart.ts';
import { walkedBy } from '../chart/walked.ts';
import { deadlineWords, effectWords } from '../order/effectWords.ts';
import { statusBadge } from '../order/timeline.ts';
import { jsonValue } from '../order/words.ts';
import type { Html } from '../page.ts';
import { badge, copyable, type Definition, definitionList, instant, notice, panel, toneBadge } from '../parts.ts';
import { MAX_STEPS, type ReplayModel, stepLinks } from './model.ts';

/** Differences told below the first one. */
const MAX_TOLD = 5;

export function replayMain(model: ReplayModel): Html {
  const { life, step, shown, walked } = model;
  return html`<p class="crumbs"><a href="/inspector/orders">Orders</a> / <a href="/inspector/orders/${life.id}">${life.id}</a> / Replay</p>
    <div class="page-head"><h1>Replay</h1> ${copyable(life.id)} <span class="quiet">now</span> ${badge(life.state)}</div>
    ${verdict(model)}
    ${stepper(model)}
    ${panel({
      id: 'chart',
      title: 'Chart',
      aside: html`after step ${step} of ${life.version}`,
      live: false,
      body: chartAt(model),
    })}
    <div class="grid replay-grid">
      ${panel({ id: 'event', title: 'What came', aside: instant(shown.at), live: false, body: eventView(model) })}
      ${panel({ id: 'changed', title: 'What it changed', live: false, body: changesView(model) })}
      ${panel({ id: 'asked', title: 'What it asked for', live: false, body: effectsView(model) })}
    </div>
    ${walked ? panel({ id: 'snapshot', title: 'Snapshot after it', live: false, body: snapshotView(walked.snapshot) }) : ''}`;
}

/** Whether the replay gives what is stored, before anything else. */
function verdict({ life, mismatches, isWhole }: ReplayModel): Html {
  const [first, ...more] = mismatches;
  if (first) {
    const named = more.slice(0, MAX_TOLD);
    return notice(
      'bad',
      html`<p><b>The replay does not give what is stored.</b> ${capitalised(first.sentence)}.</p>
        <p class="mismatch">Path <code>${first.path}</code>: stored <code>${jsonValue(first.stored)}</code>, replayed <code>${jsonValue(first.replayed)}</code>.
        ${first.version === null ? '' : html`<a href="${stepHref(life.id, first.version)}">Go to transition ${first.version}</a>.`}</p>
        ${named.length > 0 ? html`<ul>${named.map(({ sentence }) => html`<li>${capitalised(sentence)}.</li>`)}</ul>` : ''}
        ${more.length > named.length ? html`<p>And ${more.length - named.length} more.</p>` : ''}
        <p>Somebody changed rows by hand, or the chart was changed under its name. Nothing is decided on the replay: the order goes on from what is stored.</p>`,
    );
  }
  if (!isWhole) {
    return notice(
      'held',
      `The first ${MAX_STEPS} of ${life.version} transitions give what is stored of them. An order this long is not replayed to its end for a page, so its snapshot is not compared.`,
    );
  }
  return notice(
    'good',
    html`<b>The replay gives the stored snapshot</b>, after ${life.version} transitions on ${life.machine}.`,
  );
}

const capitalised = (text: string) => text.charAt(0).toUpperCase() + text.slice(1);
const stepHref = (id: string, step: number) => `/inspector/orders/${id}/replay?step=${step}#steps`;

function stepper({ life, step }: ReplayModel): Html {
  const { id, transitions } = life;
  const last = transitions.length;
  const link = (to: number, label: string, rel: string, key: string) =>
    to >= 1 && to <= last && to !== step
      ? html`<a class="button" href="${stepHref(id, to)}" data-step="${rel}" aria-keyshortcuts="${key}">${label}</a>`
      : html`<span class="button" aria-disabled="true">${label}</span>`;
  return html`<nav class="stepper" id="steps" aria-label="Steps">
    <div class="buttons">${link(1, 'First', 'first', 'Home')}${link(step - 1, 'Back', 'prev', 'ArrowLeft')}${link(step + 1, 'Forward', 'next', 'ArrowRight')}${link(last, 'Last', 'last', 'End')}</div>
    <ol>${stepLinks(step, last).map(n =>
      n === null
        ? html`<li aria-hidden="true">…</li>`
        : html`<li><a href="${stepHref(id, n)}" title="${transitions[n - 1]?.eventType ?? ''}" aria-label="Step ${n}, ${transitions[n - 1]?.eventType ?? ''}" ${n === step ? html`aria-current="step"` : ''}>${n}</a></li>`,
    )}</ol>
    <span class="note keys-note"><kbd>←</kbd> <kbd>→</kbd> step</span>
  </nav>`;
}

function chartAt({ life, step, shown }: ReplayModel): Html {
  const walked = life.transitions.slice(0, step).map(({ eventType, ...rest }) => ({ ...rest, type: eventType }));
  return orderChartSvg({
    machineId: life.machine,
    current: shown.to,
    ...walkedBy(walked),
    walking: shown.version,
  });
}

/** The event in full, with who sent it and when. */
function eventView({ shown }: ReplayModel): Html {
  const { version, eventType, event, from, to, source, eventKey, at } = shown;
  const way = html`${from ? html`${badge(from)} <span aria-hidden="true">→</span> <span class="hidden">to</span>` : ''}${badge(to)}`;
  const fields = Object.entries(event).filter(([name]) => name !== 'type' && name !== 'at');
  const about: Definition[] = [
    { term: 'Transition', value: version },
    { term: 'Event', value: html`<code>${eventType}</code>` },
    { term: 'Way', value: way },
    { term: 'Sent by', value: source },
    {
      term: 'Event key',
      value: eventKey ? copyable(eventKey) : 'none: it followed from the one before, in the same commit',
    },
    { term: 'At', value: instant(at) },
  ];
  const rest = fields.map(([name, value]) => ({ term: name, value: html`<code>${fieldText(value)}</code>` }));
  return definitionList([...about, ...rest]);
}

const fieldText = (value: unknown) =>
  typeof value === 'object' && value !== null ? JSON.stringify(value) : String(value);

function changesView({ walked, before, mismatches }: ReplayModel): Html {
  if (!walked) {
    const why = mismatches.find(({ version }) => version !== null)?.sentence ?? 'the events before it cannot be walked';
    return html`<p>The replay does not get this far: ${why}.</p>`;
  }
  const deadlines = deadlineChange(before?.snapshot ?? null, walked.snapshot);
  if (walked.diff.length === 0) return html`<p class="quiet">Nothing in the order’s memory.</p>${deadlines}`;
  return html`<div class="scroll" role="group" aria-label="What it changed" tabindex="0"><table class="diff">
      <thead><tr><th scope="col">Path</th><th scope="col">Before</th><th scope="col">After</th></tr></thead>
      <tbody>${spelledOut(walked.diff).map(
        ({ path, before, after }) =>
          html`<tr><th scope="row"><code>${path}</code></th><td><code class="before">${jsonValue(before)}</code></td><td><code class="after">${jsonValue(after)}</code></td></tr>`,
      )}</tbody></table></div>
    ${deadlines}`;
}

function deadlineChange(before: StoredSnapshot | null, { deadline }: StoredSnapshot): Html {
  const old = before?.deadline ?? null;
  if (deadline && old && deadline.setAtVersion === old.setAtVersion)
    return html`<p class="quiet">The deadline stays: at ${instant(deadline.dueAt)} ${deadlineWords(deadline.id)}.</p>`;
  if (deadline) return html`<p>It waits until ${instant(deadline.dueAt)}; then ${deadlineWords(deadline.id)}.</p>`;
  return old
    ? html`<p>The deadline of ${instant(old.dueAt)} is taken back: it waits for nothing.</p>`
    : html`<p class="quiet">It waits for nothing.</p>`;
}

function effectsView({ effects, life }: ReplayModel): Html {
  if (effects.length === 0) return html`<p class="quiet">Nothing outside.</p>`;
  return html`<ul class="asked">${effects.map(
    effect => html`<li><p><b>${capitalised(effectWords(effect, life))}</b> ${effect.row ? statusBadge(effect.row.status) : toneBadge('not in the outbox', 'bad')}</p>
      <p class="note key">Key ${copyable(effect.dedupKey)}</p></li>`,
  )}</ul>`;
}

function snapshotView(snapshot: StoredSnapshot): Html {
  return html`<details><summary>As it is stored, in JSON</summary><pre class="json" tabindex="0">${JSON.stringify(snapshot, null, 2)}</pre></details>`;
}
