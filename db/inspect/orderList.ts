// A page of orders, newest first, by any combination of filters, in time that does not grow with the table.
//
// One filter drives: it names orders by an index of its own, and the others look at what it names.
//
//   driver                                index                                      what it costs when money comes in
//   an id                                 the key of each table, orders_user_id …    nothing: there for other reasons
//   cause                                 orders_wake_at, outbox_dead,               nothing: there for the sweeper, the
//                                         orders_unsettled_by_state,                 worker and the API
//                                         orders_other_machine, inbox_parked_received
//   verdict illegal, mismatch,            inbox_{verdict}_received                   nothing until an event has that verdict,
//           surplus, parked                                                          then one entry of 80 bytes
//   state authorized, captured, parked    orders_unsettled_by_state                  nothing: there for the sweeper
//   everything else, from, to             orders_created_at                          an entry at its right edge each time the
//                                                                                    order's row is written: 230 bytes of
//                                                                                    log an order, 2 % of what it writes
//
// The first four are few orders: at most CANDIDATES of them are taken and sorted. The last walks down the index and looks
// at LOOK orders at most; a page that was not filled by then says how far back it has looked and goes on from there. So a
// filter that fits one order in a million answers as fast as one that fits them all, and no index is needed for it.
import { arrayLiteral } from '../arrays.ts';
import type { Database, Param } from '../client.ts';
import type { StuckCause } from '../orders.ts';
import {
  DEAD_FOR_ORDER,
  deadlinePassed,
  grantFailed,
  isParked,
  KEPT_FOR_ORDER,
  otherChart,
  unreadable,
} from '../stuckCauses.ts';
import { UNSETTLED_STATES } from './overviewStuck.ts';

/** Orders that one page looks at on its way back in time: what is read in some tens of milliseconds. */
export const LOOK = 20_000;
/**
 * Orders taken of a list that should be short, each looked up by its key: that takes as long as looking at ten times as many
 * in their order. With more of them stuck, nobody goes through them one by one.
 */
export const CANDIDATES = 2_000;

/** Verdicts so rare that the orders that have one are found by them. */
export const RARE_VERDICTS = ['illegal', 'mismatch', 'surplus', 'parked'] as const;

export type OrderListFilter = {
  /** Only these, as a search found them. */
  ids: readonly string[] | null;
  state: string | null;
  provider: string | null;
  /** An event of the order has it. */
  verdict: string | null;
  /** Stuck for it; one with a dead effect may show a graver cause. `any` for each of them. */
  cause: StuckCause | 'any' | null;
  /** When the order was made: from this instant, and before that one. */
  from: Date | null;
  to: Date | null;
  /** A deadline is missed at this instant or not. */
  now: Date;
  /** The charts that can be read here; orders on others are stuck. */
  machines: readonly string[];
};

export type OrderListPlace = {
  /** The page begins behind this order. */
  cursor: string | null;
  /** Towards newer orders instead of older ones. */
  newer: boolean;
  limit: number;
};

export type OrderListPage = {
  /** Newest first. */
  ids: string[];
  /** The order behind which the next page in the same direction begins; null at the end. */
  next: string | null;
  /** The page ended here before it was full, because enough had been looked at. */
  lookedTo: Date | null;
  /** More orders would have to be looked at than are: only CANDIDATES of them were. */
  cut: boolean;
};

/** Parameters in the order their places were handed out. */
function params() {
  const values: Param[] = [];
  return {
    values,
    add: (value: Param) => `$${values.push(value)}`,
    list: (list: readonly string[]) => `$${values.push(JSON.stringify(list))}::text::jsonb`,
  };
}
type Params = ReturnType<typeof params>;

const idsOf = (source: string, order: string, limit: number) => `(select ${source} order by ${order} limit ${limit})`;
const unsettled = (state: string, limit: number) =>
  idsOf(`id from orders where state in ('authorized', 'captured', 'parked') and state = ${state}`, 'id desc', limit);

type StuckAt = Pick<OrderListFilter, 'now' | 'machines'>;

