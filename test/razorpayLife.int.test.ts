// The life of an order paid by Razorpay, through the HTTP API and a real database: told by webhook and by browser in
// either order, twice, late, shuffled, and sent back.
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { callbackFields, disputeEntity, type Fields, paymentEntity, refundEntity } from './support/razorpayBodies.ts';
import { type RazorpayService, startRazorpayService } from './support/razorpayService.ts';

let service: RazorpayService;
beforeAll(async () => {
  service = await startRazorpayService();
});
afterAll(() => service?.close());

type Way = 'webhook' | 'callback';
const stateOf = async (id: string) => (await service.order(id)).state;
const tell = (payment: Fields) => service.webhook(`payment.${payment.status}`, { payment });

/** Every way the service hears of a payment, in the order given. */
async function hear(payment: Fields, ways: readonly Way[]) {
  for (const way of ways) {
    const told = await (way === 'webhook' ? tell(payment) : service.callback(payment));
    expect(told.status).toBe(200);
  }
}

/** What the service would learn by asking, as the poll does it. */
async function poll({ id, providerOrderId }: { id: string; providerOrderId: string }) {
  for (const payment of await service.provider.findPayments({ orderId: id, providerOrderId })) {
    if (payment.state !== 'captured') continue;
    const { paymentId, amountMinor, currency, refunds = [] } = payment;
    const send = (event: Fields) => service.call('POST', `/v1/orders/${id}/events`, event);
    await send({ type: 'payment.captured', paymentId, amountMinor, currency });
    for (const refund of refunds) await send({ type: 'refund.updated', paymentId, ...refund });
  }
}

describe.each([
  ['the webhook first', ['webhook', 'callback']],
  ['the callback first', ['callback', 'webhook']],
  ['the callback alone', ['callback']],
  ['the webhook alone', ['webhook']],
] as const)('an order with %s', (_name, ways) => {
  it('is paid once, however often it is told', async () => {
    const order = await service.checkOut();
    const payment = service.bank.pay(order.providerOrderId);
    await hear(payment, [...ways, ...ways]);
    expect(await stateOf(order.id)).toBe('subscribed');
    const { payments, grant } = await service.timeline(order.id);
    expect(payments).toMatchObject([{ paymentId: payment.id, capturedMinor: 49_900, counts: true }]);
    expect(grant).not.toBeNull();
  });

  it('fails, and is paid at the next try in the same form', async () => {
    const order = await service.checkOut();
    const failed = service.bank.pay(order.providerOrderId, { status: 'failed', error_description: 'No funds' });
    await hear(failed, ways);
    expect(await stateOf(order.id)).toBe('failed');
    await hear(service.bank.pay(order.providerOrderId), ways);
    expect(await stateOf(order.id)).toBe('subscribed');
    expect((await tell(failed)).body).toMatchObject({ state: 'subscribed' });
  });

  it('succeeds late: the very payment that had failed', async () => {
    const order = await service.checkOut();
    const payment = service.bank.pay(order.providerOrderId, { status: 'failed' });
    await hear(payment, ways);
    Object.assign(payment, { status: 'authorized' });
    await hear(payment, ways);
    expect(await stateOf(order.id)).toBe('authorized');
    Object.assign(payment, { status: 'captured' });
    await hear(payment, ways);
    expect(await stateOf(order.id)).toBe('subscribed');
  });

  it('paid twice keeps one payment, and the other is sent back', async () => {
    const order = await service.checkOut();
    for (let i = 0; i < 2; i++) await hear(service.bank.pay(order.providerOrderId), ways);
    expect(await stateOf(order.id)).toBe('subscribed');
    const { effects } = await service.timeline(order.id);
    expect(effects.filter((effect: { effect: string }) => effect.effect === 'refund')).toHaveLength(1);
  });
});

