// Prints what was measured of the inspector, and says whether it is good enough: every figure comes from this run.
import { availableParallelism, cpus, loadavg } from 'node:os';
import type { Database } from '../db/client.ts';
import type { CheckedPlan } from './inspectorPlans.ts';
import { quantile } from './measure.ts';

/** What a page may take at its 95th percentile, in ms. */
const LIMIT_MS = 100;
/** What the yardsticks take at their 95th percentile on a machine that has time, in ms. */
const QUIET_MS = 5;

export type Timed = { group: string; name: string; ms: number[]; busyMs: number[]; bytes: number };
export type InspectorReport = { pages: Timed[]; yardsticks: Timed[]; plans: CheckedPlan[]; db: Database };

const p95 = ({ ms }: Timed) => quantile(ms, 0.95);
const busyP95 = ({ busyMs }: Timed) => quantile(busyMs, 0.95);

/** Other programs kept a page waiting that needs nothing: then only the CPU time says something about ours. */
const isNoisy = (yardsticks: readonly Timed[]) => yardsticks.some(one => p95(one) > QUIET_MS);

type Looked = Pick<InspectorReport, 'pages' | 'yardsticks'>;

const slowOf = ({ pages, yardsticks }: Looked) =>
  pages.filter(page => (isNoisy(yardsticks) && page.busyMs.length > 0 ? busyP95(page) : p95(page)) >= LIMIT_MS);
const badOf = (plans: readonly CheckedPlan[]) => plans.filter(({ problems }) => problems.length > 0);

export const isGood = (report: InspectorReport): boolean =>
  slowOf(report).length === 0 && badOf(report.plans).length === 0;

export async function printInspectorReport({ pages, yardsticks, plans, db }: InspectorReport): Promise<void> {
  for (const [name, value] of Object.entries(await configuration(db))) console.log(`${name.padEnd(14)} ${value}`);
  const groups = [...new Set(pages.map(({ group }) => group))];
  console.table(Object.fromEntries(yardsticks.map(one => [one.name, figures(one)])));
  for (const group of groups) {
    const own = pages.filter(page => page.group === group);
    console.log(`\n${group}`);
    console.table(
      Object.fromEntries(own.map(page => [page.name, { ...figures(page), KiB: Math.round(page.bytes / 1024) }])),
    );
  }
  console.log('\nall pages of a kind');
  const together = groups.map(group => ({
    group,
    name: group,
    bytes: 0,
    ms: pages.filter(page => page.group === group).flatMap(({ ms }) => ms),
    busyMs: pages.filter(page => page.group === group).flatMap(({ busyMs }) => busyMs),
  }));
  console.table(Object.fromEntries(together.map(one => [one.name, figures(one)])));
  const rows = plans.map(({ rows: touched }) => touched);
  console.log(
    `\n${plans.length} statements explained; the widest touches ${Math.max(...rows)} rows and sorts ${Math.max(...plans.map(({ sorted }) => sorted))}.`,
  );
  for (const { text, page, problems, params } of badOf(plans)) {
    console.log(`\nBAD PLAN (${page}): ${problems.join('; ')}\n${text}\n${JSON.stringify(params)}`);
  }
  const slow = slowOf({ pages, yardsticks });
  const noisy = isNoisy(yardsticks);
  if (noisy) console.log(NOISY);
  for (const page of slow) {
    console.log(
      `SLOW: ${page.group}, ${page.name}: p95 ${p95(page).toFixed(1)} ms, of CPU ${busyP95(page).toFixed(1)} ms`,
    );
  }
  if (slow.length + badOf(plans).length > 0) return;
  console.log(`Every page's p95 is under ${LIMIT_MS} ms${noisy ? ' of CPU' : ''}, and no plan is bad.`);
}

const NOISY = `
!!! THE MACHINE WAS BUSY WITH OTHER PROGRAMS: even a page that needs no database, or one row by its key, took more than
!!! ${QUIET_MS} ms at p95. The pages are judged by the CPU time they took in service and database together.`;

const busy = ({ busyMs }: Timed, share: number) => Number(quantile(busyMs, share).toFixed(1));

function figures(of: Timed) {
  const ms = (share: number) => Number(quantile(of.ms, share).toFixed(1));
  const cpu = of.busyMs.length > 0 && { 'CPU p50 ms': busy(of, 0.5), 'CPU p95 ms': busy(of, 0.95) };
  return { looks: of.ms.length, 'p50 ms': ms(0.5), 'p95 ms': ms(0.95), 'max ms': ms(1), ...cpu };
}

async function configuration(db: Database): Promise<Record<string, string>> {
  const [counts] = await db.query<Record<string, string>>(
    `select (select count(*) from orders)::text as orders, (select count(*) from transitions)::text as transitions,
       (select count(*) from inbox)::text as inbox, (select count(*) from outbox)::text as outbox,
       pg_size_pretty(pg_database_size(current_database())) as size, current_setting('server_version') as postgresql`,
    [],
  );
  return {
    ...counts,
    node: process.version,
    machine: `${availableParallelism()} × ${cpus()[0]?.model.trim() ?? 'unknown CPU'}, ${process.platform}`,
    load: loadavg()
      .map(value => value.toFixed(1))
      .join(' '),
    date: new Date().toISOString(),
  };
}
