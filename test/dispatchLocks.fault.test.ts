// Rows held by somebody else's transaction: whoever needs them waits, and nobody else.
import type postgres from 'postgres';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { Outcome } from '../src/dispatch/envelope.ts';
import { expectNoLastGuard, expectSoundBooks, refusal, until } from './support/databaseChecks.ts';
import { captured, createWorld, openOrder, type World, webhook } from './support/world.ts';

let world: World;
beforeAll(async () => {
  world = await createWorld();
});
afterAll(() => world.close());

type Called = { answer: Promise<Outcome>; answered: () => boolean };
type Opened = Awaited<ReturnType<typeof openOrder>>;

let round = 0;
let heldOrder: Opened;
let heldSubscriber: Opened;
let neighbours: Opened[];
beforeEach(async () => {
  round += 1;
  heldOrder = await openOrder(world);
  const userId = `subscriber-${round}`;
  const first = await openOrder(world, { userId });
  await world.dispatch(webhook(first.providerOrderId, captured(`pay-first-${round}`)));
  heldSubscriber = await openOrder(world, { userId });
  neighbours = await Promise.all(Array.from({ length: 30 }, () => openOrder(world)));
});

test('only the orders whose row or subscription is held wait, and they complete when it is let go', async () => {
  await whileHeld(async () => {
    const calls = payEveryone();
    const outcomes = await Promise.all(calls.neighbours.map(call => call.answer));
    expect(new Set(outcomes.map(outcome => `${outcome.verdict} ${outcome.state}`))).toEqual(
      new Set(['applied subscribed']),
    );
    expect(calls.held.map(call => call.answered())).toEqual([false, false]);
    return calls.held;
  }).then(async held => {
    for (const call of held) expect(await call.answer).toMatchObject({ verdict: 'applied', state: 'subscribed' });
  });
  await expectSoundBooks(world.sql);
  await expectNoLastGuard(world.sql);
});

test('orders held for ever are refused as overloaded, store nothing, and are paid when delivered again', async () => {
  const envelopes = await whileHeld(async () => {
    const calls = payEveryone();
    await Promise.all(calls.neighbours.map(call => call.answer));
    for (const call of calls.held) expect((await refusal(call.answer)).code).toBe('overloaded');
    const keys = calls.envelopes.map(envelope => envelope.eventKey);
    expect([...(await world.sql`select event_key from inbox where event_key in ${world.sql(keys)}`)]).toEqual([]);
    return calls.envelopes;
  });
  for (const envelope of envelopes) {
    expect(await world.dispatch(envelope)).toMatchObject({ verdict: 'applied', state: 'subscribed' });
  }
  await expectSoundBooks(world.sql);
  await expectNoLastGuard(world.sql);
});

/** Pays the two held orders and the neighbours in one breath, so that they share a batch. */
function payEveryone() {
  const pay = (order: Opened) => webhook(order.providerOrderId, captured(`pay-${order.id}`));
  const envelopes = [heldOrder, heldSubscriber].map(pay);
  const [first, ...others] = neighbours;
  if (!first) throw new Error('there are neighbours');
  // Idle lanes take the first ones at once; what comes behind them goes together.
  const before = call(pay(first));
  const held = envelopes.map(call);
  return { envelopes, held, neighbours: [before, ...others.map(order => call(pay(order)))] };
}

function call(envelope: Parameters<World['dispatch']>[0]): Called {
  let done = false;
  const answer = world.dispatch(envelope).finally(() => {
    done = true;
  });
  answer.catch(() => {});
  return { answer, answered: () => done };
}

/** Both rows locked by one open transaction of another session until `act` is done. */
async function whileHeld<T>(act: () => Promise<T>): Promise<T> {
  let result: T | undefined;
  await world.sql.begin(async (session: postgres.TransactionSql) => {
    await session`select from orders where id = ${heldOrder.id} for update`;
    await session`select from subscriptions where user_id = ${heldSubscriber.userId} for update`;
    await until('the rows are held', async () => {
      const [row] =
        await world.sql`select count(*)::int as n from (select from orders where id = ${heldOrder.id} for update skip locked) x`;
      return row?.n === 0;
    });
    result = await act();
  });
  return result as T;
}
