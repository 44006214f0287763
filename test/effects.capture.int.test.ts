// The money of an authorised order is taken once, whatever becomes of the answers: at the sandbox, Razorpay and Stripe,
// over real HTTP.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type EffectRig, effectRig } from './support/effectRig.ts';
import { type RazorpayService, startRazorpayService } from './support/razorpayService.ts';
import { type SandboxService, startSandboxService } from './support/sandboxService.ts';
import { type StripeService, startStripeService } from './support/stripeService.ts';

describe('at the sandbox', () => {
  let service: SandboxService;
  let rig: EffectRig;
  beforeAll(async () => {
    service = await startSandboxService();
    rig = effectRig(service);
  });
  afterAll(() => service?.close());

  /** An order whose customer was authorised, and that has heard of it. */
  async function authorized() {
    const order = await service.checkOut();
    const payment = await service.pay(order, 'authorize-only');
    const { paymentId, amountMinor, currency } = payment;
    await rig.tell(order.id, { type: 'payment.authorized', paymentId, amountMinor, currency });
    return { ...order, paymentId };
  }
  const captures = (paymentId: string) =>
    service.proxy.calls.filter(({ path }) => path === `/api/payments/${paymentId}/capture`).length;
  const stateOf = async (id: string) => (await service.order(id)).state;

  it('an authorised order is captured and subscribed without anybody’s doing', async () => {
    const { id, paymentId } = await authorized();
    await rig.workOff();
    expect(await stateOf(id)).toBe('subscribed');
    expect(await service.there(paymentId)).toMatchObject({ state: 'captured', heldMinor: 49_900 });
    expect(await rig.rows(id, 'capture')).toMatchObject([{ status: 'done', attempts: 1, lastError: null }]);
  });

  it('a capture whose answer was lost is looked up, not sent again', async () => {
    const { id, paymentId } = await authorized();
    service.proxy.faults.push({ to: /capture/, fault: 'lost' });
    await rig.workOff();
    expect(await stateOf(id)).toBe('authorized');
    expect(await rig.rows(id, 'capture')).toMatchObject([
      { status: 'pending', lastError: expect.stringMatching(/reached/) },
    ]);
    rig.forward(60_000);
    await rig.workOff();
    expect(await stateOf(id)).toBe('subscribed');
    expect(captures(paymentId)).toBe(1);
  });

  it.each(['reset', 500, 429] as const)(
    'a capture that never got there (%s) is sent again under its key',
    async fault => {
      const { id, paymentId } = await authorized();
      service.proxy.faults.push({ to: /capture/, fault });
      await rig.workOff();
      expect(await stateOf(id)).toBe('authorized');
      rig.forward(60_000);
      await rig.workOff();
      expect(await stateOf(id)).toBe('subscribed');
      expect(captures(paymentId)).toBe(2);
    },
  );

  it('a worker killed after the answer and before its end was written does no harm: the next one finds it done', async () => {
    const { id, paymentId } = await authorized();
    const effect = await rig.leased(id, 'capture');
    expect(await rig.handlers.capture(effect)).toEqual({ end: 'done' });
    expect(await rig.handlers.capture({ ...effect, attempt: 2, maybeSent: true })).toMatchObject({
      end: 'done',
      note: expect.stringMatching(/nothing to capture: the payment is captured/),
    });
    expect(captures(paymentId)).toBe(1);
    expect((await service.timeline(id)).transitions.map((step: { type: string }) => step.type)).toEqual([
      'order.created',
      'checkout.opened',
      'payment.authorized',
      'payment.captured',
      'grant.recorded',
    ]);
  });

  it('captured in the dashboard meanwhile is captured', async () => {
    const { id, paymentId } = await authorized();
    await service.dashboard('POST', `/payments/${paymentId}/capture`);
    await rig.workOff();
    expect(await stateOf(id)).toBe('subscribed');
  });

  it('voided in the dashboard meanwhile, the order fails and the capture is over', async () => {
    const { id, paymentId } = await authorized();
    await service.dashboard('POST', `/payments/${paymentId}/void`);
    await rig.workOff();
    expect(await stateOf(id)).toBe('failed');
    expect(await rig.rows(id, 'capture')).toMatchObject([
      { status: 'done', lastError: 'not captured: sandbox says the payment is canceled' },
    ]);
  });

  it('an order cancelled before its capture ran is not captured any more', async () => {
    const { id, paymentId } = await authorized();
    const effect = await rig.leased(id, 'capture');
    await rig.tell(id, { type: 'cancel.requested', reason: 'changed their mind' });
    expect(await rig.handlers.capture(effect)).toMatchObject({
      end: 'done',
      note: expect.stringMatching(/nothing to/),
    });
    await rig.workOff();
    expect(await service.there(paymentId)).toMatchObject({ state: 'canceled' });
    expect(captures(paymentId)).toBe(0);
  });

  it('a provider that is configured no longer is waited for, and named', async () => {
    const { id } = await authorized();
    const without = effectRig(service, new Map());
    expect(await without.run(id, 'capture')).toEqual({
      end: 'again',
      error: 'the provider sandbox is not configured here',
    });
    await rig.workOff();
  });
});

