// The nastiest cases, third part: a provider that does not answer, a process that dies at the worst moment, and a webhook
// that was lost weeks ago. Cases 8, 9 and 10, each told through the API, the providers and the books.
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { expectNoLastGuard, expectSoundBooks } from './support/databaseChecks.ts';
import type { ProxyFault } from './support/faultyProxy.ts';
import type { Json } from './support/httpService.ts';
import { startWholeService, type WholeService } from './support/wholeService.ts';

const MINUTE = 60_000;
const HOUR = 3_600_000;
const DAY = 86_400_000;
const NOBODY_ANSWERS = [{ share: 1, fault: 'reset' as const }];

let service: WholeService;
beforeAll(async () => {
  service = await startWholeService({ at: '2026-03-10T09:00:00.000Z', banks: ['razorpay', 'cloudpayments'] });
});
beforeEach(() => {
  service.proxy.plan = [];
  service.proxy.faults.length = 0;
  service.gate.webhooks = 'pass';
  service.gate.lists = 'rest';
});
afterEach(() => expectSoundBooks(service.world.sql));
afterAll(async () => {
  await expectNoLastGuard(service.world.sql);
  await service?.close();
});

const stateOf = async ({ id }: { id: string }) => (await service.order(id)).state;
const there = (paymentId: string) => service.dashboard('GET', `/payments/${paymentId}`);
const causes = ({ id }: { id: string }) => service.alerts(id).map(({ cause }) => cause);
const effectsOf = async ({ id }: { id: string }, effect: string) =>
  (await service.timeline(id)).effects.filter((row: Json) => row.effect === effect);
const fault = (to: RegExp, ...faults: ProxyFault[]) =>
  service.proxy.faults.push(...faults.map(each => ({ to, fault: each })));
const callsTo = (pattern: RegExp) =>
  service.proxy.calls.filter(({ method, path }) => pattern.test(`${method} ${path}`));

async function subscribed(purchase: Parameters<WholeService['buy']>[0] = {}) {
  const order = await service.buy(purchase);
  const paymentId = await service.pay(order);
  await service.settle();
  expect(await stateOf(order)).toBe('subscribed');
  return { order, paymentId };
}

