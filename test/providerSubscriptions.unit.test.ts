// The providers' own subscriptions, asked over real HTTP: stopped once however often it is asked, and what they charged,
// with what went back of it.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ProviderRefused, ProviderUnreachable } from '../src/errors.ts';
import { createCloudPaymentsProvider } from '../src/providers/cloudpayments/adapter.ts';
import type { PaymentProvider } from '../src/providers/provider.ts';
import { createRazorpayProvider } from '../src/providers/razorpay/adapter.ts';
import { createStripeProvider } from '../src/providers/stripe/adapter.ts';
import { API_SECRET, PUBLIC_ID } from './support/cloudpaymentsNotices.ts';
import { type CloudPaymentsServer, startCloudPaymentsServer } from './support/cloudpaymentsServer.ts';
import { RAZORPAY } from './support/razorpayBodies.ts';
import { type RazorpayServer, startRazorpay } from './support/razorpayServer.ts';
import { SECRET } from './support/stripeFixtures.ts';
import { STRIPE_KEY, type StripeFake, startStripeFake } from './support/stripeServer.ts';

const clock = () => new Date('2026-05-04T10:00:00.000Z');
const jitter = () => 0;
let keys = 0;
const stop = (provider: PaymentProvider, subscriptionId: string, key = `ord_1:close:${keys++}`) =>
  provider.cancelSubscription!({ subscriptionId, key });

describe('Razorpay', () => {
  let bank: RazorpayServer;
  let razorpay: PaymentProvider;
  beforeAll(async () => {
    bank = await startRazorpay();
    const settings = { ...RAZORPAY, apiUrl: bank.url };
    razorpay = createRazorpayProvider({ settings, publicUrl: 'http://self.test', clock, jitter });
  });
  afterAll(() => bank.close());

  test('a subscription is stopped at the end of its cycle, and stays active until then', async () => {
    bank.charge('sub_R1');
    await stop(razorpay, 'sub_R1');
    expect(bank.subscriptions.get('sub_R1')).toMatchObject({ endsWithCycle: true, status: 'active' });
  });

  test.each(['cancelled', 'completed', 'expired'])('one that is %s already is stopped', async status => {
    bank.charge('sub_R2');
    Object.assign(bank.subscriptions.get('sub_R2')!, { status });
    await expect(stop(razorpay, 'sub_R2')).resolves.toBeUndefined();
  });

  test('a no about one that still charges stays a no, and no answer is no success', async () => {
    await expect(stop(razorpay, 'sub_unknown')).rejects.toThrow(ProviderRefused);
    await expect(stop(razorpay, '../payments')).rejects.toThrow(ProviderRefused);
    bank.charge('sub_R3');
    bank.faults.push({ to: /cancel/, fault: 'lost' });
    await expect(stop(razorpay, 'sub_R3')).rejects.toThrow(ProviderUnreachable);
  });

  test('what it charged is told oldest first, with refunds, and nothing that was not paid', async () => {
    const [first, second] = [bank.charge('sub_R4'), bank.charge('sub_R4')];
    bank.charge('sub_R4', { status: 'failed' });
    bank.charge('sub_other');
    const back = { paymentId: String(second.id), amountMinor: 100, currency: 'INR', key: 'ord_1:refund' };
    await razorpay.refund(back);
    expect(await razorpay.findRenewals!('sub_R4')).toMatchObject([
      { paymentId: first.id, state: 'captured', subscriptionId: 'sub_R4', orderId: null },
      { paymentId: second.id, state: 'captured', subscriptionId: 'sub_R4', refunds: [{ amountMinor: 100 }] },
    ]);
  });
});

