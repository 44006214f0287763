// The nastiest cases, fourth part: money that goes back, by whom and however it does. Case 12, told through the API, the
// sandbox's dashboard and the books.
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { expectNoLastGuard, expectSoundBooks } from './support/databaseChecks.ts';
import type { Json } from './support/httpService.ts';
import type { Opened } from './support/providerService.ts';
import { envelope, type Fields, signedWebhook } from './support/razorpayBodies.ts';
import { startWholeService, type WholeService } from './support/wholeService.ts';

const DAY = 86_400_000;

let service: WholeService;
beforeAll(async () => {
  service = await startWholeService({ at: '2026-03-10T09:00:00.000Z', banks: ['razorpay'] });
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
/** At the sandbox's dashboard, told by webhook. */
async function happens(order: Opened, story: string) {
  await service.dashboard('POST', `/orders/${order.providerOrderId}/scenarios/${story}`);
  await service.settle();
}
async function subscribed(purchase: Parameters<WholeService['buy']>[0] = {}) {
  const order = await service.buy(purchase);
  const paymentId = await service.pay(order);
  await service.settle();
  expect(await stateOf(order)).toBe('subscribed');
  return { order, paymentId };
}

describe('case 12: money that goes back', () => {
  test('a full refund ends the time of that payment and of no other', async () => {
    const { order: one } = await subscribed();
    const { order: two } = await subscribed({ userId: one.userId });
    const before = await service.access(one.userId);
    expect((await service.call('POST', `/v1/orders/${two.id}/refund`, { reason: 'too much' })).status).toBe(200);
    // Asked for is not done: access ends when the money has gone back.
    expect(await stateOf(two)).toBe('subscribed');
    await service.settle();
    expect([await stateOf(one), await stateOf(two)]).toEqual(['subscribed', 'refunded']);
    expect(await service.access(one.userId)).toMatchObject({ access: true, until: before.grants[0].endsAt });
    expect(topics(two)).toEqual(['order.subscribed', 'subscription.extended', 'order.refunded']);
    await happens(one, 'refund');
    expect(await service.access(one.userId)).toMatchObject({ access: false, reason: 'refunded', grants: [] });
  });

  test('asked for twice and told three times it goes back once', async () => {
    const { order, paymentId } = await subscribed();
    const ask = () => service.call('POST', `/v1/orders/${order.id}/refund`, { reason: 'asked for it' });
    const answers = await Promise.all([ask(), ask()]);
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 409]);
    await service.settle();
    for (const { webhookId } of await service.webhooks(order)) await service.deliver(webhookId);
    await service.travel(3 * DAY);
    expect(await there(paymentId)).toMatchObject({ heldMinor: 0, refunds: [{ amountMinor: 49_900 }] });
    expect((await service.timeline(order.id)).refunds).toHaveLength(1);
    expect(topics(order)).toEqual(['order.subscribed', 'order.refunded']);
  });

  test('a partial one leaves access as it is; the parts that make the whole end it', async () => {
    const { order } = await subscribed();
    await happens(order, 'partial-refund');
    expect(await stateOf(order)).toBe('subscribed');
    const { payments, refunds } = await service.timeline(order.id);
    expect(payments).toMatchObject([{ capturedMinor: 49_900, refundedMinor: 24_950 }]);
    expect(refunds).toMatchObject([{ state: 'completed', amountMinor: 24_950 }]);
    expect(await service.access(order.userId)).toMatchObject({ access: true });
    const rest = { reason: 'the rest', amountMinor: 24_950 };
    await service.call('POST', `/v1/orders/${order.id}/refund`, rest);
    await service.settle();
    expect(await stateOf(order)).toBe('refunded');
  });

  test('an uncaptured payment that goes back by itself never gave access, and touches none', async () => {
    const userId = service.world.newId('req');
    const { order: paid } = await subscribed({ userId });
    const before = await service.access(userId);
    const order = await service.buy({ userId });
    const paymentId = await service.pay(order, 'authorize-only');
    for (const { webhookId } of await service.webhooks(order)) await service.deliver(webhookId);
    expect(await stateOf(order)).toBe('authorized');
    await service.dashboard('POST', `/payments/${paymentId}/void`);
    await service.settle();
    expect([await stateOf(paid), await stateOf(order)]).toEqual(['subscribed', 'failed']);
    expect(await service.access(userId)).toEqual(before);
    expect(topics(order)).toEqual(['order.failed']);
  });

  test('Razorpay’s automatic refund of a payment nobody captured: its order there stays paid, ours is failed', async () => {
    const order = await service.buy({ provider: 'razorpay' });
    const bank = service.banks.razorpay;
    const tell = (type: string, payload: Fields) => {
      const { body, headers } = signedWebhook(envelope(type, payload), { eventId: `Evt${type}${order.id}` });
      return service.call('POST', '/v1/webhooks/razorpay', body, headers);
    };
    const payment = bank.pay(order.providerOrderId, { status: 'authorized', captured: false });
    await tell('payment.authorized', { payment: { ...payment } });
    expect(await stateOf(order)).toBe('authorized');
    Object.assign(payment, { status: 'refunded', amount_refunded: payment.amount, refund_status: 'full' });
    const refund = { id: `rfnd_${order.id}`, entity: 'refund', payment_id: payment.id, amount: payment.amount };
    await tell('refund.processed', {
      refund: { ...refund, currency: 'INR', status: 'processed', created_at: 1_772_000_900 },
      payment,
    });
    await service.settle();
    expect(await stateOf(order)).toBe('failed');
    expect(await service.access(order.userId)).toMatchObject({ access: false, reason: 'never_paid' });
    expect(topics(order)).toEqual(['order.failed']);
  });

  test('a dispute that is opened is told and takes nothing; lost it takes access; won after all it gives it back', async () => {
    const { order } = await subscribed();
    const { grants } = await service.access(order.userId);
    await happens(order, 'dispute-opened');
    expect(await stateOf(order)).toBe('subscribed');
    expect(causes(order)).toEqual(['dispute']);
    expect((await service.timeline(order.id)).disputes).toMatchObject([{ state: 'opened' }]);
    await happens(order, 'dispute-lost');
    expect(await stateOf(order)).toBe('refunded');
    expect(await service.access(order.userId)).toMatchObject({ access: false });
    await happens(order, 'dispute-won');
    expect(await stateOf(order)).toBe('subscribed');
    // The same grant, with the days it had.
    expect((await service.access(order.userId)).grants).toEqual(grants);
    expect(topics(order)).toEqual(['order.subscribed', 'order.refunded', 'order.subscribed']);
  });

  test('a dispute that is won without ever being lost changes nothing', async () => {
    const { order } = await subscribed();
    const before = await service.access(order.userId);
    await happens(order, 'dispute-opened');
    await happens(order, 'dispute-won');
    expect(await service.access(order.userId)).toEqual(before);
    expect(topics(order)).toEqual(['order.subscribed']);
  });

  test('refunded in part and then charged back, each told twice, access is taken once', async () => {
    const { order } = await subscribed();
    await happens(order, 'partial-refund');
    await happens(order, 'dispute-lost');
    for (const { webhookId } of await service.webhooks(order)) await service.deliver(webhookId);
    await service.travel(2 * DAY);
    const { transitions, grant } = await service.timeline(order.id);
    expect(transitions.filter(({ to }: Json) => to === 'refunded')).toHaveLength(1);
    expect(grant).toMatchObject({ seq: 1, revokedAt: expect.any(String) });
    expect(await service.access(order.userId)).toMatchObject({ access: false });
    expect(topics(order)).toEqual(['order.subscribed', 'order.refunded']);
  });

  test('a refund that fails gives the same time back, and somebody is told that the money is still here', async () => {
    const { order } = await subscribed();
    const { grants } = await service.access(order.userId);
    await happens(order, 'refund');
    expect(await stateOf(order)).toBe('refunded');
    await happens(order, 'refund-fails');
    expect(await stateOf(order)).toBe('subscribed');
    expect((await service.access(order.userId)).grants).toEqual(grants);
    expect(causes(order)).toEqual(['refund_failed']);
  });

  test('what was bought counts, not what the plan is today', async () => {
    await service.plan({ graceDays: 5 }, 'pro-old');
    const { order } = await subscribed({ planId: 'pro-old' });
    await service.plan({ product: 'basic', amountMinor: 100, graceDays: 0 }, 'pro-old');
    await happens(order, 'refund');
    expect(await service.access(order.userId)).toMatchObject({ product: 'pro', access: false, reason: 'refunded' });
    expect(service.told(order.id).at(-1).data).toMatchObject({ product: 'pro' });
  });
});
