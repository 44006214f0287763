// Disputes and refunds as the providers list them, at strict servers over real HTTP: page by page, each as it stands now, and none lost
// between two pages.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { InvalidRequest, ProviderRefused, ProviderUnreachable } from '../src/errors.ts';
import type { MoneyBackKind, MoneyBackPage, PaymentProvider } from '../src/providers/provider.ts';
import { createStripeProvider } from '../src/providers/stripe/adapter.ts';
import { razorpayProvider } from './support/razorpayBodies.ts';
import { type RazorpayServer, startRazorpay } from './support/razorpayServer.ts';
import { SECRET } from './support/stripeFixtures.ts';
import { STRIPE_KEY, type StripeFake, startStripeFake } from './support/stripeServer.ts';

const NOW = new Date('2026-06-01T12:00:00.000Z');
const NOW_S = NOW.getTime() / 1_000;
const DAY_S = 86_400;
const since = (daysAgo: number) => new Date(NOW.getTime() - daysAgo * DAY_S * 1_000);

const list = (provider: PaymentProvider, kind: MoneyBackKind) => provider.listMoneyBack![kind]!;

async function every(provider: PaymentProvider, kind: MoneyBackKind, from: Date, meanwhile = () => {}) {
  const found = [];
  const pages = [];
  let cursor: string | null = null;
  do {
    const page: MoneyBackPage = await list(provider, kind)(from, cursor);
    found.push(...page.found);
    pages.push(page.found.length);
    meanwhile();
    cursor = page.cursor;
  } while (cursor !== null);
  const ids = found.flatMap(({ disputes = [], refunds = [] }) => [
    ...disputes.map(({ disputeId }) => disputeId),
    ...refunds.map(({ refundId }) => refundId),
  ]);
  return { pages, ids: new Set(ids) };
}

describe('Razorpay', () => {
  let bank: RazorpayServer;
  let provider: PaymentProvider;
  beforeAll(async () => {
    bank = await startRazorpay();
    provider = razorpayProvider(bank.url, { clock: () => NOW });
  });
  beforeEach(() => {
    bank.disputes.clear();
    bank.calls.length = 0;
  });
  afterAll(() => bank.close());

  const disputed = (daysAgo: number, more = {}) =>
    bank.dispute(bank.pay(null).id, { created_at: NOW_S - daysAgo * DAY_S, ...more });

  test.each([
    ['open', 0, 'opened'],
    ['under_review', 0, 'opened'],
    ['won', 0, 'won'],
    ['lost', 49_900, 'lost'],
    ['closed', 0, 'won'],
    ['closed', 49_900, 'lost'],
    ['closed', null, 'opened'],
    ['something_new', 0, 'opened'],
  ])('one that is %s, with %s taken for it, is %s', async (status, amount_deducted, state) => {
    const { id, payment_id } = disputed(1, { status, amount_deducted });
    expect(await list(provider, 'disputes')(since(2), null)).toEqual({
      cursor: null,
      found: [{ paymentId: payment_id, disputes: [{ disputeId: id, state, amountMinor: 49_900 }] }],
    });
  });

  test('the newest are read first, until they are too old', async () => {
    for (let n = 0; n < 230; n++) disputed(n / 10);
    for (let n = 0; n < 400; n++) disputed(100 + n / 10);
    const { ids } = await every(provider, 'disputes', since(30));
    expect(ids.size).toBe(230);
    expect(bank.calls).toEqual([
      'GET /v1/disputes?count=100&skip=0',
      'GET /v1/disputes?count=100&skip=100',
      'GET /v1/disputes?count=100&skip=200',
    ]);
  });

  test('one that is opened while the list is read pushes none over the edge of a page', async () => {
    for (let n = 0; n < 150; n++) disputed(1 + n / 10);
    const before = new Set(bank.disputes.keys());
    const { ids } = await every(provider, 'disputes', since(30), () => void disputed(0));
    expect([...before].filter(id => !ids.has(id))).toEqual([]);
  });

  test.each([
    ['of different days', (n: number) => 100 + n],
    ['of one day', () => 100],
  ])('a list that has the oldest first, %s, is read to its end', async (_, age) => {
    bank.readings.disputesOldestFirst = true;
    for (let n = 0; n < 120; n++) disputed(age(n));
    const { id } = disputed(1);
    expect((await every(provider, 'disputes', since(30))).ids).toEqual(new Set([id]));
    bank.readings.disputesOldestFirst = false;
  });

  test('one that cannot be read hides no other', async () => {
    disputed(1, { amount: 0 });
    disputed(1, { payment_id: null });
    const { id } = disputed(1);
    expect((await every(provider, 'disputes', since(2))).ids).toEqual(new Set([id]));
  });

  test('a cursor of nobody is refused, a no is a no, and no list is no answer', async () => {
    await expect(list(provider, 'disputes')(since(1), 'from-1')).rejects.toThrow(InvalidRequest);
    bank.faults.push({ to: /disputes/, fault: 403 });
    await expect(list(provider, 'disputes')(since(1), null)).rejects.toThrow(ProviderRefused);
    bank.faults.push({ to: /disputes/, fault: 'garbage' }, { to: /disputes/, fault: 503 });
    await expect(list(provider, 'disputes')(since(1), null)).rejects.toThrow(ProviderUnreachable);
  });

  describe('refunds', () => {
    beforeEach(() => bank.refunds.clear());
    const refunded = (daysAgo: number, more = {}) =>
      bank.refund(bank.pay(null).id, { created_at: NOW_S - daysAgo * DAY_S, ...more });

    test.each([
      ['pending', 'pending'],
      ['processed', 'completed'],
      ['failed', 'failed'],
    ])('one that is %s is %s', async (status, state) => {
      const { id, payment_id } = refunded(1, { status, amount: 9_900 });
      expect(await list(provider, 'refunds')(since(2), null)).toEqual({
        cursor: null,
        found: [{ paymentId: payment_id, refunds: [{ refundId: id, state, amountMinor: 9_900 }] }],
      });
    });

    test('those made since are read page by page, and one that is made meanwhile pushes none over the edge', async () => {
      for (let n = 0; n < 230; n++) refunded(n / 10);
      for (let n = 0; n < 20; n++) refunded(100);
      const { ids, pages } = await every(provider, 'refunds', since(30), () => void refunded(-1));
      expect([ids.size, pages]).toEqual([230, [100, 100, 30]]);
      const span = `from=${NOW_S - 30 * DAY_S}&to=${NOW_S}&count=100`;
      expect(bank.calls).toEqual(['0', '100', '200'].map(skip => `GET /v1/refunds?${span}&skip=${skip}`));
    });

    test('one that cannot be read hides no other; a cursor of nobody is refused, and a no is a no', async () => {
      refunded(1, { currency: '' });
      refunded(1, { payment_id: null });
      refunded(1, { status: 'something_new' });
      const { id } = refunded(1);
      expect((await every(provider, 'refunds', since(2))).ids).toEqual(new Set([id]));
      await expect(list(provider, 'refunds')(since(1), '100')).rejects.toThrow(InvalidRequest);
      bank.faults.push({ to: /refunds/, fault: 403 });
      await expect(list(provider, 'refunds')(since(1), null)).rejects.toThrow(ProviderRefused);
      bank.faults.push({ to: /refunds/, fault: 'garbage' }, { to: /refunds/, fault: 503 });
      await expect(list(provider, 'refunds')(since(1), null)).rejects.toThrow(ProviderUnreachable);
    });
  });
});

