// Orders that hear nothing are asked about until they are settled; a second payment can become an order of its own. Nothing
// here is told by a webhook.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ASK_SCHEDULE_MS } from '../machines/askSchedule.ts';
import { derivedOrderId } from '../src/ids.ts';
import { type EffectRig, effectRig } from './support/effectRig.ts';
import { type RazorpayService, startRazorpayService } from './support/razorpayService.ts';
import { type SandboxService, startSandboxService } from './support/sandboxService.ts';

const [FIRST_MS = 0] = ASK_SCHEDULE_MS;
const CANCEL = { type: 'cancel.requested', reason: 'changed their mind' };

describe('a silent order at the sandbox', () => {
  let service: SandboxService;
  let rig: EffectRig;
  beforeAll(async () => {
    service = await startSandboxService();
    rig = effectRig(service);
  });
  afterAll(() => service?.close());

  const stateOf = async (id: string) => (await service.order(id)).state;
  const question = async (id: string) => (await rig.rows(id, 'reconcile'))[0];

  it('is subscribed by asking alone', async () => {
    const order = await service.checkOut();
    const { paymentId } = await service.pay(order);
    await rig.workOff();
    expect(await stateOf(order.id)).toBe('created');
    rig.forward(FIRST_MS);
    await rig.workOff();
    expect(await stateOf(order.id)).toBe('subscribed');
    expect(await question(order.id)).toMatchObject({ status: 'done', attempts: 1 });
    const { received } = await service.timeline(order.id);
    expect(received).toMatchObject([
      { type: 'payment.captured', verdict: 'applied', eventKey: expect.stringContaining(paymentId) },
    ]);
  });

  it('whose payment was refunded before anybody heard of it ends refunded, without a grant', async () => {
    const order = await service.checkOut();
    await service.pay(order);
    await service.dashboard('POST', `/orders/${order.providerOrderId}/scenarios/refund`);
    rig.forward(FIRST_MS);
    await rig.workOff();
    expect(await stateOf(order.id)).toBe('refunded');
  });

  it('is asked about again and again while the sandbox does not answer, and is paid when it does', async () => {
    const order = await service.checkOut();
    await service.pay(order);
    service.proxy.plan = [{ share: 1, fault: 500 }];
    for (const wait of ASK_SCHEDULE_MS.slice(0, 4)) {
      rig.forward(wait);
      await rig.workOff();
    }
    expect(await question(order.id)).toMatchObject({
      status: 'pending',
      attempts: 4,
      lastError: expect.stringMatching(/500/),
    });
    service.proxy.plan = [];
    rig.forward(ASK_SCHEDULE_MS[4]!);
    await rig.workOff();
    expect(await stateOf(order.id)).toBe('subscribed');
  });

  it('that nobody could be asked about in the whole schedule needs a person', async () => {
    const order = await service.checkOut();
    service.proxy.plan = [{ share: 1, fault: 'reset' }];
    for (const wait of ASK_SCHEDULE_MS) {
      rig.forward(wait);
      await rig.workOff();
    }
    service.proxy.plan = [];
    expect(await question(order.id)).toMatchObject({ status: 'dead', attempts: ASK_SCHEDULE_MS.length });
    expect((await service.order(order.id)).stuck).toMatchObject({ cause: 'effect_dead' });
  });

  it('that was given up and closed needs no further questions once the sandbox said that nobody has paid', async () => {
    const { id } = await service.checkOut();
    await rig.tell(id, CANCEL);
    await rig.workOff();
    rig.forward(FIRST_MS);
    await rig.workOff();
    expect(await question(id)).toMatchObject({ status: 'done', lastError: 'nobody has paid, and nobody can any more' });
  });

  it('whose closing nobody has answered yet is asked about again: it may still be paid', async () => {
    const order = await service.checkOut();
    await rig.tell(order.id, CANCEL);
    service.proxy.faults.push({ to: /close/, fault: 'reset' });
    await rig.workOff();
    const close = await rig.leased(order.id, 'close');
    rig.forward(FIRST_MS);
    expect(await rig.run(order.id, 'reconcile')).toMatchObject({ end: 'again', error: 'nothing new' });
    expect(close.dedupKey).toBe(`${order.id}:close`);
    await service.pay(order);
    expect(await rig.run(order.id, 'reconcile', { attempt: 2 })).toEqual({ end: 'done' });
    expect(await stateOf(order.id)).toBe('subscribed');
    await rig.workOff();
  });

  it('that is settled by then is not asked about', async () => {
    const order = await service.checkOut();
    const { paymentId, amountMinor, currency } = await service.pay(order);
    await rig.tell(order.id, { type: 'payment.captured', paymentId, amountMinor, currency });
    const before = service.proxy.calls.length;
    rig.forward(FIRST_MS);
    await rig.workOff();
    expect(await question(order.id)).toMatchObject({ status: 'done' });
    expect(service.proxy.calls).toHaveLength(before);
  });

  it('an answer that says nothing new leaves no row behind', async () => {
    const order = await service.checkOut();
    const { paymentId } = await service.pay(order, 'fail');
    await rig.tell(order.id, { type: 'payment.failed', paymentId });
    await rig.workOff();
    for (const wait of ASK_SCHEDULE_MS) {
      rig.forward(wait);
      await rig.workOff();
    }
    expect((await service.timeline(order.id)).received).toEqual([]);
    expect(await question(order.id)).toMatchObject({
      status: 'done',
      lastError: 'asked for the last time: the order is failed',
    });
  });

  it('an authorisation nobody captures is asked about by its name when the deadline says so', async () => {
    const order = await service.checkOut();
    const { paymentId, amountMinor, currency } = await service.pay(order, 'authorize-only');
    await rig.tell(order.id, { type: 'payment.authorized', paymentId, amountMinor, currency });
    await service.dashboard('POST', `/payments/${paymentId}/capture`);
    const effect = await rig.leased(order.id, 'reconcile', { payload: { paymentId } });
    expect(await rig.handlers.reconcile(effect)).toEqual({
      end: 'done',
      note: 'sandbox says that the payment is captured',
    });
    expect(await stateOf(order.id)).toBe('subscribed');
    await rig.workOff();
  });
});

