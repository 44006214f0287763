// Prints what was measured of the inspector, and what is to be thought of it: every figure comes from this run.
import { availableParallelism, cpus, loadavg } from 'node:os';
import type { Database } from '../db/client.ts';
import { busyP95, type Judged, LIMIT_MS, type Measured, p95, QUIET_MS, type Timed } from './inspectorVerdict.ts';
import { quantile } from './measure.ts';

export type InspectorReport = Measured & { judged: Judged; db: Database };

export async function printInspectorReport({ pages, yardsticks, plans, judged, db }: InspectorReport): Promise<void> {
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
  printJudgement(judged);
}

function printJudgement({ verdict, noisy, slow, undecided, badPlans }: Judged): void {
  for (const { text, page, problems, params } of badPlans)
    console.log(`\nBAD PLAN (${page}): ${problems.join('; ')}\n${text}\n${JSON.stringify(params)}`);
  if (noisy) console.log(NOISY);
  const told = (page: Timed) =>
    `${page.group}, ${page.name}: p95 ${p95(page).toFixed(1)} ms, of CPU ${busyP95(page).toFixed(1)} ms`;
  for (const page of slow) console.log(`SLOW: ${told(page)}`);
  for (const page of undecided) console.log(`UNDECIDED: ${told(page)}`);
  if (verdict === 'good') console.log(`Every page's p95 is under ${LIMIT_MS} ms, and no plan is bad.`);
  if (verdict === 'undecided')
    console.log(
      `UNDECIDED: ${undecided.length === 1 ? 'a page was' : `${undecided.length} pages were`} slow by the clock and not by their work. Run it again on a machine that is quiet.`,
    );
}

const NOISY = `
!!! THE MACHINE WAS BUSY WITH OTHER PROGRAMS: even a page that needs no database, or one row by its key, took more than
!!! ${QUIET_MS} ms at p95. What is slow here by the clock may not be slow.`;

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
