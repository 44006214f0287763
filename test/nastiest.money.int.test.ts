// The nastiest cases, second part: money that comes late, twice, for two orders at once, or in another amount. Cases 4, 5,
// 6 and 7, each told through the API, the sandbox and the books.

import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { amountText } from '../machines/amountText.ts';
import { formCall } from './support/cloudpaymentsNotices.ts';
import { expectNoLastGuard, expectSoundBooks } from './support/databaseChecks.ts';
import type { Json } from './support/httpService.ts';
import type { Opened } from './support/providerService.ts';
import { envelope, signedWebhook } from './support/razorpayBodies.ts';
import { PLAN, startWholeService, type WholeService } from './support/wholeService.ts';

const MINUTE = 60_000;
const DAY = 86_400_000;

let service: WholeService;
beforeAll(async () => {
  service = await startWholeService({ at: '2026-03-10T09:00:00.000Z', banks: ['razorpay', 'cloudpayments'] });
});
afterEach(() => expectSoundBooks(service.world.sql));
afterAll(async () => {
  await expectNoLastGuard(service.world.sql);
  await service?.close();
});

const stateOf = async ({ id }: { id: string }) => (await service.order(id)).state;
const there = (paymentId: string) => service.dashboard('GET', `/payments/${paymentId}`);
const topics = ({ id }: { id: string }) => service.told(id).map(({ type }) => type);
const causes = ({ id }: { id: string }) => service.alerts(id).map(({ cause }) => cause);
const subscriptions = async ({ userId }: { userId: string }) =>
  (await service.call('GET', `/v1/users/${userId}/subscriptions`)).body.subscriptions;
const effectsOf = async ({ id }: { id: string }, effect: string) =>
  (await service.timeline(id)).effects.filter((row: Json) => row.effect === effect);

describe('case 4: success that comes late', () => {
  test('after the order expired and its session was closed: the money was taken, so the customer gets the time', async () => {
    const order = await service.buy();
    await service.travel(31 * MINUTE);
    expect(await stateOf(order)).toBe('failed');
    expect((await service.dashboard('GET', `/orders/${order.providerOrderId}`)).status).toBe('closed');
    // The payment was on its way when the session was closed.
    const paidAt = service.now().toISOString();
    await service.pay(order);
    await service.settle();
    expect(await stateOf(order)).toBe('subscribed');
    expect((await service.timeline(order.id)).grant).toMatchObject({
      startsAt: expect.stringContaining(paidAt.slice(0, 16)),
    });
    expect(topics(order)).toEqual(['order.failed', 'order.subscribed']);
  });

  test('after it was cancelled', async () => {
    const order = await service.buy();
    const { status } = await service.call('POST', `/v1/orders/${order.id}/cancel`, { reason: 'changed my mind' });
    expect(status).toBe(200);
    await service.settle();
    expect(await stateOf(order)).toBe('failed');
    await service.pay(order);
    await service.settle();
    expect(await stateOf(order)).toBe('subscribed');
    expect(await service.access(order.userId)).toMatchObject({ access: true });
  });

  test('the very payment that had failed, days later, as Razorpay does: nobody pays for days in which we did not know', async () => {
    const order = await service.buy({ provider: 'razorpay' });
    const tell = (payment: Record<string, unknown>, at: number) => {
      const type = `payment.${payment.status}`;
      const { body, headers } = signedWebhook(envelope(type, { payment }, at), { eventId: `Evt${type}${payment.id}` });
      return service.call('POST', '/v1/webhooks/razorpay', body, headers);
    };
    const payment = service.banks.razorpay.pay(order.providerOrderId, { status: 'failed', captured: false });
    const paidAt = Math.floor(service.now().getTime() / 1_000);
    await tell({ ...payment }, paidAt);
    expect(await stateOf(order)).toBe('failed');
    service.gate.lists = 'rest';
    await service.travel(3 * DAY);
    Object.assign(payment, { status: 'captured', captured: true });
    await tell({ ...payment }, paidAt);
    service.gate.lists = 'read';
    await service.settle();
    expect(await stateOf(order)).toBe('subscribed');
    const { grant } = await service.timeline(order.id);
    expect(grant.startsAt).toBe(service.now().toISOString());
  });

  test('and where the service cannot be given for it, it is parked and somebody is told', async () => {
    const order = await service.buy();
    await service.travel(31 * MINUTE);
    const paymentId = await service.pay(order, 'wrong-amount');
    await service.settle();
    expect(await service.order(order.id)).toMatchObject({ state: 'parked', stuck: { cause: 'parked' } });
    expect(causes(order)).toEqual(['mismatch']);
    expect((await there(paymentId)).heldMinor).toBeGreaterThan(0);
    await service.dashboard('POST', `/orders/${order.providerOrderId}/scenarios/refund`);
    await service.settle();
    expect(await service.order(order.id)).toMatchObject({ state: 'failed', stuck: null });
  });
});

