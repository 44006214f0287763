// The timeline: everything that arrived for an order and everything that was done, in one list, newest first. An event and
// the transitions it made are one entry; what arrived and changed nothing stands out, with why.
import { html } from 'hono/html';
import type {
  AttemptRow,
  EffectRow,
  FindingRow,
  TimelineEntry,
  TransitionRow,
} from '../../../db/inspect/orderPageRows.ts';
import type { CancellationRow } from '../../../db/users.ts';
import type { Html } from '../page.ts';
import { age, copyable, duration, emptyState, instant, panel, toneBadge, verdictBadge } from '../parts.ts';
import { deadlineWords, effectWords, progressWords } from './effectWords.ts';
import type { OrderModel } from './model.ts';
import { entryCursorText, orderHref, pageHref, TIMELINE_FILTERS, TIMELINE_PAGE } from './pageQuery.ts';
import { differences, moneyTold, stepPath, whoAndWhy } from './steps.ts';
import { whatBecame } from './verdictWords.ts';
import { olderLinks } from './words.ts';

export function timelinePanel(model: OrderModel): Html {
  const { row, query } = model;
  const { id } = row.order;
  const shown = row.timeline.slice(0, TIMELINE_PAGE);
  const last = shown.at(-1);
  const older =
    row.timeline.length > TIMELINE_PAGE && last
      ? pageHref(id, query, { before: entryCursorText(last) }, 'timeline')
      : null;
  const newest = query.before ? pageHref(id, query, { before: null }, 'timeline') : null;
  return panel({
    id: 'timeline',
    title: 'Timeline',
    aside: html`newest first`,
    body: html`${filters(model)}
      ${query.before ? '' : stillToCome(model)}
      ${shown.length === 0 ? emptyState('Nothing here', 'Of this kind nothing has happened to the order.') : html`<ol class="timeline">${shown.map(entry => entryView(model, entry))}</ol>`}
      ${olderLinks(older, newest)}`,
  });
}

function filters({ row, query }: OrderModel): Html {
  return html`<nav class="show-kinds" aria-label="What the timeline shows">${TIMELINE_FILTERS.map(
    ({ id, label }) =>
      html`<a class="chip" href="${pageHref(row.order.id, query, { show: id === 'all' ? null : id, before: null }, 'timeline')}"
        ${id === query.show ? html`aria-current="true"` : ''}>${label}</a>`,
  )}</nav>`;
}

/** What is planned and has not happened: the soonest first. */
function stillToCome({ row, live, now }: OrderModel): Html | '' {
  const planned = row.openEffects
    .filter(({ status }) => status === 'pending')
    .map(effect => ({ at: effect.availableAt, what: effectWords(effect, row.order) }));
  const deadline = live?.deadline ? [{ at: live.deadline.dueAt, what: deadlineWords(live.deadline.id) }] : [];
  const all = [...planned, ...deadline].sort((a, b) => (a.at < b.at ? -1 : 1));
  if (all.length === 0) return '';
  return html`<div class="to-come"><h3>Still to come</h3><ul>${all.map(
    ({ at, what }) => html`<li>Due ${age(at, now)}: ${what} <span class="quiet">${instant(at)}</span></li>`,
  )}</ul></div>`;
}

function entryView(model: OrderModel, entry: TimelineEntry): Html {
  return html`<li class="entry entry-${entry.kind} ${'verdict' in entry ? `verdict-${entry.verdict}` : ''}" id="${entry.rank}-${encodeURIComponent(entry.key)}">
    <span class="entry-at">${instant(entry.at)}</span>
    <div class="entry-what">${entryBody(model, entry)}</div>
  </li>`;
}

function entryBody(model: OrderModel, entry: TimelineEntry): Html {
  switch (entry.kind) {
    case 'received':
    case 'unapplied':
      return received(model, entry);
    case 'transition':
      return madeHere(model, entry.steps);
    case 'effect':
      return effect(model, entry);
    case 'notification':
      return notification(entry);
    case 'finding':
      return finding(entry);
    case 'cancellation':
      return cancellation(model, entry);
  }
}

type Arrived = Extract<TimelineEntry, { kind: 'received' | 'unapplied' }>;
/** Longer than an event needs to be decided, in ms: it waited for its order, or could not be decided at once. */
const WAITED_MS = 60_000;

