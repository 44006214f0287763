// The orders that do not move by themselves, by what holds them, and the way to try all of one cause again.
import type { Context } from 'hono';
import { html } from 'hono/html';
import { CANDIDATES, LOOK, listOrderIds } from '../../../db/inspect/orderList.ts';
import { readOrderRows } from '../../../db/inspect/orderRows.ts';
import { COUNT_LIMIT, countStuckByCause } from '../../../db/inspect/stuckCount.ts';
import type { StuckCause } from '../../../db/orders.ts';
import { KNOWN_MACHINE_IDS } from '../../../machines/versions.ts';
import { type Html, type InspectorDeps, type InspectorEnv, renderPage, type Viewer } from '../page.ts';
import { emptyState, notice } from '../parts.ts';
import { CAUSE_WORDS, CAUSES } from './causes.ts';
import { listPanel } from './listPanel.ts';
import { stuckTable } from './orderTable.ts';
import { pager } from './pager.ts';
import { linkTo, PAGE_SIZE, readStuckQuery } from './query.ts';
import { tabs } from './tabs.ts';

const PATH = '/inspector/stuck';

/** Tries all orders of a cause again; what stands below their list. */
export type BulkRetryForm = (viewer: Viewer, cause: StuckCause, count: number) => Html | '';

export type StuckDeps = Pick<InspectorDeps, 'db' | 'clock'> & { bulkRetryForm: BulkRetryForm };

export async function stuckPage(c: Context<InspectorEnv>, { db, clock, bulkRetryForm }: StuckDeps): Promise<Response> {
  const { cause, cursor, dir } = readStuckQuery(c.req.query());
  const now = clock();
  const newer = dir === 'newer';
  const asked = { now, machines: KNOWN_MACHINE_IDS };
  const anything = { ids: null, state: null, provider: null, verdict: null, from: null, to: null };
  const [page, counts] = await Promise.all([
    listOrderIds(
      db,
      { ...asked, ...anything, cause: cause ?? 'any' },
      { cursor: cursor ?? null, newer, limit: PAGE_SIZE },
    ),
    countStuckByCause(db, asked),
  ]);
  if (newer && page.next === null && page.ids.length < PAGE_SIZE) return c.redirect(linkTo(PATH, { cause }), 303);
  const rows = await readOrderRows(db, page.ids);
  const pages = pager({
    path: PATH,
    parts: { cause },
    rows: 'orders',
    cursor,
    newer,
    first: page.ids[0] ?? null,
    last: page.ids.at(-1) ?? null,
    next: page.next,
    lookedTo: null,
    look: LOOK,
  });
  return renderPage(c, {
    title: cause ? `Stuck: ${CAUSE_WORDS[cause].label}` : 'Stuck',
    nav: 'stuck',
    live: {},
    main: html`<div class="page-head"><h1>Stuck orders</h1></div>
      ${tabs('Causes', 'stuck-tabs', causeTabs(cause, counts))}
      ${cause ? html`<p class="cause"><b>${CAUSE_WORDS[cause].sentence}</b> ${CAUSE_WORDS[cause].advice}</p>` : ''}
      ${!cause && rows.length > 1 ? html`<p class="cause">Choose a cause, and all that are stuck for it can be retried together.</p>` : ''}
      ${page.cut ? notice('held', `More than ${CANDIDATES.toLocaleString('en')} orders are stuck. ${CANDIDATES.toLocaleString('en')} of each cause are listed; a bulk retry reaches all of them.`) : ''}
      ${listPanel(rows.length > 0 ? html`${stuckTable(rows, now)}${pages}` : nothing(cause, cursor, pages))}
      ${cause && counts[cause] > 0 ? bulkRetryForm(c.var.viewer, cause, counts[cause]) : ''}`,
  });
}

function causeTabs(now: StuckCause | undefined, counts: Readonly<Record<StuckCause, number>>) {
  const one = (cause: StuckCause | undefined, label: string, count: number | null) => ({
    label,
    href: linkTo(PATH, { cause }),
    isCurrent: cause === now,
    count,
    limit: COUNT_LIMIT,
    isUrgent: true,
  });
  return [one(undefined, 'All', null), ...CAUSES.map(cause => one(cause, CAUSE_WORDS[cause].label, counts[cause]))];
}

function nothing(cause: StuckCause | undefined, cursor: string | undefined, pages: Html): Html {
  if (cursor) return html`${emptyState('The list ends here', 'What was stuck behind this place moves again.')}${pages}`;
  if (cause)
    return emptyState(`No order is stuck for this: ${CAUSE_WORDS[cause].label.toLowerCase()}`, 'There may be others.', {
      href: PATH,
      label: 'Every cause',
    });
  return emptyState(
    'No order is stuck',
    'Nothing is parked, nothing paid waits for its grant, no effect is dead, no deadline was missed, and every order can be read. Money that shows nowhere may be an event without an order.',
    { href: '/inspector/events?verdict=unmatched', label: 'See events without an order' },
  );
}