describe('case 5: a second captured payment for one order', () => {
  /** Paid in two tabs, both told. */
  async function paidTwice(policy: string): Promise<{ order: Opened; first: string; second: string }> {
    const planId = `pro-${policy}`;
    await service.plan({ surplusPolicy: policy }, planId);
    const order = await service.buy({ planId });
    const first = await service.pay(order);
    await service.settle();
    const second = await service.pay(order);
    await service.settle();
    return { order, first, second };
  }

  test('is known by its payment id, told, and goes back; the paid time is not extended', async () => {
    const { order, first, second } = await paidTwice('refund');
    const { payments, grant, order: shown } = await service.timeline(order.id);
    expect(shown).toMatchObject({ state: 'subscribed', stuck: null });
    expect(grant).toMatchObject({ paymentId: first, seq: 1 });
    expect(payments.map(({ paymentId, refundedMinor }: Json) => [paymentId, refundedMinor]).sort()).toEqual(
      [
        [first, 0],
        [second, 49_900],
      ].sort(),
    );
    expect(causes(order)).toEqual(['surplus']);
    expect(await there(second)).toMatchObject({ heldMinor: 0, refunds: [{ state: 'completed', amountMinor: 49_900 }] });
    expect(await there(first)).toMatchObject({ heldMinor: 49_900 });
    expect(await subscriptions(order)).toMatchObject([{ grants: 1 }]);
    // Told again it goes back no second time.
    for (const { webhookId } of await service.webhooks(order)) await service.deliver(webhookId);
    await service.travel(2 * DAY);
    expect((await there(second)).refunds).toHaveLength(1);
    expect((await there(first)).refunds).toEqual([]);
    expect(topics(order)).toEqual(['order.subscribed']);
  });

  test('where the plan says so it becomes an order of its own, and the time is twice as long', async () => {
    const { order, first, second } = await paidTwice('extend');
    const { orders } = (await service.call('GET', `/v1/orders?userId=${order.userId}`)).body;
    expect(orders.map(({ kind, state }: Json) => [kind, state]).sort()).toEqual([
      ['purchase', 'subscribed'],
      ['surplus', 'subscribed'],
    ]);
    const access = await service.access(order.userId);
    expect(access.grants.map(({ paymentId }: Json) => paymentId)).toEqual([first, second]);
    expect(access.grants[1].startsAt).toBe(access.grants[0].endsAt);
    expect(await subscriptions(order)).toMatchObject([{ grants: 2 }]);
    expect((await there(second)).refunds).toEqual([]);
  });

  test('or it is held, shown to an operator, and goes back when they say so', async () => {
    const { order, second } = await paidTwice('hold');
    expect(causes(order)).toContain('surplus_held');
    expect((await there(second)).refunds).toEqual([]);
    const asked = { reason: 'paid in two tabs', paymentId: second };
    expect((await service.call('POST', `/v1/orders/${order.id}/refund`, asked)).status).toBe(200);
    await service.settle();
    expect(await there(second)).toMatchObject({ heldMinor: 0 });
    expect(await service.order(order.id)).toMatchObject({ state: 'subscribed' });
  });

  test('looks once more before anything goes back: the first payment is gone by then, so the second one is kept', async () => {
    const order = await service.buy();
    const first = await service.pay(order);
    await service.settle();
    const second = await service.pay(order);
    for (const { webhookId, status } of await service.webhooks(order)) {
      if (status === 'pending') await service.deliver(webhookId);
    }
    expect(await effectsOf(order, 'refund')).toMatchObject([{ status: 'pending' }]);
    // Before the worker comes to it, the first payment is charged back.
    await service.forge('dispute.lost', {
      providerOrderId: order.providerOrderId,
      paymentId: first,
      amountMinor: 49_900,
      currency: 'INR',
      disputeId: `dp_${first}`,
    });
    await service.settle();
    expect((await there(second)).refunds).toEqual([]);
    expect(await effectsOf(order, 'refund')).toMatchObject([
      { status: 'done', lastError: expect.stringMatching(/^kept/) },
    ]);
    expect(await service.access(order.userId)).toMatchObject({ access: true });
  });
});