describe('Stripe', () => {
  let fake: StripeFake;
  let provider: PaymentProvider;
  beforeAll(async () => {
    fake = await startStripeFake(() => NOW);
    const settings = { secretKey: STRIPE_KEY, webhookSecrets: [SECRET], apiUrl: fake.url, live: false };
    provider = createStripeProvider({ settings, clock: () => NOW, jitter: () => 0 });
  });
  beforeEach(() => {
    fake.state.disputes.byId.clear();
    fake.calls.length = 0;
  });
  afterAll(() => fake.close());

  const charged = () => fake.state.subscriptions.charge('sub_1');
  const disputed = (daysAgo: number, more = {}) =>
    fake.state.disputes.open(charged().id, { created: NOW_S - daysAgo * DAY_S, ...more });
  const NO = { status: 403, body: '{"error":{"type":"invalid_request_error","message":"no"}}' };

  test.each([
    ['needs_response', 'opened'],
    ['under_review', 'opened'],
    ['warning_needs_response', 'opened'],
    ['warning_closed', 'opened'],
    ['appeal_under_review', 'opened'],
    ['won', 'won'],
    ['lost', 'lost'],
  ])('one that is %s is %s', async (status, state) => {
    const { id, payment_intent } = disputed(1, { status });
    expect(await list(provider, 'disputes')(since(2), null)).toEqual({
      cursor: null,
      found: [{ paymentId: payment_intent, disputes: [{ disputeId: id, state, amountMinor: 1_999 }] }],
    });
  });

  test('those opened since, page by page, and none twice', async () => {
    for (let n = 0; n < 130; n++) disputed(n / 10);
    disputed(40);
    const { ids, pages } = await every(provider, 'disputes', since(30));
    expect([ids.size, pages]).toEqual([130, [100, 30]]);
    const [first, second] = fake.calls.map(call => call.fields);
    expect(first).toEqual({ created: { gte: String(NOW_S - 30 * DAY_S) }, limit: '100' });
    expect(second).toEqual({ ...first, starting_after: expect.stringMatching(/^du_/) });
  });

  test('one that cannot be read, or is of a charge without a payment intent, hides no other', async () => {
    disputed(1, { currency: 'nonsense' });
    disputed(1, { amount: 0 });
    disputed(1, { payment_intent: null });
    const { id } = disputed(1);
    expect((await every(provider, 'disputes', since(2))).ids).toEqual(new Set([id]));
  });

  test('a key that may not read them is a no, and a Stripe that is down no answer', async () => {
    fake.faults.push({ path: /disputes/, fault: NO });
    await expect(list(provider, 'disputes')(since(1), null)).rejects.toThrow(ProviderRefused);
    fake.faults.push({ path: /disputes/, fault: 'drop' }, { path: /disputes/, fault: { status: 503 } });
    await expect(list(provider, 'disputes')(since(1), null)).rejects.toThrow(ProviderUnreachable);
  });

  describe('refunds', () => {
    beforeEach(() => fake.state.refunds.clear());
    const refunded = (daysAgo: number, more = {}) =>
      fake.state.sendBack(charged().id, { created: NOW_S - daysAgo * DAY_S, ...more });

    test.each([
      ['pending', 'pending'],
      ['requires_action', 'pending'],
      ['succeeded', 'completed'],
      ['failed', 'failed'],
      ['canceled', 'failed'],
    ])('one that is %s is %s', async (status, state) => {
      const { id, payment_intent } = refunded(1, { status, amount: 500 });
      expect(await list(provider, 'refunds')(since(2), null)).toEqual({
        cursor: null,
        found: [{ paymentId: payment_intent, refunds: [{ refundId: id, state, amountMinor: 500 }] }],
      });
    });

    test('those made since, page by page, and none twice; one that cannot be read hides no other', async () => {
      for (let n = 0; n < 130; n++) refunded(n / 10);
      refunded(1, { payment_intent: null });
      refunded(1, { currency: 'nonsense' });
      refunded(40);
      const { ids, pages } = await every(provider, 'refunds', since(30));
      expect([ids.size, pages.length]).toEqual([130, 2]);
      const [first, second] = fake.calls.map(call => call.fields);
      expect(first).toEqual({ created: { gte: String(NOW_S - 30 * DAY_S) }, limit: '100' });
      expect(second).toEqual({ ...first, starting_after: expect.stringMatching(/^re_/) });
    });

    test('a key that may not read them is a no, and a Stripe that is down no answer', async () => {
      fake.faults.push({ path: /refunds/, fault: NO });
      await expect(list(provider, 'refunds')(since(1), null)).rejects.toThrow(ProviderRefused);
      fake.faults.push({ path: /refunds/, fault: 'drop' }, { path: /refunds/, fault: { status: 503 } });
      await expect(list(provider, 'refunds')(since(1), null)).rejects.toThrow(ProviderUnreachable);
    });
  });

  describe('a payment that is asked for', () => {
    const open = async () => {
      const { id } = charged();
      const dispute = fake.state.disputes.open(id, { status: 'lost' });
      // Somebody else's, of the same minute.
      fake.state.disputes.open(charged().id);
      return { id, told: [{ disputeId: dispute.id, state: 'lost', amountMinor: 1_999 }] };
    };
    const asked = () => fake.calls.filter(({ path }) => path === '/v1/disputes').length;

    test('tells its own disputes, and no call is made for one that has none', async () => {
      const { id, told } = await open();
      expect((await provider.fetchPayment(id)).disputes).toEqual(told);
      expect(asked()).toBe(1);
      expect((await provider.fetchPayment(charged().id)).disputes).toEqual([]);
      expect(asked()).toBe(1);
    });

    test('by its order or its subscription tells them too', async () => {
      const request = {
        orderId: `ord_${'0'.repeat(26)}`,
        userId: 'u',
        planId: 'p',
        amountMinor: 1_999,
        currency: 'EUR',
      };
      const { providerOrderId } = await provider.createCheckout({ ...request, callbackUrl: 'https://shop.test/' });
      const { id } = fake.state.disputes.open(fake.state.pay(providerOrderId).id);
      const [found] = await provider.findPayments({ orderId: request.orderId, providerOrderId });
      expect(found?.disputes).toMatchObject([{ disputeId: id, state: 'opened' }]);
      const renewal = fake.state.disputes.open(fake.state.subscriptions.charge('sub_disputed').id);
      expect(await provider.findRenewals!('sub_disputed')).toMatchObject([{ disputes: [{ disputeId: renewal.id }] }]);
    });

    test('is told without them where the key may not read them: the payment is no less true', async () => {
      const { id } = await open();
      fake.faults.push({ path: /disputes/, fault: NO });
      const payment = await provider.fetchPayment(id);
      expect(payment).toMatchObject({ paymentId: id, state: 'captured' });
      expect(payment).not.toHaveProperty('disputes');
      fake.faults.push({ path: /disputes/, fault: 'drop' }, { path: /disputes/, fault: 'drop' });
      await expect(provider.fetchPayment(id)).rejects.toThrow(ProviderUnreachable);
    });
  });
});
