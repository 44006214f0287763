// Commits whose answer is lost, on a database that loses them on purpose: what was done counts as done, once.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { classOf, QueryLost, sqlStateOf } from '../db/sqlstate.ts';
import type { Dispatcher } from '../src/dispatch.ts';
import { expectSoundBooks, refusal, until } from './support/databaseChecks.ts';
import { gated, isCommit, type Loss, losing } from './support/gatedDatabase.ts';
import { captured, createWorld, MONTHLY, openOrder, operator, type World, webhook } from './support/world.ts';

let world: World;
beforeAll(async () => {
  world = await createWorld();
});
afterAll(() => world.close());

/** A dispatcher whose commits lose their answers as listed, one after the other, and then no more. */
function dispatcherLosing(...losses: Loss[]): Dispatcher {
  const left = [...losses];
  return world.dispatcherOn(losing(world.db, text => (isCommit(text) ? (left.shift() ?? null) : null)));
}

const inboxOf = async (key: string) => {
  const [row] = await world.sql`select verdict, deliveries, applied_version from inbox where event_key = ${key}`;
  return row;
};

describe('a commit whose answer is lost', () => {
  for (const losses of [['after'], ['before'], ['after', 'after'], ['before', 'after', 'before']] as Loss[][]) {
    test(`is applied once when the loss came ${losses.join(', then ')} the server did it`, async () => {
      const order = await openOrder(world);
      const paid = webhook(order.providerOrderId, captured(`pay-${order.id}`));
      const outcome = await dispatcherLosing(...losses).dispatch(paid);
      expect(outcome).toMatchObject({ verdict: 'applied', orderId: order.id, state: 'subscribed', version: 4 });
      expect(await inboxOf(paid.eventKey)).toEqual({ verdict: 'applied', deliveries: 1, applied_version: 3 });
      await expectSoundBooks(world.sql);
    });
  }

  test('answers a person the same as if it had not been lost', async () => {
    const order = await openOrder(world);
    const asked = operator(order.id, { type: 'cancel.requested', reason: 'changed my mind' });
    expect(await dispatcherLosing('after').dispatch(asked)).toMatchObject({ verdict: 'applied', state: 'failed' });
    expect(await world.dispatch(asked)).toMatchObject({ verdict: 'duplicate', state: 'failed', version: 3 });
  });

  test('answers with the verdict that was stored, also when that was not applied', async () => {
    const order = await openOrder(world);
    await world.dispatch(webhook(order.providerOrderId, captured(`pay-${order.id}`)));
    const late = webhook(order.providerOrderId, { type: 'payment.failed', paymentId: 'pay-late' });
    expect(await dispatcherLosing('after').dispatch(late)).toMatchObject({ verdict: 'stale', state: 'subscribed' });
    const more = webhook(order.providerOrderId, captured(`pay-more-${order.id}`));
    expect(await dispatcherLosing('after').dispatch(more)).toMatchObject({ verdict: 'surplus', version: 5 });
    const odd = webhook(order.providerOrderId, captured(`pay-odd-${order.id}`, MONTHLY.amountMinor - 1));
    expect(await dispatcherLosing('after').dispatch(odd)).toMatchObject({ verdict: 'mismatch', version: 6 });
    await expectSoundBooks(world.sql);
  });

  test('of a refund in part counts the refund once', async () => {
    const order = await openOrder(world);
    const paymentId = `pay-${order.id}`;
    await world.dispatch(webhook(order.providerOrderId, captured(paymentId)));
    const refund = webhook(order.providerOrderId, {
      type: 'refund.updated',
      paymentId,
      refundId: 'rfnd-lost',
      state: 'completed',
      amountMinor: 10_000,
    });
    expect(await dispatcherLosing('after').dispatch(refund)).toMatchObject({ verdict: 'applied', version: 5 });
    expect(await world.dispatch(refund)).toMatchObject({ verdict: 'duplicate' });
    const [payment] = await world.sql`select refunded_minor::int from payments where payment_id = ${paymentId}`;
    expect(payment).toEqual({ refunded_minor: 10_000 });
    await expectSoundBooks(world.sql);
  });

  test('of a whole batch is applied once for each of its orders', async () => {
    const dispatcher = dispatcherLosing('after', 'after', 'before', 'after');
    const orders = await Promise.all(Array.from({ length: 50 }, () => openOrder(world)));
    const outcomes = await Promise.all(
      orders.map(({ id, providerOrderId }) => dispatcher.dispatch(webhook(providerOrderId, captured(`pay-${id}`)))),
    );
    expect(new Set(outcomes.map(outcome => `${outcome.verdict} ${outcome.version}`))).toEqual(new Set(['applied 4']));
    await expectSoundBooks(world.sql);
  });

  test('for ever is told as unavailable, and delivering again answers duplicate', async () => {
    const order = await openOrder(world);
    const paid = webhook(order.providerOrderId, captured(`pay-${order.id}`));
    const deaf = world.dispatcherOn(losing(world.db, text => (isCommit(text) ? 'after' : null)));
    expect((await refusal(deaf.dispatch(paid))).code).toBe('database_unavailable');
    expect(await world.dispatch(paid)).toMatchObject({ verdict: 'duplicate', state: 'subscribed', version: 4 });
    await expectSoundBooks(world.sql);
  });
});

