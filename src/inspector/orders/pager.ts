// The foot of a list: how far it goes, and the ways to newer and older rows.
import { html } from 'hono/html';
import type { Html } from '../page.ts';
import { instant } from '../parts.ts';
import { type LinkParts, linkTo, PAGE_SIZE } from './query.ts';

export type Pages = {
  path: string;
  /** What the address says besides the place. */
  parts: LinkParts;
  /** What a row is: `orders`. */
  rows: string;
  /** This page begins behind this row. */
  cursor: string | undefined;
  newer: boolean;
  /** Of the rows shown; null when there are none. */
  first: string | null;
  last: string | null;
  /** Behind which the list goes on in the direction it was walked. */
  next: string | null;
  /** Looking ended here, before the page was full. */
  lookedTo: Date | null;
  /** Rows that one page looks at. */
  look: number;
};

const NUMBER = new Intl.NumberFormat('en');

export function pager(pages: Pages): Html {
  const { path, parts, rows, lookedTo, look, newer } = pages;
  const { toNewer, toOlder } = placesOf(pages);
  const link = (label: string, rel: string, more: LinkParts) =>
    html`<a class="button" rel="${rel}" href="${linkTo(path, { ...parts, ...more })}">${label}</a>`;
  const isBounded = lookedTo !== null;
  return html`<nav class="pager" aria-label="Pages">
    <p class="note">${
      isBounded
        ? html`Looked at ${NUMBER.format(look)} ${rows}, ${newer ? 'up' : 'back'} to ${instant(lookedTo)}. There may be more behind them.`
        : html`${PAGE_SIZE} ${rows} a page, newest first.`
    }</p>
    <div class="buttons">
      ${pages.cursor ? link('Newest', 'first', {}) : ''}
      ${toNewer ? link(isBounded && newer ? 'Look further on' : 'Newer', 'prev', { cursor: toNewer, dir: 'newer' }) : ''}
      ${toOlder ? link(isBounded && !newer ? 'Look further back' : 'Older', 'next', { cursor: toOlder }) : ''}
    </div>
  </nav>`;
}

/** Behind which row the pages to both sides begin; null where there is none. */
function placesOf({ cursor, newer, first, last, next }: Pages): { toNewer: string | null; toOlder: string | null } {
  if (newer) return { toNewer: next, toOlder: last ?? cursor ?? null };
  // Without a place this is the newest page: what comes newer will stand on it.
  return { toNewer: cursor ? (first ?? cursor) : null, toOlder: next };
}
