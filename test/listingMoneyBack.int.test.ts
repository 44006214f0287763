// Disputes and refunds found by the providers' own lists of them: whenever the payment was made and whatever began since,
// nobody tells us, and the order still knows, once, without being asked about for ever.
import { afterEach, describe, expect, test } from 'vitest';
import { MONEY_BACK_KINDS } from '../src/providers/provider.ts';
import { CALLS_PER_ROUND } from '../src/reconcile/listPayments.ts';
import { expectSoundBooks } from './support/databaseChecks.ts';
import { later, listingOf, reconcile } from './support/listingRig.ts';
import { BENCHES, KINDS, type MoneyBackBench, startRazorpayBench } from './support/moneyBackBench.ts';

const running = new AbortController().signal;
const DAY_MIN = 24 * 60;

let service: MoneyBackBench;
afterEach(() => service?.close());

const findings = async () => [...(await service.world.sql`select kind, resolved_at is null as open from findings`)];
const progress = async (depth: string) =>
  (await service.core.reconciliation.progress()).find(listing => listing.depth === depth)!;

/** Every list that is due after so many days, and those that were begun, read to their ends. */
async function daysLater(days: number): Promise<void> {
  later(service, days * DAY_MIN);
  await reconcile(service);
}

/** An order paid two months ago, which the list of payments does not tell of any more; all lists have just been read. */
async function paidLongAgo() {
  const order = await service.checkOut();
  const paymentId = service.pay(order);
  await daysLater(1);
  await daysLater(60);
  return { order, paymentId };
}

const told = async (orderId: string, kind: keyof typeof KINDS) => (await service.timeline(orderId))[kind];

