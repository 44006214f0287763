// Provider chaos: replicas of the real service on one database, a sandbox that stands apart behind a broken network, and
// workers killed where they stand. Every customer's reservation is captured, a quarter of them is paid back; then the
// network heals, a week passes, and the provider's ledger and our books must both say: each once, and nothing unknown.
import { setTimeout as sleep } from 'node:timers/promises';
import postgres from 'postgres';
import { systemRandom } from '../../src/clock.ts';
import { startSandboxServer } from '../../src/providers/sandbox/server.ts';
import { type FaultPlan, type FaultyProxy, startFaultyProxy } from '../support/faultyProxy.ts';
import { countersOf, type Marks } from './counters.ts';
import { type Customers, createCustomers, KEYS, PRICE, type Purchase, pauseWebhooks } from './customers.ts';
import { type FastTime, fastMs } from './fastClock.ts';
import type { Hurry } from './hurriedService.ts';
import { type KillPlan, killReplicas } from './killer.ts';
import { readLedger } from './ledger.ts';
import { countLogs, type LogCounts } from './logCounts.ts';
import { deadOf, openOf } from './openEffects.ts';
import { createReplica, type Replica } from './replicas.ts';
import { type Expected, violationsOf } from './violations.ts';

const REPLICAS = 2;
const HOUR_MS = 3_600_000;
const WEEK_AND_A_DAY_MS = 8 * 24 * HOUR_MS;
/** Every fourth order is paid back; of these every second one only in part, so that a second refund would find money. */
const REFUND_EVERY = 4;
const PART_MINOR = 10_000;
/** How long a stage may take to be settled once the network is well, in real ms. */
const HEALED_LIMIT_MS = 240_000;
const LOOK_MS = 100;
/** Customers who wait at once: more of them would only ask again and again while the machine is busy. */
const ROOM = 24;

/** 30 % no answer although it was done (a few of them never end, so that the caller's own deadline ends them), 20 % 5xx, half of them after it was done, 10 % resets, 5 % 429. */
export const PROVIDER_CHAOS: FaultPlan = [
  { share: 0.28, fault: 'lost' },
  { share: 0.02, fault: { lateMs: 5_000 } },
  { share: 0.05, fault: 500 },
  { share: 0.05, fault: 503 },
  { share: 0.1, fault: { instead: 502 } },
  { share: 0.1, fault: 'reset' },
  { share: 0.05, fault: 429 },
];

export type ChaosOptions = {
  databaseUrl: string;
  /** Empty, for the sandbox and the replicas; whoever made it removes it. */
  dataDir: string;
  orders: number;
  /** Customers that come in a real second. */
  perSecond: number;
  seed: number;
  /** How many times faster the wall clock runs. */
  speed: number;
  leaseMs: number;
  kills: KillPlan & { atLeast: number };
  /** The chaos of a stage ends when this share of it is settled and enough were killed, or after `chaosMs`, real. */
  settledShare: number;
  chaosMs: number;
  /** Real ms after which it is given up, with what it waits for then; without it, whatever is waited for has a limit of its own. */
  limitMs?: number;
  say: (line: string) => void;
};
export type ChaosReport = { violations: string[]; counters: Record<string, number>; durationMs: number };

type Run = ChaosOptions & {
  sql: postgres.Sql;
  time: FastTime;
  now: () => Date;
  random: () => number;
  proxy: FaultyProxy;
  replicas: Replica[];
  customers: Customers;
  logs: LogCounts;
  marks: Marks;
  broken: string[];
  /** What is being waited for. */
  doing: string;
};