describe('at Razorpay, which keeps no key for captures', () => {
  let service: RazorpayService;
  let rig: EffectRig;
  beforeAll(async () => {
    service = await startRazorpayService();
    rig = effectRig(service);
  });
  afterAll(() => service?.close());

  async function authorized() {
    const order = await service.checkOut();
    const payment = service.bank.pay(order.providerOrderId, { status: 'authorized', captured: false });
    await service.webhook('payment.authorized', { payment });
    return { ...order, payment };
  }

  it('a capture whose answer was lost is found done', async () => {
    const { id, payment } = await authorized();
    service.bank.faults.push({ to: /capture/, fault: 'lost' });
    await rig.workOff();
    expect(payment.status).toBe('captured');
    rig.forward(60_000);
    await rig.workOff();
    expect((await service.order(id)).state).toBe('subscribed');
    expect(service.bank.calls.filter(call => call.includes(`${payment.id}/capture`))).toHaveLength(1);
  });

  it('given back by Razorpay before we captured, the order fails', async () => {
    const { id, payment } = await authorized();
    Object.assign(payment, { status: 'refunded', captured: false, amount_refunded: 49_900, refund_status: 'full' });
    await rig.workOff();
    expect((await service.order(id)).state).toBe('failed');
  });

  it('failed, and authorised late by its bank under the same id, it is captured after all', async () => {
    const { id, payment } = await authorized();
    payment.status = 'failed';
    await rig.workOff();
    expect((await service.order(id)).state).toBe('failed');
    payment.status = 'authorized';
    await service.webhook('payment.authorized', { payment });
    await rig.workOff();
    expect((await service.order(id)).state).toBe('subscribed');
    expect(payment.status).toBe('captured');
  });

  it('refused although it still stands, a person is called, with Razorpay’s own sentence', async () => {
    const { id, payment } = await authorized();
    // Half of it only: the amount to capture must be what was authorised.
    const effect = await rig.leased(id, 'capture');
    payment.amount = 24_950;
    expect(await rig.handlers.capture(effect)).toEqual({
      end: 'dead',
      error: expect.stringMatching(/Capture amount must be equal to the amount authorized/),
    });
    expect((await service.order(id)).state).toBe('authorized');
  });
});

describe('at Stripe', () => {
  let service: StripeService;
  let rig: EffectRig;
  beforeAll(async () => {
    service = await startStripeService();
    rig = effectRig(service);
  });
  afterAll(() => service?.close());

  it('an authorised intent is captured once, although no answer to two calls comes', async () => {
    const { id, providerOrderId } = await service.checkOut();
    const intent = service.fake.state.pay(providerOrderId, 'authorized');
    await service.webhook('payment_intent.amount_capturable_updated', service.shown(intent));
    service.fake.faults.push({ path: /capture/, fault: 'lose' }, { path: /capture/, fault: 'lose' });
    await rig.workOff();
    expect((await service.order(id)).state).toBe('authorized');
    rig.forward(60_000);
    await rig.workOff();
    expect((await service.order(id)).state).toBe('subscribed');
    expect(intent.amount_received).toBe(1_999);
  });
});
