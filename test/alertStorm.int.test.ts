// An outage kills one effect for each order it meets. Operators are told of the first at once and of the others together.
import { pino } from 'pino';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { EffectName } from '../machines/orderSetup.ts';
import { workOff } from '../src/effects/worker.ts';
import { ProviderRefused } from '../src/errors.ts';
import { alertHandler, TOGETHER_S } from '../src/notifications/alert.ts';
import { resolveMended } from '../src/sweeper/deadEffects.ts';
import { type Receiver, startReceiver } from './support/merchantReceiver.ts';
import { addEffects, handlersOf, workerOn } from './support/outboxRig.ts';
import { createWorld, openOrder, type World } from './support/world.ts';

const START = '2026-02-01T00:00:00.000Z';
const log = pino({ level: 'silent' });

let world: World;
let chat: Receiver;
const orderIds: string[] = [];
beforeAll(async () => {
  world = await createWorld();
  chat = await startReceiver();
  for (let i = 0; i < 200; i++) orderIds.push((await openOrder(world)).id);
});
afterAll(() => Promise.all([world.close(), chat.close()]));
beforeEach(async () => {
  await world.sql`delete from outbox`;
  await world.sql`delete from findings`;
  world.clock.set(START);
  Object.assign(chat, { calls: [], next: [], otherwise: { status: 200 } });
});

/** A process whose provider refuses everything, and whose alerts are posted. */
const life = () => ({
  ...handlersOf(async ({ effect }) => {
    if (effect === 'notify') return { end: 'done' };
    throw new ProviderRefused('the key is not valid');
  }),
  alert: alertHandler({ ...world, log, webhookUrl: `${chat.url}/hook`, publicUrl: 'https://pay.test' }),
});
const workerOf = (handlers = life()) => workerOn(world, async () => ({ end: 'done' }), { handlers });
const work = () => workOff(workerOf());

let keys = 0;
const die = (count: number, effect: EffectName = 'capture') =>
  addEffects(
    world,
    orderIds.slice(0, count).map(orderId => ({ effect, key: `storm-${keys++}`, orderId })),
  );
const later = (ms: number) => world.clock.set(new Date(world.clock().getTime() + ms).toISOString());
const posted = () => chat.calls.map(({ body }) => JSON.parse(body) as { id: string; cause: string; text: string });
const counted = () => posted().map(({ cause, text }) => [cause, Number(/^(\d+) times more/.exec(text)?.[1] ?? 1)]);
const sweep = () => resolveMended({ db: world.db, clock: world.clock, log });
const findings = () => world.sql`select fingerprint, resolved_at is null as open from findings order by fingerprint`;

test('of two hundred the first is told at once, the others together an hour later, and none is lost', async () => {
  await die(200);
  await Promise.all([work(), work()]);
  await work();
  expect(counted()).toEqual([['effect_dead', 1]]);
  const rows = await world.sql`
    select status, last_error, payload from outbox where effect = 'alert' and payload->>'cause' = 'effect_dead'`;
  expect(rows.map(({ status }) => status)).toEqual(Array(200).fill('done'));
  expect(rows.filter(({ last_error }) => last_error?.startsWith('told with others: eff_'))).toHaveLength(199);
  expect(await findings()).toEqual([{ fingerprint: 'effects_dead:capture:sandbox', open: true }]);

  later(TOGETHER_S * 1_000 - 1);
  await work();
  expect(chat.calls).toHaveLength(1);
  later(1);
  await work();
  expect(counted()).toEqual([
    ['effect_dead', 1],
    ['effects_dead', 199],
  ]);
  expect(posted()[1]!.text).toMatch(
    /the key is not valid\. One of them: order ord_.*POST \/v1\/retry\?cause=effect_dead/i,
  );
  later(10 * TOGETHER_S * 1_000);
  await work();
  expect(chat.calls).toHaveLength(2);
});

test('while it goes on, each hour has one alert with what died in it', async () => {
  await die(1);
  await work();
  for (const count of [3, 0, 5]) {
    await die(count);
    await work();
    later(TOGETHER_S * 1_000);
    await work();
  }
  expect(counted().map(([, count]) => count)).toEqual([1, 3, 5]);
});

