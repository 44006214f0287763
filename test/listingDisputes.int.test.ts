// Disputes found by the providers' own lists of them: whenever the payment was made and the dispute opened, nobody tells
// us, and the order still knows, once, without being asked about for ever.
import { afterEach, describe, expect, test } from 'vitest';
import { CALLS_PER_ROUND } from '../src/reconcile/listPayments.ts';
import { expectSoundBooks } from './support/databaseChecks.ts';
import { later, listingOf, reconcile } from './support/listingRig.ts';
import type { Opened, ProviderService } from './support/providerService.ts';
import { type RazorpayService, startRazorpayService } from './support/razorpayService.ts';
import { type StripeService, startStripeService } from './support/stripeService.ts';

const running = new AbortController().signal;
const DAY_MIN = 24 * 60;

type Bench = ProviderService & {
  /** The customer pays; nobody tells us. The payment's id. */
  pay(order: Opened | null): string;
  /** The bank disputes it now. The dispute's id. */
  dispute(paymentId: string): string;
  decide(disputeId: string, how: 'won' | 'lost'): void;
  /** How often something of this path was asked for. */
  asked(path: RegExp): number;
  /** The next call of this path is answered so. */
  answer(path: RegExp, status: number): void;
  /** It answers everything again. */
  clear(): void;
  /** Disputes opened now about somebody else's sales of long ago. */
  crowd(count: number): void;
  nowS(): number;
};

async function razorpay(): Promise<Bench> {
  const service: RazorpayService = await startRazorpayService();
  const { bank, world } = service;
  world.clock.set('2026-03-01T12:00:00.000Z');
  const nowS = () => Math.floor(world.clock().getTime() / 1_000);
  return {
    ...service,
    nowS,
    pay: order => String(bank.pay(order?.providerOrderId ?? null, { created_at: nowS() }).id),
    dispute: paymentId => String(bank.dispute(paymentId, { created_at: nowS() }).id),
    decide(disputeId, how) {
      const dispute = bank.disputes.get(disputeId)!;
      Object.assign(dispute, { status: how, amount_deducted: how === 'lost' ? dispute.amount : 0 });
    },
    asked: path => bank.calls.filter(call => path.test(call)).length,
    answer: (path, status) => void bank.faults.push({ to: path, fault: status }),
    clear: () => void bank.faults.splice(0),
    crowd(count) {
      for (let n = 0; n < count; n++) bank.dispute(bank.pay(null, { created_at: 1 }).id, { created_at: nowS() });
    },
  };
}

async function stripe(): Promise<Bench> {
  const service: StripeService = await startStripeService();
  const { world, fake } = service;
  const { state } = fake;
  const nowS = () => Math.floor(world.clock().getTime() / 1_000);
  const nobodys = (created = nowS()) => {
    const intent = state.addIntent({ status: 'succeeded', amount_received: 1_999, created });
    intent.latest_charge = { id: `ch_${intent.id}`, object: 'charge', created, amount: 1_999, disputed: false };
    return intent;
  };
  return {
    ...service,
    nowS,
    pay: order => {
      const intent = order ? state.pay(order.providerOrderId) : nobodys();
      intent.created = nowS();
      return intent.id;
    },
    dispute: paymentId => state.disputes.open(paymentId, { created: nowS() }).id,
    decide: (disputeId, status) => void Object.assign(state.disputes.byId.get(disputeId)!, { status }),
    asked: path => fake.calls.filter(call => path.test(`${call.method} ${call.path}${call.query}`)).length,
    answer: (path, status) =>
      void fake.faults.push({ path, fault: { status, body: '{"error":{"type":"invalid_request_error"}}' } }),
    clear: () => void fake.faults.splice(0),
    crowd(count) {
      for (let n = 0; n < count; n++) state.disputes.open(nobodys(1).id, { created: nowS() });
    },
  };
}

let service: Bench;
afterEach(() => service?.close());

const disputesOf = async (orderId: string) => (await service.timeline(orderId)).disputes;
const findings = async () => [...(await service.world.sql`select kind, resolved_at is null as open from findings`)];
const progress = async (depth: string) =>
  (await service.core.reconciliation.progress()).find(listing => listing.depth === depth)!;

