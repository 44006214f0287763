// The nastiest cases, fifth part: how renewals add up, and what happens when one fails. Cases 13 and 14, told by Stripe's and
// the sandbox's events while weeks pass.
import Stripe from 'stripe';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { noticeOf } from './support/cloudpaymentsBank.ts';
import { formCall } from './support/cloudpaymentsNotices.ts';
import { expectNoLastGuard, expectSoundBooks } from './support/databaseChecks.ts';
import type { Json } from './support/httpService.ts';
import { SECRET as STRIPE_SECRET, stripeEvent } from './support/stripeFixtures.ts';
import { startWholeService, type WholeService } from './support/wholeService.ts';

const DAY = 86_400_000;

let service: WholeService;
beforeAll(async () => {
  service = await startWholeService({ at: '2026-01-31T10:00:00.000Z', banks: ['stripe', 'cloudpayments'] });
  await service.plan({ amountMinor: 1_999, currency: 'EUR' }, 'pro-eur');
});
beforeEach(() => {
  service.gate.lists = 'rest';
});
afterEach(() => expectSoundBooks(service.world.sql));
afterAll(async () => {
  await expectNoLastGuard(service.world.sql);
  await service?.close();
});

const grantsOf = async (userId: string) => {
  const { sql } = service.world;
  const rows = await sql`select starts_at, ends_at from grants where user_id = ${userId} order by seq`;
  return rows.map(row => [row.starts_at.toISOString(), row.ends_at.toISOString()]);
};
/** Buys and pays at the sandbox, now. */
async function pays(userId: string) {
  const order = await service.buy({ userId });
  await service.pay(order);
  await service.settle();
  return order;
}
const at = (iso: string) => service.travel(iso);
/** The next instant of this kind, however far the tests before have gone: years repeat, months do not. */
let year = 2026;
async function newYear(): Promise<number> {
  year += 1;
  await service.travel(`${year}-01-31T10:00:00.000Z`, { listEveryMs: 400 * DAY });
  return year;
}

/** A subscription at Stripe that it charges by itself; its first invoice pays our order. */
async function subscriber() {
  const { state } = service.banks.stripe;
  const order = await service.buy({ provider: 'stripe', planId: 'pro-eur' });
  const subscription = `sub_${order.id.slice(4)}`;
  let isFirst = true;
  let events = 0;
  async function tell(type: string, object: Record<string, unknown>, id = `evt_${order.id}_${++events}`) {
    const created = Math.floor(service.now().getTime() / 1_000);
    const payload = JSON.stringify(stripeEvent(type, object, { id, created }));
    const timestamp = created;
    const signature = Stripe.webhooks.generateTestHeaderString({ payload, secret: STRIPE_SECRET, timestamp });
    const told = await service.call('POST', '/v1/webhooks/stripe', payload, { 'stripe-signature': signature });
    expect(told.status, JSON.stringify(told.body)).toBe(200);
    return told.body;
  }
  return {
    ...order,
    subscription,
    tell,
    /** Charged or declined now; told as often as one likes. */
    charge(how: 'paid' | 'declined' = 'paid') {
      const billing_reason = isFirst ? 'subscription_create' : 'subscription_cycle';
      isFirst = false;
      const parent = { subscription_details: { subscription, metadata: { order_id: order.id } } };
      const status = how === 'paid' ? 'paid' : 'open';
      const intent = state.subscriptions.charge(subscription, { invoice: { billing_reason, parent, status } });
      const bill = state.invoices.get(`in_${intent.id}`) as Json;
      const type = how === 'paid' ? 'invoice.paid' : 'invoice.payment_failed';
      return () => tell(type, bill, `evt_${bill.id}`);
    },
  };
}

