// What needs somebody: stuck orders by cause, events that nobody could decide, open findings. Exact, each by an index that
// holds nothing else, and counted no further than a limit.
import { arrayLiteral } from '../arrays.ts';
import type { Database, Row } from '../client.ts';
import { KEPT_VERDICTS, type KeptVerdict } from '../keptEvents.ts';
import { STUCK_CAUSES, type StuckCause } from '../orders.ts';

/** Counted up to here: an exact number of more tells nobody anything, and reading on would take time. */
export const COUNT_LIMIT = 10_000;
/** Rows whose age is looked up one by one, oldest orders first, in search of the one that waits longest. */
const AGE_ROWS = 200;

/** `more`: the count stopped at its limit. `oldestAt` is null when there are none. */
export type Waiting = { count: number; more: boolean; oldestAt: Date | null };
export type StuckGroup = Waiting & { cause: StuckCause };

const SINCE = `(select t.at from transitions t where t.order_id = s.id and t.to_state = s.state and t.from_state is distinct from s.state order by t.version desc limit 1)`;
const inState = (state: string, cause: StuckCause) => `
select '${cause}' as cause, null as state, null as provider, (select count(*) from unsettled s where s.state = '${state}')::int as count,
  (select min(${SINCE}) from (select * from unsettled s where s.state = '${state}' order by s.id limit ${AGE_ROWS}) s) as oldest`;

// Of the same cause an order counts once. $3 is the limit and one.
const STUCK = `
with unsettled as materialized (
  select id, state, coalesce(provider, '') as provider from orders where state in ('authorized', 'captured', 'parked') order by id limit $3::int),
dead as materialized (
  select order_id, available_at from outbox where status = 'dead' and order_id is not null order by order_id limit $3::int),
other as materialized (
  select id, updated_at from orders where machine <> 'order.v1' and machine <> all ($2::text[]) order by machine, id limit $3::int),
kept as materialized (
  select order_id, received_at from inbox where verdict = 'parked' and event is not null and order_id is not null order by received_at, event_key, provider limit $3::int)
select 'deadline_passed' as cause, null as state, null as provider, count(*)::int as count, min(wake_at) as oldest
from (select wake_at from orders where wake_at is not null and wake_at <= $1::text::timestamptz order by wake_at, id limit $3::int) d
union all
select 'effect_dead', null, null, count(distinct order_id)::int, min(available_at) from dead
union all ${inState('parked', 'parked')}
union all ${inState('captured', 'grant_failed')}
union all
select 'snapshot_unreadable', null, null, (select count(*) from (select id from other union select order_id from kept) u)::int,
  least((select min(updated_at) from other), (select min(received_at) from kept))
union all
select null, state, provider, count(*)::int, null from unsettled group by 2, 3`;

export type UnsettledCount = { state: string; provider: string; count: number };

/** Stuck orders by cause, and how many orders are in each of the states where something is owed; `limited` when there are more. */
export async function readStuck(
  db: Database,
  now: Date,
  machines: readonly string[],
): Promise<{ groups: StuckGroup[]; unsettled: UnsettledCount[]; limited: boolean }> {
  const rows = await db.query<Row>(STUCK, [now.toISOString(), arrayLiteral(machines), COUNT_LIMIT + 1]);
  const byName = new Map(rows.map(row => [row.cause, row]));
  const unsettled = rows.flatMap(({ cause, state, provider, count }) =>
    cause === null ? [{ state: state as string, provider: provider as string, count: count as number }] : [],
  );
  const limited = unsettled.reduce((total, { count }) => total + count, 0) > COUNT_LIMIT;
  const groups = STUCK_CAUSES.map(cause => {
    const row = byName.get(cause);
    const isOfState = cause === 'parked' || cause === 'grant_failed';
    const waiting = waitingOf(row?.count, row?.oldest);
    // Those beyond the limit may be in any state.
    return { cause, ...waiting, more: waiting.more || (isOfState && limited) };
  });
  return { groups, unsettled, limited };
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
