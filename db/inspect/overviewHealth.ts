// How the parts that work by themselves are doing: the outbox by lane, and calls whose signature did not hold.
import type { Database, Row } from '../client.ts';
import { LANE_NAMES, LANES, type Lane } from '../outbox.ts';
import { AGE_ROWS, type Waiting, waitingOf } from './overviewStuck.ts';
import { COUNT_LIMIT } from './stuckCount.ts';

export type LaneHealth = { lane: Lane; due: Waiting; leased: number };
export type OutboxHealth = { lanes: LaneHealth[]; pending: Waiting; dead: Waiting };

/** Rows of a lane, those due longest first, that are looked at for a lease: a leased row is due as well, and among the oldest. */
const LEASE_ROWS = 1_000;

// The text of each condition is that of the lane's own index, from which alone the rows are counted.
const dueOf = (lane: Lane, columns: string, limit: string) =>
  `(select ${columns} from outbox where status = 'pending' and effect in ('${LANES[lane].join("', '")}') and available_at <= $1::text::timestamptz order by available_at, id limit ${limit}) x`;
const laneOf = (lane: Lane) => `
select '${lane}' as name, count(*)::int as count, min(available_at) as oldest,
  (select count(*) filter (where leased_until > now()) from ${dueOf(lane, 'leased_until', String(LEASE_ROWS))})::int as leased
from ${dueOf(lane, 'available_at', '$2::int')}`;
const OUTBOX = `
${LANE_NAMES.map(laneOf).join(' union all ')}
union all
select 'pending', count(*)::int, null, 0 from (select from outbox where status = 'pending' order by order_id, order_version, id limit $2::int) x
union all
select 'dead', count(*)::int, (select min(available_at) from (select available_at from outbox where status = 'dead' order by order_id limit ${AGE_ROWS}) d), 0
from (select from outbox where status = 'dead' order by order_id limit $2::int) x`;

/** What waits to be done outside, at this instant. */
export async function readOutboxHealth(db: Database, now: Date): Promise<OutboxHealth> {
  const rows = await db.query<Row>(OUTBOX, [now.toISOString(), COUNT_LIMIT + 1]);
  const named = (name: string) => rows.find(row => row.name === name);
  const waiting = (name: string) => waitingOf(named(name)?.count, named(name)?.oldest);
  return {
    lanes: LANE_NAMES.map(lane => ({ lane, due: waiting(lane), leased: Number(named(lane)?.leased ?? 0) })),
    pending: waiting('pending'),
    dead: waiting('dead'),
  };
}

export type SignatureFailures = { provider: string; failures: number; latestAt: Date };

/** Calls with a wrong signature since a full hour, as far as the processes have written them. */
export async function readSignatureFailures(db: Database, since: Date): Promise<SignatureFailures[]> {
  const rows = await db.query<Row>(
    `select provider, sum(failures)::text as failures, max(latest_at) as latest from signature_failures
     where bucket_at >= $1::text::timestamptz group by 1 order by 1`,
    [since.toISOString()],
  );
  return rows.map(row => ({
    provider: row.provider as string,
    failures: Number(row.failures),
    latestAt: row.latest as Date,
  }));
}
