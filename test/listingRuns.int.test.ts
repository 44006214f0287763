// A run over a provider's list of payments: killed in the middle, shared by replicas, held up by a provider that is tired,
// and never read faster than it may be.
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { CALLS_PER_ROUND } from '../src/reconcile/listPayments.ts';
import { expectSoundBooks, until } from './support/databaseChecks.ts';
import { later, listingOf, reconcile, type SandboxRig, startSandboxRig } from './support/listingRig.ts';
import type { Opened } from './support/providerService.ts';

let rig: SandboxRig;
beforeEach(async () => {
  rig = await startSandboxRig();
  rig.gate.webhooks = 'lose';
});
afterEach(() => rig?.close());

const running = new AbortController().signal;
const pagesAsked = () =>
  rig.net.asked.filter(url => url.searchParams.has('limit')).map(url => url.searchParams.get('cursor'));
const recent = async () => (await rig.core.reconciliation.progress()).find(({ depth }) => depth === 'recent')!;
const statesOf = async (orders: Opened[]) =>
  new Set(await Promise.all(orders.map(async ({ id }) => (await rig.order(id)).state)));

/** Orders that were paid without anybody telling us. */
async function paidInSilence(count: number): Promise<Opened[]> {
  const orders: Opened[] = [];
  for (let n = 0; n < count; n++) {
    const order = await rig.checkOut();
    await rig.play(order, 'succeed');
    orders.push(order);
  }
  return orders;
}

/** The lease of a process that is gone runs out. */
const leaseEnds = () => rig.world.sql`update listings set leased_until = now() - interval '1 second'`;

test('a run that is killed in the middle is gone on with at its page, and the dead one writes nothing when it wakes', async () => {
  const orders = await paidInSilence(10);
  rig.net.pageSize = 2;
  let wake = () => {};
  const asleep = new Promise<void>(resolve => {
    wake = resolve;
  });
  let pages = 0;
  rig.net.instead = async url => {
    if (url.searchParams.has('limit') && ++pages === 3) await asleep;
    return undefined;
  };
  const killed = listingOf(rig).run(running);
  await until('the third page was asked for', () => pages === 3);
  const before = await recent();
  expect(before).toMatchObject({ underWay: true, cursor: true, pages: 2, payments: 4, news: 4 });
  await leaseEnds();
  await reconcile(rig);
  expect(await recent()).toMatchObject({
    underWay: false,
    pages: 5,
    payments: 10,
    news: 10,
    startedAt: before.startedAt,
  });
  wake();
  await killed;
  expect(await recent()).toMatchObject({ underWay: false, pages: 5, payments: 10, news: 10 });
  // Only the page at which it was killed was asked for twice.
  const asked = pagesAsked();
  expect(asked).toHaveLength(6);
  expect(new Set(asked).size).toBe(5);
  expect(await statesOf(orders)).toEqual(new Set(['subscribed']));
  await expectSoundBooks(rig.world.sql);
});

test('a replica that is told to stop ends after its page and leaves the rest to the next at once', async () => {
  const orders = await paidInSilence(6);
  rig.net.pageSize = 2;
  const stop = new AbortController();
  rig.net.instead = async url => {
    if (url.searchParams.has('limit')) stop.abort();
    return undefined;
  };
  await listingOf(rig).run(stop.signal);
  expect(await recent()).toMatchObject({ underWay: true, pages: 1 });
  rig.net.instead = () => undefined;
  await listingOf(rig).run(running);
  expect(await recent()).toMatchObject({ underWay: false, pages: 3, payments: 6 });
  expect(await statesOf(orders)).toEqual(new Set(['subscribed']));
});

test('five replicas that look at once read each page once', async () => {
  const orders = await paidInSilence(8);
  rig.net.pageSize = 2;
  const replicas = Array.from({ length: 5 }, () => listingOf(rig));
  await Promise.all(replicas.map(replica => replica.run(running)));
  expect(pagesAsked()).toHaveLength(4);
  expect(await recent()).toMatchObject({ underWay: false, pages: 4, payments: 8, news: 8 });
  expect(await statesOf(orders)).toEqual(new Set(['subscribed']));
  await Promise.all(replicas.map(replica => replica.run(running)));
  expect(pagesAsked()).toHaveLength(4);
});

