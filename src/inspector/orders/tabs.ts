// One list in several views, side by side, each with how much is in it.
import { html } from 'hono/html';
import type { Html } from '../page.ts';

export type Tab = {
  label: string;
  href: string;
  isCurrent: boolean;
  /** Null where nobody counts. */
  count: number | null;
  /** Counts end here: as many or more is shown as more. */
  limit: number;
  /** Somebody should look, if there is any. */
  isUrgent: boolean;
};

export function tabs(name: string, id: string, all: readonly Tab[]): Html {
  return html`<nav class="tabs" aria-label="${name}" id="${id}" data-live="${id}">${all.map(
    ({ label, href, isCurrent, count, limit, isUrgent }) =>
      html`<a href="${href}" ${isCurrent ? html`aria-current="page"` : ''}>${label}${count ? html` <span class="tab-count ${isUrgent ? 'urgent' : ''}">${shown(count, limit)}</span>` : ''}</a>`,
  )}</nav>`;
}

const NUMBER = new Intl.NumberFormat('en');
const shown = (count: number, limit: number): string =>
  count > limit ? `${NUMBER.format(limit)}+` : NUMBER.format(count);
