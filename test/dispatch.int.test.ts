// Dispatch on a real database: the race it exists for, and everything that arrives twice, late or for nobody.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { captured, createWorld, openOrder, type World, webhook } from './support/world.ts';

let world: World;
beforeAll(async () => {
  world = await createWorld();
});
afterAll(() => world.close());

describe('one payment', () => {
  test('goes from created to subscribed in two transitions and one commit', async () => {
    const order = await openOrder(world);
    const outcome = await world.dispatch(webhook(order.providerOrderId, captured('pay_one')));
    expect(outcome).toMatchObject({ verdict: 'applied', orderId: order.id, state: 'subscribed', version: 4 });
    const transitions =
      await world.sql`select version, event_type, from_state, to_state, event_key is null as follows from transitions where order_id = ${order.id} order by version`;
    expect([...transitions].map(row => [row.version, row.event_type, row.from_state, row.to_state])).toEqual([
      [1, 'order.created', null, 'created'],
      [2, 'checkout.opened', 'created', 'created'],
      [3, 'payment.captured', 'created', 'captured'],
      [4, 'grant.recorded', 'captured', 'subscribed'],
    ]);
    const [grant] = await world.sql`select * from grants where order_id = ${order.id}`;
    expect(grant).toMatchObject({
      payment_id: 'pay_one',
      seq: 1,
      starts_at: new Date('2026-01-31T10:00:00Z'),
      ends_at: new Date('2026-02-28T10:00:00Z'),
    });
  });
});
