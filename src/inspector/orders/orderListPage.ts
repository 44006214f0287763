// The list of orders: any id is searched for, any filters together, newest first. A search that can only mean one order,
// or one event without an order, goes straight to it.
import type { Context } from 'hono';
import { html } from 'hono/html';
import type { EventListRow } from '../../../db/inspect/eventList.ts';
import { CANDIDATES, LOOK, listOrderIds, type OrderListFilter } from '../../../db/inspect/orderList.ts';
import { readOrderRows } from '../../../db/inspect/orderRows.ts';
import { BEGINNING_LIMIT, FOUND_LIMIT, type Found, findKept, findOrders } from '../../../db/inspect/orderSearch.ts';
import { ORDER_STATES } from '../../../machines/orderStates.ts';
import { KNOWN_MACHINE_IDS } from '../../../machines/versions.ts';
import { eventHref } from '../events/eventHref.ts';
import { eventTable } from '../events/eventTable.ts';
import { type Html, type InspectorDeps, type InspectorEnv, renderPage } from '../page.ts';
import { emptyState, notice, panel } from '../parts.ts';
import { CAUSE_WORDS, CAUSES } from './causes.ts';
import { choicesOf, type FilterField, filterChips, filterForm } from './filters.ts';
import { listPanel } from './listPanel.ts';
import { orderTable } from './orderTable.ts';
import { pager } from './pager.ts';
import {
  idMeant,
  linkTo,
  ORDER_VERDICTS,
  type OrderListQuery,
  orderLink,
  PAGE_SIZE,
  readOrderListQuery,
} from './query.ts';

const PATH = '/inspector/orders';

type Deps = Pick<InspectorDeps, 'db' | 'core' | 'clock'>;

export async function orderListPage(c: Context<InspectorEnv>, deps: Deps): Promise<Response> {
  const query = readOrderListQuery(c.req.query());
  const { q, state, provider, verdict, cause, from, to, cursor, dir } = query;
  const sought = q === undefined ? null : idMeant(q);
  const [found, kept] =
    sought === null ? [null, []] : await Promise.all([findOrders(deps.db, sought), findKept(deps.db, sought)]);
  const only = onlyOne(found);
  const isPlain = !state && !provider && !verdict && !cause && !from && !to && !cursor;
  if (only && isPlain && kept.length === 0) return c.redirect(orderLink(only), 303);
  const [event] = kept;
  if (event && kept.length === 1 && found?.length === 0 && isPlain) return c.redirect(eventHref(event), 303);

  const now = deps.clock();
  const filter: OrderListFilter = {
    ids: found && [...new Set(found.map(one => one.id))],
    state: state ?? null,
    provider: provider ?? null,
    verdict: verdict ?? null,
    cause: cause ?? null,
    from: from ?? null,
    to: to ?? null,
    now,
    machines: KNOWN_MACHINE_IDS,
  };
  const newer = dir === 'newer';
  const page = await listOrderIds(deps.db, filter, { cursor: cursor ?? null, newer, limit: PAGE_SIZE });
  const parts = { q, state, provider, verdict, cause, from, to };
  // The way up has ended before the page was full: that is the newest page, shown whole.
  if (newer && page.next === null && page.ids.length < PAGE_SIZE) return c.redirect(linkTo(PATH, parts), 303);

  const rows = await readOrderRows(deps.db, page.ids);
  const fields = fieldsOf(query, deps);
  const pages = pager({
    path: PATH,
    parts,
    rows: 'orders',
    cursor,
    newer,
    first: page.ids[0] ?? null,
    last: page.ids.at(-1) ?? null,
    next: page.next,
    lookedTo: page.lookedTo,
    look: LOOK,
  });
  return renderPage(c, {
    title: q === undefined ? 'Orders' : `Orders: ${q}`,
    nav: 'orders',
    // A search is a question asked once; the list goes on.
    ...(q === undefined && { live: {} }),
    main: html`<div class="page-head"><h1>${titleOf(found, q)}</h1></div>
      ${filterForm(PATH, fields)} ${filterChips(PATH, fields)}
      ${page.cut ? notice('held', cutSentence(filter)) : ''} ${found && isCut(found) ? notice('held', 'More orders fit than are listed. Type more of the id.') : ''}
      ${listPanel(rows.length > 0 ? html`${orderTable(rows, now)}${pages}` : nothing(query, found, kept, pages, page.lookedTo !== null))}
      ${kept.length > 0 ? keptPanel(kept, now, q ?? '') : ''}`,
  });
}