describe('a silent order at Razorpay, where no order is ever closed', () => {
  let service: RazorpayService;
  let rig: EffectRig;
  beforeAll(async () => {
    service = await startRazorpayService();
    rig = effectRig(service);
  });
  afterAll(() => service?.close());

  it('is asked about to the end of the schedule, and a payment made on the last day still counts', async () => {
    const order = await service.checkOut();
    await rig.tell(order.id, CANCEL);
    for (const wait of ASK_SCHEDULE_MS.slice(0, -1)) {
      rig.forward(wait);
      await rig.workOff();
    }
    expect((await service.order(order.id)).state).toBe('failed');
    service.bank.pay(order.providerOrderId);
    rig.forward(ASK_SCHEDULE_MS.at(-1)!);
    await rig.workOff();
    expect((await service.order(order.id)).state).toBe('subscribed');
  });
});

describe('a second payment under a plan that extends', () => {
  let service: SandboxService;
  let rig: EffectRig;
  beforeAll(async () => {
    service = await startSandboxService();
    rig = effectRig(service);
  });
  afterAll(() => service?.close());

  async function paidTwice() {
    const plan = { product: 'pro', amountMinor: 49_900, currency: 'INR', period: { months: 1 }, graceDays: 3 };
    await service.call('PUT', '/v1/plans/extending', { ...plan, surplusPolicy: 'extend' });
    const userId = service.world.newId('req');
    const asked = { userId, planId: 'extending', provider: 'sandbox' };
    const { body } = await service.call('POST', '/v1/checkouts', asked, { 'idempotency-key': userId });
    const order = { id: body.order.id as string, userId, providerOrderId: body.checkout.providerOrderId as string };
    const payments = [await service.pay(order), await service.pay(order)];
    for (const { paymentId, amountMinor, currency } of payments)
      await rig.tell(order.id, { type: 'payment.captured', paymentId, amountMinor, currency });
    const second = payments[1].paymentId as string;
    return { ...order, second, surplusId: derivedOrderId('sandbox', second) };
  }
  it('becomes an order of its own, once, however often the effect runs', async () => {
    const { id, userId, surplusId } = await paidTwice();
    const effect = await rig.leased(id, 'open');
    for (const attempt of [1, 2, 3]) await rig.handlers.open({ ...effect, attempt, maybeSent: attempt > 1 });
    await rig.workOff();
    expect(await service.order(surplusId)).toMatchObject({ kind: 'surplus', state: 'subscribed', userId });
    const orders = await service.world.sql`select id from orders where user_id = ${userId}`;
    expect(orders).toHaveLength(2);
    expect((await service.timeline(surplusId)).transitions).toHaveLength(3);
    const grants = await service.world.sql`select seq from grants where user_id = ${userId} order by seq`;
    expect(grants.map(({ seq }) => seq)).toEqual([1, 2]);
  });

  it('and, sent back before that, gives no time', async () => {
    const { userId, providerOrderId, surplusId } = await paidTwice();
    await service.dashboard('POST', `/orders/${providerOrderId}/scenarios/refund`);
    await rig.workOff();
    expect(await service.order(surplusId)).toMatchObject({ state: 'refunded' });
    const live = await service.world.sql`select order_id from grants where user_id = ${userId} and revoked_at is null`;
    expect(live).toHaveLength(1);
  });
});