/** The orders that are stuck for each cause, each by its index, and no more of them than `limit` by one index. */
const STUCK: Record<StuckCause, (p: Params, at: StuckAt, limit: number) => string> = {
  // Those that wait longest, if there are too many.
  deadline_passed: (p, { now }, limit) =>
    idsOf(`id from orders where ${deadlinePassed(p.add(now.toISOString()))}`, 'wake_at, id', limit),
  effect_dead: (_p, _at, limit) => idsOf(`order_id from outbox where ${DEAD_FOR_ORDER}`, 'order_id desc', limit),
  parked: (_p, _at, limit) => idsOf(`id from orders where ${isParked()}`, 'id desc', limit),
  grant_failed: (_p, _at, limit) => idsOf(`id from orders where ${grantFailed()}`, 'id desc', limit),
  // The charts are a filter of each row, and no list to be joined with: so the index is walked only as far as needed.
  snapshot_unreadable: (p, { machines }, limit) =>
    `${idsOf(`id from orders where ${otherChart(p.add(arrayLiteral(machines)))}`, 'machine, id', limit)} union
     ${idsOf(`order_id from inbox where ${KEPT_FOR_ORDER}`, 'received_at', limit)}`,
};
const CAUSES = Object.keys(STUCK) as StuckCause[];

/** The same as a question about one order; `offset 0`, so that it is asked by the order's id and never answered for all. */
const IS_STUCK: Record<StuckCause, (p: Params, at: StuckAt) => string> = {
  deadline_passed: (p, { now }) => deadlinePassed(p.add(now.toISOString()), 'o.'),
  effect_dead: () => `exists (select from outbox x where x.order_id = o.id and x.status = 'dead' offset 0)`,
  parked: () => isParked('o.'),
  grant_failed: () => grantFailed('o.'),
  snapshot_unreadable: (p, { machines }) =>
    `(${otherChart(p.add(arrayLiteral(machines)), 'o.')} or exists (select from (select * from inbox where order_id = o.id offset 0) i where ${KEPT_FOR_ORDER}))`,
};

const isRare = (verdict: string): verdict is (typeof RARE_VERDICTS)[number] =>
  RARE_VERDICTS.some(one => one === verdict);

/** SQL of the few orders that the driving filter names; null when nothing narrower than time drives. */
function candidates(p: Params, filter: OrderListFilter): string | null {
  const { ids, cause, verdict, state } = filter;
  if (ids) return `select k.id from jsonb_array_elements_text(${p.list(ids)}) k(id)`;
  if (cause) return (cause === 'any' ? CAUSES : [cause]).map(one => STUCK[one](p, filter, CANDIDATES)).join(' union ');
  if (verdict && isRare(verdict))
    return idsOf(
      `order_id from inbox where verdict = '${verdict}'`,
      'received_at desc, event_key desc, provider desc',
      CANDIDATES,
    );
  if (state && UNSETTLED_STATES.some(one => one === state)) return unsettled(p.add(state), CANDIDATES);
  return null;
}

/** What is asked of each order besides its time. */
function conditions(p: Params, filter: OrderListFilter): string {
  const { state, provider, verdict, cause } = filter;
  const asked: string[] = ['true'];
  if (state) asked.push(`o.state = ${p.add(state)}`);
  if (provider) asked.push(`o.provider = ${p.add(provider)}`);
  // Whoever is among the candidates for a rare verdict has it.
  if (verdict && (filter.ids || cause || !isRare(verdict)))
    asked.push(`exists (select from inbox i where i.order_id = o.id and i.verdict = ${p.add(verdict)} offset 0)`);
  // Whoever is among the candidates for a cause is stuck for it.
  if (cause && filter.ids)
    asked.push(`(${(cause === 'any' ? CAUSES : [cause]).map(one => IS_STUCK[one](p, filter)).join(' or ')})`);
  return asked.join(' and ');
}