describe.each(BENCHES)('$provider, $kind:', ({ kind, start }) => {
  const words = KINDS[kind];

  test('one that begins months after the payment, ends months after that, and comes back, is found each time', async () => {
    service = await start();
    const order = await service.checkOut();
    const paymentId = service.pay(order);
    await daysLater(1);
    expect(await service.order(order.id)).toMatchObject({ state: 'subscribed' });

    await daysLater(118);
    const id = service[kind].begin(paymentId);
    later(service, 16);
    await reconcile(service);
    expect(await told(order.id, kind)).toEqual([
      { [words.id]: id, paymentId, state: words.begun, amountMinor: expect.any(Number), asOf: null },
    ]);
    expect(await service.order(order.id)).toMatchObject({ state: 'subscribed' });

    await daysLater(90);
    service[kind].end(id, 'gone');
    await daysLater(1);
    expect(await service.order(order.id)).toMatchObject({ state: 'refunded' });

    await daysLater(90);
    service[kind].end(id, 'back');
    await daysLater(1);
    expect(await service.order(order.id)).toMatchObject({ state: 'subscribed' });
    expect(await told(order.id, kind)).toMatchObject([{ [words.id]: id, state: words.back }]);

    const { received } = await service.timeline(order.id);
    const events = received.filter(({ type }: { type: string }) => type === words.type);
    expect(events.map((event: Record<string, unknown>) => [event.verdict, event.deliveries])).toEqual(
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
    service[kind].end(service[kind].begin(paymentId), 'gone');
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
    service[kind].begin(paymentId);
    await reconcile(service);
    await daysLater(1);
    await daysLater(1);
    expect(service.asked(new RegExp(`GET /v1/payment(s|_intents)/${paymentId}(\\?|$)`))).toBe(1);
    const kept = await service.world.sql`select event_type, verdict, deliveries, mark from inbox order by event_type`;
    expect(kept.map(({ event_type, deliveries, mark }) => [event_type, deliveries, mark])).toEqual(
      ['payment.captured', words.type].sort().map(type => [type, 1, null]),
    );
    expect(await findings()).toEqual([]);
  });

  test('what is known already is not written again, and what a webhook told is not told once more', async () => {
    service = await start();
    const order = await service.checkOut();
    const paymentId = service.pay(order);
    const id = service[kind].begin(paymentId);
    await daysLater(1);
    const occurredAt = service.world.clock().toISOString();
    const [{ amountMinor }] = await told(order.id, kind);
    const gone = { type: words.type, paymentId, [words.id]: id, state: words.gone, amountMinor, occurredAt };
    expect((await service.call('POST', `/v1/orders/${order.id}/events`, gone)).body.verdict).toBe('applied');
    const count = () =>
      service.world
        .sql`select (select sum(deliveries)::int from inbox) as inbox, (select sum(version)::int from orders) as steps`;
    const before = await count();
    // The list still says that it is under way, which is older than what we know.
    await daysLater(1);
    service[kind].end(id, 'gone');
    await daysLater(1);
    expect(await count()).toEqual(before);
    expect(await progress('deep')).toMatchObject({ underWay: false, news: 0 });
  });
});

/** Both kinds are run by the same code, and each provider pages in its own way: these two tell of all four. */
const CROSSED = BENCHES.filter(({ provider, kind }) => (provider === 'stripe') === (kind === 'refunds'));

describe.each(CROSSED)('the run, with $provider’s $kind:', ({ provider, kind, start }) => {
  const words = KINDS[kind];
  const THEIR_LIST = new RegExp(`/v1/${kind}(\\?|$)`);

  test('a provider that does not show them holds nothing else up: one finding, one alert, and over when it does', async () => {
    service = await start();
    const { order, paymentId } = await paidLongAgo();
    service[kind].begin(paymentId);
    for (let run = 0; run < 3; run++) {
      service.answer(THEIR_LIST, 403);
      later(service, 16);
      await listingOf(service).run(running);
      expect(await progress('recent')).toMatchObject({ underWay: false, lastError: null });
    }
    expect(await service.order(order.id)).toMatchObject({ state: 'subscribed' });
    expect(await told(order.id, kind)).toEqual([]);
    expect(await findings()).toEqual([{ kind: `${kind}_not_listed`, open: true }]);
    const alerts = await service.world.sql`select payload from outbox where effect = 'alert'`;
    expect(alerts.map(({ payload }) => payload)).toMatchObject([{ cause: `${kind}_not_listed`, provider }]);
    await daysLater(1);
    expect(await findings()).toEqual([{ kind: `${kind}_not_listed`, open: false }]);
    expect(await told(order.id, kind)).toMatchObject([{ state: words.begun }]);
  });

  test('a provider that is down in between is asked again for these, by another process, and not for its payments', async () => {
    service = await start();
    const { order, paymentId } = await paidLongAgo();
    const id = service[kind].begin(paymentId);
    const asked = () => service.asked(/GET \/v1\/payment(s|_intents)\?/);
    const before = asked();
    // Both tries.
    for (const _ of [1, 2]) service.answer(THEIR_LIST, 503);
    later(service, 16);
    await listingOf(service).run(running);
    const stopped = await progress('recent');
    const pages = 1 + MONEY_BACK_KINDS.indexOf(kind);
    expect(stopped).toMatchObject({ underWay: true, cursor: true, pages, lastError: expect.stringMatching(/503/) });
    expect(await service.order(order.id)).toMatchObject({ state: 'subscribed' });
    later(service, 2);
    await listingOf(service).run(running);
    const { startedAt } = stopped;
    expect(await progress('recent')).toMatchObject({ underWay: false, startedAt, pages: 3, lastError: null });
    expect(asked() - before).toBe(1);
    expect(await told(order.id, kind)).toMatchObject([{ [words.id]: id, state: words.begun }]);
  });

  test('a list that never answers keeps no payment from being found, and the deep run waits for it', async () => {
    service = await start();
    const { order: first, paymentId } = await paidLongAgo();
    const id = service[kind].begin(paymentId);
    const isDown = () => {
      for (const _ of [1, 2]) service.answer(THEIR_LIST, 503);
    };
    const listing = listingOf(service);
    const second = await service.checkOut();
    for (let minutes = 0; minutes < 60; minutes += 4) {
      if (minutes === 20) service.pay(second);
      later(service, 4);
      isDown();
      await listing.run(running);
    }
    expect(await service.order(second.id)).toMatchObject({ state: 'subscribed' });
    expect(await told(first.id, kind)).toEqual([]);
    service.clear();
    await daysLater(1);
    expect(await told(first.id, kind)).toMatchObject([{ [words.id]: id, state: words.begun }]);
  });

  test('many of nobody’s sales are asked about no faster than the share of a minute, and ours is found among them', async () => {
    service = await start();
    const order = await service.checkOut();
    const paymentId = service.pay(order);
    await daysLater(1);
    service[kind].crowd(120);
    const id = service[kind].begin(paymentId);
    service[kind].crowd(40);
    later(service, 16);
    // A payment is one call, whatever it takes to read all of it.
    const asked = () =>
      service.asked(
        /GET \/v1\/(payments\/pay_\w+$|payment_intents\/|payment(s|_intents)\?|(disputes|refunds)\?(?!payment_intent))/,
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
    expect(await told(order.id, kind)).toMatchObject([{ [words.id]: id, state: words.begun }]);
    const kept = await service.world.sql`select count(*)::int as n from inbox where event_type = ${words.type}`;
    expect(kept[0]?.n).toBe(161);
  });
});

test('were Razorpay’s refunds listed by when they were paid, as its SDKs have it, the daily run finds them all the same', async () => {
  const started = await startRazorpayBench();
  service = started;
  started.bank.readings.refundsByTheirPayments = true;
  const order = await service.checkOut();
  const paymentId = service.pay(order);
  await daysLater(200);
  service.refunds.end(service.refunds.begin(paymentId), 'gone');
  await daysLater(1);
  expect(await service.order(order.id)).toMatchObject({ state: 'refunded' });
});

test('two refunds of one payment that are first heard of together, and a lost dispute of the rest, are all counted', async () => {
  const started = await startRazorpayBench();
  service = started;
  const { order, paymentId } = await paidLongAgo();
  const created_at = Math.floor(service.world.clock().getTime() / 1_000);
  for (const amount of [10_000, 20_000]) started.bank.refund(paymentId, { amount, created_at });
  await daysLater(1);
  const { refunds } = await service.timeline(order.id);
  expect(refunds.map(({ amountMinor }: { amountMinor: number }) => amountMinor).sort()).toEqual([10_000, 20_000]);
  expect(await service.order(order.id)).toMatchObject({ state: 'subscribed' });
  started.bank.dispute(paymentId, { amount: 19_900, amount_deducted: 19_900, status: 'lost', created_at });
  await daysLater(1);
  expect(await service.order(order.id)).toMatchObject({ state: 'refunded' });
  await expectSoundBooks(service.world.sql);
});
