// The nastiest cases, first part: what arrives at the same instant, too early, too late and in the wrong order. Cases 1, 2,
// 3 and 11, each told through the API, the sandbox and the books.
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { expectNoLastGuard, expectSoundBooks } from './support/databaseChecks.ts';
import type { Json } from './support/httpService.ts';
import type { Opened } from './support/providerService.ts';
import { envelope, signedWebhook } from './support/razorpayBodies.ts';
import { startWholeService, type WholeService } from './support/wholeService.ts';
import { captured, webhook } from './support/world.ts';

const MINUTE = 60_000;
const DAY = 86_400_000;

let service: WholeService;
beforeAll(async () => {
  service = await startWholeService({ at: '2026-03-10T09:00:00.000Z', banks: ['razorpay'] });
});
beforeEach(async () => {
  // Lists would find everything; here it is to be found by what arrives.
  service.gate.lists = 'rest';
  service.gate.webhooks = 'hold';
});
afterEach(() => expectSoundBooks(service.world.sql));
afterAll(async () => {
  await expectNoLastGuard(service.world.sql);
  await service?.close();
});

/** Sorted: what came at one held instant has no order of its own. */
const verdicts = async (id: string) =>
  (await service.timeline(id)).received.map(({ type, verdict }: Json) => `${type} ${verdict}`).sort();
const effectsOf = async (id: string, effect: string) =>
  (await service.timeline(id)).effects.filter((row: Json) => row.effect === effect);

/** Told by the sandbox in this order; the verdicts, as the service answered them. */
async function tellInOrder(order: Opened, types: readonly string[]) {
  for (const type of types) {
    const told = (await service.webhooks(order)).filter(each => each.type === type && each.status === 'pending');
    for (const { webhookId } of told) await service.deliver(webhookId);
  }
}

describe('case 1: webhook and callback in the same millisecond', () => {
  test('both are answered with success, one of them was applied, and there is one effect', async () => {
    const order = await service.buy();
    const paymentId = await service.pay(order);
    const [told] = await service.webhooks(order);
    const answers = await Promise.all([
      service.comeBack(order, paymentId),
      service.deliver(told.webhookId),
      service.comeBack(order, paymentId),
    ]);
    expect(answers[0]).toMatchObject({ status: 200, body: { orderId: order.id, status: 'subscribed' } });
    expect(answers[2]).toMatchObject({ status: 200, body: { orderId: order.id, status: 'subscribed' } });
    expect(answers[1]).toMatchObject({ status: 'delivered' });
    expect(await verdicts(order.id)).toEqual(['payment.captured applied', 'payment.captured duplicate']);
    const { grant, payments, transitions } = await service.timeline(order.id);
    expect(grant).toMatchObject({ paymentId, seq: 1 });
    expect(payments).toHaveLength(1);
    expect(transitions.map(({ type }: Json) => type)).toEqual([
      'order.created',
      'checkout.opened',
      'payment.captured',
      'grant.recorded',
    ]);
    expect(await effectsOf(order.id, 'notify')).toHaveLength(1);
    await service.settle();
    expect(service.told(order.id).map(({ type }) => type)).toEqual(['order.subscribed']);
  });

  test('also where two processes take them: the first commit wins by version, the other reads again', async () => {
    const other = service.world.dispatcher();
    for (let round = 0; round < 8; round++) {
      const order = await service.buy();
      const paymentId = await service.pay(order);
      const [outcome, answer] = await Promise.all([
        other.dispatch(webhook(order.providerOrderId, captured(paymentId))),
        service.comeBack(order, paymentId),
      ]);
      expect(outcome).toMatchObject({ orderId: order.id, state: 'subscribed' });
      expect(answer).toMatchObject({ status: 200, body: { status: 'subscribed' } });
      expect(await verdicts(order.id)).toEqual(['payment.captured applied', 'payment.captured duplicate']);
      expect(await effectsOf(order.id, 'notify')).toHaveLength(1);
      expect(await service.access(order.userId)).toMatchObject({ access: true, grants: [{ seq: 1 }] });
    }
  });
});