test('what died of another effect, or at another provider, is told apart', async () => {
  await world.sql`update orders set provider = 'elsewhere' where id = any (${orderIds.slice(0, 2)})`;
  await die(4);
  await die(4, 'void');
  await work();
  expect(chat.calls).toHaveLength(4);
  expect((await findings()).map(({ fingerprint }) => fingerprint)).toEqual([
    'effects_dead:capture:elsewhere',
    'effects_dead:capture:sandbox',
    'effects_dead:void:elsewhere',
    'effects_dead:void:sandbox',
  ]);
  later(TOGETHER_S * 1_000);
  await work();
  expect(
    posted()
      .slice(4)
      .map(({ text }) => /^Once more .* at (\w+)\./.exec(text)?.[1])
      .sort(),
  ).toEqual(['elsewhere', 'elsewhere', 'sandbox', 'sandbox']);
  await world.sql`update orders set provider = 'sandbox'`;
});

test('once all are mended the finding is resolved, and the next one to die is told at once again', async () => {
  await die(3);
  await work();
  await world.sql`update outbox set status = 'done' where id = (select min(id) from outbox where status = 'dead')`;
  await sweep();
  expect(await findings()).toMatchObject([{ open: true }]);
  await world.sql`update outbox set status = 'done' where status = 'dead'`;
  await sweep();
  expect(await findings()).toMatchObject([{ open: false }]);
  later(60_000);
  await die(2);
  await work();
  expect(counted()).toEqual([
    ['effect_dead', 1],
    ['effect_dead', 1],
  ]);
  expect(await findings()).toMatchObject([{ open: true }]);
  later(TOGETHER_S * 1_000);
  await work();
  expect(
    counted()
      .slice(2)
      .map(([, count]) => count)
      .sort(),
  ).toEqual([1, 2]);
});

describe('a process that dies', () => {
  /** Two processes have the same alerts in hand, for one had lost its leases to the other; neither writes how it ended. */
  async function halfDone(cause: string): Promise<void> {
    const rows = await world.sql`select * from outbox where payload->>'cause' = ${cause} and status = 'pending'`;
    const lives = [life(), life()];
    await Promise.all(
      rows.flatMap(row =>
        lives.map(({ alert }) =>
          alert({
            id: row.id,
            orderId: row.order_id,
            orderVersion: row.order_version,
            effect: 'alert',
            payload: row.payload,
            dedupKey: row.dedup_key,
            attempt: 1,
            maybeSent: false,
            availableAt: row.available_at,
          }),
        ),
      ),
    );
  }

  test('leaves each alert what it was: the first is posted again, and nobody is counted twice', async () => {
    await die(5);
    await workOff({
      ...workerOf({ ...life(), alert: async () => ({ end: 'again', error: 'killed', at: world.clock() }) }),
    });
    later(1_000);
    await halfDone('effect_dead');
    await halfDone('effect_dead');
    await work();
    expect(new Set(posted().map(({ id }) => id)).size).toBe(1);
    later(TOGETHER_S * 1_000);
    await halfDone('effects_dead');
    await work();
    const [one, ...again] = posted().filter(({ cause }) => cause === 'effects_dead');
    expect(one!.text).toMatch(/^4 times more/);
    expect(again).toEqual([one, one]);
  });

  test('one that died when its alert was told already is counted in the next one', async () => {
    await die(2);
    await work();
    later(TOGETHER_S * 1_000);
    await work();
    // A process whose clock is behind: for it the hour is not over.
    later(-1_000);
    await die(1);
    await work();
    expect(counted().map(([, count]) => count)).toEqual([1, 1]);
    later(1_000);
    await work();
    expect(chat.calls).toHaveLength(2);
    later(TOGETHER_S * 1_000);
    await work();
    expect(chat.calls).toHaveLength(3);
  });
});

test('when the operator’s address is down it is the first and the one with the others that wait for it', async () => {
  chat.otherwise = { status: 503 };
  await die(5);
  await work();
  chat.otherwise = { status: 200 };
  later(TOGETHER_S * 1_000);
  await work();
  const taken = posted().slice(1);
  expect(taken.map(({ cause }) => cause).sort()).toEqual(['effect_dead', 'effects_dead']);
  expect(taken.find(({ cause }) => cause === 'effects_dead')!.text).toMatch(/^4 times more/);
});
