// The deny-time re-check: no customer who has paid is refused because a webhook never came, and no customer waits for a
// provider that does not answer.
import { pino } from 'pino';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { accessAt } from '../machines/access.ts';
import type { PaymentProvider, ProviderPayment } from '../src/providers/provider.ts';
import { createRecheck } from '../src/recheckAccess.ts';
import { until } from './support/databaseChecks.ts';
import { type RazorpayService, startRazorpayService } from './support/razorpayService.ts';
import { MONTHLY, openOrder } from './support/world.ts';

let service: RazorpayService;
beforeAll(async () => {
  service = await startRazorpayService();
});
afterAll(() => service.close());
const START = '2026-01-31T10:00:00.000Z';
beforeEach(() => {
  service.world.clock.set(START);
  service.bank.calls.length = 0;
  service.bank.faults.length = 0;
});

const ask = async (userId: string, at = '') => {
  const { status, body } = await service.call('GET', `/v1/users/${userId}/access?product=pro${at && `&at=${at}`}`);
  expect(status).toBe(200);
  return body;
};
const asked = (path: RegExp) => service.bank.calls.filter(call => path.test(call)).length;

/** Paid by a subscription of Razorpay's a month ago; every later charge of it stays untold. */
async function subscriber() {
  const order = await service.checkOut();
  const subscription = { id: `sub_${order.id}`, notes: { order_id: order.id } };
  const payment = service.bank.charge(subscription.id);
  const at = Math.floor(Date.parse(START) / 1_000);
  const { body } = await service.webhook('subscription.charged', { subscription, payment }, { at });
  expect(body).toMatchObject({ orderId: order.id, state: 'subscribed' });
  return { ...order, subscriptionId: subscription.id };
}

test('who has paid and is asked about before the webhook has access, and fifty who ask at once are one question', async () => {
  const order = await service.checkOut();
  service.bank.pay(order.providerOrderId);
  const answers = await Promise.all(Array.from({ length: 50 }, () => ask(order.userId)));
  expect(answers.every(({ access, reason }) => access && reason === 'active')).toBe(true);
  expect(asked(new RegExp(`/orders/${order.providerOrderId}/payments`))).toBe(1);
  const { transitions, received } = await service.timeline(order.id);
  expect(transitions.at(-1)).toMatchObject({ to: 'subscribed' });
  expect(received).toMatchObject([{ type: 'payment.captured', verdict: 'applied' }]);
  const sources = await service.world.sql`select distinct source from inbox where order_id = ${order.id}`;
  expect([...sources]).toEqual([{ source: 'reconcile' }]);
});

test('a renewal that was charged and never told extends what is paid, a day after grace has ended', async () => {
  const { userId, subscriptionId } = await subscriber();
  service.bank.charge(subscriptionId);
  service.world.clock.set('2026-03-04T10:00:00.000Z');
  expect(await ask(userId, '2026-03-04T10:00:00Z')).toMatchObject({ access: false, reason: 'expired' });
  expect(await ask(userId)).toMatchObject({ access: true, reason: 'active', until: '2026-04-04T10:00:00.000Z' });
  expect(await ask(userId)).toMatchObject({ access: true });
  expect(asked(/^GET \/v1\/invoices/)).toBe(1);
  const kinds = await service.world.sql`select kind from orders where user_id = ${userId} order by created_at`;
  expect(kinds.map(({ kind }) => kind)).toEqual(['purchase', 'renewal']);
});

test('a renewal that failed, and one that went back, rescue nobody', async () => {
  const { userId, subscriptionId } = await subscriber();
  service.bank.charge(subscriptionId, { status: 'failed' });
  const back = service.bank.charge(subscriptionId);
  const money = { paymentId: String(back.id), amountMinor: 49_900, currency: 'INR' };
  await service.provider.refund({ ...money, key: `back:${userId}` });
  service.world.clock.set('2026-03-04T10:00:00.000Z');
  expect(await ask(userId)).toMatchObject({ access: false });
});

