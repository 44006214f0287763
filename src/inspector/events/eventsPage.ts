// What was received, by what became of it: above all the events that moved no order, with the reason.
import type { Context } from 'hono';
import { html } from 'hono/html';
import type { EventRef } from '../../../db/inbox.ts';
import { type AnyVerdict, COUNT_LIMIT, countEvents, LOOK, listEvents } from '../../../db/inspect/eventList.ts';
import { InvalidRequest } from '../../errors.ts';
import { eventCursor, readEventCursor } from '../../eventCursor.ts';
import { choicesOf, type FilterField, filterChips, filterForm } from '../orders/filters.ts';
import { listPanel } from '../orders/listPanel.ts';
import { pager } from '../orders/pager.ts';
import { EVENT_VERDICTS, type EventsQuery, linkTo, PAGE_SIZE, readEventsQuery } from '../orders/query.ts';
import { tabs } from '../orders/tabs.ts';
import { type Html, type InspectorDeps, type InspectorEnv, renderPage } from '../page.ts';
import { emptyState } from '../parts.ts';
import { eventTable } from './eventTable.ts';

const PATH = '/inspector/events';
/** What is looked at first: money that may show nowhere. */
const FIRST = 'unmatched';

const WORDS: Readonly<Record<AnyVerdict | 'any', { sentence: string; empty: string }>> = {
  unmatched: {
    sentence: 'No order is known for these yet. Each is decided again by itself, and when its order appears.',
    empty: 'Every event that could be ours has found its order.',
  },
  foreign: {
    sentence:
      'Nothing in these says that they are ours: the account sells other things, too. They are decided all the same when an order appears that fits.',
    empty: 'Every event of the connected accounts is about one of our orders.',
  },
  parked: {
    sentence: 'These, or their orders, could not be read. They are decided again when a version runs that can.',
    empty: 'Everything that arrived could be read.',
  },
  illegal: {
    sentence: 'Requests that the state of their order did not allow. Nothing was changed.',
    empty: 'Nobody has asked for something that was not allowed.',
  },
  mismatch: {
    sentence:
      'Money that is not what its order costs: another amount, currency, account or mode. It is in the books, and nothing was granted for it.',
    empty: 'All money that came was what its order costs.',
  },
  surplus: {
    sentence: 'Money beyond what an order costs. It is in the books; the plan says whether it goes back.',
    empty: 'Nobody has paid twice.',
  },
  stale: { sentence: 'These came too late to matter. Nothing was changed.', empty: 'Nothing has come too late.' },
  ignored: {
    sentence: 'Types that nothing here uses, kept for the record.',
    empty: 'Providers have sent only what is used here.',
  },
  duplicate: { sentence: 'These told what was known already. Nothing was changed.', empty: 'Nothing was told twice.' },
  applied: { sentence: 'These moved their order, or were recorded with it.', empty: 'Nothing was applied yet.' },
  any: {
    sentence: 'Everything that providers and browsers told, newest first.',
    empty: 'Nothing has arrived yet. A provider calls POST /v1/webhooks/{provider}.',
  },
};

export async function eventsPage(
  c: Context<InspectorEnv>,
  deps: Pick<InspectorDeps, 'db' | 'core' | 'clock'>,
): Promise<Response> {
  const query = readEventsQuery(c.req.query());
  const { provider, from, to, cursor, dir } = query;
  const verdict = query.verdict ?? FIRST;
  const now = deps.clock();
  const newer = dir === 'newer';
  const filter = {
    verdict: verdict === 'any' ? null : verdict,
    provider: provider ?? null,
    from: from ?? null,
    to: to ?? null,
  };
  const place = { cursor: cursor === undefined ? null : placeOf(cursor), newer, limit: PAGE_SIZE };
  const [page, counts] = await Promise.all([listEvents(deps.db, filter, place), countEvents(deps.db)]);
  const parts = { verdict, provider, from, to };
  if (newer && page.next === null && page.events.length < PAGE_SIZE) return c.redirect(linkTo(PATH, parts), 303);

  const fields = fieldsOf(query, [...deps.core.providers.keys()]);
  const at = (event: EventRef | undefined | null) => (event ? eventCursor(event) : null);
  const pages = pager({
    path: PATH,
    parts,
    rows: 'events',
    cursor,
    newer,
    first: at(page.events[0]),
    last: at(page.events.at(-1)),
    next: at(page.next),
    lookedTo: page.lookedTo,
    look: LOOK,
  });
  const body =
    page.events.length > 0
      ? html`${eventTable(page.events, now, columnsOf(verdict))}${pages}`
      : nothing(query, verdict, pages, page.lookedTo !== null);
  return renderPage(c, {
    title: `Events: ${verdict}`,
    nav: 'events',
    live: {},
    main: html`<div class="page-head"><h1>Events</h1><div class="aside"><a href="/inspector/signatures">Wrong signatures</a></div></div>
      ${tabs('Verdicts', 'events-tabs', verdictTabs(verdict, counts, query))}
      ${filterForm(PATH, fields, { verdict })} ${filterChips(PATH, fields, { verdict })}
      <p class="quiet">${WORDS[verdict].sentence}</p>
      ${listPanel(body)}`,
  });
}

/** Events of some verdicts belong to no order. */
const columnsOf = (verdict: AnyVerdict | 'any') => ({
  verdict: verdict === 'any',
  order: !['unmatched', 'foreign', 'ignored'].includes(verdict),
});

function verdictTabs(now: string, counts: Readonly<Record<string, number>>, { provider, from, to }: EventsQuery) {
  return [...EVENT_VERDICTS, 'any'].map(verdict => ({
    label: verdict === 'any' ? 'all' : verdict,
    href: linkTo(PATH, { verdict, provider, from, to }),
    isCurrent: verdict === now,
    count: counts[verdict] ?? null,
    limit: COUNT_LIMIT,
    isUrgent: verdict === 'parked' || verdict === 'unmatched' || verdict === 'mismatch',
  }));
}

function fieldsOf(query: EventsQuery, providers: readonly string[]): FilterField[] {
  const known = [...new Set([...providers, ...(query.provider ? [query.provider] : [])])];
  return [
    {
      kind: 'choice',
      name: 'provider',
      label: 'Provider',
      value: query.provider,
      any: 'Any',
      choices: choicesOf(known),
    },
    { kind: 'instant', name: 'from', label: 'Received from (UTC)', value: query.from },
    { kind: 'instant', name: 'to', label: 'Received before (UTC)', value: query.to },
  ];
}

function nothing(
  { provider, from, to, cursor }: EventsQuery,
  verdict: AnyVerdict | 'any',
  pages: Html,
  isBounded: boolean,
): Html {
  if (isBounded)
    return html`${emptyState('No event fits here', 'Those that were looked at do not fit. Look further, or set a time.')}${pages}`;
  if (cursor) return html`${emptyState('The list ends here', 'There are newer events.')}${pages}`;
  if (provider || from || to)
    return emptyState('No event fits these filters', 'Take one of them away.', {
      href: linkTo(PATH, { verdict }),
      label: 'Clear the filters',
    });
  return emptyState(verdict === 'any' ? 'No event yet' : `No event is ${verdict}`, WORDS[verdict].empty);
}

function placeOf(cursor: string): EventRef {
  const place = readEventCursor(cursor);
  if (!place) throw new InvalidRequest('The place in the list must be from a link of this page.');
  return place;
}
