// What the CloudPayments adapter asks for, against a server of its protocol over real HTTP: captured, sent back, let go and
// closed, each exactly once, also when the answer was lost or somebody else did it before.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ProviderRefused, ProviderUnreachable } from '../src/errors.ts';
import { createCloudPaymentsProvider } from '../src/providers/cloudpayments/adapter.ts';
import { API_SECRET, ORDER_ID, PUBLIC_ID } from './support/cloudpaymentsNotices.ts';
import { type CloudPaymentsServer, startCloudPaymentsServer } from './support/cloudpaymentsServer.ts';

let now = new Date('2026-05-04T10:00:00.000Z');
const clock = () => now;
let server: CloudPaymentsServer;
beforeAll(async () => {
  server = await startCloudPaymentsServer({ clock });
});
afterAll(() => server.close());
beforeEach(() => {
  now = new Date('2026-05-04T10:00:00.000Z');
  server.forget();
});

const make = () =>
  createCloudPaymentsProvider({
    settings: { publicId: PUBLIC_ID, apiSecrets: [API_SECRET], apiUrl: server.url },
    clock,
    jitter: () => 0,
  });

let keys = 0;
const newKey = () => `key-${keys++}`;
const request = () => ({
  orderId: `ord_${String(keys++).padStart(26, '0')}`,
  userId: 'customer-17',
  planId: 'pro-monthly',
  amountMinor: 49_910,
  currency: 'INR',
  callbackUrl: 'https://shop.test/v1/callbacks/cloudpayments',
});

describe('a hold', () => {
  const hold = () => server.charge(ORDER_ID, { Status: 'Authorized', Amount: 499.1 });
  const capture = (row: { TransactionId: number }, key = newKey()) =>
    make().capture({ paymentId: String(row.TransactionId), amountMinor: 49_910, currency: 'INR', key });
  const letGo = (row: { TransactionId: number }, key = newKey()) =>
    make().cancel({ providerOrderId: ORDER_ID, handle: null, paymentId: String(row.TransactionId), key });

  it('is captured, once, twice, after a lost answer, and after somebody else did it', async () => {
    const row = hold();
    server.mishap('/payments/confirm', 'lost');
    const key = newKey();
    expect(await capture(row, key)).toMatchObject({ state: 'captured', amountMinor: 49_910 });
    expect(await capture(row, key)).toMatchObject({ state: 'captured' });
    expect(await capture(row)).toMatchObject({ state: 'captured' });
  });

  it('is not captured once it was let go', async () => {
    const row = hold();
    await letGo(row);
    await expect(capture(row)).rejects.toThrow(ProviderRefused);
  });

  it('is let go, twice, after a lost answer, and never once it is captured', async () => {
    const row = hold();
    server.mishap('/payments/void', 'lost', 500);
    await expect(letGo(row)).rejects.toThrow(ProviderUnreachable);
    await letGo(row);
    await letGo(row);
    expect(row.Status).toBe('Cancelled');
    const other = hold();
    await capture(other);
    await expect(letGo(other)).rejects.toThrow(ProviderRefused);
  });
});

describe('a refund', () => {
  const send = (row: { TransactionId: number }, amountMinor: number, key = newKey()) =>
    make().refund({ paymentId: String(row.TransactionId), amountMinor, currency: 'INR', key });

  it('is sent with the exact amount and tells its own state', async () => {
    const row = server.charge(ORDER_ID);
    expect(await send(row, 1_010)).toMatchObject({ state: 'completed', amountMinor: 1_010 });
    expect(server.seen.find(call => call.path === '/payments/refund')!.text).toContain('"Amount":10.10,');
  });

  it('is sent once a key: at once, after a lost answer, and long after its X-Request-ID is forgotten', async () => {
    const row = server.charge(ORDER_ID);
    const key = newKey();
    server.mishap('/payments/refund', 'lost');
    await expect(send(row, 1_000, key)).rejects.toThrow(ProviderUnreachable);
    expect(server.calls('/payments/refund')).toBe(1);
    now = new Date('2026-05-04T15:00:00.000Z');
    const first = await send(row, 1_000, key);
    expect(await send(row, 1_000, key)).toEqual(first);
    expect(server.refundsOf(row).length).toBe(1);
    await send(row, 1_000);
    expect(server.refundsOf(row).length).toBe(2);
  });

  it('that the provider sent and then denies is still found', async () => {
    const row = server.charge(ORDER_ID);
    const key = newKey();
    server.mishap('/v2/payments/find', { text: '{"Success":false,"Message":"Not found"}' });
    server.byHand('/payments/refund', {
      TransactionId: row.TransactionId,
      Amount: 499,
      JsonData: JSON.stringify({ paylatchKey: key }),
    });
    expect(await send(row, 49_900, key)).toMatchObject({ state: 'completed', amountMinor: 49_900 });
  });

  it('of a payment without an invoice is sent', async () => {
    expect(await send(server.charge(null), 100)).toMatchObject({ state: 'completed' });
  });

  it('is on its way while nobody can say more', async () => {
    const row = server.charge(ORDER_ID);
    server.mishap('/payments/get', { text: JSON.stringify({ Success: true, Model: row }) }, 500, 500);
    expect(await send(row, 100)).toMatchObject({ state: 'pending', amountMinor: 100 });
  });

  it('of more than is left, of a hold, and of nothing is refused', async () => {
    const row = server.charge(ORDER_ID);
    await expect(send(row, 49_901)).rejects.toThrow(/more than is left/);
    await expect(send(server.charge(ORDER_ID, { Status: 'Authorized' }), 100)).rejects.toThrow(ProviderRefused);
    await expect(send({ TransactionId: 5 }, 100)).rejects.toThrow(ProviderRefused);
    const refund = await send(row, 100);
    await expect(send({ TransactionId: Number(refund.refundId) }, 100)).rejects.toThrow(ProviderRefused);
  });
});

describe('a link', () => {
  const close = (providerOrderId: string, handle: string | null) =>
    make().cancel({ providerOrderId, handle, paymentId: null, key: newKey() });

  it('is closed, and closed already is closed', async () => {
    const asked = request();
    const { handle } = await make().createCheckout(asked);
    await close(asked.orderId, handle!);
    expect(server.links.get(handle!)!.Status).toBe('Canceled');
    await close(asked.orderId, handle!);
    await close(asked.orderId, null);
  });

  it('that was paid cannot be closed', async () => {
    const asked = request();
    const { handle } = await make().createCheckout(asked);
    server.links.get(handle!)!.Status = 'Paid';
    server.charge(asked.orderId);
    await expect(close(asked.orderId, handle!)).rejects.toThrow(ProviderRefused);
  });
});
