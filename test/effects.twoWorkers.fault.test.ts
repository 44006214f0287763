// Two worker processes on one outbox: each effect is carried out once; and where one of them is killed in the middle of its
// work, the other runs what was left, under the same key, knowing that it may have been sent.
import { afterEach, beforeEach, expect, test } from 'vitest';
import { until } from './support/databaseChecks.ts';
import { addEffects, endLeases } from './support/outboxRig.ts';
import {
  applicationOf,
  type Call,
  type OtherSide,
  startOtherSide,
  startWorkerProcess,
  type WorkerProcess,
} from './support/workerProcess.ts';
import { createWorld, type World } from './support/world.ts';

const EFFECTS = 1_000;
const ORDERS = 250;
/** Calls of the one that is killed that never got their answer; it has room for five times as many. */
const UNANSWERED = 8;
/** In ms. Nobody's lease ends while these tests run, unless they end it. */
const LONG_LEASE_MS = 600_000;

let world: World;
let otherSide: OtherSide;
let workers: WorkerProcess[];
beforeEach(async () => {
  world = await createWorld();
  otherSide = await startOtherSide();
  workers = [];
});
afterEach(async () => {
  for (const worker of workers) await worker.kill();
  await otherSide.close();
  await world.close();
});

const startTwo = async () => {
  workers = await Promise.all(
    ['left', 'right'].map(name =>
      startWorkerProcess({ url: world.url, otherSide: otherSide.url, name, leaseMs: LONG_LEASE_MS }),
    ),
  );
};
/** A statement goes on for a moment when who asked for it is killed. */
const connectionsOf = async (name: string) => {
  const [row] = await world.sql`
    select count(*)::int as n from pg_stat_activity where datname = current_database() and application_name = ${applicationOf(name)}`;
  return row?.n as number;
};
const pending = async () => {
  const [row] = await world.sql`select count(*)::int as n from outbox where status = 'pending'`;
  return row?.n as number;
};
/** Four captures and messages of each order, in turn. */
const givenEffects = () =>
  addEffects(
    world,
    Array.from({ length: EFFECTS }, (_, i) => ({
      effect: i % 2 === 0 ? ('capture' as const) : ('notify' as const),
      key: `effect ${i}`,
      orderId: `ord_${i % ORDERS}`,
      version: 2 + Math.floor(i / ORDERS),
    })),
  );

test('two workers, one thousand effects: each is carried out once, those of an order in order, and both have work', async () => {
  // Nobody is answered before both have work, however slow one of them begins.
  otherSide.hold(() => until('both have work', () => new Set(otherSide.calls.map(({ worker }) => worker)).size === 2));
  await startTwo();
  await givenEffects();
  await until('nothing is pending', async () => (await pending()) === 0);
  expect(otherSide.calls).toHaveLength(EFFECTS);
  expect(otherSide.performed.size).toBe(EFFECTS);
  expect(otherSide.calls.every(call => call.attempt === 1 && !call.maybeSent)).toBe(true);
  const order = new Map<string, number>();
  for (const { key } of otherSide.calls) {
    const i = Number(key.slice('effect '.length));
    // An order has every 250th effect, so all of its effects are in one lane.
    const lane = `ord_${i % ORDERS}`;
    expect(order.get(lane) ?? -1).toBeLessThan(i);
    order.set(lane, i);
  }
  expect(await Promise.all(workers.map(worker => worker.close()))).toEqual([0, 0]);
});

test('one of two is killed while its effects are under way: they are run again under their keys, and nothing is forgotten', async () => {
  let calls = 0;
  let unanswered = 0;
  let killed: Promise<void> | undefined;
  otherSide.hold(async ({ worker }) => {
    calls += 1;
    if (calls < EFFECTS / 3) return;
    // The other one leaves it enough to die of.
    if (worker !== 'left') return until('one was killed', () => killed !== undefined);
    // In the middle of everything, one of them dies with calls that were carried out and never answered to it.
    unanswered += 1;
    if (unanswered === UNANSWERED) killed = workers.find(({ name }) => name === 'left')?.kill();
    await new Promise(() => {});
  });
  await startTwo();
  await givenEffects();
  await until('one was killed', () => killed !== undefined);
  await killed;
  await until('what it had asked of the database is over', async () => (await connectionsOf('left')) === 0);
  const [held] =
    await world.sql`select count(*)::int as n from outbox where status = 'pending' and leased_by like 'left#%' and leased_until is not null`;
  expect(held?.n).toBeGreaterThanOrEqual(UNANSWERED);
  await endLeases(world.sql, 'left#');
  await until('nothing is pending', async () => (await pending()) === 0);
  const byKey = new Map<string, Call[]>();
  for (const call of otherSide.calls) byKey.set(call.key, [...(byKey.get(call.key) ?? []), call]);
  expect(byKey.size).toBe(EFFECTS);
  expect(otherSide.performed.size).toBe(EFFECTS);
  for (const of of byKey.values()) {
    if (of.length === 1) continue;
    expect(of.map(({ worker, maybeSent }) => ({ worker, maybeSent }))).toEqual([
      { worker: 'left', maybeSent: false },
      { worker: 'right', maybeSent: true },
    ]);
  }
  const again = otherSide.calls.filter(call => call.maybeSent);
  console.info(
    `${held?.n} effects were under way when their worker was killed; ${again.length} calls told that they may be repeated`,
  );
  expect(again.length).toBe(held?.n);
});
