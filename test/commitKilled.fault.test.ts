// Two service processes whose database connections are cut all the time: nothing hangs, nobody exits, nothing is lost and
// nothing is done twice.
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Envelope, Outcome } from '../src/dispatch/envelope.ts';
import { expectSoundBooks, seeded } from './support/databaseChecks.ts';
import { type DispatchProcess, startDispatchProcess } from './support/dispatchProcess.ts';
import { captured, createWorld, openOrder, type World, webhook } from './support/world.ts';

const ORDERS = 2_000;
/** Providers have a few deliveries under way at once, not all of them. */
const UNDER_WAY = 300;
/** Longest pause between two cuts, in ms: short enough to hit every kind of statement, long enough that some come through. */
const PAUSE_MS = 60;

let world: World;
let processes: DispatchProcess[];
beforeAll(async () => {
  world = await createWorld();
  processes = await Promise.all([startDispatchProcess(world.url), startDispatchProcess(world.url)]);
});
afterAll(() => world.close());

test('paid orders are granted once each while their connections are cut all the time', async () => {
  const { random, shuffle } = seeded();
  const orders: Awaited<ReturnType<typeof openOrder>>[] = [];
  while (orders.length < ORDERS)
    orders.push(...(await Promise.all(Array.from({ length: 100 }, () => openOrder(world)))));
  const deliveries = shuffle(
    orders.flatMap(({ id, providerOrderId }) => [
      webhook(providerOrderId, captured(`pay-${id}`), { source: 'callback', eventKey: `cb:${id}` }),
      webhook(providerOrderId, captured(`pay-${id}`), { eventKey: `evt-${id}` }),
    ]),
  );
  let done = false;
  const kills = cutConnections(random, () => done);
  const outcomes = await deliverAll(deliveries).finally(() => {
    done = true;
  });
  console.info(`${await kills} connections cut, ${redelivered} deliveries repeated`);
  expect(await kills).toBeGreaterThan(20);
  expect(outcomes.length).toBe(2 * ORDERS);
  expect(new Set(outcomes.map(outcome => `${outcome.state} ${outcome.version}`))).toEqual(new Set(['subscribed 4']));
  expect(new Set(outcomes.map(outcome => outcome.verdict))).toEqual(new Set(['applied', 'duplicate']));
  const [counts] = await world.sql`
    select (select count(*)::int from grants) as grants, (select count(*)::int from inbox) as keys,
      (select count(*)::int from orders where grant_error is not null) as refused`;
  expect(counts).toEqual({ grants: ORDERS, keys: 2 * ORDERS, refused: 0 });
  await expectSoundBooks(world.sql);
  // An exception nobody caught, or a promise nobody waited for, would have ended a process with another code.
  expect(await Promise.all(processes.map(process => process.close()))).toEqual([0, 0]);
}, 300_000);

let redelivered = 0;

/** Delivers as providers do: a few at once, and again whatever was answered with 503. */
async function deliverAll(deliveries: readonly Envelope[]): Promise<Outcome[]> {
  const left = deliveries.map((envelope, index) => ({ envelope, process: processes[index % 2]! }));
  const outcomes: Outcome[] = [];
  async function deliver(): Promise<void> {
    for (let next = left.pop(); next; next = left.pop()) {
      try {
        outcomes.push(await next.process.dispatch(next.envelope));
      } catch (error) {
        const { code } = error as { code?: string };
        if (code !== 'database_unavailable' && code !== 'overloaded') throw error;
        redelivered += 1;
        left.unshift(next);
      }
    }
  }
  await Promise.all(Array.from({ length: UNDER_WAY }, deliver));
  return outcomes;
}

/** Ends one connection of the services after the other, any of them at any moment; answers how many. */
async function cutConnections(random: () => number, done: () => boolean): Promise<number> {
  let cut = 0;
  while (!done()) {
    const backends = await world.sql`
      select pid from pg_stat_activity where datname = current_database() and application_name = 'paylatch-test-process'`;
    const chosen = backends[Math.floor(random() * backends.length)];
    if (chosen) {
      await world.sql`select pg_terminate_backend(${chosen.pid})`;
      cut += 1;
    }
    await new Promise(resolve => setTimeout(resolve, random() * PAUSE_MS));
  }
  return cut;
}
