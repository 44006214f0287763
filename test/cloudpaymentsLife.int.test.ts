// The life of an order paid by CloudPayments, through the HTTP API and a real database: asked about, charged, told of by
// notification and by browser in either order, twice, late, wrongly, and sent back.
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { noticeOf, type Row } from './support/cloudpaymentsBank.ts';
import { type CloudPaymentsService, startCloudPaymentsService } from './support/cloudpaymentsService.ts';

let service: CloudPaymentsService;
beforeAll(async () => {
  service = await startCloudPaymentsService();
});
afterAll(() => service?.close());

const stateOf = async (id: string) => (await service.order(id)).state;
const TAKEN = { status: 200, body: { code: 0 } };
const verdictsOf = async (id: string) =>
  (await service.timeline(id)).received.map((row: { type: string; verdict: string }) => [row.type, row.verdict]);

/** Both ways the service hears of a payment, in the order given. */
async function hear(order: { id: string }, row: Row, ways: readonly ('webhook' | 'callback')[]) {
  for (const way of ways) {
    if (way === 'webhook') expect(await service.tell(row)).toEqual(TAKEN);
    else
      expect(await service.callback({ orderId: order.id, transactionId: row.TransactionId })).toMatchObject({
        status: 200,
      });
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
    const { row } = await service.pay(order);
    await hear(order, row!, [...ways, ...ways]);
    expect(await stateOf(order.id)).toBe('subscribed');
    const { payments, grant } = await service.timeline(order.id);
    expect(payments).toMatchObject([{ paymentId: String(row!.TransactionId), capturedMinor: 49_910, counts: true }]);
    expect(grant).not.toBeNull();
    // A payment that is asked about now is declined before it is charged.
    expect(await service.pay(order)).toEqual({ code: 13, row: null });
  });

  it('fails, and is paid at the next try in the same widget', async () => {
    const order = await service.checkOut();
    const { row: declined } = await service.pay(order, { Status: 'Declined' });
    await hear(order, declined!, ways);
    expect(await stateOf(order.id)).toBe('failed');
    const { row, code } = await service.pay(order);
    expect(code).toBe(0);
    await hear(order, row!, ways);
    expect(await stateOf(order.id)).toBe('subscribed');
    expect(await service.tell(declined!)).toEqual(TAKEN);
    expect(await stateOf(order.id)).toBe('subscribed');
  });

  it('is held, then confirmed', async () => {
    const order = await service.checkOut();
    const { row } = await service.pay(order, { Status: 'Authorized' });
    await hear(order, row!, ways);
    expect(await stateOf(order.id)).toBe('authorized');
    service.bank.byHand('/payments/confirm', { TransactionId: row!.TransactionId, Amount: 499.1 });
    if (ways.includes('webhook' as never)) await service.tell(row!, 'confirm');
    else await hear(order, row!, ['callback']);
    expect(await stateOf(order.id)).toBe('subscribed');
  });

  it('paid by two tabs at once keeps one payment, and the other is a surplus', async () => {
    const order = await service.checkOut();
    const [one, two] = await Promise.all([service.pay(order), service.pay(order)]);
    await hear(order, one.row!, ways);
    await hear(order, two.row!, ways);
    expect(await stateOf(order.id)).toBe('subscribed');
    const { effects } = await service.timeline(order.id);
    expect(effects.filter((effect: { effect: string }) => effect.effect === 'refund').length).toBe(1);
  });
});

