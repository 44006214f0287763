// The CloudPayments adapter against a server of its protocol over real HTTP: the terminal, links opened, payments found and
// listed, with answers lost after the act, late, or none at all.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { InvalidRequest, ProviderRefused, ProviderUnreachable } from '../src/errors.ts';
import { createCloudPaymentsProvider } from '../src/providers/cloudpayments/adapter.ts';
import { OUTBOUND_TIMEOUT_MS } from '../src/providers/outbound.ts';
import { API_SECRET, ORDER_ID, PUBLIC_ID } from './support/cloudpaymentsNotices.ts';
import { type CloudPaymentsServer, startCloudPaymentsServer } from './support/cloudpaymentsServer.ts';

let now = new Date('2026-05-04T10:00:00.000Z');
const clock = () => now;
let server: CloudPaymentsServer;
beforeAll(async () => {
  server = await startCloudPaymentsServer({ clock, lateMs: OUTBOUND_TIMEOUT_MS + 300 });
});
afterAll(() => server.close());
beforeEach(() => {
  now = new Date('2026-05-04T10:00:00.000Z');
  server.forget();
});

const make = (more: { publicId?: string; apiSecrets?: string[] } = {}) =>
  createCloudPaymentsProvider({
    settings: { publicId: PUBLIC_ID, apiSecrets: [API_SECRET, 'an older one'], apiUrl: server.url, ...more },
    clock,
    jitter: () => 0,
  });

let keys = 0;
const request = () => ({
  orderId: `ord_${String(keys++).padStart(26, '0')}`,
  userId: 'customer-17',
  planId: 'pro-monthly',
  amountMinor: 49_910,
  currency: 'INR',
  callbackUrl: 'https://shop.test/v1/callbacks/cloudpayments',
});

describe('the terminal', () => {
  it.each([
    ['pk_0a1b2c3d4e', true],
    ['pk_attestation', true],
    ['test_api_00000000000000000000002', false],
    ['pk_test_77', false],
    ['test_pk_0a1b2c3d4e', false],
  ])('%s is live: %s', (publicId, live) => {
    expect(make({ publicId })).toMatchObject({ account: publicId, live });
  });

  it('in test mode is called by its own id, without the mark', async () => {
    const opened = await make({ publicId: `test_${PUBLIC_ID}` }).createCheckout(request());
    expect(opened.handle).toMatch(/^lnk/);
    const params = make({ publicId: `test_${PUBLIC_ID}` }).checkoutParams({ ...request(), providerOrderId: 'x' });
    expect(params.publicTerminalId).toBe(PUBLIC_ID);
  });

  it('needs a secret', () => {
    expect(() => make({ apiSecrets: [] })).toThrow(/secret/);
    expect(() => make({ apiSecrets: [''] })).toThrow(/secret/);
  });
});

describe('a checkout', () => {
  it('opens a link with the exact amount, under our own order id', async () => {
    const asked = request();
    const opened = await make().createCheckout(asked);
    const [link] = server.links.values();
    expect(opened).toEqual({ providerOrderId: asked.orderId, url: link!.Url, handle: link!.Id });
    const { text, headers } = server.seen[0]!;
    expect(text).toContain('"Amount":499.10,');
    expect(headers['x-request-id']).toBe(asked.orderId);
    const back = `${asked.callbackUrl}?orderId=${asked.orderId}`;
    expect(link!.body).toMatchObject({
      InvoiceId: asked.orderId,
      AccountId: 'customer-17',
      Currency: 'INR',
      RequireConfirmation: false,
      SuccessRedirectUrl: back,
      FailRedirectUrl: back,
    });
  });

  it('asked again, or with its answer lost, opens one link', async () => {
    const asked = request();
    server.mishap('/orders/create', 'lost', 503);
    await expect(make().createCheckout(asked)).rejects.toThrow(ProviderUnreachable);
    const opened = await make().createCheckout(asked);
    expect(await make().createCheckout(asked)).toEqual(opened);
    expect(server.links.size).toBe(1);
  });

  it('goes through when only the first answer is lost', async () => {
    server.mishap('/orders/create', 'lost');
    await make().createCheckout(request());
    expect(server.links.size).toBe(1);
  });

  it.each(['JPY', 'KWD', 'CLF'])('is refused in %s, before any call', async currency => {
    await expect(make().createCheckout({ ...request(), currency })).rejects.toThrow(InvalidRequest);
    expect(server.seen).toEqual([]);
  });

  it('is refused by a no, and by wrong credentials', async () => {
    await expect(make().createCheckout({ ...request(), currency: 'XTS' })).rejects.toThrow(/Currency is not supported/);
    await expect(make({ apiSecrets: ['wrong'] }).createCheckout(request())).rejects.toThrow(ProviderRefused);
  });

  it.each([
    429,
    500,
    502,
    403,
    404,
    302,
    { text: '<html>' },
    { text: '{"Model":{}}' },
    { text: '{"Success":true}' },
    { status: 400, text: '{"Success":false,"Message":"no"}' },
  ])('is unknown by %j', async mishap => {
    server.mishap('/orders/create', mishap, mishap);
    await expect(make().createCheckout(request())).rejects.toThrow(ProviderUnreachable);
    server.mishap('/orders/create', 200 as never);
    await make()
      .createCheckout(request())
      .catch(() => {});
  });

  it('does not wait for an answer that comes late, and opens nothing twice for it', async () => {
    server.mishap('/orders/create', 'late');
    const asked = request();
    const opened = await make().createCheckout(asked);
    expect([...server.links.keys()]).toEqual([opened.handle]);
  });

  it('tells the widget what to do', () => {
    const order = { ...request(), orderId: ORDER_ID, providerOrderId: ORDER_ID };
    const params = make().checkoutParams(order);
    expect(params).toMatchObject({
      publicTerminalId: PUBLIC_ID,
      amount: 499.1,
      currency: 'INR',
      externalId: ORDER_ID,
      paymentSchema: 'Single',
      userInfo: { accountId: 'customer-17' },
      metadata: { orderId: ORDER_ID },
    });
    expect(JSON.stringify(make().checkoutParams({ ...order, amountMinor: 100_000_000_001 }))).toContain(
      '1000000000.01',
    );
  });
});

