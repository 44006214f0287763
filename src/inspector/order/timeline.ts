// The timeline: everything that arrived for an order and everything that was done, in one list, newest first; above all
// what arrived and changed nothing, and why.
import { html } from 'hono/html';
import type {
  AttemptRow,
  EffectRow,
  FindingRow,
  ReceivedRow,
  TimelineEntry,
  TransitionRow,
} from '../../../db/inspect/orderPageRows.ts';
import type { CancellationRow } from '../../../db/users.ts';
import type { Html } from '../page.ts';
import {
  age,
  badge,
  copyable,
  duration,
  emptyState,
  instant,
  money,
  panel,
  toneBadge,
  verdictBadge,
} from '../parts.ts';
import { deadlineWords, effectWords, progressWords } from './effectWords.ts';
import type { OrderModel } from './model.ts';
import { entryCursorText, orderHref, pageHref, TIMELINE_FILTERS, TIMELINE_PAGE } from './pageQuery.ts';
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
      return step(model, entry);
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

function received({ row, stateAt, now }: OrderModel, entry: ReceivedRow): Html {
  const { provider, eventKey, type, source, verdict, decidedVersion, deliveries, nextAttemptAt } = entry;
  const stateThen = decidedVersion === null ? null : (stateAt.get(decidedVersion) ?? null);
  const raw = `${orderHref(row.order.id)}/events/${encodeURIComponent(provider)}/${encodeURIComponent(eventKey)}`;
  return html`<p class="entry-title"><b>${type}</b> ${verdictBadge(verdict)}</p>
    <p>${whatBecame(entry, stateThen)}${nextAttemptAt ? html` Tried again ${age(nextAttemptAt, now)}.` : ''}</p>
    <p class="quiet entry-foot"><span>${source === 'operator' ? 'told by an operator' : `${source} from ${provider}`}${deliveries > 1 ? `, delivered ${deliveries} times` : ''}</span>
      ${copyable(eventKey, { short: true })} <a href="${raw}" aria-label="${type} ${eventKey} as it arrived">as it arrived</a></p>`;
}

function step({ row }: OrderModel, entry: TransitionRow): Html {
  const { version, type, from, to, source } = entry;
  return html`<p class="entry-title">${from && from !== to ? html`${badge(from)} <span aria-hidden="true">→</span><span class="hidden">to</span> ` : ''}${badge(to)} <b>${type}</b></p>
    ${moneyTold(entry)} ${whoAndWhy(entry)}
    <p class="quiet entry-foot"><span>version ${version}, by ${source}</span> <a href="${orderHref(row.order.id)}/replay?step=${version}">step ${version} of the replay</a></p>`;
}

/** Which money the event was about: what somebody with a customer on the phone compares first. */
function moneyTold({ event }: TransitionRow): Html | '' {
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