describe('an order', () => {
  it('is paid late, after it was canceled', async () => {
    const order = await service.checkOut();
    const { row } = await service.pay(order);
    expect((await service.send(order.id, { type: 'cancel.requested', reason: 'changed their mind' })).status).toBe(200);
    expect(await stateOf(order.id)).toBe('failed');
    await service.tell(row!);
    expect(await stateOf(order.id)).toBe('subscribed');
  });

  it('loses a chargeback and wins another, which nobody but an operator tells of', async () => {
    const order = await service.checkOut();
    const { row } = await service.pay(order);
    await service.tell(row!);
    const dispute = { type: 'dispute.updated', paymentId: String(row!.TransactionId), amountMinor: 49_910 };
    await service.send(order.id, { ...dispute, disputeId: 'cb-1', state: 'lost' });
    expect(await stateOf(order.id)).toBe('refunded');
    await service.send(order.id, { ...dispute, disputeId: 'cb-1', state: 'won' });
    expect(await stateOf(order.id)).toBe('subscribed');
  });

  it('is refunded in parts, told of before and after the payment, and twice', async () => {
    const order = await service.checkOut();
    const { row } = await service.pay(order);
    service.bank.byHand('/payments/refund', { TransactionId: row!.TransactionId, Amount: 99.1 });
    const [part] = service.bank.refundsOf(row!);
    expect(await service.tell(part!)).toEqual(TAKEN);
    await service.tell(row!);
    expect(await stateOf(order.id)).toBe('subscribed');
    service.bank.byHand('/payments/refund', { TransactionId: row!.TransactionId, Amount: 400 });
    for (const refund of service.bank.refundsOf(row!)) await service.tell(refund);
    expect(await stateOf(order.id)).toBe('refunded');
    expect((await service.timeline(order.id)).payments).toMatchObject([{ refundedMinor: 49_910 }]);
  });

  it('whose hold is given back fails', async () => {
    const order = await service.checkOut();
    const { row } = await service.pay(order, { Status: 'Authorized' });
    await service.tell(row!);
    service.bank.byHand('/payments/void', { TransactionId: row!.TransactionId });
    await service.tell(row!);
    expect(await stateOf(order.id)).toBe('failed');
  });

  it.each([
    ['less money', { Amount: 499.09 }],
    ['other money', { Currency: 'RUB' }],
    ['test money', { TestMode: true }],
  ])('paid with %s waits for somebody to look, and takes the right money after all', async (_name, wrong) => {
    const order = await service.checkOut();
    const { row } = await service.pay(order, wrong);
    expect(await service.tell(row!)).toEqual(TAKEN);
    expect(await stateOf(order.id)).toBe('parked');
    expect((await verdictsOf(order.id)).at(-1)).toEqual(['pay', 'mismatch']);
    await service.tell(service.bank.charge(order.id, { Amount: 499.1 }));
    expect(await stateOf(order.id)).toBe('subscribed');
  });

  it('does not hear of what is of no order, and acknowledges it', async () => {
    expect(await service.tell(service.bank.charge('shop-55'))).toEqual(TAKEN);
    expect(await service.tell(service.bank.charge(null, { SubscriptionId: 'sc_77' }))).toEqual(TAKEN);
    expect(await service.notify('recurrent', { Id: 'sc_77', Status: 'Active' })).toEqual(TAKEN);
    expect(await service.notify('pay', { Amount: 'what' })).toEqual(TAKEN);
  });

  it('stays as it was when nobody knows', async () => {
    const order = await service.checkOut();
    service.bank.mishap('/v2/payments/find', 'lost', 503);
    expect((await service.callback({ orderId: order.id })).status).toBe(503);
    expect(await service.callback({ orderId: order.id })).toMatchObject({
      status: 200,
      body: { status: 'processing' },
    });
    expect(await stateOf(order.id)).toBe('created');
  });
});

describe('what proves nothing', () => {
  const rows = async () => (await service.world.sql`select count(*)::int as n from inbox`)[0]!.n as number;

  it('leaves no row: a wrong secret, a wrong kind, a wrong order, anything at all', async () => {
    const order = await service.checkOut();
    const { row } = await service.pay(order);
    const before = await rows();
    expect((await service.notify('pay', noticeOf(row!), { secret: 'guess' })).status).toBe(401);
    expect((await service.notify('check', noticeOf(row!), { secret: 'guess' })).status).toBe(401);
    expect((await service.notify('nonsense', noticeOf(row!))).status).toBe(404);
    expect(
      (await service.callback({ orderId: `ord_${'0'.repeat(26)}`, transactionId: row!.TransactionId })).status,
    ).toBe(400);
    const other = await service.checkOut();
    expect((await service.callback({ orderId: other.id, transactionId: row!.TransactionId })).status).toBe(400);
    const kinds = fc.constantFrom('pay', 'check', 'confirm', 'fail', 'refund', 'recurrent', 'cancel');
    await fc.assert(
      fc.asyncProperty(kinds, fc.string(), fc.base64String(), async (kind, body, hmac) => {
        const headers = { 'content-hmac': hmac, 'x-content-hmac': hmac };
        const answer = await fetch(`${service.url}/v1/webhooks/cloudpayments/${kind}`, {
          method: 'POST',
          body,
          headers,
        });
        expect(answer.status).toBe(401);
      }),
      { numRuns: 50 },
    );
    expect(await rows()).toBe(before);
  });

  it('does not win a race: callback and webhook in the same moment are one payment', async () => {
    for (let round = 0; round < 5; round++) {
      const order = await service.checkOut();
      const { row } = await service.pay(order);
      const both = Array.from({ length: 6 }, (_, i) => hear(order, row!, [i % 2 ? 'webhook' : 'callback']));
      await Promise.all(both);
      expect(await stateOf(order.id)).toBe('subscribed');
      expect((await service.timeline(order.id)).payments.length).toBe(1);
    }
  });
});