describe('case 2: the webhook comes before our order knows the provider’s', () => {
  /** The order is written before the provider is called, and the provider's answer is lost. */
  async function lostCheckout() {
    await service.plan();
    const userId = service.world.newId('req');
    service.proxy.faults.push({ to: /^POST \/api\/orders$/, fault: 'lost' });
    const body = { userId, planId: 'pro-monthly', provider: 'sandbox' };
    const checkOut = () => service.call('POST', '/v1/checkouts', body, { 'idempotency-key': userId });
    expect(await checkOut()).toMatchObject({ status: 503, body: { code: 'provider_unreachable' } });
    const { orders } = (await service.call('GET', `/v1/orders?userId=${userId}`)).body;
    expect(orders).toMatchObject([{ state: 'created', providerOrderId: null }]);
    const there = (await service.dashboard('GET', `/orders?orderId=${orders[0].id}`)).orders[0];
    const order = { id: orders[0].id as string, userId, providerOrderId: there.providerOrderId as string, url: '' };
    return { order, checkOut };
  }
  const kept = async ({ providerOrderId }: Opened) =>
    (await service.call('GET', '/v1/events?verdict=unmatched')).body.events.filter(
      (event: Json) => event.providerOrderId === providerOrderId,
    );

  test('it is kept as unmatched, tried again, told to somebody after ten minutes, and applied once the order is opened', async () => {
    const { order, checkOut } = await lostCheckout();
    await service.pay(order);
    await tellInOrder(order, ['payment.captured']);
    expect(await kept(order)).toMatchObject([{ type: 'payment.captured', verdict: 'unmatched', deliveries: 1 }]);
    await service.travel(9 * MINUTE);
    const [waiting] = await kept(order);
    expect(waiting.attempts).toBeGreaterThan(3);
    const about = () => service.alerts(null).filter(({ text }) => text.includes(order.providerOrderId));
    expect(about()).toEqual([]);
    await service.travel(10 * MINUTE);
    expect(about()).toMatchObject([{ cause: 'unmatched_event' }]);

    expect(await checkOut()).toMatchObject({ status: 201, body: { order: { id: order.id, state: 'subscribed' } } });
    expect(await kept(order)).toEqual([]);
    expect(await verdicts(order.id)).toEqual(['payment.captured applied']);
    await service.travel(MINUTE);
    expect(about()).toHaveLength(1);
    const findings = await service.world
      .sql`select resolved_at from findings where detail like ${`%${order.providerOrderId}%`}`;
    expect(findings).toHaveLength(1);
    expect(findings[0]?.resolved_at).not.toBeNull();
  });

  test('and where nobody ever opens it again, the provider’s list names our order and the customer has what was paid', async () => {
    const { order } = await lostCheckout();
    await service.pay(order);
    await tellInOrder(order, ['payment.captured']);
    expect(await kept(order)).toHaveLength(1);
    service.gate.lists = 'read';
    await service.travel(30 * MINUTE, { listEveryMs: 15 * MINUTE });
    expect(await service.order(order.id)).toMatchObject({ state: 'subscribed' });
    expect(await kept(order)).toEqual([]);
    expect((await service.timeline(order.id)).payments).toHaveLength(1);
  });
});

describe('case 2, at Razorpay', () => {
  test('what names our order by its receipt is applied at once, although we do not know Razorpay’s order yet', async () => {
    await service.plan();
    const bank = service.banks.razorpay;
    const userId = service.world.newId('req');
    bank.faults.push({ to: /^POST \/v1\/orders$/, fault: 'lost' });
    const body = { userId, planId: 'pro-monthly', provider: 'razorpay' };
    const checkOut = () => service.call('POST', '/v1/checkouts', body, { 'idempotency-key': userId });
    expect((await checkOut()).status).toBe(503);
    const { id } = (await service.call('GET', `/v1/orders?userId=${userId}`)).body.orders[0];
    const order = [...bank.orders.values()].find(({ receipt }) => receipt === id);
    const payment = bank.pay(String(order?.id));
    const signed = signedWebhook(envelope('order.paid', { payment, order }), { eventId: `Evt${id}` });
    const told = await service.call('POST', '/v1/webhooks/razorpay', signed.body, signed.headers);
    expect(told).toMatchObject({ status: 200, body: { verdict: 'applied', orderId: id, state: 'subscribed' } });
    // Asked again with the same key, the merchant is answered with the order as it is: paid.
    expect(await checkOut()).toMatchObject({ status: 201, body: { order: { id, state: 'subscribed' } } });
    expect(await verdicts(id)).toEqual(['order.paid applied']);
  });
});