describe('a provider', () => {
  test('that says 429 is left alone for longer each time, and the pages that were read stay read', async () => {
    const orders = await paidInSilence(6);
    rig.net.pageSize = 2;
    let tired = true;
    rig.net.instead = async url =>
      tired && url.searchParams.get('cursor') ? new Response('slow down', { status: 429 }) : undefined;
    const listing = listingOf(rig);
    const pauses: number[] = [];
    for (let n = 0; n < 3; n++) {
      const asked = pagesAsked().length;
      await listing.run(running);
      const progress = await recent();
      expect(progress).toMatchObject({
        underWay: true,
        pages: 1,
        payments: 2,
        lastError: expect.stringMatching(/429/),
      });
      pauses.push(new Date(progress.nextAt).getTime() - rig.world.clock().getTime());
      expect(pagesAsked().length - asked).toBe(n === 0 ? 2 : 1);
      await listing.run(running);
      expect(await recent()).toEqual(progress);
      rig.world.clock.set(progress.nextAt);
    }
    expect(pauses).toEqual([60_000, 120_000, 240_000]);
    tired = false;
    await listing.run(running);
    expect(await recent()).toMatchObject({ underWay: false, pages: 3, payments: 6, lastError: null });
    expect(await statesOf(orders)).toEqual(new Set(['subscribed']));
  });

  test('that no longer knows the page is read from its first one again, and no payment is missed or paid twice', async () => {
    const orders = await paidInSilence(6);
    rig.net.pageSize = 2;
    let forgotten = false;
    rig.net.instead = async url => {
      if (url.searchParams.get('cursor') === null || forgotten) return undefined;
      forgotten = true;
      return Response.json({ detail: 'this cursor has expired' }, { status: 400 });
    };
    const listing = listingOf(rig);
    await listing.run(running);
    expect(await recent()).toMatchObject({
      underWay: true,
      cursor: false,
      pages: 0,
      lastError: expect.stringMatching(/expired/),
    });
    later(rig, 2);
    await listing.run(running);
    expect(await recent()).toMatchObject({ underWay: false, pages: 3, payments: 6, news: 4 });
    expect(await statesOf(orders)).toEqual(new Set(['subscribed']));
    await expectSoundBooks(rig.world.sql);
  });

  test('is asked for no more pages a minute than its share', async () => {
    await paidInSilence(CALLS_PER_ROUND + 3);
    rig.net.pageSize = 1;
    const listing = listingOf(rig);
    await listing.run(running);
    expect(pagesAsked()).toHaveLength(CALLS_PER_ROUND);
    await listing.run(running);
    expect(pagesAsked()).toHaveLength(CALLS_PER_ROUND);
    later(rig, 1);
    await listing.run(running);
    expect(await recent()).toMatchObject({ underWay: false, pages: CALLS_PER_ROUND + 3 });
  });
});

test('a run an operator begins takes the place of the one under way, whose reader stops', async () => {
  const orders = await paidInSilence(6);
  rig.net.pageSize = 2;
  later(rig, 1);
  const now = rig.world.clock().getTime();
  await rig.core.reconciliation.start('sandbox', new Date(now - 86_400_000), 'the first');
  let wake = () => {};
  const asleep = new Promise<void>(resolve => {
    wake = resolve;
  });
  let isFirst = true;
  rig.net.instead = async url => {
    if (!url.searchParams.has('limit') || !url.searchParams.get('cursor') || !isFirst) return undefined;
    isFirst = false;
    await asleep;
    return undefined;
  };
  const first = listingOf(rig).run(running);
  await until('its second page was asked for', () => !isFirst);
  const since = new Date(now - 400 * 86_400_000);
  await rig.core.reconciliation.start('sandbox', since, 'further back');
  wake();
  await first;
  await reconcile(rig);
  const deep = (await rig.core.reconciliation.progress()).find(({ depth }) => depth === 'deep');
  expect(deep).toMatchObject({ underWay: false, since: since.toISOString(), pages: 3, payments: 6 });
  expect(await statesOf(orders)).toEqual(new Set(['subscribed']));
});

