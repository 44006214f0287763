// An order whose snapshot cannot be read here is never guessed at: facts are kept, requests refused, the row untouched,
// and everything goes on once it can be read again.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readOrderRow } from '../db/orders.ts';
import { orderView } from '../src/orderView.ts';
import { expectSoundBooks } from './support/databaseChecks.ts';
import { captured, createWorld, openOrder, operator, type World, webhook } from './support/world.ts';

let world: World;
beforeAll(async () => {
  world = await createWorld();
});
afterAll(() => world.close());

const rowOf = async (id: string) => {
  const [row] = await world.sql`select machine, state, version, snapshot, updated_at from orders where id = ${id}`;
  return row;
};
const inboxOf = async (key: string) => {
  const [row] =
    await world.sql`select verdict, order_id, deliveries, event is not null as kept from inbox where event_key = ${key}`;
  return row;
};

const damages = {
  'a chart that is not registered': {
    harm: (id: string) => world.sql`update orders set machine = 'order.v0' where id = ${id}`,
    mend: (id: string) => world.sql`update orders set machine = 'order.v1' where id = ${id}`,
  },
  'a state the chart does not have': {
    harm: (id: string) =>
      world.sql`update orders set snapshot = jsonb_set(snapshot, '{value}', '"forgotten"') where id = ${id}`,
    mend: (id: string) =>
      world.sql`update orders set snapshot = jsonb_set(snapshot, '{value}', '"created"') where id = ${id}`,
  },
  'a context without its payments': {
    harm: (id: string) => world.sql`update orders set snapshot = snapshot #- '{context,payments}' where id = ${id}`,
    mend: (id: string) =>
      world.sql`update orders set snapshot = jsonb_set(snapshot, '{context,payments}', '[]') where id = ${id}`,
  },
};

describe.each(Object.entries(damages))('an order with %s', (_, { harm, mend }) => {
  test('keeps a webhook parked, is shown as stuck, stays as it is, and is paid by the redelivery once it can be read', async () => {
    const [order, neighbour] = await Promise.all([openOrder(world), openOrder(world)]);
    await harm(order.id);
    const before = await rowOf(order.id);
    const paid = webhook(order.providerOrderId, captured(`pay-${order.id}`));
    const [parked, fine] = await Promise.all([
      world.dispatch(paid),
      world.dispatch(webhook(neighbour.providerOrderId, captured(`pay-${neighbour.id}`))),
    ]);
    expect(parked).toMatchObject({ verdict: 'parked', orderId: order.id, version: 2 });
    expect(fine).toMatchObject({ verdict: 'applied', state: 'subscribed' });
    expect(await inboxOf(paid.eventKey)).toEqual({ verdict: 'parked', order_id: order.id, deliveries: 1, kept: true });
    const row = await readOrderRow(world.db, order.id);
    expect(orderView(row!, world.clock()).stuck?.cause).toBe('snapshot_unreadable');
    expect(await rowOf(order.id)).toEqual(before);
    await mend(order.id);
    expect(await world.dispatch(paid)).toMatchObject({ verdict: 'applied', state: 'subscribed', version: 4 });
    expect(await inboxOf(paid.eventKey)).toEqual({
      verdict: 'applied',
      order_id: order.id,
      deliveries: 2,
      kept: false,
    });
    await expectSoundBooks(world.sql);
  });

  test('refuses what people ask of it and names nothing as legal', async () => {
    const order = await openOrder(world);
    await harm(order.id);
    const before = await rowOf(order.id);
    for (const type of ['cancel.requested', 'retry.requested', 'refund.requested'] as const) {
      const error = await world.dispatch(operator(order.id, { type, reason: 'please' })).catch(error => error);
      expect(error).toMatchObject({ code: 'illegal_event', fields: { legalEvents: [] } });
    }
    expect(await rowOf(order.id)).toEqual(before);
    await mend(order.id);
    expect(await world.dispatch(operator(order.id, { type: 'cancel.requested', reason: 'now' }))).toMatchObject({
      verdict: 'applied',
      state: 'failed',
    });
  });

  test('keeps a fact told by a person, and has it applied when it is told again under its key', async () => {
    const order = await openOrder(world);
    await harm(order.id);
    const told = operator(order.id, captured(`pay-${order.id}`));
    expect(await world.dispatch(told)).toMatchObject({ verdict: 'parked', orderId: order.id });
    expect(await inboxOf(told.eventKey)).toMatchObject({ verdict: 'parked', order_id: order.id, kept: true });
    await mend(order.id);
    expect(await world.dispatch(told)).toMatchObject({ verdict: 'applied', state: 'subscribed' });
    expect(await inboxOf(told.eventKey)).toMatchObject({ verdict: 'applied', order_id: order.id, kept: false });
    await expectSoundBooks(world.sql);
  });
});

test('the readable order of the same subscription is paid while the other one cannot be read', async () => {
  const userId = 'half-readable';
  const [broken, sound] = [await openOrder(world, { userId }), await openOrder(world, { userId })];
  await damages['a chart that is not registered'].harm(broken.id);
  const outcomes = await Promise.all(
    [broken, sound].map(order => world.dispatch(webhook(order.providerOrderId, captured(`pay-${order.id}`)))),
  );
  expect(outcomes.map(outcome => outcome.verdict)).toEqual(['parked', 'applied']);
  await damages['a chart that is not registered'].mend(broken.id);
  await expectSoundBooks(world.sql);
});