/** Every list that is due after so many days, and those that were begun, read to their ends. */
async function daysLater(days: number): Promise<void> {
  later(service, days * DAY_MIN);
  await reconcile(service);
}

describe.each([
  ['Razorpay', razorpay],
  ['Stripe', stripe],
] as const)('%s', (name, start) => {
  const provider = name.toLowerCase();

  test('one that is opened months after the payment, lost months after that, and won on appeal, is found each time', async () => {
    service = await start();
    const order = await service.checkOut();
    const paymentId = service.pay(order);
    await daysLater(1);
    expect(await service.order(order.id)).toMatchObject({ state: 'subscribed' });

    await daysLater(118);
    const disputeId = service.dispute(paymentId);
    later(service, 16);
    await reconcile(service);
    expect(await disputesOf(order.id)).toEqual([
      { disputeId, paymentId, state: 'opened', amountMinor: expect.any(Number), asOf: null },
    ]);
    expect(await service.order(order.id)).toMatchObject({ state: 'subscribed' });

    await daysLater(90);
    service.decide(disputeId, 'lost');
    await daysLater(1);
    expect(await service.order(order.id)).toMatchObject({ state: 'refunded' });

    await daysLater(90);
    service.decide(disputeId, 'won');
    await daysLater(1);
    expect(await service.order(order.id)).toMatchObject({ state: 'subscribed' });
    expect(await disputesOf(order.id)).toMatchObject([{ disputeId, state: 'won' }]);

    const { received } = await service.timeline(order.id);
    const told = received.filter(({ type }: { type: string }) => type === 'dispute.updated');
    expect(told.map((event: Record<string, unknown>) => [event.verdict, event.deliveries])).toEqual(
      Array(3).fill(['applied', 1]),
    );
    expect(await findings()).toEqual([]);
    await expectSoundBooks(service.world.sql);
  });

  test('one of a payment we never heard of brings the payment along', async () => {
    service = await start();
    const order = await service.checkOut();
    const paymentId = service.pay(order);
    // Nobody looks for longer than payments are listed back.
    later(service, 60 * DAY_MIN);
    service.decide(service.dispute(paymentId), 'lost');
    await reconcile(service);
    expect(await service.order(order.id)).toMatchObject({ state: 'refunded' });
    expect((await service.timeline(order.id)).payments).toMatchObject([{ paymentId, state: 'captured' }]);
    expect(await progress('recent')).toMatchObject({ payments: 0, news: 1 });
    await expectSoundBooks(service.world.sql);
  });

  test('one of somebody else’s sale is asked about once, kept, and nobody’s order', async () => {
    service = await start();
    const paymentId = service.pay(null);
    later(service, 60 * DAY_MIN);
    service.dispute(paymentId);
    await reconcile(service);
    await daysLater(1);
    await daysLater(1);
    expect(service.asked(new RegExp(`GET /v1/payment(s|_intents)/${paymentId}(\\?|$)`))).toBe(1);
    const kept = await service.world.sql`select event_type, verdict, deliveries, mark from inbox order by event_type`;
    expect(kept.map(({ event_type, deliveries, mark }) => [event_type, deliveries, mark])).toEqual([
      ['dispute.updated', 1, null],
      ['payment.captured', 1, null],
    ]);
    expect(await findings()).toEqual([]);
  });

  test('what is known already is not written again, and what a webhook told is not told once more', async () => {
    service = await start();
    const order = await service.checkOut();
    const paymentId = service.pay(order);
    const disputeId = service.dispute(paymentId);
    await daysLater(1);
    const at = service.world.clock().toISOString();
    const lost = { type: 'dispute.updated', paymentId, disputeId, state: 'lost', amountMinor: 1_999, occurredAt: at };
    await service.call('POST', `/v1/orders/${order.id}/events`, lost);
    const count = () =>
      service.world
        .sql`select (select sum(deliveries)::int from inbox) as inbox, (select sum(version)::int from orders) as steps`;
    const before = await count();
    // It still says that the dispute is open, which is older than what we know.
    await daysLater(1);
    service.decide(disputeId, 'lost');
    await daysLater(1);
    expect(await count()).toEqual(before);
    expect(await progress('deep')).toMatchObject({ underWay: false, news: 0 });
  });

  test('a provider that does not show them holds nothing else up: one finding, one alert, and over when it does', async () => {
    service = await start();
    const order = await service.checkOut();
    const paymentId = service.pay(order);
    service.dispute(paymentId);
    for (let run = 0; run < 3; run++) {
      service.answer(/disputes/, 403);
      // A payment that says itself that it is disputed is asked for its disputes, and may not tell them either.
      later(service, 16);
      await listingOf(service).run(running);
      expect(await progress('recent')).toMatchObject({ underWay: false, lastError: null });
    }
    expect(await service.order(order.id)).toMatchObject({ state: 'subscribed' });
    expect(await disputesOf(order.id)).toEqual([]);
    expect(await findings()).toEqual([{ kind: 'disputes_not_listed', open: true }]);
    const alerts = await service.world.sql`select payload from outbox where effect = 'alert'`;
    expect(alerts.map(({ payload }) => payload)).toMatchObject([{ cause: 'disputes_not_listed', provider }]);
    await daysLater(1);
    expect(await findings()).toEqual([{ kind: 'disputes_not_listed', open: false }]);
    expect(await disputesOf(order.id)).toMatchObject([{ state: 'opened' }]);
  });

  test('a provider that is down in between is asked again for its disputes, by another process, and not for its payments', async () => {
    service = await start();
    const order = await service.checkOut();
    const disputeId = service.dispute(service.pay(order));
    // Both tries.
    for (const _ of [1, 2]) service.answer(/disputes/, 503);
    later(service, 1);
    await listingOf(service).run(running);
    const stopped = await progress('recent');
    expect(stopped).toMatchObject({ underWay: true, cursor: true, pages: 1, lastError: expect.stringMatching(/503/) });
    expect(await service.order(order.id)).toMatchObject({ state: 'subscribed' });
    later(service, 2);
    await listingOf(service).run(running);
    const { startedAt } = stopped;
    expect(await progress('recent')).toMatchObject({ underWay: false, startedAt, pages: 2, lastError: null });
    expect(service.asked(/GET \/v1\/payment(s|_intents)\?/)).toBe(1);
    expect(await disputesOf(order.id)).toMatchObject([{ disputeId, state: 'opened' }]);
  });

  test('a list of disputes that never answers keeps no payment from being found, and the deep run waits for it', async () => {
    service = await start();
    const first = await service.checkOut();
    const disputeId = service.dispute(service.pay(first));
    const isDown = () => {
      for (const _ of [1, 2]) service.answer(/disputes/, 503);
    };
    const listing = listingOf(service);
    const second = await service.checkOut();
    for (let minutes = 0; minutes < 40; minutes += 4) {
      if (minutes === 4) service.pay(second);
      later(service, 4);
      isDown();
      await listing.run(running);
    }
    expect(await service.order(second.id)).toMatchObject({ state: 'subscribed' });
    expect(await disputesOf(first.id)).toEqual([]);
    service.clear();
    await daysLater(1);
    expect(await disputesOf(first.id)).toMatchObject([{ disputeId, state: 'opened' }]);
  });

  test('many of nobody’s sales are asked about no faster than the share of a minute, and ours is found among them', async () => {
    service = await start();
    const order = await service.checkOut();
    const paymentId = service.pay(order);
    await daysLater(1);
    service.crowd(120);
    const disputeId = service.dispute(paymentId);
    service.crowd(40);
    later(service, 16);
    // A payment is one call, whatever it takes to read all of it.
    const asked = () =>
      service.asked(
        /GET \/v1\/(payments\/pay_\w+$|payment_intents\/|payment(s|_intents)\?|disputes\?(?!payment_intent))/,
      );
    let rounds = 0;
    do {
      const before = asked();
      await listingOf(service).run(running);
      expect(asked() - before).toBeLessThanOrEqual(CALLS_PER_ROUND);
      later(service, 1);
    } while ((await progress('recent')).underWay && ++rounds < 20);
    // 160 payments, and the pages that were read again each time.
    expect(rounds).toBe(5);
    expect(await disputesOf(order.id)).toMatchObject([{ disputeId, state: 'opened' }]);
    const kept = await service.world.sql`select count(*)::int as n from inbox where event_type = 'dispute.updated'`;
    expect(kept[0]?.n).toBe(161);
  });
});