describe('an order', () => {
  const subscribed = async () => {
    const order = await service.checkOut();
    const payment = service.bank.pay(order.providerOrderId);
    await tell(payment);
    return { order, payment };
  };
  const refund = (payment: Fields, amount: number, more: Fields = {}) =>
    refundEntity({ id: `rfnd_${payment.id}_${amount}`, payment_id: payment.id, amount, ...more });

  it('hears Razorpay’s three events of one payment in any order', async () => {
    await fc.assert(
      fc.asyncProperty(fc.shuffledSubarray([0, 1, 2], { minLength: 3 }), async turns => {
        const order = await service.checkOut();
        const payment = service.bank.pay(order.providerOrderId);
        const paid = { payment, order: service.bank.orders.get(order.providerOrderId) };
        const told = [
          () => service.webhook('payment.authorized', { payment: { ...payment, status: 'authorized' } }),
          () => service.webhook('payment.captured', { payment }),
          () => service.webhook('order.paid', paid),
        ];
        for (const turn of turns) expect((await told[turn]!()).body).toMatchObject({ orderId: order.id });
        expect(await stateOf(order.id)).toBe('subscribed');
        expect((await service.timeline(order.id)).payments).toHaveLength(1);
      }),
      { numRuns: 6 },
    );
  });

  it('is refunded in parts, told of in any order, and twice', async () => {
    const { order, payment } = await subscribed();
    const part = refund(payment, 9_900);
    await service.webhook('refund.processed', { refund: part, payment });
    await service.webhook('refund.created', { refund: { ...part, status: 'pending' }, payment }, { at: 1_771_000_000 });
    expect(await stateOf(order.id)).toBe('subscribed');
    await service.webhook('refund.processed', { refund: refund(payment, 40_000), payment });
    expect(await stateOf(order.id)).toBe('refunded');
    expect((await service.timeline(order.id)).payments).toMatchObject([{ refundedMinor: 49_900 }]);
    await service.webhook('refund.failed', { refund: refund(payment, 40_000, { status: 'failed' }), payment });
    expect(await stateOf(order.id)).toBe('subscribed');
  });

  it('loses a dispute and wins it after all; an open one changes nothing', async () => {
    const { order, payment } = await subscribed();
    const dispute = (status: string) => ({
      payment,
      dispute: disputeEntity({ id: `disp_${payment.id}`, payment_id: payment.id, status }),
    });
    await service.webhook('payment.dispute.created', dispute('open'));
    expect(await stateOf(order.id)).toBe('subscribed');
    await service.webhook('payment.dispute.lost', dispute('lost'));
    expect(await stateOf(order.id)).toBe('refunded');
    await service.webhook('payment.dispute.won', dispute('won'));
    expect(await stateOf(order.id)).toBe('subscribed');
  });

  it('whose authorisation is given back by itself fails', async () => {
    const order = await service.checkOut();
    const payment = service.bank.pay(order.providerOrderId, { status: 'authorized', captured: false });
    await tell(payment);
    Object.assign(payment, { status: 'refunded' });
    await service.webhook('refund.processed', { refund: refund(payment, 49_900), payment });
    expect(await stateOf(order.id)).toBe('failed');
  });

  it.each([
    ['less money', { amount: 49_800 }],
    ['other money', { currency: 'USD' }],
  ])('paid with %s waits for somebody to look', async (_name, wrong) => {
    const order = await service.checkOut();
    await tell(service.bank.pay(order.providerOrderId, wrong));
    expect(await stateOf(order.id)).toBe('parked');
  });

  it('is paid although no webhook ever comes: by the callback’s authorisation and a poll', async () => {
    const order = await service.checkOut();
    const payment = service.bank.pay(order.providerOrderId, { status: 'authorized' });
    await service.callback(payment);
    expect(await stateOf(order.id)).toBe('authorized');
    Object.assign(payment, { status: 'captured' });
    await poll(order);
    expect(await stateOf(order.id)).toBe('subscribed');
    await service.provider.refund({
      paymentId: String(payment.id),
      amountMinor: 49_900,
      currency: 'INR',
      key: order.id,
    });
    await poll(order);
    expect(await stateOf(order.id)).toBe('refunded');
  });

  it('is renewed by each later charge of the subscription made for it', async () => {
    const order = await service.checkOut();
    const subscription = { id: `sub_${order.id}`, notes: { order_id: order.id } };
    const charge = (n: number) => paymentEntity({ id: `pay_${order.id}_${n}`, order_id: `order_${order.id}_${n}` });
    const told = (n: number) => service.webhook('subscription.charged', { subscription, payment: charge(n) });
    expect((await told(1)).body).toMatchObject({ verdict: 'applied', orderId: order.id, state: 'subscribed' });
    const renewal = (await told(2)).body;
    expect(renewal).toMatchObject({ verdict: 'applied', state: 'subscribed' });
    expect(renewal.orderId).not.toBe(order.id);
    expect((await told(2)).body).toMatchObject({ verdict: 'duplicate', orderId: renewal.orderId });
  });

  it('sends the browser of callback_url on, paid or not', async () => {
    const order = await service.checkOut();
    const failed = service.bank.pay(order.providerOrderId, { status: 'failed' });
    const metadata = JSON.stringify({ order_id: order.providerOrderId, payment_id: failed.id });
    expect((await service.form({ 'error[code]': 'X', 'error[metadata]': metadata })).status).toBe(303);
    expect(await stateOf(order.id)).toBe('failed');
    const payment = service.bank.pay(order.providerOrderId);
    const told = await service.form(callbackFields(String(payment.id), order.providerOrderId));
    expect(told).toMatchObject({ status: 303, location: expect.stringContaining(order.id) });
    expect(await stateOf(order.id)).toBe('subscribed');
  });

  it('has its page here', async () => {
    const order = await service.checkOut();
    const page = await service.call('GET', new URL(order.url).pathname);
    expect(page.status).toBe(200);
    expect(page.body).toContain(order.providerOrderId);
  });
});

describe('what proves nothing', () => {
  const rows = async () => (await service.world.sql`select count(*)::int as n from inbox`)[0]!.n as number;

  it('leaves no row', async () => {
    const order = await service.checkOut();
    const before = await rows();
    const signature = fc.oneof(fc.string({ unit: 'grapheme-ascii' }), fc.stringMatching(/^[0-9a-f]{64}$/));
    await fc.assert(
      fc.asyncProperty(fc.string(), signature, async (body, given) => {
        const headers = { 'x-razorpay-signature': given, 'x-razorpay-event-id': 'EvtX' };
        expect((await service.call('POST', '/v1/webhooks/razorpay', Buffer.from(body), headers)).status).toBe(401);
        const fields = { ...callbackFields('pay_1', order.providerOrderId), razorpay_signature: given };
        expect((await service.form(fields)).status).toBe(401);
        const error = { error: { code: body, metadata: { order_id: order.providerOrderId } } };
        expect((await service.call('POST', '/v1/callbacks/razorpay', error)).status).toBe(400);
      }),
      { numRuns: 30 },
    );
    expect(await rows()).toBe(before);
  });

  it('does not win a race: callback and webhook in the same moment are one payment', async () => {
    for (let round = 0; round < 5; round++) {
      const order = await service.checkOut();
      const payment = service.bank.pay(order.providerOrderId);
      await Promise.all(Array.from({ length: 6 }, (_, i) => hear(payment, [i % 2 ? 'webhook' : 'callback'])));
      expect(await stateOf(order.id)).toBe('subscribed');
      expect((await service.timeline(order.id)).payments).toHaveLength(1);
    }
  });
});