export async function runChaos(options: ChaosOptions): Promise<ChaosReport> {
  const startedAt = performance.now();
  const { dataDir } = options;
  const time: FastTime = { startedAt: Date.now(), speed: options.speed, aheadMs: 0 };
  const now = () => new Date(fastMs(time, Date.now()));
  const quiet = { info: () => {}, warn: () => {} };
  const secret = KEYS.SANDBOX_WEBHOOK_SECRET;
  const webhookUrl = 'http://127.0.0.1:9/nobody';
  const sandbox = await startSandboxServer({
    port: 0,
    webhookUrl,
    secret,
    dataDir,
    clock: now,
    random: systemRandom,
    log: quiet,
  });
  const proxy = await startFaultyProxy(sandbox.localUrl, { seed: options.seed });
  const sql = postgres(options.databaseUrl, { max: 2, onnotice: () => {} });
  const logs = countLogs();
  const broken: string[] = [];
  const random = numbers(options.seed);
  const hurry = (): Hurry => ({ time, leaseMs: options.leaseMs });
  const env = () => ({ ...KEYS, ...serviceEnv(options, proxy.url), HURRY: JSON.stringify(hurry()) });
  const replicas = Array.from({ length: REPLICAS }, () =>
    createReplica({ env, said: line => logs.said(line), ended: how => void broken.push(how) }),
  );
  const over = new AbortController();
  const nowMs = () => now().getTime();
  const customers = createCustomers({ replicas, sandboxUrl: sandbox.localUrl, nowMs, random, over: over.signal });
  const marks: Marks = { kills: 0, deadForOperator: 0 };
  const run: Run = { ...options, sql, time, now, random, proxy, replicas, customers, logs, marks, broken, doing: '' };
  try {
    // Its own webhooks stay there: what the service knows of a capture it was answered, or it asked.
    await pauseWebhooks(sandbox.localUrl);
    const expected = await Promise.race([play(run), tooLong(run, over.signal)]);
    const violations = [...broken, ...(await violationsOf(run, expected, await readLedger(dataDir)))];
    const counters = await countersOf(run);
    return { violations, counters, durationMs: Math.round(performance.now() - startedAt) };
  } finally {
    over.abort();
    await Promise.all(replicas.map(replica => replica.kill()));
    await sql.end({ timeout: 1 });
    await proxy.close();
    await sandbox.close();
  }
}

const serviceEnv = ({ databaseUrl, dataDir }: ChaosOptions, sandboxUrl: string) => ({
  DATABASE_URL: databaseUrl,
  SANDBOX: 'true',
  SANDBOX_URL: sandboxUrl,
  PORT: '0',
  DATA_DIR: dataDir,
});

/** Rejects when the run takes longer than it may, with what it waits for; never otherwise. */
async function tooLong(run: Run, over: AbortSignal): Promise<never> {
  const never = new Promise<never>(() => {});
  if (run.limitMs === undefined) return never;
  const isLate = await sleep(run.limitMs, true, { signal: over }).catch(() => false);
  if (!isLate) return never;
  const { pending, dead, unsettled } = await openOf(run.sql);
  const unready = run.replicas.filter(({ url }) => url === null).length;
  const lines = [
    `after ${run.limitMs / 1_000} s it still waits for this: ${run.doing}`,
    `open: ${pending} effects pending, ${dead} dead, ${unsettled} orders; ${unready} of ${REPLICAS} replicas not ready`,
    ...run.customers.unanswered().map(call => `not answered yet: ${call}`),
    ...run.broken,
  ];
  throw new Error(lines.join('\n'));
}

async function play(run: Run): Promise<Expected> {
  run.doing = 'both replicas are ready';
  for (const replica of run.replicas) replica.start();
  await Promise.all(run.replicas.map(replica => replica.ready()));
  const purchases: Purchase[] = [];
  await inChaos(run, 'captures', {
    of: run.orders,
    ask: () => paced(run, run.orders, async n => void purchases.push(await run.customers.buy(`customer-${n}`))),
    settled: async () => Number((await run.sql`select count(*) from orders where state = 'subscribed'`)[0]?.count),
  });
  const back = purchases.filter((_, index) => index % REFUND_EVERY === 0);
  const part = new Set(back.filter((_, index) => index % 2 === 1));
  await inChaos(run, 'refunds', {
    of: back.length,
    ask: () => paced(run, back.length, n => refund(run, back[n]!, part)),
    settled: async () =>
      Number((await run.sql`select count(*) from outbox where effect = 'refund' and status = 'done'`)[0]?.count),
  });
  run.doing = 'a week later no effect waits';
  await aWeekPasses(run);
  run.doing = 'the service tells which orders are stuck, and stops';
  const stuck = await run.customers.stuck();
  const codes = await Promise.all(run.replicas.map(replica => replica.stop()));
  for (const code of codes) if (code !== 0) run.broken.push(`a replica that was told to stop ended with ${code}`);
  const refunds = new Map(back.map(one => [one.orderId, part.has(one) ? PART_MINOR : PRICE.amountMinor]));
  return { purchases, refunds, stuck };
}

const refund = ({ customers }: Run, purchase: Purchase, part: ReadonlySet<Purchase>) =>
  customers.refund(purchase, part.has(purchase) ? PART_MINOR : undefined);

type Stage = { of: number; ask: () => Promise<void>; settled: () => Promise<number> };

