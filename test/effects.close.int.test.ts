// What nobody shall pay any more is closed, and what was authorised in vain is given back; where money came in first, the
// order hears of it and goes on from there.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type EffectRig, effectRig } from './support/effectRig.ts';
import { type RazorpayService, startRazorpayService } from './support/razorpayService.ts';
import { type SandboxService, startSandboxService } from './support/sandboxService.ts';
import { type StripeService, startStripeService } from './support/stripeService.ts';
import { openOrder } from './support/world.ts';

const CANCEL = { type: 'cancel.requested', reason: 'changed their mind' };

describe('at the sandbox', () => {
  let service: SandboxService;
  let rig: EffectRig;
  beforeAll(async () => {
    service = await startSandboxService();
    rig = effectRig(service);
  });
  afterAll(() => service?.close());

  const stateOf = async (id: string) => (await service.order(id)).state;
  const there = async (providerOrderId: string) =>
    (await service.dashboard('GET', `/orders/${providerOrderId}`)).status;
  const money = (type: string, { paymentId, amountMinor, currency }: Record<string, unknown>) => ({
    type,
    paymentId,
    amountMinor,
    currency,
  });

  it('a cancelled order is closed there, once, although the first answer was lost', async () => {
    const { id, providerOrderId } = await service.checkOut();
    await rig.tell(id, CANCEL);
    service.proxy.faults.push({ to: /close/, fault: 'lost' });
    await rig.workOff();
    expect(await rig.rows(id, 'close')).toMatchObject([{ status: 'pending' }]);
    rig.forward(60_000);
    await rig.workOff();
    expect(await rig.rows(id, 'close')).toMatchObject([{ status: 'done', lastError: null }]);
    expect(await there(providerOrderId)).toBe('closed');
  });

  it('paid in the moment it was cancelled, it is not closed: the payment counts', async () => {
    const order = await service.checkOut();
    await rig.tell(order.id, CANCEL);
    await service.pay(order);
    await rig.workOff();
    expect(await stateOf(order.id)).toBe('subscribed');
    expect(await rig.rows(order.id, 'close')).toMatchObject([
      { status: 'done', lastError: expect.stringMatching(/^not closed: payment pay_\w+ is captured$/) },
    ]);
  });

  it('an order that never opened is given the time its opening may still take, and then has nothing to close', async () => {
    const { id } = await openOrder(service.world, { opened: false });
    await rig.tell(id, CANCEL);
    expect(await rig.run(id, 'close')).toMatchObject({
      end: 'again',
      at: new Date(service.world.clock().getTime() + 60_000),
    });
    rig.forward(60_000);
    await rig.workOff();
    expect(await rig.rows(id, 'close')).toMatchObject([{ status: 'done', lastError: 'the order was never opened' }]);
  });

  it('opened only after it was cancelled, it is closed after all', async () => {
    const { id, userId } = await openOrder(service.world, { opened: false });
    await rig.tell(id, CANCEL);
    await rig.workOff();
    const asked = { orderId: id, userId, planId: 'pro-monthly', amountMinor: 49_900, currency: 'INR' };
    const opened = await service.provider.createCheckout({ ...asked, callbackUrl: 'http://self.test/back' });
    await service.core.dispatch({
      source: 'checkout',
      orderId: id,
      provider: null,
      providerOrderId: null,
      eventKey: `opened:${opened.providerOrderId}`,
      event: { type: 'checkout.opened', ...opened },
      received: null,
    });
    rig.forward(60_000);
    await rig.workOff();
    expect(await there(opened.providerOrderId)).toBe('closed');
  });

  it('a second authorisation of a paid order is given back', async () => {
    const order = await service.checkOut();
    await rig.tell(order.id, money('payment.captured', await service.pay(order)));
    const second = await service.pay(order, 'authorize-only');
    await rig.tell(order.id, money('payment.authorized', second));
    await rig.workOff();
    expect(await service.there(second.paymentId)).toMatchObject({ state: 'canceled' });
    expect(await stateOf(order.id)).toBe('subscribed');
  });

  it('a void whose answer was lost is looked up and not sent again', async () => {
    const order = await service.checkOut();
    const payment = await service.pay(order, 'authorize-only');
    await rig.tell(order.id, money('payment.authorized', payment));
    await rig.tell(order.id, CANCEL);
    service.proxy.faults.push({ to: /void/, fault: 'lost' });
    await rig.workOff();
    rig.forward(60_000);
    await rig.workOff();
    expect(await rig.rows(order.id, 'void')).toMatchObject([{ status: 'done', attempts: 2 }]);
    expect(service.proxy.calls.filter(({ path }) => path.endsWith(`${payment.paymentId}/void`))).toHaveLength(1);
  });

  it('captured before it could be given back, it is surplus, and its money goes back', async () => {
    const order = await service.checkOut();
    await rig.tell(order.id, money('payment.captured', await service.pay(order)));
    const second = await service.pay(order, 'authorize-only');
    await rig.tell(order.id, money('payment.authorized', second));
    await service.dashboard('POST', `/payments/${second.paymentId}/capture`);
    await rig.workOff();
    expect(await rig.rows(order.id, 'void')).toMatchObject([
      { status: 'done', lastError: expect.stringMatching(/captured meanwhile/) },
    ]);
    expect(await service.there(second.paymentId)).toMatchObject({ state: 'captured', heldMinor: 0 });
    expect(await stateOf(order.id)).toBe('subscribed');
  });
});

describe('at Razorpay', () => {
  let service: RazorpayService;
  let rig: EffectRig;
  beforeAll(async () => {
    service = await startRazorpayService();
    rig = effectRig(service);
  });
  afterAll(() => service?.close());

  it('an authorisation cannot be given back: that is written down, and nobody is called', async () => {
    const { id, providerOrderId } = await service.checkOut();
    const payment = service.bank.pay(providerOrderId, { status: 'authorized', captured: false });
    await service.webhook('payment.authorized', { payment });
    await rig.tell(id, CANCEL);
    await rig.workOff();
    expect(await rig.rows(id, 'void')).toMatchObject([
      { status: 'done', lastError: expect.stringMatching(/^Razorpay cannot void an authorised payment/) },
    ]);
    expect((await service.order(id)).stuck).toBeNull();
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

  it('the session of an order whose time to pay is over is closed', async () => {
    const { id, providerOrderId } = await service.checkOut();
    await rig.tell(id, CANCEL);
    await rig.workOff();
    expect(service.fake.state.sessions.get(providerOrderId)).toMatchObject({ status: 'expired' });
  });

  it('a session that was paid on refuses to close, and its payment is heard that way', async () => {
    const { id, providerOrderId } = await service.checkOut();
    await rig.tell(id, CANCEL);
    service.fake.state.pay(providerOrderId);
    await rig.workOff();
    expect((await service.order(id)).state).toBe('subscribed');
  });

  it('a subscription of Stripe’s own is ended there instead of the order’s session', async () => {
    const { id } = await service.checkOut();
    await rig.tell(id, CANCEL);
    const asked: unknown[] = [];
    const cancelSubscription = async (request: unknown) => void asked.push(request);
    const own = effectRig(service, new Map([['stripe', { ...service.provider, cancelSubscription }]]));
    const payload = { subscriptionId: 'sub_1' };
    const { dedupKey } = await own.leased(id, 'close');
    expect(await own.run(id, 'close', { payload })).toEqual({ end: 'done' });
    expect(asked).toEqual([{ subscriptionId: 'sub_1', key: dedupKey }]);
    await rig.workOff();
  });
});
