// Money goes back once per request, whatever becomes of the answers, and a refund that is under way is asked about until it
// is over: at the sandbox, Razorpay, Stripe and CloudPayments, over real HTTP.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type CloudPaymentsService, startCloudPaymentsService } from './support/cloudpaymentsService.ts';
import { type EffectRig, effectRig } from './support/effectRig.ts';
import { type RazorpayService, startRazorpayService } from './support/razorpayService.ts';
import { type SandboxService, startSandboxService } from './support/sandboxService.ts';
import { type StripeService, startStripeService } from './support/stripeService.ts';

const DAY_MS = 24 * 3_600_000;
type Refund = { state: string; amountMinor: number; refundId: string };
const ask = (amountMinor?: number) => ({
  type: 'refund.requested',
  reason: 'the customer asked',
  ...(amountMinor && { amountMinor }),
});

describe('at the sandbox', () => {
  let service: SandboxService;
  let rig: EffectRig;
  beforeAll(async () => {
    service = await startSandboxService();
    rig = effectRig(service);
  });
  afterAll(() => service?.close());

  const captured = ({ paymentId, amountMinor, currency }: Record<string, unknown>) => ({
    type: 'payment.captured',
    paymentId,
    amountMinor,
    currency,
  });
  const stateOf = async (id: string) => (await service.order(id)).state;
  const sent = (paymentId: string) =>
    service.proxy.calls.filter(({ path }) => path === `/api/payments/${paymentId}/refunds`).length;
  /** What is set aside for refunds, as the order remembers it. */
  async function setAside(id: string) {
    const [row] = await service.world.sql`select snapshot from orders where id = ${id}`;
    return row!.snapshot.context.payments.flatMap((payment: { asked: unknown[] }) => payment.asked);
  }
  async function paid() {
    const order = await service.checkOut();
    const payment = await service.pay(order);
    await rig.tell(order.id, captured(payment));
    return { ...order, paymentId: payment.paymentId as string };
  }
  /** Paid twice, and told so; the second is surplus. */
  async function paidTwice() {
    const order = await paid();
    const second = await service.pay(order);
    await rig.tell(order.id, captured(second));
    return { ...order, second: second.paymentId as string };
  }

  it('a refund that was asked for goes back, and the subscription ends', async () => {
    const { id, paymentId } = await paid();
    await rig.tell(id, ask());
    expect(await setAside(id)).toMatchObject([{ amountMinor: 49_900 }]);
    await rig.workOff();
    expect(await stateOf(id)).toBe('refunded');
    expect(await setAside(id)).toEqual([]);
    expect(await service.there(paymentId)).toMatchObject({ heldMinor: 0 });
    expect(await rig.rows(id, 'refund')).toMatchObject([{ status: 'done' }]);
  });

  it('part of it may go back, and then another part, each once', async () => {
    const { id, paymentId } = await paid();
    await rig.tell(id, ask(10_000));
    await rig.tell(id, ask(5_000));
    await rig.workOff();
    expect(await stateOf(id)).toBe('subscribed');
    expect(await service.there(paymentId)).toMatchObject({ heldMinor: 34_900 });
    expect((await service.timeline(id)).refunds.map((refund: Refund) => refund.amountMinor).sort()).toEqual([
      10_000, 5_000,
    ]);
  });

  it('a refund whose answer was lost is found under its key and not sent again', async () => {
    const { id, paymentId } = await paid();
    await rig.tell(id, ask(10_000));
    service.proxy.faults.push({ to: /refunds/, fault: 'lost' });
    await rig.workOff();
    expect(await rig.rows(id, 'refund')).toMatchObject([{ status: 'pending' }]);
    rig.forward(60_000);
    await rig.workOff();
    expect(await rig.rows(id, 'refund')).toMatchObject([{ status: 'done' }]);
    expect(await service.there(paymentId)).toMatchObject({ heldMinor: 39_900 });
    expect(sent(paymentId)).toBe(1);
    expect(await setAside(id)).toEqual([]);
  });

  it('a worker killed after the answer leaves no second refund behind', async () => {
    const { id, paymentId } = await paid();
    await rig.tell(id, ask(10_000));
    const effect = await rig.leased(id, 'refund');
    await rig.handlers.refund(effect);
    expect(await rig.handlers.refund({ ...effect, attempt: 2, maybeSent: true })).toEqual({ end: 'done' });
    expect(await service.there(paymentId)).toMatchObject({ heldMinor: 39_900 });
    expect((await service.timeline(id)).refunds).toHaveLength(1);
    await rig.workOff();
  });

  it('sent back whole in the dashboard meanwhile, nothing is left to send, and nothing stays set aside', async () => {
    const { id, providerOrderId, paymentId } = await paid();
    await rig.tell(id, ask());
    await service.dashboard('POST', `/orders/${providerOrderId}/scenarios/refund`);
    await rig.workOff();
    expect(await stateOf(id)).toBe('refunded');
    expect(await setAside(id)).toEqual([]);
    expect((await service.there(paymentId)).refunds).toHaveLength(1);
    expect(await rig.rows(id, 'refund')).toMatchObject([
      { status: 'done', lastError: expect.stringMatching(/^not sent: 0.00 INR are left/) },
    ]);
    expect(await rig.rows(id, 'alert'), 'the customer has the money').toEqual([]);
  });

  it('a second payment is sent back by itself, and the first one keeps the subscription', async () => {
    const { id, paymentId, second } = await paidTwice();
    await rig.workOff();
    expect(await stateOf(id)).toBe('subscribed');
    expect(await service.there(second)).toMatchObject({ heldMinor: 0 });
    expect(await service.there(paymentId)).toMatchObject({ heldMinor: 49_900 });
  });

  it('a second payment is kept when the first was sent back meanwhile, for it is the one that pays now', async () => {
    const { id, paymentId, second } = await paidTwice();
    await rig.tell(id, {
      type: 'refund.updated',
      paymentId,
      refundId: 'rfd_by_hand',
      state: 'completed',
      amountMinor: 49_900,
    });
    await rig.workOff();
    expect(await stateOf(id)).toBe('subscribed');
    expect(await service.there(second)).toMatchObject({ heldMinor: 49_900 });
    expect(await setAside(id)).toEqual([]);
    expect(await rig.rows(id, 'refund')).toMatchObject([
      { status: 'done', lastError: expect.stringMatching(/^kept: /) },
    ]);
    expect(await rig.rows(id, 'alert'), 'of the surplus, and of no failure').toHaveLength(1);
  });

  it('a second payment is kept while the first is asked to go back, too: both refunds would leave nothing', async () => {
    const { id, paymentId, second } = await paidTwice();
    await rig.tell(id, { ...ask(), paymentId });
    await rig.workOff();
    expect(await stateOf(id)).toBe('subscribed');
    expect(await service.there(second)).toMatchObject({ heldMinor: 49_900 });
    expect(await service.there(paymentId)).toMatchObject({ heldMinor: 0 });
  });

  it('a surplus refund whose answer was lost is not mistaken for one that was never sent', async () => {
    const { id, second } = await paidTwice();
    service.proxy.faults.push({ to: new RegExp(`${second}/refunds`), fault: 'lost' });
    await rig.workOff();
    // The webhook of the very refund is faster than the second try.
    const [made] = (await service.there(second)).refunds;
    const { refundId, amountMinor, occurredAt } = made;
    await rig.tell(id, {
      type: 'refund.updated',
      paymentId: second,
      refundId,
      state: 'completed',
      amountMinor,
      occurredAt,
    });
    rig.forward(60_000);
    await rig.workOff();
    expect(await rig.rows(id, 'refund')).toMatchObject([{ status: 'done' }]);
    expect((await service.timeline(id)).refunds).toMatchObject([{ refundId, state: 'completed' }]);
    expect(await setAside(id)).toEqual([]);
    expect(sent(second)).toBe(1);
  });
});