/** Asks for it while the network is broken and replicas are killed, heals, and waits until nothing is open any more. */
async function inChaos(run: Run, name: string, { of, ask, settled }: Stage): Promise<void> {
  const { proxy, kills, say } = run;
  const startedAt = performance.now();
  const before = run.marks.kills;
  const stop = new AbortController();
  const seen = () => proxy.calls.length;
  proxy.plan = PROVIDER_CHAOS;
  const killing = killReplicas({ ...run, plan: kills, seen, stop: stop.signal }, () => {
    run.marks.kills += 1;
  });
  // Its end is none for those who wait beside it, unless it failed.
  const failing = killing.then(() => new Promise<never>(() => {}));
  const enough = async () => (await settled()) >= of * run.settledShare && run.marks.kills - before >= kills.atLeast;
  try {
    run.doing = `customers are answered who ask for ${of} ${name}`;
    await Promise.race([ask(), failing]);
    run.doing = `${name} are settled in chaos, and enough replicas killed`;
    while (!(await enough()) && performance.now() - startedAt < run.chaosMs)
      await Promise.race([sleep(LOOK_MS), failing]);
  } finally {
    run.doing = `the replicas are ready that were killed during the ${name}`;
    stop.abort();
    await killing;
    proxy.plan = [];
  }
  const secondsOf = (from: number) => ((performance.now() - from) / 1_000).toFixed(0);
  const open = await openOf(run.sql);
  say(
    `${name}: ${await settled()} of ${of} settled in ${secondsOf(startedAt)} s of chaos with ${run.marks.kills - before} kills; the network heals (${open.pending} open, ${open.dead} dead)`,
  );
  const healedAt = performance.now();
  run.doing = `nothing of the ${name} is open, the network being well`;
  await untilNothingIsOpen(run);
  say(`${name}: nothing open any more ${secondsOf(healedAt)} s later`);
}

/** By the service's own doing; what only an operator is meant to move is moved by one, and counted. */
async function untilNothingIsOpen(run: Run): Promise<void> {
  const giveUp = performance.now() + HEALED_LIMIT_MS;
  for (;;) {
    const { pending, dead, reviving, revivedAt, unsettled } = await openOf(run.sql);
    if (pending + dead + unsettled === 0) return;
    if (performance.now() > giveUp) {
      run.broken.push(`after the network healed it stayed open: ${pending} pending, ${dead} dead, ${unsettled} orders`);
      return;
    }
    const waitMs = (revivedAt?.getTime() ?? 0) - run.now().getTime();
    if (pending === 0 && waitMs > 0) {
      run.say(`${hours(waitMs)} pass until the deadlines of ${reviving} orders whose capture is dead`);
      setAhead(run, waitMs);
    } else if (pending === 0 && dead > 0 && reviving === 0) {
      run.marks.deadForOperator += dead;
      run.say(
        `operator: POST /v1/retry?cause=effect_dead, for ${await deadOf(run.sql)}, which nobody else asks for again`,
      );
      await run.customers.retryDead();
    }
    await sleep(LOOK_MS);
  }
}

const hours = (ms: number) => `${(ms / HOUR_MS).toFixed(1)} h`;

function setAhead({ time, replicas }: Run, ms: number): void {
  time.aheadMs += ms;
  for (const replica of replicas) replica.setTime(time);
}

/** Questions that were planned for later days are asked, too: then nothing at all is left to do. */
async function aWeekPasses(run: Run): Promise<void> {
  setAhead(run, WEEK_AND_A_DAY_MS);
  const giveUp = performance.now() + HEALED_LIMIT_MS;
  for (;;) {
    const [row] = await run.sql`select count(*)::int as left from outbox where status = 'pending'`;
    if (row?.left === 0) return;
    if (performance.now() > giveUp) return void run.broken.push(`a week later ${row?.left} effects still wait`);
    await sleep(LOOK_MS);
  }
}

/** Customers come one after the other; of those who wait for an answer there are never more than a shop has room for. */
async function paced({ perSecond }: Run, count: number, one: (n: number) => Promise<unknown>): Promise<void> {
  const waiting = new Set<Promise<unknown>>();
  const failed: unknown[] = [];
  for (let n = 0; n < count && failed.length === 0; n++) {
    const own: Promise<unknown> = one(n)
      .catch(error => failed.push(error))
      .finally(() => waiting.delete(own));
    waiting.add(own);
    await sleep(1_000 / perSecond);
    if (waiting.size >= ROOM) await Promise.race(waiting);
  }
  await Promise.all(waiting);
  if (failed.length > 0) throw failed[0];
}

/** Mulberry32. */
function numbers(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