describe('an error', () => {
  test('of our own code while writing one order costs its neighbours nothing', async () => {
    const orders = await Promise.all(Array.from({ length: 20 }, () => openOrder(world)));
    const [culprit] = orders;
    const dispatcher = world.dispatcherOn({
      query: async (text, params) => {
        if (isCommit(text) && params.some(param => String(param).includes(`pay-${culprit!.id}`)))
          throw new TypeError('ours');
        return world.db.query(text, params);
      },
      close: async () => {},
    });
    const calls = await Promise.allSettled(
      orders.map(({ id, providerOrderId }) => dispatcher.dispatch(webhook(providerOrderId, captured(`pay-${id}`)))),
    );
    expect(calls.map(call => call.status)).toEqual(['rejected', ...Array(19).fill('fulfilled')]);
    await expectSoundBooks(world.sql);
  });

  const system = (code: string) => Object.assign(new Error(`write ${code}`), { code });
  const server = (code: string) => Object.assign(new Error('the server says'), { name: 'PostgresError', code });

  test.each(['EPIPE', 'EBADF', 'ECONNRESET', 'CONNECTION_CLOSED'])(
    'of the connection with %s is not taken for the words of the server',
    code => {
      expect(sqlStateOf(system(code))).toBeNull();
      expect(classOf(system(code))).toBe('bug');
      expect(classOf(new QueryLost('lost', system(code)))).toBe('unavailable');
    },
  );

  test.each([
    ['again', '40001 40P01'],
    ['unavailable', '08006 25006 25P02 28P01 3D000 40003 53300 55P03 57014 57P01 57P03 58030 XX000'],
    ['taken', '23505'],
    ['data', '21000 22P02 23502 23503 23514 42P01 42703 54000 P0001'],
  ])('of the server is %s with %s', (kind, codes) => {
    for (const code of codes.split(' ')) expect(classOf(server(code)), code).toBe(kind);
  });
});

describe('the queue', () => {
  test('refuses what is too much at once, does the rest, and takes more when it has', async () => {
    const order = await openOrder(world);
    const gate = gated(world.db);
    const dispatcher = world.dispatcherOn(gate.db);
    // Two lanes take one event each; the others wait behind them.
    const taken = [0, 1].map(() => dispatcher.dispatch(webhook(`sbo-nobody-${order.id}`, captured('pay-n'))));
    const waiting: Promise<unknown>[] = [];
    const refused: Promise<unknown>[] = [];
    const flood = webhook(order.providerOrderId, captured(`pay-${order.id}`));
    while (dispatcher.waiting() < 5_000) waiting.push(dispatcher.dispatch(flood));
    for (let i = 0; i < 10; i++) refused.push(dispatcher.dispatch(flood));
    for (const call of refused) expect((await refusal(call)).code).toBe('overloaded');
    gate.open();
    await Promise.all(taken);
    const verdicts = (await Promise.all(waiting)) as { verdict: string }[];
    expect(verdicts.filter(outcome => outcome.verdict === 'applied').length).toBe(1);
    expect(verdicts.filter(outcome => outcome.verdict === 'duplicate').length).toBe(waiting.length - 1);
    expect((await inboxOf(flood.eventKey))?.deliveries).toBe(waiting.length);
    expect(await dispatcher.dispatch(flood)).toMatchObject({ verdict: 'duplicate' });
    await expectSoundBooks(world.sql);
  });

  test('when closed finishes what it has and takes nothing new', async () => {
    const orders = await Promise.all(Array.from({ length: 20 }, () => openOrder(world)));
    const gate = gated(world.db);
    const dispatcher = world.dispatcherOn(gate.db);
    const calls = orders.map(({ id, providerOrderId }) =>
      dispatcher.dispatch(webhook(providerOrderId, captured(`pay-${id}`))),
    );
    let closed = false;
    const closing = dispatcher.close().then(() => {
      closed = true;
    });
    const late = webhook(orders[0]!.providerOrderId, captured('pay-late'));
    expect((await refusal(dispatcher.dispatch(late))).code).toBe('overloaded');
    await until('the lanes are at the gate', () => gate.waiting() === 2);
    expect(closed).toBe(false);
    gate.open();
    for (const call of calls) expect((await call).state).toBe('subscribed');
    await closing;
  });
});