describe('CloudPayments', () => {
  let bank: CloudPaymentsServer;
  let cloudpayments: PaymentProvider;
  beforeAll(async () => {
    bank = await startCloudPaymentsServer({ clock });
    const settings = { publicId: PUBLIC_ID, apiSecrets: [API_SECRET], apiUrl: bank.url };
    cloudpayments = createCloudPaymentsProvider({ settings, clock, jitter });
  });
  afterAll(() => bank.close());

  test('a subscription is stopped, once, and again under the same key after a lost answer', async () => {
    bank.charge(null, { SubscriptionId: 'sc_1' });
    bank.mishap('/subscriptions/cancel', 'lost');
    await stop(cloudpayments, 'sc_1', 'same');
    await stop(cloudpayments, 'sc_1', 'same');
    expect(bank.subscriptions.get('sc_1')?.Status).toBe('Cancelled');
  });

  test.each(['Cancelled', 'Rejected', 'Expired'] as const)(
    'one that is %s already, by the payer or by itself, is stopped',
    async Status => {
      bank.charge(null, { SubscriptionId: 'sc_2' });
      bank.subscriptions.get('sc_2')!.Status = Status;
      await expect(stop(cloudpayments, 'sc_2')).resolves.toBeUndefined();
    },
  );

  test('one that nobody knows is refused', async () => {
    await expect(stop(cloudpayments, 'sc_unknown')).rejects.toThrow(ProviderRefused);
  });

  test('the charges of the day it charged last are told, and nobody else’s', async () => {
    bank.charge(null, { SubscriptionId: 'sc_3', CreatedDateIso: '2026-03-31T23:59:59' });
    const row = bank.charge(null, { SubscriptionId: 'sc_3', CreatedDateIso: '2026-04-30T00:00:01' });
    bank.charge(null, { SubscriptionId: 'sc_4', CreatedDateIso: '2026-04-30T00:00:01' });
    expect(await cloudpayments.findRenewals!('sc_3')).toMatchObject([
      { paymentId: String(row.TransactionId), state: 'captured', subscriptionId: 'sc_3' },
    ]);
  });

  test('one that has not charged yet has charged nothing', async () => {
    bank.subscriptions.set('sc_5', { Id: 'sc_5', Status: 'Active', LastTransactionDateIso: null });
    expect(await cloudpayments.findRenewals!('sc_5')).toEqual([]);
  });
});

describe('Stripe', () => {
  let fake: StripeFake;
  let stripe: PaymentProvider;
  beforeAll(async () => {
    fake = await startStripeFake();
    const settings = { secretKey: STRIPE_KEY, webhookSecrets: [SECRET], apiUrl: fake.url, live: false };
    stripe = createStripeProvider({ settings, clock, jitter });
  });
  afterAll(() => fake.close());

  test('a subscription is stopped at the end of its period, once, and after a lost answer under the same key', async () => {
    fake.state.subscriptions.charge('sub_1');
    fake.faults.push({ path: /subscriptions/, fault: 'lose' });
    await stop(stripe, 'sub_1');
    expect(fake.state.subscriptions.byId.get('sub_1')).toMatchObject({ status: 'active', cancel_at_period_end: true });
    const sent = fake.calls.filter(({ path }) => path === '/v1/subscriptions/sub_1');
    expect(sent).toHaveLength(2);
    expect(new Set(sent.map(({ key }) => key)).size).toBe(1);
  });

  test('one that is canceled already is stopped; one that nobody knows is refused', async () => {
    fake.state.subscriptions.charge('sub_2');
    fake.state.subscriptions.byId.get('sub_2')!.status = 'canceled';
    await expect(stop(stripe, 'sub_2')).resolves.toBeUndefined();
    await expect(stop(stripe, 'sub_unknown')).rejects.toThrow(ProviderRefused);
    await expect(stop(stripe, '../charges')).rejects.toThrow(ProviderRefused);
  });

  test('what it charged is told oldest first by its payment, with refunds, and corrections are not', async () => {
    const [first, second] = [fake.state.subscriptions.charge('sub_3'), fake.state.subscriptions.charge('sub_3')];
    fake.state.subscriptions.charge('sub_3', { invoice: { billing_reason: 'subscription_update' } });
    fake.state.subscriptions.charge('sub_3', { invoice: { status: 'open' } });
    fake.state.subscriptions.charge('sub_4');
    await stripe.refund({ paymentId: second.id, amountMinor: 1_999, currency: 'EUR', key: 'ord_1:refund:1' });
    expect(await stripe.findRenewals!('sub_3')).toMatchObject([
      { paymentId: first.id, state: 'captured', amountMinor: 1_999, subscriptionId: 'sub_3', orderId: null },
      { paymentId: second.id, state: 'captured', subscriptionId: 'sub_3', refunds: [{ state: 'completed' }] },
    ]);
  });

  test('one paid outside Stripe is known by its invoice, and the first names the order it began with', async () => {
    const orderId = `ord_${'0'.repeat(26)}`;
    const details = { subscription: 'sub_5', metadata: { order_id: orderId } };
    const first = { billing_reason: 'subscription_create', parent: { subscription_details: details } };
    fake.state.subscriptions.charge('sub_5', { invoice: { id: 'in_outside', payments: { data: [] }, ...first } });
    expect(await stripe.findRenewals!('sub_5')).toMatchObject([
      { paymentId: 'in_outside', orderId, amountMinor: 1_999 },
    ]);
  });
});