describe('a payment', () => {
  it('is fetched as it stands', async () => {
    const row = server.charge(ORDER_ID, { Amount: 499.1 });
    expect(await make().fetchPayment(String(row.TransactionId))).toEqual({
      paymentId: String(row.TransactionId),
      orderId: ORDER_ID,
      providerOrderId: ORDER_ID,
      state: 'captured',
      amountMinor: 49_910,
      currency: 'INR',
      live: true,
      occurredAt: '2026-05-04T10:00:00.000Z',
    });
    const states = {
      Authorized: 'authorized',
      Cancelled: 'canceled',
      Declined: 'failed',
      AwaitingAuthentication: 'pending',
    };
    for (const [Status, state] of Object.entries(states)) {
      const other = server.charge(null, { Status: Status as never, TestMode: true, SubscriptionId: 'sc_1' });
      const payment = await make().fetchPayment(String(other.TransactionId));
      expect(payment).toMatchObject({
        state,
        live: false,
        subscriptionId: 'sc_1',
        orderId: null,
        providerOrderId: null,
      });
      expect(payment.reason).toBe(state === 'failed' ? 'InsufficientFunds (5051)' : undefined);
    }
  });

  it('tells when it came to its state, not when it was made', async () => {
    const times = {
      CreatedDateIso: '2026-05-03T08:00:00',
      AuthDateIso: '2026-05-03T08:00:05',
      ConfirmDateIso: '2026-05-04T09:30:00.250',
    };
    const at = async (Status: 'Completed' | 'Authorized' | 'Declined' | 'Cancelled') =>
      (await make().fetchPayment(String(server.charge(null, { Status, ...times }).TransactionId))).occurredAt;
    expect(await at('Completed')).toBe('2026-05-04T09:30:00.000Z');
    expect(await at('Authorized')).toBe('2026-05-03T08:00:05.000Z');
    expect(await at('Declined')).toBe('2026-05-03T08:00:00.000Z');
    expect(await at('Cancelled')).toBeUndefined();
  });

  it('that is none is refused, also without asking', async () => {
    await expect(make().fetchPayment('77')).rejects.toThrow(ProviderRefused);
    expect(server.seen.length).toBe(1);
    for (const id of ['', '..', '7/7', '07', '1e3', 'pay_1', '1'.repeat(20)]) {
      await expect(make().fetchPayment(id)).rejects.toThrow(ProviderRefused);
    }
    expect(server.seen.length).toBe(1);
  });

  it('is found by its invoice, also a numeric one, with its refund', async () => {
    const find = (id: string) => make().findPayments({ orderId: id, providerOrderId: id });
    expect(await find(ORDER_ID)).toEqual([]);
    server.charge(ORDER_ID, { Status: 'Declined' });
    expect(await find(ORDER_ID)).toMatchObject([{ state: 'failed' }]);
    const row = server.charge(ORDER_ID);
    expect(await find(ORDER_ID)).toMatchObject([{ state: 'captured', paymentId: String(row.TransactionId) }]);
    server.byHand('/payments/refund', { TransactionId: row.TransactionId, Amount: 9.9 });
    expect(await find(ORDER_ID)).toMatchObject([
      { state: 'captured', paymentId: String(row.TransactionId), refunds: [{ state: 'completed', amountMinor: 990 }] },
    ]);
    server.charge(1234);
    expect(await find('1234')).toMatchObject([{ orderId: null, providerOrderId: '1234' }]);
  });

  it('that cannot be found out is not "none"', async () => {
    for (const mishap of [
      429,
      500,
      { text: '{"Success":false,"Message":"Try later"}' },
      { text: '{"Success":true,"Model":{"TransactionId":1}}' },
    ]) {
      server.mishap('/v2/payments/find', mishap, ...(typeof mishap === 'number' ? [mishap] : []));
      await expect(make().findPayments({ orderId: ORDER_ID, providerOrderId: ORDER_ID })).rejects.toThrow(
        ProviderUnreachable,
      );
    }
  });

  it('is listed by the day, from when a hold could still change, to today', async () => {
    now = new Date('2026-05-01T23:59:59.000Z');
    const early = server.charge('a');
    now = new Date('2026-05-04T00:00:00.000Z');
    const late = server.charge(null, { Status: 'Authorized' });
    server.byHand('/payments/refund', { TransactionId: early.TransactionId, Amount: 1 });
    const found: { paymentId: string; refunds?: unknown }[] = [];
    let pages = 0;
    for (let cursor: string | null = null; pages === 0 || cursor !== null; pages++) {
      const page = await make().listPayments(new Date('2026-05-03T12:00:00.000Z'), cursor);
      found.push(...page.payments);
      cursor = page.cursor;
    }
    expect(pages).toBe(9);
    expect(found.map(payment => [payment.paymentId, payment.refunds !== undefined])).toEqual([
      [String(early.TransactionId), false],
      [String(late.TransactionId), false],
      [String(early.TransactionId), true],
    ]);
    await expect(make().listPayments(now, 'yesterday')).rejects.toThrow(InvalidRequest);
  });
});