it('is paid by asking alone, as reconciling does it, and its callback adds nothing', async () => {
  const order = await service.checkOut();
  const { row } = await service.pay(order);
  const [payment, ...more] = await service.provider.findPayments({
    orderId: order.id,
    providerOrderId: order.providerOrderId,
  });
  expect(more).toEqual([]);
  const { paymentId, amountMinor, currency } = payment!;
  expect(payment).toMatchObject({ orderId: order.id, state: 'captured' });
  await service.send(order.id, { type: 'payment.captured', paymentId, amountMinor, currency });
  await hear(order, row!, ['callback', 'webhook']);
  expect(await stateOf(order.id)).toBe('subscribed');
  expect((await service.timeline(order.id)).payments).toHaveLength(1);
});

describe('a recurring charge', () => {
  const periodsOf = async (userId: string) =>
    (await service.world.sql`select seq from grants where user_id = ${userId} and revoked_at is null`).length;
  const recurring = (userId: string) => noticeOf(service.bank.charge(null, { Amount: 499.1, AccountId: userId }));

  it('that names only the subscription renews the order it began with, once however often it is told', async () => {
    const order = await service.checkOut();
    const { row } = await service.pay(order);
    const SubscriptionId = `sc_${order.id}`;
    expect(await service.notify('pay', { ...noticeOf(row!), SubscriptionId })).toEqual(TAKEN);
    const charge = { ...recurring(order.userId), InvoiceId: '', SubscriptionId };
    for (let told = 0; told < 3; told++) expect(await service.notify('pay', charge)).toEqual(TAKEN);
    expect(await periodsOf(order.userId)).toBe(2);
  });

  it('that names only the stored card and its owner renews the one thing this user bought at that price', async () => {
    const order = await service.checkOut();
    const { row } = await service.pay(order);
    await service.tell(row!);
    const charge = { ...recurring(order.userId), InvoiceId: '', SubscriptionId: '', Token: 'tk_stored' };
    for (let told = 0; told < 2; told++) expect(await service.notify('pay', charge)).toEqual(TAKEN);
    expect(await periodsOf(order.userId)).toBe(2);
  });

  it('of a stored card at a price of yesterday, after a refund, or of an owner with an odd name renews nothing', async () => {
    const order = await service.checkOut();
    const { row } = await service.pay(order);
    await service.tell(row!);
    const plan = { product: 'pro', amountMinor: 99_900, currency: 'INR', period: { months: 1 } };
    await service.call('PUT', '/v1/plans/pro-monthly', plan);
    const charge = (userId: string) => ({
      ...recurring(userId),
      InvoiceId: '',
      SubscriptionId: '',
      Token: 'tk_stored',
    });
    expect(await service.notify('pay', charge(order.userId))).toEqual(TAKEN);
    expect(await service.notify('pay', charge('nul\u0000byte'))).toEqual(TAKEN);
    expect(await periodsOf(order.userId)).toBe(1);
    const again = await service.checkOut();
    const paid = await service.pay(again);
    await service.tell(paid.row!);
    const back = {
      type: 'refund.updated',
      paymentId: String(paid.row!.TransactionId),
      refundId: 'r1',
      state: 'completed',
      amountMinor: 49_910,
    };
    await service.send(again.id, back);
    expect(await service.notify('pay', charge(again.userId))).toEqual(TAKEN);
    expect(await periodsOf(again.userId)).toBe(0);
  });

  it('of a stored card at another price, or of somebody who bought nothing, is kept and renews nothing', async () => {
    const order = await service.checkOut();
    const { row } = await service.pay(order);
    await service.tell(row!);
    const other = noticeOf(service.bank.charge(null, { Amount: 100, AccountId: order.userId }));
    expect(await service.notify('pay', { ...other, InvoiceId: '', Token: 'tk_stored' })).toEqual(TAKEN);
    expect(await service.notify('pay', { ...recurring('stranger'), InvoiceId: '', Token: 'tk_stored' })).toEqual(TAKEN);
    expect(await periodsOf(order.userId)).toBe(1);
    expect(await periodsOf('stranger')).toBe(0);
    const kept = await service.world.sql`select 1 from inbox where verdict = 'unmatched' and event_key like 'pay:%'`;
    expect(kept.length).toBeGreaterThanOrEqual(2);
  });
});