const isCut = (found: readonly Found[]): boolean =>
  found.length >= (found[0]?.name === 'order' ? BEGINNING_LIMIT : FOUND_LIMIT);

/** The order that all names found lead to. */
function onlyOne(found: readonly Found[] | null): string | null {
  const ids = new Set(found?.map(one => one.id));
  return ids.size === 1 ? ([...ids][0] ?? null) : null;
}

function titleOf(found: readonly Found[] | null, q: string | undefined): string {
  if (!found?.length) return 'Orders';
  const names = [...new Set(found.map(one => one.name))];
  return `Orders with the ${names.join(' and the ')} ${q}`;
}

const cutSentence = ({ cause, verdict, state }: OrderListFilter): string =>
  `There are more than ${CANDIDATES.toLocaleString('en')} ${cause ? 'stuck orders' : `orders with ${verdict ?? state}`} to look at; ${CANDIDATES.toLocaleString('en')} of them were.`;

function fieldsOf(query: OrderListQuery, { core }: Deps): FilterField[] {
  const providers = [...new Set([...core.providers.keys(), ...(query.provider ? [query.provider] : [])])];
  const causes = CAUSES.map(value => ({ value, label: CAUSE_WORDS[value].label }));
  const choice = (name: 'state' | 'provider' | 'verdict' | 'cause', label: string) =>
    ({ kind: 'choice', name, label, value: query[name], any: 'Any' }) as const;
  return [
    { kind: 'kept', name: 'q', label: 'Id', value: query.q },
    { ...choice('state', 'State'), choices: choicesOf(ORDER_STATES) },
    { ...choice('provider', 'Provider'), choices: choicesOf(providers) },
    { ...choice('verdict', 'Had verdict'), choices: choicesOf(ORDER_VERDICTS) },
    { ...choice('cause', 'Stuck for'), any: 'Not asked', choices: [{ value: 'any', label: 'any cause' }, ...causes] },
    { kind: 'instant', name: 'from', label: 'Made from (UTC)', value: query.from },
    { kind: 'instant', name: 'to', label: 'Made before (UTC)', value: query.to },
  ];
}

const KINDS_OF_IDS = `We looked among our orders (also by the beginning of their id), the providers’ orders, payments, refunds, disputes and
  subscriptions, users, events, checkout keys and effects, and among the events that belong to no order yet. Every other id must be whole.`;

function nothing(
  query: OrderListQuery,
  found: readonly Found[] | null,
  kept: readonly EventListRow[],
  pages: Html,
  isBounded: boolean,
): Html {
  const { q, state, provider, verdict, cause, from, to, cursor } = query;
  const isFiltered = Boolean(state || provider || verdict || cause || from || to);
  if (q !== undefined && found?.length === 0) {
    if (kept.length > 0)
      return emptyState(
        `No order has ${q}`,
        'But something that carries it has arrived, and waits for its order: see below.',
      );
    return emptyState(`Nothing found for “${q}”`, KINDS_OF_IDS, {
      href: '/inspector/events?verdict=unmatched',
      label: 'See events without an order',
    });
  }
  if (isBounded || cursor)
    return html`${emptyState('No order fits here', isBounded ? 'Those that were looked at do not fit. Look further, or set a time.' : 'The list ends here.')}${pages}`;
  if (isFiltered)
    return emptyState('No order fits these filters', 'Take one of them away, or look at all orders.', {
      href: PATH,
      label: 'All orders',
    });
  return emptyState(
    'There is no order yet',
    'The first one appears when a checkout is made: POST /v1/checkouts, or the shop at / where the sandbox is on.',
    { href: '/docs', label: 'API reference' },
  );
}

const keptPanel = (kept: readonly EventListRow[], now: Date, q: string): Html =>
  panel({
    id: 'kept',
    title: `Events that carry ${q} and belong to no order`,
    live: false,
    body: eventTable(kept, now, { verdict: true, order: false }),
  });