/** What arrived, with what it made of the order; and what made nothing, with why. */
function received(model: OrderModel, entry: Arrived): Html {
  const { row, stateAt, now } = model;
  const { provider, eventKey, type, source, verdict, detail, decidedVersion, deliveries, nextAttemptAt, steps } = entry;
  const stateThen = decidedVersion === null ? null : (stateAt.get(decidedVersion) ?? null);
  const raw = `${orderHref(row.order.id)}/events/${encodeURIComponent(provider)}/${encodeURIComponent(eventKey)}`;
  const hasWaited = Date.parse(entry.at) - Date.parse(entry.receivedAt) > WAITED_MS;
  const isPlain = verdict === 'applied' && steps.length > 0 && !detail;
  return html`<p class="entry-title"><span class="quiet">${source}</span> <b>${type}</b> ${source === 'operator' ? '' : html`<span class="quiet">from ${provider}</span>`} ${verdictBadge(verdict)}</p>
    ${isPlain ? '' : html`<p class="became">${whatBecame({ verdict, detail, appliedVersion: null }, stateThen)}${nextAttemptAt ? html` Tried again ${age(nextAttemptAt, now)}.` : ''}</p>`}
    ${stepsMade(model, steps)}
    <p class="quiet entry-foot">${hasWaited ? html`<span>arrived ${instant(entry.receivedAt)}</span>` : ''}${deliveries > 1 ? html`<span>delivered ${deliveries} times</span>` : ''}
      ${copyable(eventKey, { short: true })} <a href="${raw}" aria-label="${type} ${eventKey} as it arrived">as it arrived</a></p>`;
}

/** An event that did not arrive but was made here: by the checkout, the worker, the sweeper or a person. */
function madeHere(model: OrderModel, steps: readonly TransitionRow[]): Html {
  const [first] = steps;
  if (!first) return html``;
  const { type, source, eventKey } = first;
  return html`<p class="entry-title"><span class="quiet">${source}</span> <b>${type}</b></p>
    ${stepsMade(model, steps)}
    ${eventKey ? html`<p class="quiet entry-foot">${copyable(eventKey, { short: true })}</p>` : ''}`;
}

/** The transitions one event made, one below the other; what it said itself stands above them. */
function stepsMade(model: OrderModel, steps: readonly TransitionRow[]): Html | '' {
  const [first] = steps;
  if (!first) return '';
  return html`${moneyTold(first)} ${whoAndWhy(first)}
    <ol class="entry-steps">${steps.map(step => stepMade(model, step, step !== first))}</ol>`;
}

function stepMade({ row, stepAt }: OrderModel, made: TransitionRow, isFollowing: boolean): Html {
  const { version, type } = made;
  const step = stepAt.get(version);
  const replay = html`<a href="${orderHref(row.order.id)}/replay?step=${version}" aria-label="Version ${version} in the replay">version ${version}</a>`;
  const head = html`${stepPath(made)} <span class="quiet">${replay}${isFollowing ? html`, ${type}` : ''}</span>`;
  if (!step?.diff.length) return html`<li>${head}</li>`;
  const count = step.diff.length === 1 ? '1 change' : `${step.diff.length} changes`;
  return html`<li>${head} <details><summary>${count}<span class="hidden"> of version ${version}</span></summary>${differences(step)}</details></li>`;
}

function effect({ row, now }: OrderModel, entry: EffectRow): Html {
  const { status, attempts, lastError } = entry;
  const done = `Done${attempts > 1 ? ` at the ${attempts === 2 ? 'second' : `${attempts}th`} try` : ''}${lastError ? `: ${lastError}` : '.'}`;
  return html`<p class="entry-title"><b>${effectWords(entry, row.order)}</b> ${statusBadge(status)}</p>
    <p>${status === 'done' ? done : progressWords(entry, now)}</p>`;
}

export const statusBadge = (status: EffectRow['status']): Html =>
  toneBadge(status, status === 'done' ? 'good' : status === 'dead' ? 'bad' : 'busy');

function notification({ topic, endpointId, trigger, reason, status, error, ms }: AttemptRow): Html {
  const isTaken = status !== null && status >= 200 && status < 300;
  const answer = status === null ? `no answer: ${error ?? 'nobody knows why'}` : `answered ${status}`;
  return html`<p class="entry-title"><b>told the merchant ${topic}</b> ${toneBadge(isTaken ? 'taken' : 'not taken', isTaken ? 'good' : 'bad')}</p>
    <p>${endpointId} ${answer}, in ${duration(ms)}.${trigger === 'manual' ? ` Sent by hand: ${reason ?? 'no reason noted'}.` : ''}</p>`;
}

function finding({ findingKind, severity, detail, acknowledgedAt, resolvedAt }: FindingRow): Html {
  return html`<p class="entry-title"><b>finding: ${findingKind.replaceAll('_', ' ')}</b> ${toneBadge(resolvedAt ? 'resolved' : severity, resolvedAt ? 'good' : severity === 'critical' ? 'bad' : 'held')}</p>
    <p>${detail}${resolvedAt ? html` Resolved ${instant(resolvedAt)}.` : acknowledgedAt ? html` Acknowledged ${instant(acknowledgedAt)}.` : ''}</p>`;
}

function cancellation({ row }: OrderModel, { reason, by }: CancellationRow): Html {
  return html`<p class="entry-title"><b>subscription to ${row.order.product} cancelled at its end</b></p>
    ${whoAndWhy({ event: { reason, by } })}`;
}
