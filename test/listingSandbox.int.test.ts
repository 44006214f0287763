// Nothing is forgotten: whatever webhooks and callbacks do or do not tell, the provider's own list brings every order to
// the state its money is in. The real sandbox over HTTP, a real database, a clock that is set by hand.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { expectSoundBooks } from './support/databaseChecks.ts';
import { later, listingOf, reconcile, reconcileFrom, type SandboxRig, startSandboxRig } from './support/listingRig.ts';

let rig: SandboxRig;
beforeAll(async () => {
  rig = await startSandboxRig();
});
beforeEach(() => {
  rig.gate.webhooks = 'pass';
  rig.net.instead = () => undefined;
  rig.net.pageSize = 100;
});
afterAll(() => rig?.close());

const stateOf = async (id: string) => (await rig.order(id)).state;

/** What customers and banks do, and the state each order has to be in once we know. */
const STORIES: readonly (readonly [stories: string[], state: string])[] = [
  [['succeed'], 'subscribed'],
  [['authorize-only'], 'authorized'],
  [['fail'], 'failed'],
  [['fail-then-succeed'], 'subscribed'],
  [['pay-twice'], 'subscribed'],
  [['wrong-amount'], 'parked'],
  [['succeed', 'refund'], 'refunded'],
  [['succeed', 'partial-refund'], 'subscribed'],
  [['succeed', 'refund', 'refund-fails'], 'subscribed'],
  [['succeed', 'dispute-opened'], 'subscribed'],
  [['succeed', 'dispute-opened', 'dispute-lost'], 'refunded'],
  [['succeed', 'dispute-lost', 'dispute-won'], 'subscribed'],
];

/** Plays every story on an order of its own; answers the orders beside the states they have to reach. */
async function playAll(comesBack: boolean) {
  const played: { id: string; story: string; state: string }[] = [];
  for (const [stories, state] of STORIES) {
    const order = await rig.checkOut();
    for (const story of stories) await rig.play(order, story, comesBack);
    played.push({ id: order.id, story: stories.join(', '), state });
  }
  return played;
}

async function expectAllRight(played: { id: string; story: string; state: string }[]) {
  const found = await Promise.all(played.map(async order => ({ ...order, state: await stateOf(order.id) })));
  expect(found).toEqual(played);
  await expectSoundBooks(rig.world.sql);
}

describe('every order reaches the state its money is in', () => {
  test('by reconciliation alone, when no webhook and no callback ever comes', async () => {
    rig.gate.webhooks = 'lose';
    const played = await playAll(false);
    await rig.webhooksSettled();
    expect(new Set(await Promise.all(played.map(({ id }) => stateOf(id))))).toEqual(new Set(['created']));
    await reconcileFrom(rig, 1);
    await expectAllRight(played);
    const surplus = played.find(({ story }) => story === 'pay-twice')!;
    const { payments, received } = await rig.timeline(surplus.id);
    expect(payments).toHaveLength(2);
    expect(received.map(({ verdict }: { verdict: string }) => verdict).sort()).toEqual(['applied', 'surplus']);
  });

  test('by webhooks alone, when no customer comes back', async () => {
    const played = await playAll(false);
    await rig.webhooksSettled();
    await expectAllRight(played);
  });

  test('when both were silent for a while and then told everything late', async () => {
    rig.gate.webhooks = 'refuse';
    const played = await playAll(false);
    await reconcileFrom(rig, 1);
    await expectAllRight(played);
    const versions = await Promise.all(played.map(async ({ id }) => (await rig.order(id)).version));
    rig.gate.webhooks = 'pass';
    await rig.api('POST', '/webhooks/flush');
    await rig.webhooksSettled();
    await expectAllRight(played);
    expect(await Promise.all(played.map(async ({ id }) => (await rig.order(id)).version))).toEqual(versions);
  });
});

test('what is known already is not written again', async () => {
  const order = await rig.checkOut();
  await rig.play(order, 'fail-then-succeed');
  await rig.play(order, 'partial-refund');
  await rig.webhooksSettled();
  const told = await rig.timeline(order.id);
  await reconcileFrom(rig, 400);
  // Not even the first time: what webhooks told is what the list says.
  expect(await rig.timeline(order.id)).toEqual(told);
  const books = () =>
    rig.world
      .sql`select (select count(*)::int from inbox) as inbox, (select sum(deliveries)::int from inbox) as deliveries,
      (select count(*)::int from transitions) as transitions, (select count(*)::int from outbox) as outbox`;
  const before = await books();
  const timeline = await rig.timeline(order.id);
  await reconcileFrom(rig, 400);
  expect(await books()).toEqual(before);
  expect(await rig.timeline(order.id)).toEqual(timeline);
});