describe('case 13: how renewals add up', () => {
  test('before the end and in grace the time goes on where it ended; lapsed beyond grace it begins at the payment', async () => {
    const y = await newYear();
    const userId = service.world.newId('req');
    await pays(userId);
    await at(`${y}-02-20T10:00:00.000Z`);
    await pays(userId);
    await at(`${y}-04-02T10:00:00.000Z`);
    expect(await service.access(userId)).toMatchObject({ access: true, reason: 'in_grace' });
    await pays(userId);
    await at(`${y}-05-20T10:00:00.000Z`);
    expect(await service.access(userId)).toMatchObject({ access: false, reason: 'expired' });
    await pays(userId);
    expect(await grantsOf(userId)).toEqual([
      [`${y}-01-31T10:00:00.000Z`, `${y}-02-28T10:00:00.000Z`],
      [`${y}-02-28T10:00:00.000Z`, `${y}-03-31T10:00:00.000Z`],
      [`${y}-03-31T10:00:00.000Z`, `${y}-04-30T10:00:00.000Z`],
      [`${y}-05-20T10:00:00.000Z`, `${y}-06-20T10:00:00.000Z`],
    ]);
  });

  test('one payment extends once, told a hundred times by webhook and callback', async () => {
    await newYear();
    const order = await service.buy();
    const paymentId = await service.pay(order);
    const { providerOrderId } = order;
    const paid = { providerOrderId, paymentId, amountMinor: 49_900, currency: 'INR' };
    const tellings = Array.from({ length: 50 }, () => [
      service.forge('payment.captured', paid),
      service.comeBack(order, paymentId),
    ]);
    const answers = await Promise.all(tellings.flat());
    expect(answers.every(({ status }) => status === 200)).toBe(true);
    await service.settle();
    expect(await grantsOf(order.userId)).toHaveLength(1);
  });

  test('a renewal we heard of days late costs nobody a day, and no day is given twice', async () => {
    const y = await newYear();
    const userId = service.world.newId('req');
    await pays(userId);
    await at(`${y}-02-27T10:00:00.000Z`);
    const order = await service.buy({ userId });
    service.gate.webhooks = 'hold';
    await service.pay(order);
    await at(`${y}-03-02T10:00:00.000Z`);
    service.gate.webhooks = 'pass';
    await service.settle();
    expect(await grantsOf(userId)).toEqual([
      [`${y}-01-31T10:00:00.000Z`, `${y}-02-28T10:00:00.000Z`],
      [`${y}-02-28T10:00:00.000Z`, `${y}-03-31T10:00:00.000Z`],
    ]);
  });

  test('an upgrade in the middle of the paid time is no proration and an extension at once: it extends', async () => {
    const y = await newYear();
    await service.plan({ amountMinor: 499_000, period: { months: 12 } }, 'pro-yearly');
    const userId = service.world.newId('req');
    await pays(userId);
    await at(`${y}-02-10T10:00:00.000Z`);
    const yearly = await service.buy({ userId, planId: 'pro-yearly' });
    await service.pay(yearly);
    await service.settle();
    expect(await grantsOf(userId)).toEqual([
      [`${y}-01-31T10:00:00.000Z`, `${y}-02-28T10:00:00.000Z`],
      [`${y}-02-28T10:00:00.000Z`, `${y + 1}-02-28T10:00:00.000Z`],
    ]);
  });
});