describe('at Razorpay, whose test mode may not honour the key', () => {
  let service: RazorpayService;
  let rig: EffectRig;
  beforeAll(async () => {
    service = await startRazorpayService();
    rig = effectRig(service);
  });
  afterAll(() => service?.close());

  async function paid() {
    const order = await service.checkOut();
    const payment = service.bank.pay(order.providerOrderId);
    await service.webhook('payment.captured', { payment });
    return { ...order, payment };
  }

  it('a refund whose answer was lost is found by its note', async () => {
    const { id, payment } = await paid();
    service.bank.readings.refundKeyIsHonoured = false;
    await rig.tell(id, ask(10_000));
    service.bank.faults.push({ to: /POST .*refund/, fault: 'lost' });
    await rig.workOff();
    rig.forward(60_000);
    await rig.workOff();
    service.bank.readings.refundKeyIsHonoured = true;
    expect(payment.amount_refunded).toBe(10_000);
    expect((await service.timeline(id)).refunds).toMatchObject([{ state: 'completed', amountMinor: 10_000 }]);
  });

  it('a pending refund is asked about until it is over, although its last webhook never comes', async () => {
    const { id, payment } = await paid();
    await rig.tell(id, ask());
    const effect = await rig.leased(id, 'refund');
    service.bank.faults.push({ to: /POST .*refund/, fault: 'lost' });
    await rig.handlers.refund(effect);
    const [made] = [...service.bank.refunds.values()].filter(entry => entry.payment_id === payment.id);
    made!.status = 'pending';
    rig.forward(60_000);
    await rig.workOff();
    expect(await rig.rows(id, 'refund')).toMatchObject([
      { status: 'done', lastError: `razorpay says that refund ${made!.id} is pending` },
    ]);
    expect((await service.order(id)).state).toBe('subscribed');
    made!.status = 'processed';
    rig.forward(3_600_000);
    await rig.workOff();
    expect((await service.order(id)).state).toBe('refunded');
    expect(await rig.rows(id, 'refund')).toMatchObject([{ status: 'done' }]);
  });

  it('refused although the money has not gone back, a person is called; the money stays set aside, and a retry sends it', async () => {
    const { id, payment } = await paid();
    await rig.tell(id, ask());
    payment.status = 'authorized';
    await rig.workOff();
    expect((await service.order(id)).stuck).toMatchObject({ cause: 'effect_dead' });
    expect((await service.call('POST', `/v1/orders/${id}/refund`, { reason: 'once more' })).status).toBe(409);
    payment.status = 'captured';
    await rig.tell(id, { type: 'retry.requested', reason: 'looked at it' });
    await rig.workOff();
    expect((await service.order(id)).state).toBe('refunded');
    expect(payment.amount_refunded).toBe(49_900);
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

  it('a refund that is pending for days and then fails gives its money free again', async () => {
    const { id, providerOrderId } = await service.checkOut();
    const intent = service.fake.state.pay(providerOrderId);
    await service.webhook('payment_intent.succeeded', service.shown(intent));
    await rig.tell(id, ask());
    const { refunds } = service.fake.state;
    const keep = refunds.set.bind(refunds);
    refunds.set = (refundId, entry) => keep(refundId, Object.assign(entry, { status: 'pending' }));
    await rig.workOff();
    refunds.set = keep;
    const [made] = [...refunds.values()];
    expect((await service.order(id)).state).toBe('subscribed');
    expect(await rig.rows(id, 'refund')).toMatchObject([{ status: 'done' }]);
    // Another refund would not wait behind it: only a question is open.
    const about = async () => (await rig.rows(id, 'reconcile')).find(({ dedupKey }) => dedupKey.includes('refund'));
    for (let days = 0; days < 4; days++) {
      rig.forward(DAY_MS);
      await rig.workOff();
      expect(await about()).toMatchObject({ status: 'pending', lastError: expect.stringContaining('still under way') });
    }
    // Stripe forgets idempotency keys after a day, and the refund is known by its metadata all the same.
    service.fake.forgetKeys();
    made!.status = 'failed';
    rig.forward(DAY_MS);
    await rig.workOff();
    expect(await about()).toMatchObject({ status: 'done' });
    expect(service.fake.state.refunds.size).toBe(1);
    expect((await service.order(id)).state).toBe('subscribed');
    await rig.tell(id, ask());
    await rig.workOff();
    expect((await service.order(id)).state).toBe('refunded');
  });
});

describe('at CloudPayments, which keeps request ids for an hour', () => {
  let service: CloudPaymentsService;
  let rig: EffectRig;
  beforeAll(async () => {
    service = await startCloudPaymentsService();
    rig = effectRig(service);
  });
  afterAll(() => service?.close());

  it('a refund whose answer was lost is found days later, behind other transactions of the invoice', async () => {
    const order = await service.checkOut();
    const { row } = await service.pay(order);
    await service.tell(row!);
    await rig.tell(order.id, ask(10_000));
    service.bank.mishap('/payments/refund', 'lost');
    await rig.workOff();
    expect(service.bank.refundsOf(row!)).toHaveLength(1);
    // Somebody sends a part back by hand, so that ours is the last transaction no more.
    service.bank.byHand('/payments/refund', { TransactionId: row!.TransactionId, Amount: 1 });
    rig.forward(2 * DAY_MS);
    await rig.workOff();
    expect(await rig.rows(order.id, 'refund')).toMatchObject([{ status: 'done' }]);
    expect(service.bank.calls('/payments/refund')).toBe(1);
    expect(service.bank.refundsOf(row!).map(({ Amount }) => Amount)).toEqual([100, 1]);
  });
});
