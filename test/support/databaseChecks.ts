// What must be true of a whole database whatever happened to it, asked in SQL past the service; what its server
// complained of meanwhile; and the seed a shuffled test can be replayed with.
import { readFile } from 'node:fs/promises';
import type postgres from 'postgres';
import { expect, inject } from 'vitest';

/** Each must answer no row. */
const NEVER: Record<string, string> = {
  'versions run from 1 to the version of the order': `select o.id from orders o left join (select order_id, count(*) n, min(version) lo, max(version) hi from transitions group by 1) t on t.order_id = o.id
     where t.n is null or t.lo <> 1 or t.hi <> t.n or t.hi <> o.version`,
  'each transition starts where the one before it ended': `select * from (select order_id, version, from_state, lag(to_state) over (partition by order_id order by version) as before from transitions) x
     where from_state is distinct from before`,
  'the state of an order is where its last transition ended': `select o.id from orders o join transitions t on t.order_id = o.id and t.version = o.version where t.to_state <> o.state or o.snapshot->>'value' <> o.state`,
  'an order is subscribed exactly if it has one live grant': `select coalesce(o.id, g.order_id) from (select * from orders where state = 'subscribed') o
     full join (select * from grants where revoked_at is null) g on g.order_id = o.id where o.id is null or g.order_id is null`,
  'an event of the inbox was applied exactly if it made its transition': `select coalesce(i.event_key, t.event_key) from (select * from inbox where verdict in ('applied', 'surplus', 'mismatch') and source in ('webhook', 'callback')) i
     full join (select * from transitions where source in ('webhook', 'callback') and event_key is not null and event_type <> 'order.created') t
       on t.order_id = i.order_id and t.event_key = i.event_key and t.version = i.applied_version
     where i.event_key is null or t.event_key is null`,
  'a subscription counts its grants': `select s.user_id from subscriptions s full join (select user_id, product, count(*) n, max(seq) seq from grants group by 1, 2) g using (user_id, product)
     where s.grants is distinct from g.n or g.seq is distinct from g.n`,
  'each period starts where the one before it ends': `select * from (select starts_at, lag(ends_at) over (partition by user_id, product order by seq) as before from grants where revoked_at is null) x
     where starts_at < before`,
  'a subscription ends with its last period': `select s.user_id from subscriptions s join lateral (select max(ends_at) as last from grants g where g.user_id = s.user_id and g.product = s.product and revoked_at is null) g on true
     where s.ends_at is distinct from g.last`,
  'a subscription is cancelled exactly while the last wish to end it stands: no purchase came after it': `select s.user_id from subscriptions s where cancellations is not null and cancel_at_end = exists (
     select from grants g join orders o on o.id = g.order_id where g.user_id = s.user_id and g.product = s.product and o.kind <> 'renewal' and g.seq > (s.cancellations->-1->>'afterSeq')::int)`,
  'a payment that was granted belongs to the order that has the grant': `select g.order_id from grants g join payments p using (payment_id, provider) where p.order_id <> g.order_id`,
};

export async function expectSoundBooks(sql: postgres.Sql): Promise<void> {
  for (const [rule, query] of Object.entries(NEVER)) expect([...(await sql.unsafe(query))], rule).toEqual([]);
}

/** Where the server's log ends now, for `expectNoLastGuard` after another test in which a last guard may have to stop something. */
export async function endOfServerLog(): Promise<number> {
  const path = inject('postgresLog');
  return path === '' ? 0 : (await readFile(path, 'utf8')).length;
}

/**
 * No deadlock, and no last guard that had to stop what a commit should have seen: looked up in the server's log, from
 * `since` on, for the connections that now are open to this database. Skipped aloud when the server is not ours.
 */
export async function expectNoLastGuard(sql: postgres.Sql, since = 0): Promise<void> {
  const path = inject('postgresLog');
  if (path === '') {
    console.warn('NOT CHECKED: the log of the database server is not ours to read');
    return;
  }
  const sessions = await sql`select pid from pg_stat_activity where datname = current_database()`;
  const pids = new Set(sessions.map(row => String(row.pid)));
  const states: string[] = [];
  for (const line of (await readFile(path, 'utf8')).slice(since).split('\n')) {
    const found = /\[(\d+)\] ([0-9A-Z]{5}) (?:ERROR|FATAL|PANIC):/.exec(line);
    if (found?.[1] && found[2] && pids.has(found[1])) states.push(found[2]);
  }
  expect(states.filter(state => state === '40P01' || state === '23505')).toEqual([]);
}

/** Numbers between 0 and 1 that come again with the same SEED; a run without one prints its own. */
export function seeded(): { seed: number; random: () => number; shuffle: <T>(list: readonly T[]) => T[] } {
  const seed = Number(process.env.SEED ?? Math.floor(Math.random() * 2 ** 31));
  console.info(`replay with SEED=${seed}`);
  let state = seed >>> 0;
  const random = () => {
    // mulberry32
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
  const shuffle = <T>(list: readonly T[]) => {
    const shuffled = [...list];
    for (let i = shuffled.length - 1; i > 0; i--) {
      const j = Math.floor(random() * (i + 1));
      [shuffled[i], shuffled[j]] = [shuffled[j] as T, shuffled[i] as T];
    }
    return shuffled;
  };
  return { seed, random, shuffle };
}

/** Looks again until it is so; time only bounds how long a broken test hangs. */
export async function until(what: string, isSo: () => boolean | Promise<boolean>): Promise<void> {
  const giveUp = performance.now() + 120_000;
  while (!(await isSo())) {
    if (performance.now() > giveUp) throw new Error(`it never came to pass that ${what}`);
    await new Promise(resolve => setTimeout(resolve, 2));
  }
}

/** The number that three of four do not exceed: what holds whatever the machine does now and then to a single one. */
export function ofMost(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[Math.ceil(numbers.length * 0.75) - 1] ?? Number.POSITIVE_INFINITY;
}

/** What a promise was rejected with, as its code and class. */
export async function refusal(attempt: Promise<unknown>): Promise<{ name: string; code: string | undefined }> {
  const error = await attempt.then(
    value => {
      throw new Error(`was not refused but answered ${JSON.stringify(value)}`);
    },
    (error: Error & { code?: string }) => error,
  );
  return { name: error.name, code: error.code };
}
