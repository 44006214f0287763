// Renewals as each provider tells them, by webhook and in held time: early, in grace after a failed charge, after it all
// had lapsed, over month ends, and one charge told a hundred times.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startCloudPaymentsService } from './support/cloudpaymentsService.ts';
import type { Json } from './support/httpService.ts';
import type { ProviderService } from './support/providerService.ts';
import { startRazorpayService } from './support/razorpayService.ts';
import { startStripeService } from './support/stripeService.ts';

/** What a provider does to one subscriber; each charge can be told as often as one likes. */
type Charges = {
  userId: string;
  /** Charged, or declined, for the next period; the first belongs to the order that was checked out. */
  charge(how?: 'paid' | 'declined'): () => Promise<{ status: number }>;
};
type Teller = { service: Omit<ProviderService, 'checkOut'>; subscriber(): Promise<Charges>; close(): Promise<void> };

const atS = ({ world }: Pick<ProviderService, 'world'>) => Math.floor(world.clock().getTime() / 1_000);

async function razorpay(): Promise<Teller> {
  const service = await startRazorpayService();
  return {
    service,
    close: service.close,
    async subscriber() {
      const { id, userId } = await service.checkOut();
      const subscription = { id: `sub_${id}`, notes: { order_id: id } };
      let told = 0;
      return {
        userId,
        charge(how = 'paid') {
          const at = atS(service);
          const payment = service.bank.charge(subscription.id, how === 'paid' ? {} : { status: 'failed' });
          return () =>
            how === 'paid'
              ? service.webhook('subscription.charged', { subscription, payment }, { at })
              : service.webhook('payment.failed', { payment }, { at, eventId: `Fail${id}${told++}` });
        },
      };
    },
  };
}

async function cloudpayments(): Promise<Teller> {
  const service = await startCloudPaymentsService();
  return {
    service,
    close: service.close,
    async subscriber() {
      const { id, userId } = await service.checkOut();
      let invoice: string | null = id;
      return {
        userId,
        charge(how = 'paid') {
          const about = { Amount: 499.1, AccountId: userId, SubscriptionId: `sc_${id}` };
          const row = service.bank.charge(invoice, { ...about, Status: how === 'paid' ? 'Completed' : 'Declined' });
          // Only the first names an order.
          invoice = null;
          return () => service.tell(row);
        },
      };
    },
  };
}

async function stripe(): Promise<Teller> {
  const service = await startStripeService();
  const opensAt = service.world.clock().toISOString();
  const { subscriptions, invoices } = service.fake.state;
  return {
    service,
    close: service.close,
    async subscriber() {
      const now = service.world.clock().toISOString();
      // A session is opened at the present; what is charged for it later stands in the time of the story.
      service.world.clock.set(opensAt);
      const { id, userId } = await service.checkOut();
      service.world.clock.set(now);
      const subscription = `sub_${id.slice(4)}`;
      let isFirst = true;
      return {
        userId,
        charge(how = 'paid') {
          const billing_reason = isFirst ? 'subscription_create' : 'subscription_cycle';
          isFirst = false;
          const parent = { subscription_details: { subscription, metadata: { order_id: id } } };
          const status = how === 'paid' ? 'paid' : 'open';
          const intent = subscriptions.charge(subscription, { invoice: { billing_reason, parent, status } });
          const bill = invoices.get(`in_${intent.id}`) as Json;
          return () => service.webhook(how === 'paid' ? 'invoice.paid' : 'invoice.payment_failed', bill);
        },
      };
    },
  };
}

describe.each([
  ['Razorpay', razorpay],
  ['CloudPayments', cloudpayments],
  ['Stripe', stripe],
])('%s', (_, start) => {
  let teller: Teller;
  beforeAll(async () => {
    teller = await start();
  });
  afterAll(() => teller.close());

  const at = (iso: string) => teller.service.world.clock.set(iso);
  const accessOf = async (userId: string, when: string) =>
    (await teller.service.call('GET', `/v1/users/${userId}/access?product=pro&at=${when}`)).body;
  const periodsOf = async (userId: string) =>
    (await teller.service.world.sql`select starts_at, ends_at from grants where user_id = ${userId} order by seq`).map(
      row => [row.starts_at.toISOString(), row.ends_at.toISOString()],
    );
  const [JAN, FEB, MAR, APR] = ['01-31', '02-28', '03-31', '04-30'].map(day => `2031-${day}T10:00:00.000Z`);

  /** Paid on 31 January, with three days of grace. */
  async function paidInJanuary(): Promise<Charges> {
    at(JAN!);
    const subscriber = await teller.subscriber();
    expect((await subscriber.charge()()).status).toBe(200);
    expect(await periodsOf(subscriber.userId)).toEqual([[JAN, FEB]]);
    return subscriber;
  }

  test('a renewal charged early begins where the paid time ends, and the day of the month comes back', async () => {
    const { userId, charge } = await paidInJanuary();
    at('2031-02-26T08:00:00.000Z');
    await charge()();
    at('2031-03-31T09:00:00.000Z');
    await charge()();
    expect(await periodsOf(userId)).toEqual([
      [JAN, FEB],
      [FEB, MAR],
      [MAR, APR],
    ]);
  });

  test('a charge that fails moves no date, and one that succeeds in grace leaves no gap', async () => {
    const { userId, charge } = await paidInJanuary();
    const graceUntil = '2031-03-03T10:00:00.000Z';
    at('2031-02-28T11:00:00.000Z');
    expect((await charge('declined')()).status).toBe(200);
    expect(await accessOf(userId, '2031-03-01T00:00:00Z')).toMatchObject({
      reason: 'in_grace',
      until: FEB,
      graceUntil,
    });
    at('2031-03-02T11:00:00.000Z');
    await charge('declined')();
    expect(await accessOf(userId, '2031-03-03T09:59:59Z')).toMatchObject({
      access: true,
      reason: 'in_grace',
      graceUntil,
    });
    expect(await accessOf(userId, '2031-03-03T10:00:00Z')).toMatchObject({
      access: false,
      reason: 'expired',
      graceUntil,
    });
    at('2031-03-03T09:00:00.000Z');
    await charge()();
    expect(await periodsOf(userId)).toEqual([
      [JAN, FEB],
      [FEB, MAR],
    ]);
    expect(await accessOf(userId, '2031-03-03T10:00:00Z')).toMatchObject({
      access: true,
      reason: 'active',
      until: MAR,
    });
  });

  test('after everything had lapsed, the next charge begins anew at its own instant', async () => {
    const { userId, charge } = await paidInJanuary();
    at('2031-03-03T10:00:00.000Z');
    await charge()();
    at('2031-04-03T09:00:00.000Z');
    await charge()();
    expect(await periodsOf(userId)).toEqual([
      [JAN, FEB],
      ['2031-03-03T10:00:00.000Z', '2031-04-03T10:00:00.000Z'],
      ['2031-04-03T10:00:00.000Z', '2031-05-03T10:00:00.000Z'],
    ]);
  });

  test('one charge told a hundred times extends once', async () => {
    const { userId, charge } = await paidInJanuary();
    at('2031-02-28T09:00:00.000Z');
    const tell = charge();
    const answers = await Promise.all(Array.from({ length: 100 }, tell));
    expect(answers.every(({ status }) => status === 200)).toBe(true);
    expect(await periodsOf(userId)).toEqual([
      [JAN, FEB],
      [FEB, MAR],
    ]);
  });
});
