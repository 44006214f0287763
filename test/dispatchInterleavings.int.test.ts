// Callback and webhook of one payment, in two services, in every order in which their statements can reach the database.
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Envelope, Outcome } from '../src/dispatch/envelope.ts';
import { expectNoLastGuard, expectSoundBooks, until } from './support/databaseChecks.ts';
import { type Gate, gated } from './support/gatedDatabase.ts';
import { captured, createWorld, openOrder, type World, webhook } from './support/world.ts';

let world: World;
beforeAll(async () => {
  world = await createWorld();
});
afterAll(() => world.close());

type Actor = { name: string; gate: Gate; outcome: Outcome | null; error: unknown };

test('callback and webhook make one grant in every order of their statements', async () => {
  const seen = await everyOrder(orderId => {
    const paymentId = `pay-${orderId}`;
    return [
      ['callback', sent => webhook(sent, captured(paymentId), { source: 'callback', eventKey: `cb:${paymentId}` })],
      ['webhook', sent => webhook(sent, captured(paymentId), { eventKey: `evt-${orderId}` })],
    ];
  });
  // Two statements each make six orders; whoever commits second is told so and decides again, alone by then.
  expect(seen.size, [...seen.keys()].join('\n')).toBe(6);
  for (const [order, verdicts] of seen) expect([...verdicts].sort(), order).toEqual(['applied', 'duplicate']);
  await expectSoundBooks(world.sql);
  await expectNoLastGuard(world.sql);
});

test('the same webhook delivered to two services is applied once and counted twice in every order of their statements', async () => {
  const seen = await everyOrder(orderId => {
    const same: Make = sent => webhook(sent, captured(`pay-${orderId}`), { eventKey: `evt-same-${orderId}` });
    return [
      ['first', same],
      ['second', same],
    ];
  });
  for (const [order, verdicts] of seen) expect([...verdicts].sort(), order).toEqual(['applied', 'duplicate']);
  const keys = await world.sql`select distinct deliveries from inbox where event_key like 'evt-same-%'`;
  expect([...keys]).toEqual([{ deliveries: 2 }]);
  await expectSoundBooks(world.sql);
  await expectNoLastGuard(world.sql);
});

test('capture and failure of one payment end subscribed in every order of their statements', async () => {
  const seen = await everyOrder(orderId => [
    ['captured', sent => webhook(sent, captured(`pay-${orderId}`))],
    ['failed', sent => webhook(sent, { type: 'payment.failed', paymentId: `pay-${orderId}` })],
  ]);
  for (const [order, [first, second]] of seen) {
    expect(first, order).toBe('applied');
    expect(['applied', 'stale'], order).toContain(second);
  }
  await expectSoundBooks(world.sql);
  await expectNoLastGuard(world.sql);
});

test('a payment that two orders claim is granted to one of them in every order of their statements', async () => {
  const seen = await everyOrder(orderId => [
    ['this order', sent => webhook(sent, captured(`pay-${orderId}`))],
    ['another order', (_, other) => webhook(other, captured(`pay-${orderId}`))],
  ]);
  for (const [order, verdicts] of seen) expect([...verdicts].sort(), order).toEqual(['applied', 'mismatch']);
  await expectSoundBooks(world.sql);
  await expectNoLastGuard(world.sql);
});

/** Given two orders of which most scripts use one. */
type Make = (providerOrderId: string, otherProviderOrderId: string) => Envelope;
type Script = (orderId: string) => [name: string, make: Make][];

/** Plays the script once for each order of statements, every time with a new order; answers the verdicts by that order. */
async function everyOrder(script: Script): Promise<Map<string, string[]>> {
  const seen = new Map<string, string[]>();
  const open: number[][] = [[]];
  for (let prefix = open.pop(); prefix; prefix = open.pop()) {
    const { choices, branches, actors } = await play(script, prefix);
    open.push(...branches);
    const name = choices.map(index => actors[index]?.name).join(' ');
    expect(seen.has(name), `${name} was played twice`).toBe(false);
    for (const actor of actors) expect(actor.error, `${actor.name} in ${name}`).toBeNull();
    seen.set(
      name,
      actors.map(actor => actor.outcome?.verdict ?? 'nothing'),
    );
  }
  return seen;
}

/** Follows the choices given, then always the first actor; answers which other ways there were. */
async function play(script: Script, prefix: readonly number[]) {
  const [order, other] = await Promise.all([openOrder(world), openOrder(world)]);
  const actors = script(order.id).map(([name, make]) => {
    const gate = gated(world.db);
    const actor: Actor = { name, gate, outcome: null, error: null };
    world
      .dispatcherOn(gate.db)
      .dispatch(make(order.providerOrderId, other.providerOrderId))
      .then(
        outcome => {
          actor.outcome = outcome;
        },
        error => {
          actor.error = error;
        },
      );
    return actor;
  });
  const ended = (actor: Actor) => actor.outcome !== null || actor.error !== null;
  const choices: number[] = [];
  const branches: number[][] = [];
  for (;;) {
    await until('everybody waits or has ended', () => actors.every(actor => ended(actor) || actor.gate.waiting() > 0));
    const ready = actors.flatMap((actor, index) => (actor.gate.waiting() > 0 ? [index] : []));
    if (ready.length === 0) break;
    const planned = prefix[choices.length];
    const [chosen = 0, ...others] = planned === undefined ? ready : [planned];
    for (const other of others) branches.push([...choices, other]);
    choices.push(chosen);
    await actors[chosen]?.gate.release();
  }
  const paid =
    await world.sql`select state from orders join grants on order_id = id where payment_id = ${`pay-${order.id}`}`;
  expect([...paid], choices.join()).toEqual([{ state: 'subscribed' }]);
  return { choices, branches, actors };
}
