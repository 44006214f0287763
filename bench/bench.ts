// How many paid orders a second this machine takes: through dispatch, through HTTP, and, in turns with them, through
// pgbench writing the same rows. Starts a PostgreSQL of its own in a temporary folder and leaves nothing behind.
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { pino } from 'pino';
import { openDatabase } from '../db/client.ts';
import { migrate } from '../db/migrate.ts';
import { systemClock, systemRandom } from '../src/clock.ts';
import { createDispatch } from '../src/dispatch.ts';
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../src/embedded/embeddedPostgres.ts';
import { idsFrom } from '../src/ids.ts';
import { openBenchDatabase } from './benchDatabase.ts';
import { paid, prepareDispatch } from './dispatchLoad.ts';
import { startHttpLoad } from './httpLoad.ts';
import { measured, type Run, type Server } from './measure.ts';
import { findPgbench, PGBENCH_CLIENTS, payThroughPgbench, pgbenchVersion, statementLike } from './pgbenchLoad.ts';
import { type LoadName, printReport, type Round } from './report.ts';
import { type Orders, seedOrders, tailOf } from './seed.ts';
import { assertSameRows } from './writtenRows.ts';

/**
 * Orders of one load in one round, about: the loads take turns, so that whatever else the machine does hits all alike, but
 * a stretch must be long beside the time in which 256 callers are all served once.
 */
const ROUND_ORDERS = 2_500;
const LEAST_ROUNDS = 3;
/** Orders paid before anything is measured, in each way: compiled code, filled caches, prepared statements. */
const WARM_UP_ORDERS = 4_000;
/** Fewer would never keep all senders busy for a while; more would fill a disk. */
const LEAST_ORDERS = 8_000;
const MOST_ORDERS = 1_000_000;
/** The HTTP server takes at most a thousand connections. */
const MOST_CONCURRENCY = 500;
/** As the service has. */
const DATABASE_CONNECTIONS = 10;

export type Options = { orders: number; concurrency: number; json: boolean };

function readOptions(): Options {
  const { values } = parseArgs({
    options: {
      orders: { type: 'string', default: '20000' },
      concurrency: { type: 'string', default: '256' },
      json: { type: 'boolean', default: false },
    },
  });
  const orders = wholeNumber('--orders', values.orders, LEAST_ORDERS, MOST_ORDERS);
  const concurrency = wholeNumber('--concurrency', values.concurrency, 1, MOST_CONCURRENCY);
  return { orders, concurrency, json: values.json };
}

function wholeNumber(name: string, text: string, least: number, most: number): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= least && value <= most) return value;
  throw new Error(`${name} must be a whole number from ${least} to ${most}, not "${text}"`);
}

type Bench = { options: Options; server: EmbeddedPostgres; tempFolder: string; signal: AbortSignal };
/** Gets ready to pay these orders; what it answers is measured. */
type Prepare = (orders: Orders) => Promise<() => Promise<Run>>;
type Loads = Map<LoadName, Prepare>;

async function bench({ options, server, tempFolder, signal }: Bench): Promise<void> {
  await migrate(server.url);
  const db = openDatabase({ url: server.url, connections: DATABASE_CONNECTIONS, applicationName: 'paylatch' });
  const ours = openBenchDatabase(server.url);
  const newId = idsFrom(systemClock, systemRandom);
  // One line a decision, as the service writes by default; where to is left out of the measurement.
  const log = pino({ level: 'info', base: undefined }, pino.destination('/dev/null'));
  const { dispatch, close } = createDispatch({ db, clock: systemClock, random: systemRandom, newId, log });
  const { concurrency } = options;
  const http = await startHttpLoad({ db, dispatch, newId, log, concurrency });
  try {
    const loads: Loads = new Map();
    loads.set('dispatch', async orders => prepareDispatch(dispatch, orders, concurrency));
    loads.set('http', http.prepare);
    const pgbench = await findPgbench(process.env.PATH ?? '');
    if (pgbench) {
      const model = await seedOrders(ours, 1);
      await dispatch(paid(tailOf(model, 0)));
      const statement = await statementLike(ours, tailOf(model, 0));
      const load = { pgbench, url: server.url, statement, tempFolder, signal };
      loads.set('pgbench', async orders => () => payThroughPgbench({ ...load, orders }));
    }
    const counted = { db: ours, pid: server.pid };
    const roundCount = Math.max(LEAST_ROUNDS, Math.round(options.orders / ROUND_ORDERS));
    const perRound = Math.ceil(options.orders / roundCount / PGBENCH_CLIENTS) * PGBENCH_CLIENTS;
    await playRound(counted, loads, WARM_UP_ORDERS);
    const rounds: Round[] = [];
    for (let round = 0; round < roundCount; round++) {
      signal.throwIfAborted();
      const forth = round % 2 === 0;
      rounds.push(await playRound(counted, forth ? loads : new Map([...loads].toReversed()), perRound));
    }
    const version = pgbench && (await pgbenchVersion(pgbench));
    await printReport({ rounds, options, pgbench: version, db: ours });
  } finally {
    await http.close();
    await close();
    await db.close();
    await ours.close();
  }
}

/** Every load once, each on orders of its own. All are seeded before, so that none pays for another's. */
async function playRound(server: Server, loads: Loads, count: number): Promise<Round> {
  const { db } = server;
  const seeded = new Map<LoadName, Orders>();
  for (const name of loads.keys()) seeded.set(name, await seedOrders(db, count));
  await db.query('analyze', []);
  const round: Round = {};
  for (const [name, prepare] of loads) {
    const orders = seeded.get(name)!;
    round[name] = await measured(server, await prepare(orders));
  }
  for (const ours of ['dispatch', 'http'] as const) {
    if (seeded.has('pgbench')) round.rows = await assertSameRows(db, seeded.get(ours)!, seeded.get('pgbench')!);
  }
  return round;
}

async function main(): Promise<void> {
  const options = readOptions();
  const stop = new AbortController();
  const stopped = new Promise<never>((_, reject) => {
    for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      process.once(name, () => {
        stop.abort();
        reject(new Error(`stopped by ${name}`));
      });
    }
  });
  // A signal may come before anybody waits for it: then the race below ends at once.
  stopped.catch(() => {});
  const tempFolder = await mkdtemp(join(tmpdir(), 'paylatch-bench-'));
  let server: EmbeddedPostgres | undefined;
  try {
    // Started as root, the server runs as another user, who must be able to pass through.
    await chmod(tempFolder, 0o711);
    const log = { info: () => {}, warn: (fields: object, message: string) => console.error(message, fields) };
    const env = { PATH: process.env.PATH ?? '' };
    server = await startEmbeddedPostgres({ dataDir: join(tempFolder, 'data'), random: systemRandom, log, env });
    await Promise.race([bench({ options, server, tempFolder, signal: stop.signal }), stopped]);
  } finally {
    stop.abort();
    await server?.stop();
    await rm(tempFolder, { recursive: true, force: true });
  }
}

main().then(
  () => process.exit(0),
  (error: unknown) => {
    console.error(error instanceof Error ? error.message : error);
    process.exit(1);
  },
);
