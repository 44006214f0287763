// The orders that are stuck for one cause, a page at a time, for a retry of all of them. By id and not by when they were made:
// each cause has an index that holds ids, so that a page costs no more when tens of thousands are stuck than when ten are.
import { arrayLiteral } from './arrays.ts';
import type { Database, Row } from './client.ts';
import { ORDER, type OrderRow, orderRow, type StuckCause } from './orders.ts';
import { DEAD_FOR_ORDER, deadlinePassed, grantFailed, isParked, unreadable, unreadableIds } from './stuckCauses.ts';

/**
 * Entries read of an index that does not hold them by id, longest waiting first: some tens of milliseconds. With more of them,
 * the others are reached once these move.
 */
const MOST_READ = 100_000;
/** Greater than every id of an order: where the first page begins. */
const BEHIND_ALL = 'ord_zzzzzzzzzzzzzzzzzzzzzzzzzzzz';

/** $1 is how many, $2 the id they come before, $3 the instant, $4 the charts that can be read here. */
const IDS: Record<StuckCause, string> = {
  deadline_passed: `select id from (select id from orders where ${deadlinePassed('$3')} order by wake_at, id limit ${MOST_READ}) d
    where id < $2 order by id desc limit $1::int`,
  effect_dead: `select distinct order_id from outbox where ${DEAD_FOR_ORDER} and order_id < $2 order by order_id desc limit $1::int`,
  parked: `select id from orders where ${isParked()} and id < $2 order by id desc limit $1::int`,
  grant_failed: `select id from orders where ${grantFailed()} and id < $2 order by id desc limit $1::int`,
  snapshot_unreadable: `select id from (${unreadableIds('$4', MOST_READ)}) u where id < $2 order by id desc limit $1::int`,
};
// Each parameter stands in every text, so that all causes are given the same ones. `offset 0`: each order by its key.
const pageOf = (cause: StuckCause) => `
with ${unreadable('$4')}
select ${ORDER} from (${IDS[cause]}) k(id) cross join lateral (select t.* from orders t where t.id = k.id offset 0) o
where $3::text is not null order by o.id desc`;

export type StuckPlace = {
  cause: StuckCause;
  /** The last order of the page before; null at the beginning. */
  cursor: string | null;
  limit: number;
  now: Date;
  /** The charts that can be read here; orders on others are stuck. */
  machines: readonly string[];
};

/** One page, by id from the last one on, though a graver cause than this may be shown: ids tell the time, but for derived ones. */
export async function readStuckFor(
  db: Database,
  { cause, cursor, limit, now, machines }: StuckPlace,
): Promise<OrderRow[]> {
  const params = [limit, cursor ?? BEHIND_ALL, now.toISOString(), arrayLiteral(machines)];
  return (await db.query<Row>(pageOf(cause), params)).map(orderRow);
}