describe('case 14: a renewal fails', () => {
  test('grace begins at the edge, once, however often it fails; access lasts until the date that was told; recovery leaves no gap', async () => {
    const y = await newYear();
    const { userId, charge, id } = await subscriber();
    await charge()();
    const graceUntil = `${y}-03-03T10:00:00.000Z`;
    await at(`${y}-02-28T11:00:00.000Z`);
    const access = () => service.access(userId);
    const inGrace = { access: true, reason: 'in_grace', until: `${y}-02-28T10:00:00.000Z`, graceUntil };
    await charge('declined')();
    expect(await access()).toMatchObject(inGrace);
    await at(`${y}-03-02T11:00:00.000Z`);
    await charge('declined')();
    expect(await access()).toMatchObject(inGrace);
    await at(`${y}-03-03T09:59:59.999Z`);
    expect(await access()).toMatchObject(inGrace);
    await charge()();
    await at(`${y}-03-04T00:00:00.000Z`);
    expect(await access()).toMatchObject({ access: true, reason: 'active', until: `${y}-03-31T10:00:00.000Z` });
    expect(await service.order(id)).toMatchObject({ state: 'subscribed', stuck: null });
  });

  test('and nobody recovers it: access ends at the end of grace, to the millisecond', async () => {
    const y = await newYear();
    const { userId, charge } = await subscriber();
    await charge()();
    await at(`${y}-02-28T11:00:00.000Z`);
    await charge('declined')();
    await at(`${y}-03-03T09:59:59.999Z`);
    expect(await service.access(userId)).toMatchObject({ access: true });
    await at(`${y}-03-03T10:00:00.000Z`);
    expect(await service.access(userId)).toMatchObject({ access: false, reason: 'expired' });
  });

  test('cancelled meanwhile: the provider is told to stop, there is no grace, and what was paid stays', async () => {
    const y = await newYear();
    const { userId, charge, subscription } = await subscriber();
    await charge()();
    await at(`${y}-02-10T10:00:00.000Z`);
    const path = `/v1/users/${userId}/subscriptions/pro/cancel`;
    const answer = await service.call('POST', path, { reason: 'moving away' });
    expect(answer).toMatchObject({ status: 200, body: { cancelAtEnd: true, endsAt: `${y}-02-28T10:00:00.000Z` } });
    await service.settle();
    const there = service.banks.stripe.state.subscriptions.byId.get(subscription);
    expect(there).toMatchObject({ cancel_at_period_end: true });
    expect(await service.access(userId)).toMatchObject({ access: true, until: `${y}-02-28T10:00:00.000Z` });
    await at(`${y}-02-28T10:00:00.000Z`);
    expect(await service.access(userId)).toMatchObject({ access: false });
  });

  test('halted at the provider, which goes on writing bills: a bill is no payment', async () => {
    const y = await newYear();
    const { userId, charge, tell, subscription } = await subscriber();
    await charge()();
    await at(`${y}-02-28T11:00:00.000Z`);
    await charge('declined')();
    await tell('customer.subscription.updated', { id: subscription, object: 'subscription', status: 'unpaid' });
    await at(`${y}-03-28T11:00:00.000Z`);
    await charge('declined')();
    expect(await service.access(userId)).toMatchObject({ access: false, reason: 'expired' });
    expect(await grantsOf(userId)).toHaveLength(1);
  });

  test('subscription events in any order, also of one that is over, move nothing: only bills that were paid do', async () => {
    await newYear();
    const { userId, charge, tell, subscription } = await subscriber();
    const about = (status: string) => ({ id: subscription, object: 'subscription', status });
    await tell('customer.subscription.updated', about('active'));
    await tell('customer.subscription.created', about('incomplete'));
    await charge()();
    const before = await service.access(userId);
    await tell('customer.subscription.deleted', about('canceled'));
    await tell('customer.subscription.updated', about('active'));
    expect(await service.access(userId)).toEqual(before);
  });

  test('cancelled on the provider’s own site, and a charge nobody told us of: asking finds what was paid before access is refused', async () => {
    const y = await newYear();
    const bank = service.banks.cloudpayments;
    await service.plan({ amountMinor: 49_910 }, 'pro-cp');
    const { id, userId } = await service.buy({ provider: 'cloudpayments', planId: 'pro-cp' });
    const about = { Amount: 499.1, AccountId: userId, SubscriptionId: `sc_${id}` };
    const first = bank.charge(id, about);
    const { body, headers, contentType } = formCall('pay', noticeOf(first));
    await service.call('POST', '/v1/webhooks/cloudpayments/pay', body, { ...headers, 'content-type': contentType });
    expect(await service.access(userId)).toMatchObject({ access: true });
    await at(`${y}-02-28T09:00:00.000Z`);
    bank.charge(null, about);
    bank.byHand('/subscriptions/cancel', { Id: `sc_${id}` });
    await at(`${y}-03-05T10:00:00.000Z`);
    // Grace was over and we had not known: the time begins now, nobody pays for days without access.
    expect(await service.access(userId)).toMatchObject({ access: true, until: `${y}-04-05T10:00:00.000Z` });
    // It is over there, so no later charge is waited for.
    await at(`${y}-04-10T10:00:00.000Z`);
    expect(await service.access(userId)).toMatchObject({ access: false, reason: 'expired' });
  });
});
