// How many orders are stuck, counted up to a limit from the indexes alone: the exact number of very many tells nothing, and
// reading on would take time.
import { arrayLiteral } from '../arrays.ts';
import type { Database } from '../client.ts';
import { STUCK_CAUSES, type StuckCause } from '../orders.ts';
import { DEAD_FOR_ORDER, deadlinePassed, grantFailed, isParked, unreadable, unreadableIds } from '../stuckCauses.ts';

/** How many orders are counted that are stuck for one cause. */
export const COUNT_LIMIT = 10_000;

/** Those stuck for each cause, by its own index. $1 is the instant, $2 the charts that can be read here, $3 the limit. */
const IDS: Record<StuckCause, string> = {
  deadline_passed: `(select id from orders where ${deadlinePassed('$1')} order by wake_at, id limit $3::int)`,
  effect_dead: `(select order_id as id from outbox where ${DEAD_FOR_ORDER} order by order_id limit $3::int)`,
  parked: `(select id from orders where ${isParked()} order by id limit $3::int)`,
  grant_failed: `(select id from orders where ${grantFailed()} order by id limit $3::int)`,
  snapshot_unreadable: unreadableIds('$2', '$3::int'),
};
/** Where an order would be counted twice for the same cause. */
const COUNTED: Partial<Record<StuckCause, string>> = { effect_dead: 'distinct id' };

/** Stands before whatever asks `countOf` or for the stuck of one cause. */
export const WITH_UNREADABLE = `with ${unreadable('$2')}`;
/** SQL of how many orders are stuck for a cause, each once, below `WITH_UNREADABLE` and with the parameters of `stuckParams`. */
export const countOf = (cause: StuckCause): string =>
  `(select count(${COUNTED[cause] ?? '*'})::int from (${IDS[cause]}) counted)`;

// An order that is stuck for two causes counts once.
const ALL = `${WITH_UNREADABLE} select count(*)::int as count from (${Object.values(IDS).join(' union ')}) stuck`;
const BY_CAUSE = `${WITH_UNREADABLE} select ${STUCK_CAUSES.map(cause => `${countOf(cause)} as ${cause}`).join(', ')}`;

export type StuckAt = { now: Date; machines: readonly string[] };

/** `machines` are the charts that can be read here; orders on others are stuck. */
export const stuckParams = ({ now, machines }: StuckAt, limit: number): [string, string, number] => [
  now.toISOString(),
  arrayLiteral(machines),
  limit,
];

/** All together, for the navigation. `limit` means that many or more. */
export async function countStuck(db: Database, { limit, ...at }: StuckAt & { limit: number }): Promise<number> {
  const [row] = await db.query<{ count: number }>(ALL, stuckParams(at, limit));
  return Math.min(row?.count ?? 0, limit);
}

/** For each cause; one more than COUNT_LIMIT stands for more. An order with a dead effect may be stuck for something else as well. */
export async function countStuckByCause(db: Database, at: StuckAt): Promise<Record<StuckCause, number>> {
  const [row] = await db.query<Record<StuckCause, number>>(BY_CAUSE, stuckParams(at, COUNT_LIMIT + 1));
  if (!row) throw new Error('a count answers one row');
  return row;
}
