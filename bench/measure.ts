// What one measured stretch cost: time, latencies, WAL bytes, and the CPU of this process, of its helpers and of the
// database server. CPU times of other processes are read from /proc and are null where there is none.
import { readdir, readFile } from 'node:fs/promises';
import type { Database } from '../db/client.ts';

/** Clock ticks a second in /proc/<pid>/stat: fixed at 100 for programs on every Linux. */
const TICKS_PER_S = 100;

export type Server = { db: Database; pid: number };

/** One order on its way: when it was sent and when it was answered, in ms of any one clock. */
export type Sent = { sentMs: number; answeredMs: number };

/**
 * What a load tells of itself: how long its orders take together at its steady rate, in s, and each of them, in ms. A helper that goes on
 * running tells the CPU seconds it used; one that ends is counted from outside.
 */
export type Run = { orders: number; seconds: number; latenciesMs: number[]; helperCpu?: number };

export type Measured = Omit<Run, 'helperCpu'> & {
  walBytes: number;
  /** CPU seconds. */
  nodeCpu: number;
  helperCpu: number | null;
  postgresCpu: number | null;
};

export async function measured(server: Server, load: () => Promise<Run>): Promise<Measured> {
  const before = await counters(server);
  const run = await load();
  const after = await counters(server);
  return {
    ...run,
    walBytes: after.wal - before.wal,
    nodeCpu: after.node - before.node,
    helperCpu: run.helperCpu ?? difference(before.helper, after.helper),
    postgresCpu: difference(before.postgres, after.postgres),
  };
}

/**
 * The rate between two instants at which the load is warm and all its senders are busy, as the seconds that all orders
 * take at that rate: how a load begins and runs out says nothing about what it can carry.
 */
export function steadyPart(
  all: readonly Sent[],
  fromMs: number,
  toMs: number,
): Pick<Run, 'orders' | 'seconds' | 'latenciesMs'> {
  const steady = all.filter(({ answeredMs }) => answeredMs > fromMs && answeredMs <= toMs);
  if (steady.length < all.length / 4)
    throw new Error('a load was hardly ever busy with all its senders: ask for more --orders');
  return {
    orders: all.length,
    seconds: ((all.length / steady.length) * (toMs - fromMs)) / 1e3,
    latenciesMs: steady.map(({ sentMs, answeredMs }) => answeredMs - sentMs),
  };
}

/** For senders that take turns at one list: without as many answers at either end as there are senders. */
export function steadyPartOfTurns(all: readonly Sent[], senders: number) {
  const answered = all.map(({ answeredMs }) => answeredMs).sort((a, b) => a - b);
  return steadyPart(all, answered[senders - 1] ?? Number.NaN, answered.at(-1 - senders) ?? Number.NaN);
}

/** One stretch made of several: sums, and all latencies together. */
export function joined(parts: readonly Measured[]): Measured {
  const sum = (of: (part: Measured) => number) => parts.reduce((total, part) => total + of(part), 0);
  const known = (of: (part: Measured) => number | null) =>
    parts.some(part => of(part) === null) ? null : sum(part => of(part) ?? 0);
  return {
    orders: sum(part => part.orders),
    seconds: sum(part => part.seconds),
    latenciesMs: parts.flatMap(part => part.latenciesMs),
    walBytes: sum(part => part.walBytes),
    nodeCpu: sum(part => part.nodeCpu),
    helperCpu: known(part => part.helperCpu),
    postgresCpu: known(part => part.postgresCpu),
  };
}

/** The value below which `share` of all values lie. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

async function counters({ db, pid }: Server) {
  const [row] = await db.query<{ bytes: string }>(
    `select pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::text as bytes`,
    [],
  );
  const { user, system } = process.cpuUsage();
  const own = await processCpu(process.pid);
  return {
    wal: Number(row?.bytes),
    node: (user + system) / 1e6,
    helper: own?.endedChildren ?? null,
    postgres: await treeCpu(pid),
  };
}

function difference(before: number | null, after: number | null): number | null {
  return before === null || after === null ? null : after - before;
}

/** The server's main process, the processes it has now, and (as its children's times) those that have ended. */
async function treeCpu(root: number): Promise<number | null> {
  const main = await processCpu(root);
  if (!main) return null;
  let total = main.own + main.endedChildren;
  for (const name of await readdir('/proc')) {
    const entry = /^\d+$/.test(name) ? await processCpu(Number(name)) : null;
    if (entry?.parent === root) total += entry.own;
  }
  return total;
}

/** CPU seconds of one process and of the children it has waited for; null when it is gone or there is no /proc. */
async function processCpu(pid: number): Promise<{ parent: number; own: number; endedChildren: number } | null> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => null);
  if (text === null) return null;
  // The second field is the program's name in parentheses and may hold anything: count from behind it.
  const fields = text
    .slice(text.lastIndexOf(')') + 2)
    .split(' ')
    .map(Number);
  const [user = 0, system = 0, childUser = 0, childSystem = 0] = fields.slice(11, 15);
  return {
    parent: fields[1] ?? 0,
    own: (user + system) / TICKS_PER_S,
    endedChildren: (childUser + childSystem) / TICKS_PER_S,
  };
}
