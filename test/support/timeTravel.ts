// Time as the tests have it: everything that is due at the held clock is done, and the clock goes from one due time to the
// next, so that weeks pass in seconds and nothing waits for real time.
import type postgres from 'postgres';
import type { Job } from '../../src/sweeper/jobs.ts';
import type { HeldClock } from './world.ts';

const HOUR_MS = 3_600_000;
/** How far apart lists are read while time passes: every quarter of an hour would be two thousand rounds in three weeks. */
const LIST_EVERY_MS = 6 * HOUR_MS;
/** Rounds at one instant before a test is told that they never end. */
const MAX_ROUNDS = 60;
const NEVER_STOPS = new AbortController().signal;

export type Travel = {
  now(): Date;
  /** Webhooks, sweeper, worker and lists, again and again, until nothing more happens at this instant. */
  settle(): Promise<void>;
  /**
   * Settles here, then goes to each next due time and settles there, up to this instant (ISO 8601 or ms from now). Lists
   * are read at most every `listEveryMs`; the webhook gate holds as it stands.
   */
  travel(to: string | number, options?: { listEveryMs?: number }): Promise<void>;
};

/** What of a service there is to settle; looked at anew each round, so that a restart takes effect. */
export type Settled = {
  clock: HeldClock;
  sql: postgres.Sql;
  /** The sweeper's jobs; those that run once are run once. */
  jobs(): Job[];
  list(stop: AbortSignal): Promise<void>;
  workOff(): Promise<unknown>;
  /** Sends what the provider still has to tell. */
  deliverWebhooks(): Promise<unknown>;
};

export function timeTravel(service: Settled): Travel {
  const { clock, sql } = service;
  const ranOnce = new WeakSet<Job>();
  let listedAt = 0;

  async function round(withLists: boolean): Promise<void> {
    await service.deliverWebhooks();
    for (const job of service.jobs()) {
      if (ranOnce.has(job)) continue;
      await job.run(NEVER_STOPS);
      if (job.once) ranOnce.add(job);
    }
    if (withLists) await service.list(NEVER_STOPS);
    await service.workOff();
  }

  async function settleHere(withLists: boolean): Promise<void> {
    if (withLists) listedAt = clock().getTime();
    let before = '';
    for (let rounds = 0; rounds < MAX_ROUNDS; rounds++) {
      await round(withLists);
      const after = await whatHappened(sql);
      if (after === before) return;
      before = after;
    }
    throw new Error(`at ${clock().toISOString()} there is always something more to do: ${before}`);
  }

  return {
    now: () => clock(),
    settle: () => settleHere(true),
    async travel(to, { listEveryMs = LIST_EVERY_MS } = {}) {
      const end = typeof to === 'number' ? clock().getTime() + to : new Date(to).getTime();
      if (end < clock().getTime()) throw new Error(`${new Date(end).toISOString()} is over already`);
      await settleHere(true);
      for (;;) {
        const due = await nextDue(sql, clock(), listedAt + listEveryMs);
        if (due === null || due > end) break;
        clock.set(new Date(due).toISOString());
        await settleHere(due >= listedAt + listEveryMs || (await isListing(sql)));
      }
      clock.set(new Date(end).toISOString());
      await settleHere(true);
    },
  };
}

/** Grows with everything the service does by itself. */
async function whatHappened(sql: postgres.Sql): Promise<string> {
  const [row] = await sql`select
    (select concat_ws('/', count(*), sum(version)) from orders) as orders,
    (select concat_ws('/', count(*), sum(attempts), count(*) filter (where status = 'pending')) from outbox) as outbox,
    (select concat_ws('/', count(*), sum(attempts), sum(deliveries)) from inbox) as inbox,
    (select concat_ws('/', count(*), max(next_at), sum(pages)) from listings) as listings,
    (select concat_ws('/', count(*), count(resolved_at)) from findings) as findings`;
  return JSON.stringify(row);
}

/** The next instant, in ms, at which something is due; lists not before `listFrom` unless they are being read. */
async function nextDue(sql: postgres.Sql, now: Date, listFrom: number): Promise<number | null> {
  const at = now.toISOString();
  const [row] = await sql`select ceil(extract(epoch from min(due)) * 1000)::float8 as due from (
    select min(wake_at) as due from orders where wake_at > ${at}
    union all select min(available_at) from outbox where status = 'pending' and available_at > ${at}
    union all select min(next_attempt_at) from inbox where next_attempt_at > ${at}
    union all select min(next_at) from listings where next_at > ${at} and started_at is distinct from completed_started_at
    union all select greatest(min(next_at), ${new Date(listFrom).toISOString()}) from listings
  ) x where due > ${at}`;
  return (row?.due as number | null | undefined) ?? null;
}

/** A list is being read and goes on now. */
async function isListing(sql: postgres.Sql): Promise<boolean> {
  const rows = await sql`select 1 from listings where started_at is distinct from completed_started_at`;
  return rows.length > 0;
}
