// What needs somebody: stuck orders by cause, events that nobody could decide, open findings. Exact, each by an index that
// holds nothing else, and counted no further than a limit.
import type { Database, Row } from '../client.ts';
import { KEPT_VERDICTS, type KeptVerdict } from '../keptEvents.ts';
import { STUCK_CAUSES, type StuckCause } from '../orders.ts';
import { DEAD_FOR_ORDER, deadlinePassed, grantFailed, isParked, KEPT_FOR_ORDER, otherChart } from '../stuckCauses.ts';
import { COUNT_LIMIT, countOf, stuckParams, WITH_UNREADABLE } from './stuckCount.ts';

/** Rows whose age is looked up one by one, oldest orders first, in search of the one that waits longest. */
export const AGE_ROWS = 200;
/** Orders of one state whose provider is looked up one by one. With more of them, the tallies tell how many each provider has. */
const SPLIT_ROWS = 1_000;

/** The states whose orders wait for something: few, and found by `orders_unsettled_by_state`. */
export const UNSETTLED_STATES = ['authorized', 'captured', 'parked'] as const;
type UnsettledState = (typeof UNSETTLED_STATES)[number];

/** `more`: the count stopped at its limit. `oldestAt` is null when there are none. */
export type Waiting = { count: number; more: boolean; oldestAt: Date | null };
export type StuckGroup = Waiting & { cause: StuckCause };

const SINCE = `(select t.at from transitions t where t.order_id = s.id and t.to_state = s.state and t.from_state is distinct from s.state order by t.version desc limit 1)`;
const sinceIn = (stuck: string) =>
  `select min(${SINCE}) from (select id, state from orders where ${stuck} order by id limit ${AGE_ROWS}) s`;
/** Since when the one waits that waits longest, as far as it is looked for. */
const OLDEST: Record<StuckCause, string> = {
  deadline_passed: `select wake_at from orders where ${deadlinePassed('$1')} order by wake_at, id limit 1`,
  effect_dead: `select min(available_at) from (select available_at from outbox where ${DEAD_FOR_ORDER} order by order_id limit ${AGE_ROWS}) d`,
  parked: sinceIn(isParked()),
  grant_failed: sinceIn(grantFailed()),
  snapshot_unreadable: `select least(
    (select min(updated_at) from (select updated_at from orders where ${otherChart('$2')} order by machine, id limit ${AGE_ROWS}) o),
    (select received_at from inbox where ${KEPT_FOR_ORDER} order by received_at, event_key, provider limit 1))`,
};
const groupOf = (cause: StuckCause) =>
  `select '${cause}' as cause, null as state, null as provider, ${countOf(cause)} as count, (${OLDEST[cause]}) as oldest`;
const providersIn = (state: UnsettledState) =>
  `(select state, coalesce(provider, '') as provider from orders where state = '${state}' order by id limit ${SPLIT_ROWS + 1})`;

// What an index does not tell is looked up of few rows.
const STUCK = `${WITH_UNREADABLE}
${STUCK_CAUSES.map(groupOf).join(' union all ')}
union all
select null, state, provider, count(*)::int, null from (${UNSETTLED_STATES.map(providersIn).join(' union all ')}) s group by 2, 3`;

export type UnsettledCount = { state: string; provider: string; count: number };

/**
 * Stuck orders by cause; and how many orders of each provider are in each of the states where something is owed, but for the
 * `crowded` states, which hold so many that only the tallies tell.
 */
export async function readStuck(
  db: Database,
  now: Date,
  machines: readonly string[],
): Promise<{ groups: StuckGroup[]; unsettled: UnsettledCount[]; crowded: ReadonlySet<string> }> {
  const rows = await db.query<Row>(STUCK, stuckParams({ now, machines }, COUNT_LIMIT + 1));
  const byName = new Map(rows.map(row => [row.cause, row]));
  const counts = rows.flatMap(({ cause, state, provider, count }) =>
    cause === null ? [{ state: state as string, provider: provider as string, count: count as number }] : [],
  );
  const inAll = (state: string) => counts.reduce((sum, one) => (one.state === state ? sum + one.count : sum), 0);
  const crowded = new Set<string>(UNSETTLED_STATES.filter(state => inAll(state) > SPLIT_ROWS));
  const groups = STUCK_CAUSES.map(cause => {
    const row = byName.get(cause);
    return { cause, ...waitingOf(row?.count, row?.oldest) };
  });
  return { groups, unsettled: counts.filter(({ state }) => !crowded.has(state)), crowded };
}

export function waitingOf(count: unknown, oldest: unknown): Waiting {
  const counted = Number(count ?? 0);
  return {
    count: Math.min(counted, COUNT_LIMIT),
    more: counted > COUNT_LIMIT,
    oldestAt: typeof oldest === 'string' ? new Date(oldest) : ((oldest as Date | null | undefined) ?? null),
  };
}

const keptOf = (verdict: KeptVerdict) =>
  `select '${verdict}' as verdict, count(*)::int as count, min(received_at) as oldest
   from (select received_at from inbox where verdict = '${verdict}' order by received_at, event_key, provider limit $1::int) k`;
const KEPT = KEPT_VERDICTS.map(keptOf).join(' union all ');

export type KeptGroup = Waiting & { verdict: KeptVerdict };

/** Events that nobody could decide. */
export async function readKeptCounts(db: Database): Promise<KeptGroup[]> {
  const rows = await db.query<Row>(KEPT, [COUNT_LIMIT + 1]);
  return rows.map(row => ({ verdict: row.verdict as KeptVerdict, ...waitingOf(row.count, row.oldest) }));
}

const FINDINGS = `
select severity, kind, count(*)::int as count, min(opened_at) as oldest, count(*) filter (where acknowledged_at is null)::int as unacknowledged
from (select * from findings where resolved_at is null order by id limit $1::int) f group by 1, 2 order by severity, count desc, kind`;

export type FindingGroup = Waiting & { severity: string; kind: string; unacknowledged: number };

/** Open findings by what they are, the graver first. */
export async function readFindingCounts(db: Database): Promise<FindingGroup[]> {
  const rows = await db.query<Row>(FINDINGS, [COUNT_LIMIT + 1]);
  return rows.map(row => ({
    severity: row.severity as string,
    kind: row.kind as string,
    unacknowledged: row.unacknowledged as number,
    ...waitingOf(row.count, row.oldest),
  }));
}