test('an answer holds for a minute, and a new order is a new question', async () => {
  const order = await service.checkOut();
  const question = new RegExp(`/orders/${order.providerOrderId}/payments`);
  for (let n = 0; n < 3; n++) expect(await ask(order.userId)).toMatchObject({ access: false, reason: 'never_paid' });
  expect(asked(question)).toBe(1);
  service.world.clock.set('2026-01-31T10:01:00.000Z');
  await ask(order.userId);
  expect(asked(question)).toBe(2);
  const body = { userId: order.userId, planId: 'pro-monthly', provider: 'razorpay', another: true };
  const second = await service.call('POST', '/v1/checkouts', body, { 'idempotency-key': `again-${order.id}` });
  service.bank.pay(second.body.checkout.providerOrderId);
  expect(await ask(order.userId)).toMatchObject({ access: true });
});

test('a provider that is down is a plain denial', async () => {
  const order = await service.checkOut();
  for (let n = 0; n < 4; n++) service.bank.faults.push({ to: /payments/, fault: 500 });
  expect(await ask(order.userId)).toMatchObject({ access: false, reason: 'never_paid' });
});

test('strangers, who left long ago, whose order is old and who asks about another instant are no question', async () => {
  expect(await ask('a-stranger')).toMatchObject({ access: false });
  const opened = await service.checkOut();
  const { userId, subscriptionId } = await subscriber();
  service.bank.calls.length = 0;
  await ask(opened.userId, START);
  service.world.clock.set('2026-02-01T10:00:00.000Z');
  await ask(opened.userId);
  service.world.clock.set('2026-03-10T10:00:00.000Z');
  service.bank.charge(subscriptionId);
  expect(await ask(userId)).toMatchObject({ access: false, reason: 'expired' });
  expect(service.bank.calls).toEqual([]);
});

test('who asks is not kept waiting by a provider that does not answer, and its late answer still counts', async () => {
  const { world } = service;
  const order = await openOrder(world);
  let answer: (payments: ProviderPayment[]) => void = () => {};
  let calls = 0;
  const silent = {
    name: 'sandbox',
    findPayments: () => {
      calls += 1;
      return new Promise<ProviderPayment[]>(resolve => {
        answer = resolve;
      });
    },
  } as unknown as PaymentProvider;
  const providers = new Map([['sandbox', silent]]);
  const { db, dispatch, clock } = world;
  const log = pino({ level: 'silent' });
  const recheck = createRecheck({ db, dispatch, providers, clock, log, recheckWaitMs: 50 });
  const user = { userId: order.userId, product: 'pro' };
  const denied = accessAt([], clock());
  expect(await Promise.all([recheck(user, denied), recheck(user, denied)])).toEqual([false, false]);
  await until('the provider is asked', () => calls > 0);
  expect(calls).toBe(1);
  const { amountMinor, currency } = MONTHLY;
  const about = { providerOrderId: order.providerOrderId, orderId: null, amountMinor, currency };
  answer([{ paymentId: `pay-late-${order.id}`, state: 'captured', ...about }]);
  await until('the late answer is applied', async () => {
    const [row] = await world.sql`select state from orders where id = ${order.id}`;
    return row?.state === 'subscribed';
  });
});

test('when too many are asked about at once, the others are refused as they are', async () => {
  const { world } = service;
  const orders = await Promise.all(Array.from({ length: 6 }, () => openOrder(world)));
  const waiting: (() => void)[] = [];
  const slow = {
    name: 'sandbox',
    findPayments: () => new Promise<ProviderPayment[]>(resolve => waiting.push(() => resolve([]))),
  } as unknown as PaymentProvider;
  const { db, dispatch, clock } = world;
  const log = pino({ level: 'silent' });
  const recheckWaitMs = 60_000;
  const recheck = createRecheck({ db, dispatch, providers: new Map([['sandbox', slow]]), clock, log, recheckWaitMs });
  const denied = accessAt([], clock());
  const answers = orders.map(({ userId }) => recheck({ userId, product: 'pro' }, denied));
  await until('four are asked', () => waiting.length === 4);
  await until('the others are answered', async () => {
    const state = await Promise.all(answers.map(answer => Promise.race([answer, 'waiting'])));
    return state.filter(one => one === false).length === 2;
  });
  for (const go of waiting) go();
  expect((await Promise.all(answers)).filter(Boolean)).toHaveLength(4);
  expect(waiting).toHaveLength(4);
});