describe('case 3: a failure that comes after the success', () => {
  test('belongs to its own attempt: it is stale, and the order does not move', async () => {
    const order = await service.buy();
    await service.pay(order, 'fail-then-succeed');
    await tellInOrder(order, ['payment.captured']);
    const paid = await service.order(order.id);
    expect(paid.state).toBe('subscribed');
    await tellInOrder(order, ['payment.failed']);
    expect(await verdicts(order.id)).toEqual(['payment.captured applied', 'payment.failed stale']);
    expect(await service.order(order.id)).toEqual(paid);
    await service.settle();
    expect(service.told(order.id).map(({ type }) => type)).toEqual(['order.subscribed']);
    expect(await service.access(order.userId)).toMatchObject({ access: true });
  });

  test('and where the failure came in its time, the success of the next attempt is as good as any', async () => {
    const order = await service.buy();
    await service.pay(order, 'fail-then-succeed');
    await tellInOrder(order, ['payment.failed', 'payment.captured']);
    expect(await verdicts(order.id)).toEqual(['payment.captured applied', 'payment.failed applied']);
    // Days later the bank repeats its old no.
    const [failed] = await service.webhooks(order);
    service.gate.webhooks = 'pass';
    await service.travel(2 * DAY);
    await service.deliver(failed.webhookId);
    expect(await service.order(order.id)).toMatchObject({ state: 'subscribed' });
  });
});

describe('case 11: events out of their order', () => {
  /** The story, then every telling of it. */
  async function told(stories: readonly string[], types: readonly string[]) {
    const order = await service.buy();
    for (const story of stories) await service.pay(order, story);
    await tellInOrder(order, types);
    const { state } = await service.order(order.id);
    const { payments, refunds, disputes, grant } = await service.timeline(order.id);
    const money = payments.map(({ capturedMinor, refundedMinor, lostMinor }: Json) => [
      capturedMinor,
      refundedMinor,
      lostMinor,
    ]);
    const parts = [...refunds, ...disputes].map((part: Json) => [part.state, part.amountMinor]);
    return { books: { state, money, parts, live: grant !== null && grant.revokedAt === null }, order };
  }

  test.each([[['payment.captured', 'refund.completed']], [['refund.completed', 'payment.captured']]])(
    'a full refund is the same told as %s',
    async types => {
      const { books, order } = await told(['succeed', 'refund'], types);
      expect(books).toEqual({
        state: 'refunded',
        money: [[49_900, 49_900, 0]],
        parts: [['completed', 49_900]],
        live: false,
      });
      expect(await service.access(order.userId)).toMatchObject({ access: false });
    },
  );

  test.each([
    [['payment.captured', 'dispute.opened', 'dispute.lost', 'dispute.won']],
    [['dispute.won', 'dispute.lost', 'dispute.opened', 'payment.captured']],
    [['dispute.lost', 'payment.captured', 'dispute.won', 'dispute.opened']],
    [['payment.captured', 'dispute.won', 'dispute.lost', 'dispute.opened']],
  ])('a dispute that was won stays won told as %s: what is older overwrites nothing', async types => {
    const { books, order } = await told(['succeed', 'dispute-opened', 'dispute-lost', 'dispute-won'], types);
    expect(books).toEqual({ state: 'subscribed', money: [[49_900, 0, 0]], parts: [['won', 49_900]], live: true });
    expect(await service.access(order.userId)).toMatchObject({ access: true });
  });

  test('an authorisation that is told after its capture takes nothing back', async () => {
    const order = await service.buy();
    const paymentId = await service.pay(order, 'authorize-only');
    await service.dashboard('POST', `/payments/${paymentId}/capture`);
    await tellInOrder(order, ['payment.captured', 'payment.authorized']);
    expect(await verdicts(order.id)).toEqual(['payment.authorized stale', 'payment.captured applied']);
    expect(await service.order(order.id)).toMatchObject({ state: 'subscribed' });
    await service.settle();
    expect(await effectsOf(order.id, 'capture')).toEqual([]);
  });
});