/** The stretch of time that is looked at, from the place on. */
function stretch(p: Params, { from, to }: OrderListFilter, { cursor, newer }: OrderListPlace): string {
  const asked: string[] = ['true'];
  if (from) asked.push(`o.created_at >= ${p.add(from.toISOString())}::text::timestamptz`);
  if (to) asked.push(`o.created_at < ${p.add(to.toISOString())}::text::timestamptz`);
  if (cursor) {
    const place = `(select c.created_at, c.id from orders c where c.id = ${p.add(cursor)})`;
    asked.push(`(o.created_at, o.id) ${newer ? '>' : '<'} ${place}`);
  }
  return asked.join(' and ');
}

const inOrder = ({ newer }: OrderListPlace) => (newer ? 'o.created_at, o.id' : 'o.created_at desc, o.id desc');
const COLUMNS = 'o.id, o.created_at, o.state, o.provider, o.wake_at, o.machine';

/** One page of ids, newest first. `readOrderRows` tells what is to be shown of them. */
export async function listOrderIds(
  db: Database,
  filter: OrderListFilter,
  place: OrderListPlace,
): Promise<OrderListPage> {
  const p = params();
  const few = candidates(p, filter);
  const found = few === null ? await walk(db, filter, place) : await among(db, p, few, filter, place);
  const isFull = found.ids.length > place.limit;
  const ids = found.ids.slice(0, place.limit);
  const horizon = !isFull && few === null ? await horizonOf(db, filter, place) : null;
  const next = isFull ? (ids.at(-1) ?? null) : (horizon?.id ?? null);
  if (place.newer) ids.reverse();
  return { ids, next, lookedTo: horizon?.createdAt ?? null, cut: found.cut };
}

type FoundIds = { ids: string[]; cut: boolean };

/** Each candidate is looked up by its key; `offset 0`, so that no planner reads all orders to find a few, as it would of a small shop. */
async function among(
  db: Database,
  p: Params,
  few: string,
  filter: OrderListFilter,
  place: OrderListPlace,
): Promise<FoundIds> {
  const rows = await db.query<{ id: string | null; named: number }>(
    `with ${unreadable(p.add(arrayLiteral(filter.machines)))},
     few as materialized (select distinct f.id from (${few}) f(id) where f.id is not null),
     page as (
       select o.id, o.created_at from few cross join lateral (select ${COLUMNS} from orders o where o.id = few.id offset 0) o
       where ${stretch(p, filter, place)} and ${conditions(p, filter)} order by ${inOrder(place)} limit ${p.add(place.limit + 1)})
     select o.id, n.named from (select count(*)::int as named from few) n left join page o on true order by ${inOrder(place)}`,
    p.values,
  );
  return {
    ids: rows.flatMap(row => (row.id === null ? [] : [row.id])),
    cut: filter.ids === null && (rows[0]?.named ?? 0) >= CANDIDATES,
  };
}

/** Down the index of time: the inner limit is where looking ends, whatever the conditions let through. */
async function walk(db: Database, filter: OrderListFilter, place: OrderListPlace): Promise<FoundIds> {
  const p = params();
  const rows = await db.query<{ id: string }>(
    `select o.id from (select ${COLUMNS} from orders o where ${stretch(p, filter, place)} order by ${inOrder(place)} limit ${LOOK}) o
     where ${conditions(p, filter)} order by ${inOrder(place)} limit ${p.add(place.limit + 1)}`,
    p.values,
  );
  return { ids: rows.map(row => row.id), cut: false };
}

/** The last order a walk looks at, if there is one behind it. */
async function horizonOf(
  db: Database,
  filter: OrderListFilter,
  place: OrderListPlace,
): Promise<{ id: string; createdAt: Date } | null> {
  const p = params();
  const rows = await db.query<{ id: string; createdAt: Date }>(
    `select o.id, o.created_at as "createdAt" from orders o where ${stretch(p, filter, place)}
     order by ${inOrder(place)} offset ${LOOK - 1} limit 2`,
    p.values,
  );
  return rows.length === 2 ? (rows[0] ?? null) : null;
}