describe('what no event explains becomes a finding', () => {
  const findings = (paymentId: string) =>
    rig.world
      .sql`select kind, severity, order_id, resolved_at is null as open from findings where fingerprint = ${`payment:sandbox:${paymentId}`}`;
  const alerts = async (paymentId: string) =>
    (
      await rig.world
        .sql`select id from outbox where effect = 'alert' and payload->>'paymentId' = ${paymentId} and order_id is null`
    ).length;

  test('money with our mark and no order: one finding, one alert, resolved when the order is back', async () => {
    rig.gate.webhooks = 'lose';
    const orderId = rig.world.newId('ord');
    const request = {
      orderId,
      userId: 'u',
      planId: 'pro',
      amountMinor: 49_900,
      currency: 'INR',
      callbackUrl: 'http://x.test/',
    };
    const { providerOrderId } = await rig.provider.createCheckout(request);
    const { payments } = await rig.api('POST', `/orders/${providerOrderId}/scenarios/succeed`);
    const { paymentId } = payments[0];
    await reconcileFrom(rig, 1);
    await reconcileFrom(rig, 1);
    expect(await findings(paymentId)).toEqual([
      { kind: 'payment_without_order', severity: 'critical', order_id: null, open: true },
    ]);
    expect(await alerts(paymentId)).toBe(1);
    await rig.api('POST', `/orders/${providerOrderId}/scenarios/refund`);
    await reconcileFrom(rig, 1);
    expect(await findings(paymentId)).toMatchObject([{ open: false }]);
  });

  test('money in our books that the provider does not know', async () => {
    const order = await rig.checkOut();
    const { body } = await rig.call('POST', `/v1/orders/${order.id}/events`, {
      type: 'payment.captured',
      paymentId: 'pay_imagined',
      amountMinor: 49_900,
      currency: 'INR',
    });
    expect(body.order.state).toBe('subscribed');
    await reconcileFrom(rig, 1);
    await reconcileFrom(rig, 1);
    const found = { kind: 'payment_not_at_provider', severity: 'critical', order_id: order.id, open: true };
    expect(await findings('pay_imagined')).toEqual([found]);
    expect(await alerts('pay_imagined')).toBe(1);
  });

  test('money that we count and the provider lists as declined', async () => {
    rig.gate.webhooks = 'lose';
    const order = await rig.checkOut();
    const { payments } = await rig.play(order, 'fail');
    const { paymentId } = payments[0];
    const money = { type: 'payment.captured', paymentId, amountMinor: 49_900, currency: 'INR' };
    await rig.call('POST', `/v1/orders/${order.id}/events`, money);
    await reconcileFrom(rig, 1);
    expect(await findings(paymentId)).toMatchObject([
      { kind: 'payment_not_at_provider', order_id: order.id, open: true },
    ]);
    expect(await stateOf(order.id)).toBe('subscribed');
  });

  test('a no to our own key accuses no payment', async () => {
    const order = await rig.checkOut();
    const money = { type: 'payment.captured', paymentId: 'pay_other', amountMinor: 49_900, currency: 'INR' };
    await rig.call('POST', `/v1/orders/${order.id}/events`, money);
    let lists = 0;
    rig.net.instead = url => {
      const isFirst = url.searchParams.has('since') && lists++ === 0;
      return isFirst ? undefined : Response.json({ detail: 'unknown key' }, { status: 401 });
    };
    later(rig, 1);
    await rig.core.reconciliation.start(
      'sandbox',
      new Date(rig.world.clock().getTime() - 86_400_000),
      'a key was changed',
    );
    await listingOf(rig).run(new AbortController().signal);
    expect(await findings('pay_other')).toEqual([]);
    const deep = (await rig.core.reconciliation.progress()).find(({ depth }) => depth === 'deep');
    expect(deep).toMatchObject({ underWay: true });
    expect(deep?.lastError).toMatch(/unknown key/);
    rig.net.instead = () => undefined;
    later(rig, 60);
    await reconcile(rig);
    expect(await findings('pay_other')).toMatchObject([{ open: true }]);
  });
});

test('a webhook that was lost weeks ago is found, by the daily run and by one an operator begins', async () => {
  rig.gate.webhooks = 'lose';
  await reconcile(rig);
  const order = await rig.checkOut();
  await rig.play(order, 'succeed');
  later(rig, 24 * 24 * 60);
  const listing = listingOf(rig);
  await reconcile(rig, listing);
  expect(await stateOf(order.id)).toBe('subscribed');

  const older = await rig.checkOut();
  await rig.play(older, 'succeed');
  // The list lags behind, and then nobody looks for a hundred days.
  rig.net.instead = url =>
    url.searchParams.has('limit') ? Response.json({ payments: [], nextCursor: null }) : undefined;
  later(rig, 24 * 60);
  await reconcile(rig, listing);
  rig.net.instead = () => undefined;
  later(rig, 100 * 24 * 60);
  await reconcile(rig, listing);
  expect(await stateOf(older.id)).toBe('created');
  const asked = await rig.call('POST', '/v1/reconciliation/sandbox', {
    since: new Date(rig.world.clock().getTime() - 120 * 86_400_000).toISOString(),
    reason: 'the endpoint was down in spring',
  });
  expect(asked).toMatchObject({ status: 202, body: { depth: 'deep', underWay: true, pages: 0, cursor: false } });
  await reconcile(rig, listing);
  expect(await stateOf(older.id)).toBe('subscribed');
  const { body } = await rig.call('GET', '/v1/reconciliation');
  expect(body.listings.map((row: { depth: string }) => row.depth)).toEqual(['recent', 'deep']);
  expect(body.listings[1]).toMatchObject({ underWay: false, cursor: false, lastError: null });
  expect(body.listings[1].news).toBeGreaterThan(0);
  await expectSoundBooks(rig.world.sql);
});
