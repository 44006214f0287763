// Prints what was measured as a table, or as JSON: every figure comes from this run, none is written down here.
import { availableParallelism, cpus } from 'node:os';
import type { Database } from '../db/client.ts';
import type { Options } from './bench.ts';
import { joined, type Measured, median, quantile } from './measure.ts';
import { PGBENCH_CLIENTS } from './pgbenchLoad.ts';
import type { Table, Written } from './writtenRows.ts';

/** What the loads are expected to reach at least, as a share of pgbench. */
const EXPECTED = { dispatch: 1.1, http: 0.4 } as const;

export type LoadName = 'dispatch' | 'pgbench' | 'http';
/** One turn of every load. */
export type Round = Partial<Record<LoadName, Measured>> & { rows?: Record<Table, Written> };

export type Report = { rounds: Round[]; options: Options; pgbench: string | null; db: Database };

export async function printReport({ rounds, options, pgbench, db }: Report): Promise<void> {
  const [version] = await db.query<{ server_version: string }>('show server_version', []);
  const configuration = {
    orders: rounds.reduce((total, round) => total + (round.dispatch?.orders ?? 0), 0),
    rounds: rounds.length,
    concurrency: options.concurrency,
    pgbench: pgbench === null ? null : `${pgbench}, ${PGBENCH_CLIENTS} clients, prepared`,
    postgresql: version?.server_version,
    node: process.version,
    machine: `${availableParallelism()} × ${cpus()[0]?.model.trim() ?? 'unknown CPU'}, ${process.platform}`,
    date: new Date().toISOString(),
  };
  const loads = (['dispatch', 'http', 'pgbench'] as const)
    .map(name => ({ name, parts: rounds.map(round => round[name]).filter(part => part !== undefined) }))
    .filter(({ parts }) => parts.length > 0)
    .map(({ name, parts }) => ({ name, ...figures(parts) }));
  const ratios = (['dispatch', 'http'] as const)
    .map(name => ({ name, perRound: rounds.map(round => ratio(round[name], round.pgbench)).filter(Number.isFinite) }))
    .filter(({ perRound }) => perRound.length > 0)
    .map(({ name, perRound }) => ({ name, median: median(perRound), perRound, expected: EXPECTED[name] }));
  const rows = rounds.at(-1)?.rows ?? null;
  // Loudly, and not into the JSON.
  if (pgbench === null) console.error(SKIPPED);
  if (options.json) return void console.log(JSON.stringify({ configuration, loads, ratios, rows }, null, 2));
  for (const [name, value] of Object.entries(configuration)) console.log(`${name.padEnd(12)} ${value ?? 'none'}`);
  console.log();
  console.table(Object.fromEntries(loads.map(({ name, ...rest }) => [TITLES[name], columns(rest)])));
  for (const { name, median: middle, perRound, expected } of ratios) {
    const each = perRound.map(value => value.toFixed(2)).join(', ');
    console.log(`${TITLES[name]}: ${middle.toFixed(2)} × pgbench (rounds: ${each}; expected: at least ${expected})`);
  }
  if (rows) console.log(`\nRows of one order, the same in both: ${rowSentence(rows)}`);
}

const TITLES: Record<LoadName, string> = { dispatch: 'dispatch', http: 'webhooks over HTTP', pgbench: 'pgbench' };
const SKIPPED = `!!! pgbench was found neither in PATH nor in /usr/lib/postgresql/*/bin: NOTHING WAS COMPARED and there are no ratios.
!!! Install PostgreSQL's client programs (Debian: postgresql-contrib or postgresql) and run again.
`;

type Figures = ReturnType<typeof figures>;

function figures(parts: Measured[]) {
  const all = joined(parts);
  const micros = (seconds: number | null) => (seconds === null ? null : (seconds / all.orders) * 1e6);
  return {
    ordersPerSecond: all.orders / all.seconds,
    p50Ms: quantile(all.latenciesMs, 0.5),
    p99Ms: quantile(all.latenciesMs, 0.99),
    walBytesPerOrder: all.walBytes / all.orders,
    nodeCpuMicrosPerOrder: micros(all.nodeCpu),
    postgresCpuMicrosPerOrder: micros(all.postgresCpu),
    senderCpuMicrosPerOrder: micros(all.helperCpu),
  };
}

function columns(of: Figures) {
  const whole = (value: number | null) => (value === null ? 'n/a' : Math.round(value));
  return {
    'orders/s': whole(of.ordersPerSecond),
    'p50 ms': Number(of.p50Ms.toFixed(1)),
    'p99 ms': Number(of.p99Ms.toFixed(1)),
    'WAL B/order': whole(of.walBytesPerOrder),
    'Node µs/order': whole(of.nodeCpuMicrosPerOrder),
    'PostgreSQL µs/order': whole(of.postgresCpuMicrosPerOrder),
    'sender µs/order': whole(of.senderCpuMicrosPerOrder),
  };
}

function ratio(ours: Measured | undefined, pgbench: Measured | undefined): number {
  if (!ours || !pgbench) return Number.NaN;
  return ours.orders / ours.seconds / (pgbench.orders / pgbench.seconds);
}

function rowSentence(rows: Record<Table, Written>): string {
  const orders = rows.orders.rows;
  return Object.entries(rows)
    .map(([table, { rows: count, bytes }]) => `${count / orders} ${table} (${Math.round(bytes)} B)`)
    .join(', ');
}
