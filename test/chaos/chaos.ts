// `npm run chaos`: provider chaos at its full size, on a PostgreSQL of its own in a temporary folder. Prints the seed, what
// was met and what must be true; ends with 1 when anything was not.
import { chmod, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { systemRandom } from '../../src/clock.ts';
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../../src/embedded/embeddedPostgres.ts';
import { type ChaosReport, runChaos } from './chaosRun.ts';

const MOST_ORDERS = 100_000;
const MINUTE_MS = 60_000;
/** An effect at a provider has a good half an hour of tries: a minute at this speed. */
const SPEED = 30;
/** Long enough for a look-up and a call that both end by the caller's own deadline. */
const LEASE_MS = 10_000;
/** From so many orders on it is claimed that some effects die: of a thousand captures some ten use up their tries. */
const DYING_FROM = 1_000;

type Sizes = { orders: number; seed: number };

function readOptions(): Sizes {
  const { values } = parseArgs({
    options: { orders: { type: 'string', default: '2000' }, seed: { type: 'string' } },
  });
  const [a = 0, b = 0, c = 0] = systemRandom(3);
  const seed =
    values.seed === undefined ? a * 65_536 + b * 256 + c : wholeNumber('--seed', values.seed, 0, 2 ** 32 - 1);
  return { orders: wholeNumber('--orders', values.orders, 4, MOST_ORDERS), seed };
}

function wholeNumber(name: string, text: string, least: number, most: number): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= least && value <= most) return value;
  throw new Error(`${name} must be a whole number from ${least} to ${most}, not "${text}"`);
}

const say = (line: string) => process.stdout.write(`${line}\n`);

async function chaos(databaseUrl: string, dataDir: string, sizes: Sizes): Promise<ChaosReport> {
  await mkdir(dataDir);
  return runChaos({
    ...sizes,
    databaseUrl,
    dataDir,
    perSecond: 12,
    speed: SPEED,
    leaseMs: LEASE_MS,
    kills: { rounds: Number.POSITIVE_INFINITY, both: 0.15, pauseMs: 6_000, calls: 200, atLeast: 5 },
    settledShare: 0.985,
    chaosMs: 15 * MINUTE_MS,
    say,
  });
}

function print({ violations, counters, durationMs }: ChaosReport, orders: number): boolean {
  for (const [name, count] of Object.entries(counters)) say(`  ${String(count).padStart(7)}  ${name}`);
  const claimed = Object.entries(counters).filter(
    ([name]) => (orders >= DYING_FROM || !name.includes('revived')) && !/operator|deadline|fenced|expired/.test(name),
  );
  const never = claimed.filter(([, count]) => count === 0).map(([name]) => `never met: ${name}`);
  const broken = [...violations, ...never];
  for (const line of broken) say(`VIOLATED  ${line}`);
  const result = broken.length === 0 ? 'each charged once, each refund made once, none unknown' : 'FAILED';
  say(`${orders} captures: ${result}; ${(durationMs / 1_000).toFixed(0)} s on ${cpus().length} cores`);
  return broken.length === 0;
}

async function main(): Promise<boolean> {
  const options = readOptions();
  say(`chaos with ${options.orders} orders, seed ${options.seed}`);
  const stopped = new Promise<never>((_, reject) => {
    for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      process.once(name, () => reject(new Error(`stopped by ${name}`)));
    }
  });
  stopped.catch(() => {}); // a signal may come before anybody waits for it
  const folder = await mkdtemp(join(tmpdir(), 'paylatch-chaos-server-'));
  let server: EmbeddedPostgres | undefined;
  try {
    // Started as root, the server runs as another user, who must be able to pass through.
    await chmod(folder, 0o711);
    const log = { info: () => {}, warn: (fields: object, message: string) => console.error(message, fields) };
    const env = { PATH: process.env.PATH ?? '' };
    server = await startEmbeddedPostgres({ dataDir: join(folder, 'data'), random: systemRandom, log, env });
    const report = await Promise.race([chaos(server.url, join(folder, 'run'), options), stopped]);
    return print(report, options.orders);
  } finally {
    say(`replay with: npm run chaos -- --orders ${options.orders} --seed ${options.seed}`);
    await server?.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

main().then(
  isWell => process.exit(isWell ? 0 : 1),
  (error: unknown) => {
    console.error(error);
    process.exit(1);
  },
);