describe('case 8: a call to the provider whose answer never comes', () => {
  test.each(['sandbox', 'razorpay'])(
    'opening at %s: nobody knows, so the order is not failed, and the same key opens it once',
    async provider => {
      await service.plan();
      const { razorpay } = service.banks;
      const userId = service.world.newId('req');
      if (provider === 'sandbox') fault(/^POST \/api\/orders$/, 'lost');
      else razorpay.faults.push({ to: /^POST \/v1\/orders$/, fault: 'lost' });
      const body = { userId, planId: 'pro-monthly', provider };
      const checkOut = () => service.call('POST', '/v1/checkouts', body, { 'idempotency-key': userId });
      expect(await checkOut()).toMatchObject({ status: 503, body: { code: 'provider_unreachable' } });
      const [order] = (await service.call('GET', `/v1/orders?userId=${userId}`)).body.orders;
      expect(order).toMatchObject({ state: 'created', stuck: null });
      const answer = await checkOut();
      expect(answer).toMatchObject({ status: 201, body: { order: { id: order.id } } });
      const opened =
        provider === 'sandbox'
          ? (await service.dashboard('GET', `/orders?orderId=${order.id}`)).orders
          : [...razorpay.orders.values()].filter(({ receipt }) => receipt === order.id);
      expect(opened).toHaveLength(1);
    },
  );

  test('capturing: it is unknown, so it is looked up before it is sent again, and the money is taken once', async () => {
    const order = await service.buy();
    const paymentId = await service.pay(order, 'authorize-only');
    for (const { webhookId } of await service.webhooks(order)) await service.deliver(webhookId);
    service.gate.webhooks = 'lose';
    // A write is never sent twice in one breath, a question is.
    fault(/^POST .*\/capture$/, 'lost');
    fault(/^GET \/api\/payments\//, 'reset', 'reset');
    await service.settle();
    // The capture was done, and nobody heard of it but the sandbox; its webhook is lost, too.
    expect(await there(paymentId)).toMatchObject({ state: 'captured' });
    expect(await service.order(order.id)).toMatchObject({ state: 'authorized', stuck: null });
    await service.travel(HOUR);
    expect(await service.order(order.id)).toMatchObject({ state: 'subscribed', stuck: null });
    expect(await there(paymentId)).toMatchObject({ state: 'captured', heldMinor: 49_900 });
    expect(callsTo(new RegExp(`^POST .*${paymentId}/capture$`))).toHaveLength(1);
    expect(await effectsOf(order, 'capture')).toHaveLength(1);
  });

  test('for days: it asks after minutes, an hour and then daily, fails nothing, and in the end a person is called', async () => {
    const order = await service.buy();
    await service.pay(order, 'authorize-only');
    const [told] = await service.webhooks(order);
    await service.deliver(told.webhookId);
    service.proxy.plan = NOBODY_ANSWERS;
    await service.travel(2 * DAY);
    expect(await stateOf(order)).toBe('authorized');
    await service.travel(6 * DAY);
    expect(await service.order(order.id)).toMatchObject({ state: 'parked', stuck: { cause: 'parked' } });
    expect(causes(order)).toContain('unanswered');
    const { transitions } = await service.timeline(order.id);
    const asked = transitions.filter(({ type, from }: Json) => type === 'deadline.passed' && from === 'authorized');
    const at = [told.nextAttemptAt, ...asked.map(({ at }: Json) => at)].map(each => new Date(each).getTime());
    const waits = at.slice(1).map((each, index) => Math.round((each - (at[index] ?? 0)) / MINUTE));
    expect(waits.slice(0, 4)).toEqual([5, 60, 24 * 60, 24 * 60]);
    // Nothing was lost by it: the provider is back, and a person says go on.
    service.proxy.plan = [];
    const retried = await service.call('POST', `/v1/orders/${order.id}/retry`, { reason: 'the sandbox is back' });
    expect(retried.status).toBe(200);
    await service.travel(HOUR);
    expect(await service.order(order.id)).toMatchObject({ state: 'subscribed', stuck: null });
  });

  test('an order nobody answers about expires, stays payable, and is asked about until somebody answers', async () => {
    const order = await service.buy();
    service.gate.webhooks = 'lose';
    service.proxy.plan = NOBODY_ANSWERS;
    await service.pay(order);
    await service.travel(2 * HOUR);
    expect(await stateOf(order)).toBe('failed');
    service.proxy.plan = [];
    await service.travel(2 * DAY);
    expect(await service.access(order.userId)).toMatchObject({ access: true });
    // Closing the session was tried all the while, held nothing back, and calls nobody.
    expect(causes(order)).not.toContain('effect_dead');
    expect(await service.order(order.id)).toMatchObject({ state: 'subscribed', stuck: null });
  });

  test('refunding: sent again only after it was looked for, so the money goes back once', async () => {
    const { order, paymentId } = await subscribed();
    fault(/^POST .*\/refunds$/, 'lost', 'lost');
    service.gate.webhooks = 'lose';
    await service.call('POST', `/v1/orders/${order.id}/refund`, { reason: 'asked for it' });
    await service.travel(HOUR);
    expect(await there(paymentId)).toMatchObject({ heldMinor: 0, refunds: [{ amountMinor: 49_900 }] });
    expect((await there(paymentId)).refunds).toHaveLength(1);
    expect(await stateOf(order)).toBe('refunded');
  });

  test('refunding at CloudPayments, whose keys live an hour: after that it is found first, not sent again', async () => {
    const { cloudpayments: bank } = service.banks;
    const order = await service.buy({ provider: 'cloudpayments' });
    const row = bank.charge(order.id, { Amount: 499, AccountId: order.userId });
    const back = { orderId: order.id, transactionId: row.TransactionId };
    expect((await service.call('POST', '/v1/callbacks/cloudpayments', back)).status).toBe(200);
    expect(await stateOf(order)).toBe('subscribed');
    bank.mishap('/payments/refund', 'lost');
    // A part of it: of the whole the bank itself would refuse a second time.
    const asked = { reason: 'one week was down', amountMinor: 10_000 };
    expect((await service.call('POST', `/v1/orders/${order.id}/refund`, asked)).status).toBe(200);
    await service.effects.run(order.id, 'refund').catch(() => undefined);
    expect(bank.refundsOf(row)).toHaveLength(1);
    // The worker was killed there and comes back when no key is remembered any more.
    service.world.clock.set(new Date(service.now().getTime() + 2 * HOUR).toISOString());
    await service.world.sql`update outbox set attempts = 1 where order_id = ${order.id} and effect = 'refund'`;
    await service.settle();
    expect(bank.refundsOf(row)).toMatchObject([{ Amount: 100 }]);
    expect((await service.timeline(order.id)).payments).toMatchObject([{ refundedMinor: 10_000 }]);
    expect(await service.order(order.id)).toMatchObject({ state: 'subscribed', stuck: null });
  });
});

describe('case 9: a crash after the money moved, and one after our commit', () => {
  test('the answer to the capture died with the process: the next one finds the money and takes no more', async () => {
    const order = await service.buy();
    const paymentId = await service.pay(order, 'authorize-only');
    for (const { webhookId } of await service.webhooks(order)) await service.deliver(webhookId);
    fault(/^POST .*\/capture$/, 'lost');
    service.gate.webhooks = 'lose';
    await service.effects.run(order.id, 'capture').catch(() => undefined);
    expect(await there(paymentId)).toMatchObject({ state: 'captured' });
    expect(await stateOf(order)).toBe('authorized');
    service.restart();
    const before = callsTo(/^POST .*\/capture$/).length;
    await service.settle();
    expect(await stateOf(order)).toBe('subscribed');
    // Under the key it always had it may be said again; what is taken is taken once.
    expect(callsTo(/^POST .*\/capture$/).length - before).toBeLessThanOrEqual(1);
    expect(await there(paymentId)).toMatchObject({ heldMinor: 49_900 });
  });

  test('committed, and the process died before anybody was told: the outbox tells it, once', async () => {
    const order = await service.buy();
    await service.pay(order);
    for (const { webhookId } of await service.webhooks(order)) await service.deliver(webhookId);
    expect(service.told(order.id)).toEqual([]);
    expect(await effectsOf(order, 'notify')).toMatchObject([{ status: 'pending', attempts: 0 }]);
    service.restart();
    await service.settle();
    service.restart();
    await service.travel(HOUR);
    expect(service.merchant.calls.filter(({ body }) => body.includes(order.id))).toHaveLength(1);
  });

  test('the provider is thanked only for what is stored: while the service is away its webhook is refused and comes again', async () => {
    const order = await service.buy();
    await service.pay(order);
    service.gate.webhooks = 'refuse';
    await service.settle();
    const [told] = await service.webhooks(order);
    expect(told).toMatchObject({ status: 'pending', lastAnswer: expect.stringContaining('503') });
    expect(await stateOf(order)).toBe('created');
    service.gate.webhooks = 'pass';
    await service.settle();
    expect(await stateOf(order)).toBe('subscribed');
  });

  test('paid, and the grant cannot be written: stuck at once, told after two minutes, mended by itself when the cause is gone', async () => {
    const { sql } = service.world;
    const order = await service.buy({ userId: `unlucky-${service.world.newId('req')}` });
    await sql`alter table grants add constraint no_luck check (user_id not like 'unlucky%') not valid`;
    await service.pay(order);
    await service.settle();
    expect(await service.order(order.id)).toMatchObject({ state: 'captured', stuck: { cause: 'grant_failed' } });
    expect(causes(order)).toEqual([]);
    await service.travel(5 * MINUTE);
    expect(causes(order)).toEqual(['grant_overdue']);
    await sql`alter table grants drop constraint no_luck`;
    await service.travel(HOUR);
    expect(await service.order(order.id)).toMatchObject({ state: 'subscribed', stuck: null });
    expect(
      (await service.timeline(order.id)).transitions.filter((t: Json) => t.type === 'grant.recorded'),
    ).toHaveLength(1);
    const told = causes(order);
    expect(new Set(told)).toEqual(new Set(['grant_overdue']));
    await service.travel(DAY);
    expect(causes(order)).toEqual(told);
  });
});

describe('case 10: a webhook that was lost weeks ago', () => {
  test('is found by the provider’s list, and the customer gets the whole time from when we know', async () => {
    const order = await service.buy();
    service.gate.lists = 'read';
    await service.travel(20 * MINUTE, { listEveryMs: 15 * MINUTE });
    service.gate.lists = 'rest';
    await service.travel(8 * DAY);
    expect(await stateOf(order)).toBe('failed');
    // Nobody asks about it any more when it is paid after all, and nobody hears of it.
    service.gate.webhooks = 'lose';
    await service.pay(order);
    // Longer than even the deep list looks back: the list goes on where it ended.
    await service.travel(45 * DAY);
    expect(await stateOf(order)).toBe('failed');
    service.gate.lists = 'read';
    await service.settle();
    expect(await stateOf(order)).toBe('subscribed');
    const { grant, received } = await service.timeline(order.id);
    expect(grant).toMatchObject({ startsAt: service.now().toISOString(), months: 1 });
    expect(received.filter(({ verdict }: Json) => verdict === 'applied')).toHaveLength(1);
    expect(service.told(order.id).at(-1)).toMatchObject({ type: 'order.subscribed' });
  });

  test('a refund and a lost dispute nobody told us of are found the same way', async () => {
    const [one, two] = [await subscribed(), await subscribed()];
    service.gate.webhooks = 'lose';
    await service.travel(3 * DAY);
    await service.dashboard('POST', `/orders/${one.order.providerOrderId}/scenarios/refund`);
    await service.dashboard('POST', `/orders/${two.order.providerOrderId}/scenarios/dispute-lost`);
    await service.travel(7 * DAY);
    expect([await stateOf(one.order), await stateOf(two.order)]).toEqual(['subscribed', 'subscribed']);
    service.gate.lists = 'read';
    await service.travel(DAY);
    expect([await stateOf(one.order), await stateOf(two.order)]).toEqual(['refunded', 'refunded']);
  });

  test('a stranger’s payment with the same e-mail is nobody’s: it is never linked by itself', async () => {
    const { razorpay } = service.banks;
    const order = await service.buy({ provider: 'razorpay' });
    const paid = razorpay.pay(order.providerOrderId, { email: 'asha@example.test' });
    const stranger = razorpay.pay(null, { email: 'asha@example.test', created_at: paid.created_at });
    service.gate.lists = 'read';
    const since = new Date(Number(paid.created_at) * 1_000 - DAY).toISOString();
    expect(
      (await service.call('POST', '/v1/reconciliation/razorpay', { since, reason: 'a test' })).status,
    ).toBeLessThan(300);
    await service.travel(20 * MINUTE);
    expect(await stateOf(order)).toBe('subscribed');
    const { payments } = await service.timeline(order.id);
    expect(payments.map(({ paymentId }: Json) => paymentId)).toEqual([paid.id]);
    expect((await service.access(order.userId)).grants).toHaveLength(1);
    const rows = await service.world.sql`select 1 from payments where payment_id = ${String(stranger.id)}`;
    expect(rows).toHaveLength(0);
  });
});
