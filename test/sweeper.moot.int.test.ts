// Dead effects whose purpose was reached without them call nobody any more; all others stay for a person.
import { pino } from 'pino';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { endMootEffects } from '../src/sweeper/mootEffects.ts';
import { captured, createWorld, openOrder, type World, webhook } from './support/world.ts';

let world: World;
beforeAll(async () => {
  world = await createWorld();
});
afterAll(() => world.close());

const MONEY = { amountMinor: 49900, currency: 'INR' };
const endThem = () => endMootEffects({ db: world.db, clock: world.clock, log: pino({ level: 'silent' }) });

async function kill(orderId: string, effect: string): Promise<void> {
  await world.sql`update outbox set status = 'dead', last_error = 'no answer' where order_id = ${orderId} and effect = ${effect}`;
}

async function effects(orderId: string): Promise<Record<string, string>> {
  const rows = await world.sql`select effect, status from outbox where order_id = ${orderId}`;
  return Object.fromEntries(rows.map(({ effect, status }) => [effect, status]));
}

async function reserved() {
  const order = await openOrder(world);
  const paymentId = `pay-${order.id}`;
  await world.dispatch(webhook(order.providerOrderId, { type: 'payment.authorized', paymentId, ...MONEY }));
  return { ...order, paymentId };
}

test('a capture that died while the provider captured by itself is over', async () => {
  const order = await reserved();
  await kill(order.id, 'capture');
  await endThem();
  expect(await effects(order.id)).toMatchObject({ capture: 'dead' });
  await world.dispatch(webhook(order.providerOrderId, captured(order.paymentId)));
  await endThem();
  expect(await effects(order.id)).toMatchObject({ capture: 'done' });
  const [row] =
    await world.sql`select last_error, done_at from outbox where order_id = ${order.id} and effect = 'capture'`;
  expect(row).toEqual({ last_error: 'no answer, and is not needed any more', done_at: world.clock() });
});

test('a void that died stays for a person: that the order gave up the payment does not mean that its provider did', async () => {
  const order = await reserved();
  await world.dispatch({
    ...webhook(order.providerOrderId, { type: 'cancel.requested', reason: 'left' }),
    received: null,
  });
  await kill(order.id, 'void');
  await endThem();
  expect(await effects(order.id)).toMatchObject({ void: 'dead' });
  await world.dispatch(webhook(order.providerOrderId, captured(order.paymentId)));
  await endThem();
  expect(await effects(order.id)).toMatchObject({ void: 'done' });
});

test('a question is over once the order is settled, and a closing once the order is paid', async () => {
  const order = await openOrder(world);
  await world.dispatch(webhook(order.providerOrderId, { type: 'payment.failed', paymentId: 'pay-declined' }));
  await world.dispatch({
    ...webhook(order.providerOrderId, { type: 'cancel.requested', reason: 'left' }),
    received: null,
  });
  await kill(order.id, 'close');
  await kill(order.id, 'reconcile');
  await endThem();
  expect(await effects(order.id)).toMatchObject({ close: 'dead', reconcile: 'dead' });
  await world.dispatch(webhook(order.providerOrderId, captured(`late-${order.id}`)));
  await endThem();
  expect(await effects(order.id)).toMatchObject({ close: 'done', reconcile: 'done' });
});

test('a refund that died stays for a person, and so does whatever tells somebody', async () => {
  const order = await openOrder(world);
  await world.dispatch(webhook(order.providerOrderId, captured(`paid-${order.id}`)));
  await world.dispatch({
    ...webhook(order.providerOrderId, { type: 'refund.requested', reason: 'asked' }),
    received: null,
  });
  await kill(order.id, 'refund');
  await kill(order.id, 'notify');
  await endThem();
  expect(await effects(order.id)).toMatchObject({ refund: 'dead', notify: 'dead' });
});