test('one payment that cannot be decided hides none of the others', async () => {
  const [bad, ...others] = await paidInSilence(3);
  const { dispatch } = rig.core;
  const core = {
    ...rig.core,
    dispatch: (envelope: Parameters<typeof dispatch>[0]) =>
      envelope.orderId === bad!.id ? Promise.reject(new Error('a bad value')) : dispatch(envelope),
  };
  await reconcile({ ...rig, core });
  expect(await statesOf(others)).toEqual(new Set(['subscribed']));
  const found = await rig.world.sql`select kind, order_id from findings where resolved_at is null`;
  expect([...found]).toEqual([{ kind: 'payment_not_counted', order_id: bad!.id }]);
  later(rig, 16);
  await reconcile(rig);
  expect(await statesOf([bad!])).toEqual(new Set(['subscribed']));
  expect([...(await rig.world.sql`select kind from findings where resolved_at is null`)]).toEqual([]);
});

test('asking for a run is refused where it makes no sense, and needs the operator’s key', async () => {
  const ask = (path: string, body: unknown, headers = {}) =>
    rig.call('POST', `/v1/reconciliation/${path}`, body, headers);
  const since = '2026-01-01T00:00:00Z';
  expect((await ask('nobody', { since, reason: 'x' })).status).toBe(404);
  expect((await ask('sandbox', { since: '2999-01-01T00:00:00Z', reason: 'x' })).status).toBe(400);
  expect((await ask('sandbox', { since })).status).toBe(400);
  expect((await ask('sandbox', { since, reason: 'x' }, { authorization: 'Bearer nobody' })).status).toBe(401);
  expect((await rig.call('GET', '/v1/reconciliation')).body).toEqual({ listings: [] });
});

describe('our own payments, looked for in the list', () => {
  const asked = () =>
    rig.net.asked.filter(url => /^\/api\/payments\/./.test(url.pathname)).map(url => url.pathname.split('/').at(-1));

  test('are asked about by name only where the list was not read from its beginning by the same process', async () => {
    await paidInSilence(6);
    await reconcile(rig);
    rig.net.pageSize = 2;
    later(rig, 1);
    const since = new Date(rig.world.clock().getTime() - 86_400_000);
    await rig.core.reconciliation.start('sandbox', since, 'read whole');
    await reconcile(rig);
    expect(asked()).toEqual([]);

    later(rig, 1);
    await rig.core.reconciliation.start('sandbox', since, 'killed after two pages');
    const stop = new AbortController();
    let pages = 0;
    rig.net.instead = async url => {
      if (url.searchParams.has('limit') && ++pages === 2) stop.abort();
      return undefined;
    };
    await listingOf(rig).run(stop.signal);
    await reconcile(rig);
    expect(new Set(asked()).size).toBe(4);
    expect(asked()).toHaveLength(4);
    expect([...(await rig.world.sql`select kind from findings`)]).toEqual([]);
  });

  test('are asked about at the same pace as pages, over as many minutes as it takes', async () => {
    const orders = await Promise.all(Array.from({ length: CALLS_PER_ROUND + 5 }, () => rig.checkOut()));
    for (const [n, { id }] of orders.entries()) {
      const money = { type: 'payment.captured', paymentId: `pay_gone_${n}`, amountMinor: 49_900, currency: 'INR' };
      await rig.call('POST', `/v1/orders/${id}/events`, money);
    }
    later(rig, 1);
    const since = new Date(rig.world.clock().getTime() - 86_400_000);
    await rig.core.reconciliation.start('sandbox', since, 'who has this money?');
    const before = rig.net.asked.length;
    await listingOf(rig).run(running);
    // What is not known there is believed only of a provider that still lists for us: two calls a payment.
    expect(rig.net.asked.length - before).toBeLessThanOrEqual(2 * CALLS_PER_ROUND + 1);
    const first = new Set(asked()).size;
    expect(first).toBeLessThan(CALLS_PER_ROUND);
    // Another process goes on where the first one was, and asks about none a second time.
    for (let minutes = 0; minutes < 5; minutes++) {
      later(rig, 1);
      await listingOf(rig).run(running);
    }
    expect(asked()).toHaveLength(CALLS_PER_ROUND + 5);
    expect(new Set(asked()).size).toBe(CALLS_PER_ROUND + 5);
    const found = await rig.world.sql`select distinct kind, count(*)::int as n from findings group by kind`;
    expect([...found]).toEqual([{ kind: 'payment_not_at_provider', n: CALLS_PER_ROUND + 5 }]);
  });
});
