// How fast the inspector's pages are on a large shop: seeds it, counts its tallies, looks at every page over real HTTP as
// somebody who is signed in, and checks how the database answered each statement. Ends with 1 when a page is slow or a plan bad, with 2 when nobody can tell.
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type Database, openDatabase } from '../db/client.ts';
import { migrate } from '../db/migrate.ts';
import { systemClock, systemRandom } from '../src/clock.ts';
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../src/embedded/embeddedPostgres.ts';
import { openBenchDatabase } from './benchDatabase.ts';
import { type Busy, busyOf } from './inspectorBusy.ts';
import { marksOf } from './inspectorMarks.ts';
import { letNightFall } from './inspectorNight.ts';
import { type Page, pagesOf } from './inspectorPages.ts';
import { type CheckedPlan, checkPlans } from './inspectorPlans.ts';
import { startInspectorProcess } from './inspectorProcess.ts';
import { printInspectorReport } from './inspectorReport.ts';
import { keepYoung, seedShop } from './inspectorSeed.ts';
import { askedBy, statementsOf } from './inspectorStatements.ts';
import { EXIT_CODES, judge, type Measured, type Timed } from './inspectorVerdict.ts';
import { signIn, type Visitor } from './inspectorVisitor.ts';

const LEAST_ORDERS = 1_000;
/** The disk: a million orders with everything that hangs on them take 8 GB. */
const MOST_ORDERS = 10_000_000;
/** Looks at each page before anything is measured: compiled code, prepared statements, filled caches. */
const WARM_UP = 3;

type Options = { orders: number; looks: number; night: boolean; dataDir: string | null };

function readOptions(): Options {
  const { values } = parseArgs({
    options: {
      orders: { type: 'string', default: '1000000' },
      /** Of each page; a p95 needs some tens. */
      looks: { type: 'string', default: '60' },
      /** Far more stuck orders than anybody can go through. */
      night: { type: 'boolean', default: false },
      /** A folder that keeps the seeded shop, for another run over the same. */
      keep: { type: 'string' },
    },
  });
  const whole = (name: string, text: string, least: number, most: number) => {
    const value = Number(text);
    if (Number.isInteger(value) && value >= least && value <= most) return value;
    throw new Error(`${name} must be a whole number from ${least} to ${most}, not "${text}"`);
  };
  return {
    orders: whole('--orders', values.orders, LEAST_ORDERS, MOST_ORDERS),
    looks: whole('--looks', values.looks, 1, 10_000),
    night: values.night,
    dataDir: values.keep ?? null,
  };
}

const say = (text: string) => console.error(`${new Date().toISOString().slice(11, 19)} ${text}`);

async function bench({ url, pid }: EmbeddedPostgres, { orders, looks, night }: Options): Promise<number> {
  await migrate(url);
  const db = openBenchDatabase(url);
  const now = systemClock();
  const [there] = await db.query<{ id: string }>('select id from orders limit 1', []);
  if (!there) {
    say(`seeding ${orders} orders`);
    await seedShop({ db, url, orders, now, say });
  }
  await keepYoung(db, now);
  const service = await startInspectorProcess(url);
  const visitor = await signIn(service);
  try {
    say('counting the tallies');
    await service.tally();
    if (night) await letNightFall(db);
    else await db.query('vacuum analyze', []);
    await db.query('checkpoint', []);
    const pages = await pagesOf(db, now);
    say(`${pages.length} pages, ${WARM_UP} looks each to warm up`);
    const asked = await askedBy({ pages, visitor, taken: () => service.taken(), turns: WARM_UP });
    say(`${looks} looks at each page`);
    const measured = await measure({ pages, visitor, db, url, looks, busy: busyOf(service.pid, pid) });
    await service.taken();
    say('checking the plans');
    const plans: CheckedPlan[] = await checkPlans(url, statementsOf(asked));
    const judged = judge({ ...measured, plans });
    await printInspectorReport({ ...measured, plans, judged, db });
    return EXIT_CODES[judged.verdict];
  } finally {
    visitor.close();
    await service.close();
    await db.close();
  }
}

type Look = { group: string; name: string; look(turn: number): Promise<{ ms: number; bytes: number }> };
type Measuring = { pages: readonly Page[]; visitor: Visitor; db: Database; url: string; looks: number; busy: Busy };

/** Pages and yardsticks take turns, so that whatever else the machine does hits all alike. */
async function measure({ pages, visitor, db, url, looks, busy }: Measuring): Promise<Omit<Measured, 'plans'>> {
  const key: Timed = { group: 'yardstick', name: 'a row by its key, by the same driver', ms: [], busyMs: [], bytes: 0 };
  const plain: Timed = { group: 'yardstick', name: 'a page without the database', ms: [], busyMs: [], bytes: 0 };
  const known = (await db.query<{ id: string }>('select id from orders limit 200', [])).map(({ id }) => id);
  const own = openDatabase({ url, connections: 1, applicationName: 'paylatch-bench' });
  const all: Look[] = [
    ...pages.map(({ group, name, address, headers }) => ({
      group,
      name,
      look: (turn: number) => visitor.look(address(turn), headers),
    })),
    ...marksOf(own, known),
  ];
  const timed: Timed[] = all.map(({ group, name }) => ({ group, name, ms: [], busyMs: [], bytes: 0 }));
  for (const { look } of all.slice(pages.length)) await look(0);
  for (let turn = WARM_UP; turn < WARM_UP + looks; turn++) {
    for (const [index, { look }] of all.entries()) {
      const before = await busy();
      const { ms, bytes } = await look(turn);
      const after = await busy();
      const into = timed[index];
      into?.ms.push(ms);
      if (before !== null && after !== null) into?.busyMs.push(after - before);
      if (into) into.bytes = Math.max(into.bytes, bytes);
      if (index % 10 !== 0) continue;
      const from = performance.now();
      await db.query('select id, state, version from orders where id = $1', [known[turn % known.length] ?? '']);
      key.ms.push(performance.now() - from);
      plain.ms.push((await visitor.look('/inspector/sign-in')).ms);
    }
  }
  await own.close();
  return { pages: timed, yardsticks: [key, plain] };
}

async function main(): Promise<number> {
  const options = readOptions();
  const folder = options.dataDir ?? (await mkdtemp(join(tmpdir(), 'paylatch-bench-')));
  let stop = async () => {};
  const stopped = new Promise<never>((_, reject) => {
    for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
      process.once(name, () => reject(new Error(`stopped by ${name}`)));
  });
  stopped.catch(() => {});
  try {
    // Started as root, the server runs as another user, who must be able to pass through.
    if (!options.dataDir) await chmod(folder, 0o711);
    const log = { info: () => {}, warn: (fields: object, message: string) => console.error(message, fields) };
    const env = { PATH: process.env.PATH ?? '' };
    const server = await startEmbeddedPostgres({ dataDir: join(folder, 'data'), random: systemRandom, log, env });
    stop = () => server.stop();
    return await Promise.race([bench(server, options), stopped]);
  } finally {
    await stop();
    if (!options.dataDir) await rm(folder, { recursive: true, force: true });
  }
}

main().then(
  code => process.exit(code),
  (error: unknown) => {
    console.error(error instanceof Error ? error.message : error);
    process.exit(1);
  },
);
