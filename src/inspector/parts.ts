// The small pieces pages are made of, so that a state, a verdict, an id, an instant or a sum looks and reads the same
// wherever it stands. Each works without JavaScript; scripts only add to it.
import { html } from 'hono/html';
import { formatAmount } from '../pages/formatAmount.ts';
import type { Html } from './page.ts';

type Tone = 'good' | 'busy' | 'held' | 'bad' | 'quiet';

const STATE_TONES: Readonly<Record<string, Tone>> = {
  created: 'quiet',
  authorized: 'busy',
  captured: 'held',
  subscribed: 'good',
  failed: 'quiet',
  parked: 'bad',
  refunded: 'busy',
};

const VERDICT_TONES: Readonly<Record<string, Tone>> = {
  applied: 'good',
  duplicate: 'quiet',
  stale: 'quiet',
  ignored: 'quiet',
  foreign: 'quiet',
  illegal: 'bad',
  mismatch: 'bad',
  parked: 'bad',
  surplus: 'held',
  unmatched: 'held',
};

const VERDICT_WORDS: Readonly<Record<string, string>> = {
  applied: 'It moved the order, or was recorded.',
  duplicate: 'Known already; nothing changed.',
  stale: 'Too late to matter; nothing changed.',
  illegal: 'A request that the state does not allow.',
  mismatch: 'Money that is not what the order costs.',
  surplus: 'Paid more than once.',
  unmatched: 'No order is known for it yet; tried again.',
  foreign: 'Not ours: it carries no mark of ours.',
  parked: 'Kept for a person to decide.',
  ignored: 'A type nobody uses here.',
};

/** The state of an order. */
export function badge(state: string): Html {
  return html`<span class="badge tone-${STATE_TONES[state] ?? 'quiet'}">${state}</span>`;
}

/** What became of an event, with what that means on hover. */
export function verdictBadge(verdict: string): Html {
  return html`<span class="badge tone-${VERDICT_TONES[verdict] ?? 'quiet'}" title="${VERDICT_WORDS[verdict] ?? ''}">${verdict}</span>`;
}

/** A word in a colour of its own, for what is neither state nor verdict: the status of an effect, a cause. */
export function toneBadge(word: string, tone: Tone): Html {
  return html`<span class="badge tone-${tone}">${word}</span>`;
}

/** Characters of a long id that are shown of its beginning and end. */
const SHORT_HEAD = 8;
const SHORT_TAIL = 6;

/** The two ends of an id: time-ordered ids of one minute differ only in the last ones. */
export function shortId(id: string): string {
  return id.length <= SHORT_HEAD + SHORT_TAIL + 1 ? id : `${id.slice(0, SHORT_HEAD)}…${id.slice(-SHORT_TAIL)}`;
}

/** An id, whole on hover, with a button that copies it where scripts run. `short` shows its ends only. */
export function copyable(id: string, { short = false, href }: { short?: boolean; href?: string } = {}): Html {
  const shown = html`<code title="${id}">${short ? shortId(id) : id}</code>`;
  return html`<span class="copyable">${href ? html`<a href="${href}">${shown}</a>` : shown}<button type="button" class="copy" data-copy="${id}" aria-label="Copy ${id}" hidden></button></span>`;
}

const isoOf = (at: Date | string): string => (typeof at === 'string' ? at : at.toISOString());
/** `2026-01-31 10:00:00 UTC` */
const utcText = (iso: string): string => `${iso.slice(0, 10)} ${iso.slice(11, 19)} UTC`;

/** An instant: UTC as served, local time by script, then with UTC on hover. */
export function instant(at: Date | string): Html {
  const iso = isoOf(at);
  return html`<time datetime="${iso}" title="${utcText(iso)}">${utcText(iso)}</time>`;
}

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** `340 ms`, `12 s`, `3 min 20 s`, `2 h 5 min`, `4 d 3 h` */
export function duration(ms: number): string {
  const whole = Math.max(0, Math.round(ms));
  if (whole < 1_000) return `${whole} ms`;
  if (whole < MINUTE_MS) return `${Math.floor(whole / 1_000)} s`;
  const [big, unit, small, rest] =
    whole < HOUR_MS
      ? [Math.floor(whole / MINUTE_MS), 'min', Math.floor((whole % MINUTE_MS) / 1_000), 's']
      : whole < DAY_MS
        ? [Math.floor(whole / HOUR_MS), 'h', Math.floor((whole % HOUR_MS) / MINUTE_MS), 'min']
        : [Math.floor(whole / DAY_MS), 'd', Math.floor((whole % DAY_MS) / HOUR_MS), 'h'];
  return small === 0 ? `${big} ${unit}` : `${big} ${unit} ${small} ${rest}`;
}

/** `3 min ago` or `in 40 s`, with the instant on hover. A script keeps it true while the page stands. */
export function age(at: Date | string, now: Date): Html {
  const iso = isoOf(at);
  const ms = now.getTime() - new Date(iso).getTime();
  const words = ms >= 0 ? `${coarse(ms)} ago` : `in ${coarse(-ms)}`;
  return html`<time datetime="${iso}" data-age title="${utcText(iso)}">${words}</time>`;
}

/** The largest unit only: whoever reads how long ago reads how big. */
const coarse = (ms: number): string => (ms < 1_000 ? '0 s' : duration(ms).split(' ').slice(0, 2).join(' '));

/** A sum with its currency, in figures that stand below each other. */
export function money(amountMinor: number, currency: string): Html {
  return html`<span class="money">${formatAmount(amountMinor, currency)}</span>`;
}

/** Nothing to show: what that means, and what to do. */
export function emptyState(title: string, sentence: string, action?: { href: string; label: string }): Html {
  return html`<div class="empty">
    <p class="empty-title">${title}</p>
    <p>${sentence}</p>
    ${action ? html`<p><a class="button" href="${action.href}">${action.label}</a></p>` : ''}
  </div>`;
}

export type Definition = { term: string; value: Html | string | number | null };

/** Names and values below each other; a missing value is a dash. */
export function definitionList(entries: readonly Definition[]): Html {
  return html`<dl class="facts">${entries.map(
    ({ term, value }) => html`<div><dt>${term}</dt><dd>${value === null || value === '' ? '–' : value}</dd></div>`,
  )}</dl>`;
}

export type Panel = {
  /** Of the section, so that it can be linked to. */
  id: string;
  title: string;
  /** At the right of the title: a count, a switch, when the numbers were true. */
  aside?: Html | string;
  /** The section follows what happens. False where somebody fills in a form. */
  live?: boolean;
  body: Html;
};

/** A titled section in a frame. */
export function panel({ id, title, aside, live = true, body }: Panel): Html {
  return html`<section class="panel" id="${id}" aria-labelledby="${id}-title" ${live ? html`data-live="${id}"` : ''}>
    <header class="panel-head"><h2 id="${id}-title">${title}</h2>${aside ? html`<div class="aside">${aside}</div>` : ''}</header>
    <div class="panel-body">${body}</div>
  </section>`;
}

/** Says something about the page that must not be missed. */
export function notice(tone: 'good' | 'held' | 'bad', text: Html | string): Html {
  return html`<div class="notice tone-${tone}" ${tone === 'bad' ? html`role="alert"` : ''}>${text}</div>`;
}
