// A grant the database refuses: the money is kept as `captured` with the database's words, its neighbours notice
// nothing, and it is granted once the cause is gone.
import { pino } from 'pino';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { readOrderRow } from '../db/orders.ts';
import { orderView } from '../src/orderView.ts';
import { passDeadlines } from '../src/sweeper/deadlines.ts';
import { driveCaptured } from '../src/sweeper/driveCaptured.ts';
import { createHoldOff } from '../src/sweeper/holdOff.ts';
import { expectSoundBooks, refusal } from './support/databaseChecks.ts';
import { type Refusal, refuse } from './support/refusals.ts';
import { captured, createWorld, openOrder, operator, type World, webhook } from './support/world.ts';

const NOON = '2026-01-31T12:00:00.000Z';
const NEIGHBOURS = 40;

let world: World;
const refusals: Refusal[] = [];
beforeAll(async () => {
  world = await createWorld();
});
afterEach(async () => {
  for (const refused of refusals.splice(0)) await refused.remove();
  await world.sql`alter table grants drop constraint if exists added_by_hand`;
});
afterAll(() => world.close());

async function refuseRows(...rule: Parameters<typeof refuse> extends [unknown, ...infer R] ? R : never) {
  const refused = await refuse(world.sql, ...rule);
  refusals.push(refused);
  return refused;
}

const orders = (count: number) => Promise.all(Array.from({ length: count }, () => openOrder(world)));
const pay = (order: { id: string; providerOrderId: string }) =>
  webhook(order.providerOrderId, captured(`pay-${order.id}`), { eventKey: `evt-${order.id}` });
const look = async (id: string) => {
  const row = await readOrderRow(world.db, id);
  if (!row) throw new Error(`no order ${id}`);
  return { row, view: orderView(row, world.clock()) };
};
const grantsOf = async (id: string) => (await world.sql`select seq from grants where order_id = ${id}`).length;

test('a trigger that refuses one grant costs its neighbours in the batch nothing', async () => {
  world.clock.set(NOON);
  const [culprit, ...neighbours] = await orders(1 + NEIGHBOURS);
  await refuseRows('grants', { when: `new.order_id = '${culprit!.id}'`, message: 'no grants for this one' });
  const mixed = [...neighbours.slice(0, 20), culprit!, ...neighbours.slice(20)];
  const outcomes = await Promise.all(mixed.map(order => world.dispatch(pay(order))));
  for (const [index, order] of mixed.entries()) {
    const state = order === culprit ? 'captured' : 'subscribed';
    expect(outcomes[index]).toMatchObject({ verdict: 'applied', orderId: order.id, state });
  }
  const { row, view } = await look(culprit!.id);
  expect(row).toMatchObject({ state: 'captured', version: 3, grantError: 'no grants for this one' });
  expect(row.wakeAt?.toISOString()).toBe('2026-01-31T12:02:00.000Z');
  expect(view.stuck).toMatchObject({ cause: 'grant_failed', detail: 'no grants for this one' });
  const [received] =
    await world.sql`select verdict, detail, applied_version from inbox where order_id = ${culprit!.id}`;
  expect(received).toEqual({ verdict: 'applied', detail: 'no grants for this one', applied_version: 3 });
  expect(await grantsOf(culprit!.id)).toBe(0);
  await expectSoundBooks(world.sql);
});

test('a constraint that refuses two of forty grants costs the others nothing', async () => {
  const all = await orders(NEIGHBOURS);
  const culprits = [all[3]!, all[31]!];
  await world.sql.unsafe(
    `alter table grants add constraint added_by_hand check (order_id not in (${culprits.map(({ id }) => `'${id}'`).join()})) not valid`,
  );
  const outcomes = await Promise.all(all.map(order => world.dispatch(pay(order))));
  const states = outcomes.map(outcome => outcome.state);
  expect(states.filter(state => state === 'subscribed').length).toBe(NEIGHBOURS - 2);
  for (const { id } of culprits) expect((await look(id)).row.grantError).toContain('added_by_hand');
  await expectSoundBooks(world.sql);
});

test('the other order of the same subscription is granted, and the refused one after it', async () => {
  const userId = 'two-orders';
  const [first, second] = [await openOrder(world, { userId }), await openOrder(world, { userId })];
  const refused = await refuseRows('grants', { when: `new.order_id = '${first.id}'`, message: 'not this one' });
  const outcomes = await Promise.all([first, second].map(order => world.dispatch(pay(order))));
  expect(outcomes.map(outcome => outcome.state)).toEqual(['captured', 'subscribed']);
  await refused.remove();
  await world.dispatch(operator(first.id, { type: 'retry.requested', reason: 'the rule is gone' }));
  const grants = await world.sql`select order_id, seq from grants where user_id = ${userId} order by seq`;
  expect(grants.map(grant => grant.order_id)).toEqual([second.id, first.id]);
  await expectSoundBooks(world.sql);
});

test('a retry after the cause is gone subscribes with one grant and clears the reason', async () => {
  const [order] = await orders(1);
  const refused = await refuseRows('grants', { when: `new.order_id = '${order!.id}'`, message: 'not yet' });
  await world.dispatch(pay(order!));
  const again = await world.dispatch(operator(order!.id, { type: 'retry.requested', reason: 'too early' }));
  expect(again).toMatchObject({ verdict: 'applied', state: 'captured', detail: 'not yet', version: 4 });
  await refused.remove();
  const retried = await world.dispatch(operator(order!.id, { type: 'retry.requested', reason: 'the rule is gone' }));
  expect(retried).toMatchObject({ verdict: 'applied', state: 'subscribed', version: 6 });
  expect(await grantsOf(order!.id)).toBe(1);
  expect((await look(order!.id)).row).toMatchObject({ grantError: null, wakeAt: null });
  expect((await look(order!.id)).view.stuck).toBeNull();
  await expectSoundBooks(world.sql);
});

