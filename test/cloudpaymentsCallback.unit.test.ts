// The browser after paying, which proves nothing: in every form it may come, and with everything it may claim.
import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { InvalidRequest, PaylatchError, ProviderRefused, ProviderUnreachable } from '../src/errors.ts';
import { createCloudPaymentsProvider } from '../src/providers/cloudpayments/adapter.ts';
import type { IncomingCall, KnownOrder, OrderLookup } from '../src/providers/provider.ts';
import { API_SECRET, callOf, ORDER_ID, PUBLIC_ID } from './support/cloudpaymentsNotices.ts';
import { type CloudPaymentsServer, startCloudPaymentsServer } from './support/cloudpaymentsServer.ts';

const clock = () => new Date('2026-05-04T10:00:00.000Z');
const OTHER_ID = ORDER_ID.replace(/.$/, 'z');
const FORM = 'application/x-www-form-urlencoded';
let server: CloudPaymentsServer;
beforeAll(async () => {
  server = await startCloudPaymentsServer({ clock });
});
afterAll(() => server.close());
beforeEach(() => server.forget());

const orders: OrderLookup = {
  byId: async orderId =>
    orderId === ORDER_ID || orderId === OTHER_ID ? ({ orderId, state: 'created' } as KnownOrder) : null,
  byProviderOrderId: async () => null,
};
const hear = (call: IncomingCall) =>
  createCloudPaymentsProvider({
    settings: { publicId: PUBLIC_ID, apiSecrets: [API_SECRET], apiUrl: server.url },
    clock,
    jitter: () => 0,
  }).parseCallback(call, orders);
const json = (value: unknown) => callOf(null, JSON.stringify(value), 'application/json', {});
const query = (fields: Record<string, string>): IncomingCall => ({ ...callOf(null, '', '', {}), query: fields });

describe('a callback', () => {
  it('in every form makes the provider be asked, and its answer is the event', async () => {
    const row = server.charge(ORDER_ID, { Amount: 499.1 });
    const transactionId = row.TransactionId;
    const calls = [
      json({ orderId: ORDER_ID, transactionId }),
      json({ InvoiceId: ORDER_ID, TransactionId: String(transactionId) }),
      json({ externalId: ORDER_ID }),
      json({ orderId: ORDER_ID, type: 'payment', status: 'success', data: { transactionId } }),
      json({ orderId: ORDER_ID, result: { type: 'payment', status: 'fail', data: { transactionId } } }),
      callOf(null, `orderId=${ORDER_ID}&transactionId=${transactionId}`, FORM, {}),
      callOf(null, `InvoiceId=${ORDER_ID}`, FORM, {}),
      query({ orderId: ORDER_ID }),
      query({ orderId: ORDER_ID, transactionId: String(transactionId) }),
      { ...json({ type: 'payment', data: { transactionId } }), query: { orderId: ORDER_ID } },
    ];
    for (const call of calls) {
      expect(await hear(call)).toEqual({
        orderId: ORDER_ID,
        providerOrderId: ORDER_ID,
        eventKey: `cb:${transactionId}:captured`,
        eventType: 'payment.captured',
        event: {
          type: 'payment.captured',
          paymentId: String(transactionId),
          amountMinor: 49_910,
          currency: 'INR',
          live: true,
          occurredAt: '2026-05-04T10:00:00.000Z',
        },
      });
    }
  });

  it.each([
    ['Authorized', 'payment.authorized'],
    ['Declined', 'payment.failed'],
    ['Cancelled', 'payment.canceled'],
  ] as const)('finds a payment that is %s', async (Status, type) => {
    server.charge(ORDER_ID, { Status });
    expect(await hear(query({ orderId: ORDER_ID }))).toMatchObject({ event: { type } });
  });

  it('finds the payment of an order whose refund is the last that happened', async () => {
    const row = server.charge(ORDER_ID);
    server.byHand('/payments/refund', { TransactionId: row.TransactionId, Amount: 1 });
    expect(await hear(query({ orderId: ORDER_ID }))).toMatchObject({ eventKey: `cb:${row.TransactionId}:captured` });
  });

  it('before there is anything to tell is kept as nothing', async () => {
    expect(await hear(query({ orderId: ORDER_ID }))).toMatchObject({
      orderId: ORDER_ID,
      eventKey: `cb:${ORDER_ID}:none`,
      event: null,
      because: 'ignored',
    });
    server.charge(ORDER_ID, { Status: 'AwaitingAuthentication' });
    expect(await hear(query({ orderId: ORDER_ID }))).toMatchObject({ event: null, because: 'ignored' });
  });

  it("of somebody else's payment says nothing about this order", async () => {
    for (const row of [server.charge(OTHER_ID), server.charge(null), server.charge('shop-55')]) {
      await expect(hear(json({ orderId: ORDER_ID, transactionId: row.TransactionId }))).rejects.toThrow(InvalidRequest);
    }
  });

  it('that names a payment nobody made, or a refund, is refused by the provider', async () => {
    await expect(hear(json({ orderId: ORDER_ID, transactionId: 4 }))).rejects.toThrow(ProviderRefused);
    const refund = server.charge(ORDER_ID, { Type: 1, OriginalTransactionId: 9 });
    await expect(hear(json({ orderId: ORDER_ID, transactionId: refund.TransactionId }))).rejects.toThrow(
      ProviderRefused,
    );
  });

  it('that cannot be asked about is unknown', async () => {
    server.mishap('/v2/payments/find', 503, 'lost');
    await expect(hear(query({ orderId: ORDER_ID }))).rejects.toThrow(ProviderUnreachable);
  });

  it('that names no order of ours asks nobody', async () => {
    const bad = [
      {},
      { orderId: 'ord_1' },
      { orderId: `ord_${'0'.repeat(26)}` },
      { orderId: [ORDER_ID] },
      { transactionId: 1 },
      [],
      null,
      'x',
    ];
    for (const body of bad) await expect(hear(json(body))).rejects.toThrow(InvalidRequest);
    await expect(hear(json({ orderId: ORDER_ID, transactionId: '../x' }))).rejects.toThrow(InvalidRequest);
    await expect(hear(callOf(null, new Uint8Array([0xff, 0xfe]), FORM, {}))).rejects.toThrow(InvalidRequest);
    await expect(hear(callOf(null, '{"orderId":', 'application/json', {}))).rejects.toThrow(InvalidRequest);
    expect(server.seen).toEqual([]);
  });

  it('of any content ends in one of our own errors and asks nobody', async () => {
    const text = fc.oneof(fc.json(), fc.string(), fc.webQueryParameters());
    await fc.assert(
      fc.asyncProperty(text, fc.constantFrom('application/json', FORM, ''), async (body, type) => {
        await expect(hear(callOf(null, body, type, {}))).rejects.toThrow(PaylatchError);
      }),
    );
    expect(server.seen).toEqual([]);
  });
});