describe('case 6: two orders of one user for one plan, both paid', () => {
  test('the checkout guards: while the first one waits to be paid, asking again gives the same one', async () => {
    const userId = service.world.newId('req');
    const one = await service.buy({ userId });
    const two = await service.buy({ userId });
    expect(two).toMatchObject({ id: one.id, providerOrderId: one.providerOrderId });
    await service.pay(one);
    await service.settle();
    expect(await subscriptions(one)).toMatchObject([{ grants: 1 }]);
  });

  test('paid at two providers at the same time it is one subscription, extended once for each payment', async () => {
    const userId = service.world.newId('req');
    const one = await service.buy({ userId });
    const two = await service.buy({ userId, provider: 'razorpay' });
    expect(two.id).not.toBe(one.id);
    const payment = service.banks.razorpay.pay(two.providerOrderId);
    const signed = signedWebhook(envelope('payment.captured', { payment }), { eventId: `Evt${two.id}` });
    await service.pay(one);
    await Promise.all([service.settle(), service.call('POST', '/v1/webhooks/razorpay', signed.body, signed.headers)]);
    await service.settle();
    expect([await stateOf(one), await stateOf(two)]).toEqual(['subscribed', 'subscribed']);
    const { grants } = await service.access(userId);
    expect(grants).toHaveLength(2);
    expect(grants[1].startsAt).toBe(grants[0].endsAt);
    expect(await subscriptions(one)).toMatchObject([{ grants: 2 }]);
  });

  test('and refunding one of them takes back that time and no other', async () => {
    const userId = service.world.newId('req');
    const [one, two] = [await service.buy({ userId }), await service.buy({ userId, another: true })];
    for (const order of [one, two]) await service.pay(order);
    await service.settle();
    const before = await service.access(userId);
    expect(before.grants).toHaveLength(2);
    await service.call('POST', `/v1/orders/${one.id}/refund`, { reason: 'bought twice' });
    await service.settle();
    expect([await stateOf(one), await stateOf(two)]).toEqual(['refunded', 'subscribed']);
    const after = await service.access(userId);
    expect(after).toMatchObject({ access: true, until: before.grants[0].endsAt });
    expect(after.grants.map(({ orderId }: Json) => orderId)).toEqual([two.id]);
  });
});

describe('case 7: the amount or the currency is another one', () => {
  const differing = [
    ['half of the price', { amountMinor: 24_950, currency: 'INR' }],
    ['twice the price', { amountMinor: 99_800, currency: 'INR' }],
    ['the same number in another currency', { amountMinor: 49_900, currency: 'USD' }],
  ] as const;

  test.each(differing)('%s: parked, told, no access, and nothing goes back by itself', async (_, money) => {
    const order = await service.buy();
    const paymentId = `pay_${order.id}`;
    const { providerOrderId } = order;
    const told = await service.forge('payment.captured', { providerOrderId, paymentId, ...money });
    expect(told).toMatchObject({ status: 200, body: { verdict: 'mismatch', state: 'parked' } });
    await service.settle();
    expect(await service.order(order.id)).toMatchObject({ state: 'parked', stuck: { cause: 'parked' } });
    expect(await service.access(order.userId)).toMatchObject({ access: false, grants: [] });
    expect(causes(order)).toEqual(['mismatch']);
    expect(service.alerts(order.id)[0].text).toContain(amountText(money.amountMinor, money.currency));
    // The lists would find out that the sandbox knows of no such payment.
    service.gate.lists = 'rest';
    await service.travel(5 * DAY);
    service.gate.lists = 'read';
    expect(await effectsOf(order, 'refund')).toEqual([]);
    expect(await service.access(order.userId)).toMatchObject({ access: false });
    expect(causes(order)).toEqual(['mismatch']);
  });

  test.each(differing)('%s, only reserved: it is not captured', async (_, money) => {
    const order = await service.buy();
    const { providerOrderId } = order;
    const told = await service.forge('payment.authorized', { providerOrderId, paymentId: `pay_${order.id}`, ...money });
    expect(told).toMatchObject({ body: { verdict: 'mismatch', state: 'parked' } });
    await service.settle();
    expect(await effectsOf(order, 'capture')).toEqual([]);
  });

  test('an unrelated payment of the same customer pays for nothing of ours', async () => {
    const order = await service.buy();
    const told = await service.forge('payment.captured', {
      providerOrderId: 'sbo_of_somebody_else',
      paymentId: `pay_x_${order.id}`,
      amountMinor: 49_900,
      currency: 'INR',
    });
    expect(told.body).toMatchObject({ verdict: 'unmatched', orderId: null });
    expect(await service.access(order.userId)).toMatchObject({ access: false });
    expect(await stateOf(order)).toBe('created');
  });

  test('the price at the time of the purchase holds, whatever the plan costs by now', async () => {
    await service.plan({ amountMinor: 10_000 }, 'pro-sale');
    const order = await service.buy({ planId: 'pro-sale' });
    await service.plan({ amountMinor: 20_000, period: { months: 12 } }, 'pro-sale');
    await service.pay(order);
    await service.settle();
    expect((await service.timeline(order.id)).grant).toMatchObject({ months: PLAN.period.months });
  });

  test('CloudPayments is told no before it charges', async () => {
    expect(await askedByCloudPayments('499.01')).toBe(12);
    expect(await askedByCloudPayments('499.00')).toBe(0);
  });

  /** The code its Check is answered with. */
  async function askedByCloudPayments(amount: string): Promise<number> {
    const order = await service.buy({ provider: 'cloudpayments' });
    const asked = { TransactionId: '1', Amount: amount, Currency: 'INR', InvoiceId: order.id, AccountId: order.userId };
    const { body, headers, contentType } = formCall('check', { ...asked, TestMode: '0', Status: 'Completed' });
    const sent = { ...headers, 'content-type': contentType };
    return (await service.call('POST', '/v1/webhooks/cloudpayments/check', body, sent)).body.code;
  }
});