test('the sweeper tries again when the time has come, later each time, and at start whatever the time', async () => {
  const log = pino({ level: 'silent' });
  const deps = { ...world, log, holdOff: createHoldOff(world.clock) };
  world.clock.set(NOON);
  const [order] = await orders(1);
  const refused = await refuseRows('grants', { when: `new.order_id = '${order!.id}'`, message: 'still not' });
  await world.dispatch(pay(order!));
  const wakeAt = async () => (await look(order!.id)).row.wakeAt?.toISOString() ?? null;
  expect(await wakeAt()).toBe('2026-01-31T12:02:00.000Z');
  const before = await refused.count();
  world.clock.set('2026-01-31T12:01:59.999Z');
  await passDeadlines(deps);
  expect(await refused.count(), 'not due yet').toBe(before);
  world.clock.set('2026-01-31T12:02:00.000Z');
  await passDeadlines(deps);
  expect(await wakeAt()).toBe('2026-01-31T12:06:00.000Z');
  world.clock.set('2026-01-31T12:06:00.000Z');
  await passDeadlines(deps);
  expect(await wakeAt()).toBe('2026-01-31T12:14:00.000Z');
  await refused.remove();
  await driveCaptured(deps);
  expect((await look(order!.id)).row).toMatchObject({ state: 'subscribed', wakeAt: null, grantError: null });
  expect(await grantsOf(order!.id)).toBe(1);
  await expectSoundBooks(world.sql);
});

test('two sweepers that start together try one order once', async () => {
  const other = world.dispatcher();
  const [order] = await orders(1);
  const refused = await refuseRows('grants', { when: `new.order_id = '${order!.id}'`, message: 'no' });
  await world.dispatch(pay(order!));
  await refused.remove();
  const log = pino({ level: 'silent' });
  await Promise.all([world.dispatch, other.dispatch].map(dispatch => driveCaptured({ ...world, dispatch, log })));
  expect((await look(order!.id)).row).toMatchObject({ state: 'subscribed', version: 5 });
  await expectSoundBooks(world.sql);
});

test('a failure that may pass is waited out and leaves no order captured', async () => {
  const [order, neighbour] = await orders(2);
  const busy = await refuseRows('grants', { when: `new.order_id = '${order!.id}'`, message: 'busy', errcode: '55P03' });
  const calls = [order!, neighbour!].map(paid => world.dispatch(pay(paid)));
  await busy.reached(3);
  expect((await look(order!.id)).row.state).toBe('created');
  await busy.remove();
  for (const call of calls) expect(await call).toMatchObject({ verdict: 'applied', state: 'subscribed', detail: null });
  await expectSoundBooks(world.sql);
});

test('a failure that does not pass in time is told as unavailable and leaves the order as it was', async () => {
  const [order] = await orders(1);
  const busy = await refuseRows('grants', { when: `new.order_id = '${order!.id}'`, message: 'busy', errcode: '55P03' });
  expect((await refusal(world.dispatch(pay(order!)))).code).toBe('database_unavailable');
  expect((await look(order!.id)).row).toMatchObject({ state: 'created', version: 2, grantError: null });
  await busy.remove();
  expect(await world.dispatch(pay(order!))).toMatchObject({ verdict: 'applied', state: 'subscribed' });
  await expectSoundBooks(world.sql);
});

for (const table of ['inbox', 'transitions'] as const) {
  test(`a rule on ${table} fails the one call it refuses, stores nothing of it, and costs its neighbours nothing`, async () => {
    const [culprit, ...neighbours] = await orders(1 + NEIGHBOURS);
    const when =
      table === 'inbox' ? `new.order_id = '${culprit!.id}'` : `new.order_id = '${culprit!.id}' and new.version > 2`;
    const refused = await refuseRows(table, { when, message: 'not here' });
    const culprits = refusal(world.dispatch(pay(culprit!)));
    const outcomes = await Promise.all(neighbours.map(order => world.dispatch(pay(order))));
    expect(new Set(outcomes.map(outcome => outcome.state))).toEqual(new Set(['subscribed']));
    expect((await culprits).code).toBe('P0001');
    expect((await look(culprit!.id)).row).toMatchObject({ state: 'created', version: 2, grantError: null });
    expect((await world.sql`select from inbox where event_key = ${`evt-${culprit!.id}`}`).length).toBe(0);
    await refused.remove();
    expect(await world.dispatch(pay(culprit!))).toMatchObject({ verdict: 'applied', state: 'subscribed' });
    await expectSoundBooks(world.sql);
  });
}

test('a refusal that is over when the event stands alone leaves no reason on an order whose grant it was not', async () => {
  const [order] = await orders(1);
  await refuseRows('inbox', { when: `new.order_id = '${order!.id}'`, message: 'once', times: 1 });
  const failed = webhook(order!.providerOrderId, { type: 'payment.failed', paymentId: 'pay-x' });
  expect(await world.dispatch(failed)).toMatchObject({ verdict: 'applied', state: 'failed', detail: null });
  expect((await look(order!.id)).row.grantError).toBeNull();
});
