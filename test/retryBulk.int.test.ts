// Retry of everything that is stuck for one cause: page by page, a result for each order, nobody tried twice in one round,
// and no order that fails keeps another from being tried. And the searches behind it, which must use their indexes.
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Database } from '../db/client.ts';
import { STUCK_CAUSES, searchOrders } from '../db/orders.ts';
import { readStuckFor } from '../db/stuckOrders.ts';
import { KNOWN_MACHINE_IDS } from '../machines/versions.ts';
import { type BulkRetryView, retryStuck } from '../src/retry/bulk.ts';
import { expectSoundBooks } from './support/databaseChecks.ts';
import { ADMIN_KEY, type Json, type Service, startService } from './support/httpService.ts';
import { captured, openOrder, operator, webhook } from './support/world.ts';

let service: Service;
beforeAll(async () => {
  service = await startService();
});
afterAll(async () => {
  await expectSoundBooks(service.world.sql);
  await service.close();
});

const bulk = (query: string, body: unknown = { reason: 'all of them' }) =>
  service.call('POST', `/v1/retry?${query}`, { key: ADMIN_KEY, body });
const numbers = (count: number) => Array.from({ length: count }, (_, i) => i);

/** Every page from the first to the last; its calls are counted. */
async function allPages(cause: string, limit: number): Promise<{ results: Json[]; counts: Json[]; calls: number }> {
  const results: Json[] = [];
  const counts: Json[] = [];
  let cursor: string | null = '';
  for (let calls = 0; ; calls++) {
    if (cursor === null) return { results, counts, calls };
    const answer: Json = await bulk(`cause=${cause}&limit=${limit}${cursor && `&cursor=${cursor}`}`);
    expect(answer.status).toBe(200);
    expect(answer.body.results.length).toBeLessThanOrEqual(limit);
    results.push(...answer.body.results);
    counts.push(answer.body.counts);
    cursor = answer.body.nextCursor;
  }
}

describe('250 orders that are paid and not granted', () => {
  // Of five: three can be granted by now, one still cannot, one fails in the database on every try.
  const fateOf = (i: number) => (i % 5 === 3 ? 'unlucky' : i % 5 === 4 ? 'broken' : 'free');
  const orders: { id: string; fate: string }[] = [];

  beforeAll(async () => {
    const { world } = service;
    await world.sql`alter table grants add constraint nobody check (seq < 0) not valid`;
    // Not all at once: connections are few, and waiting for one has an end.
    for (let from = 0; from < 250; from += 25) {
      const some = numbers(25).map(async i => {
        const fate = fateOf(from + i);
        const { id, providerOrderId } = await openOrder(world, { userId: `${fate}-${from + i}` });
        await world.dispatch(webhook(providerOrderId, captured(`pay-bulk-${id}`)));
        return { id, fate };
      });
      orders.push(...(await Promise.all(some)));
    }
    await world.sql`alter table grants drop constraint nobody`;
    await world.sql`alter table grants add constraint unlucky check (user_id not like 'unlucky%') not valid`;
    await world.sql.unsafe(
      `alter table transitions add constraint broken check (event_type <> 'retry.requested' or order_id not in (${orders
        .filter(({ fate }) => fate === 'broken')
        .map(({ id }) => `'${id}'`)
        .join(',')})) not valid`,
    );
  });

  test('are listed beforehand, each with what would be run, and nothing is written', async () => {
    const before = await service.books();
    const { body } = await bulk('cause=grant_failed&limit=100&dryRun=true');
    expect(body.orders).toHaveLength(100);
    for (const order of body.orders) {
      expect(order).toMatchObject({ state: 'captured', refused: null, would: [{ what: 'grant' }] });
    }
    expect(body.nextCursor).toBe(body.orders[99].orderId);
    expect(await service.books()).toBe(before);
  });

  test('get a result each, whatever becomes of the others, and those that stay stuck are passed over', async () => {
    const { results, counts, calls } = await allPages('grant_failed', 100);
    expect(calls).toBeGreaterThanOrEqual(3);
    expect(results.map(({ orderId }) => orderId).sort()).toEqual(orders.map(({ id }) => id).sort());
    const total = (name: string) => counts.reduce((sum, each) => sum + each[name], 0);
    const expected = { orders: 250, free: 150, stillStuck: 50, refused: 0, failed: 50 };
    expect(Object.fromEntries(Object.keys(expected).map(name => [name, total(name)]))).toEqual(expected);
    const fates = new Map(orders.map(({ id, fate }) => [id, fate]));
    for (const { orderId, verdict, state, stuck, did, error } of results) {
      const fate = fates.get(orderId);
      if (fate === 'free') expect([verdict, state, stuck, error]).toEqual(['applied', 'subscribed', null, null]);
      if (fate === 'unlucky') {
        expect([verdict, state, stuck.cause, error]).toEqual(['applied', 'captured', 'grant_failed', null]);
        expect(did).toMatchObject([{ what: 'grant', done: false, detail: expect.stringContaining('unlucky') }]);
      }
      if (fate === 'broken') {
        expect([verdict, state, stuck.cause]).toEqual([null, 'captured', 'grant_failed']);
        expect(error.code).toBe('internal_error');
        expect(JSON.stringify(error)).not.toContain('constraint');
      }
    }
  });

  test('are tried again, and only those that are left', async () => {
    const { world } = service;
    await world.sql`alter table transitions drop constraint broken`;
    await world.sql`alter table grants drop constraint unlucky`;
    const { results } = await allPages('grant_failed', 30);
    expect(results).toHaveLength(100);
    expect(results.every(({ state }) => state === 'subscribed')).toBe(true);
    expect((await bulk('cause=grant_failed')).body).toEqual({
      results: [],
      counts: { orders: 0, free: 0, stillStuck: 0, refused: 0, failed: 0 },
      nextCursor: null,
    });
  });
});

test('a page that takes too long ends early, and the next one begins where it ended', async () => {
  const { world } = service;
  await world.sql`alter table grants add constraint slow check (user_id not like 'slow%') not valid`;
  const made = await Promise.all(numbers(20).map(i => openOrder(world, { userId: `slow-${i}` })));
  await Promise.all(made.map(order => world.dispatch(webhook(order.providerOrderId, captured(`pay-${order.id}`)))));
  await world.sql`alter table grants drop constraint slow`;
  const { db, clock, dispatch } = world;
  let ms = 0;
  const deps = { db, clock, dispatch, log: pino({ level: 'silent' }), monotonic: () => (ms += 6_000) };
  const request = { reason: 'slowly', by: 'ada', eventKey: 'slow', cause: 'grant_failed' as const, limit: 100 };
  const pages: string[][] = [];
  for (let cursor: string | null = null, more = true; more; more = cursor !== null) {
    const { results, nextCursor }: BulkRetryView = await retryStuck(deps, { ...request, cursor });
    pages.push(results.map(({ orderId }) => orderId));
    cursor = nextCursor;
  }
  expect(pages.length).toBeGreaterThan(2);
  const lastFirst = await world.sql`select id from orders where user_id like 'slow-%' order by id desc`;
  expect(lastFirst).toHaveLength(made.length);
  expect(pages.flat()).toEqual(lastFirst.map(({ id }) => id));
});

test('the same Idempotency-Key does not run the same page twice', async () => {
  const { world } = service;
  await world.sql`alter table grants add constraint never check (user_id <> 'once') not valid`;
  const order = await openOrder(world, { userId: 'once' });
  await world.dispatch(webhook(order.providerOrderId, captured('pay-once')));
  const call = () =>
    service.call('POST', '/v1/retry?cause=grant_failed', {
      body: { reason: 'x', by: 'ada' },
      headers: { 'idempotency-key': 'once' },
    });
  expect((await call()).body.results).toMatchObject([{ orderId: order.id, verdict: 'applied' }]);
  const before = await service.books();
  expect((await call()).body.results).toMatchObject([{ orderId: order.id, verdict: 'duplicate', did: [] }]);
  expect(await service.books()).toBe(before);
  await world.sql`alter table grants drop constraint never`;
  await bulk('cause=grant_failed');
});

describe('each cause is worked off', () => {
  test('orders that cannot be read are answered with why, and their events are decided once the chart is back', async () => {
    const { world } = service;
    const made = [await openOrder(world), await openOrder(world), await openOrder(world)];
    const ids = made.map(({ id }) => id);
    await world.sql`update orders set machine = 'order.v0' where id = any (${ids})`;
    for (const order of made) await world.dispatch(webhook(order.providerOrderId, captured(`pay-read-${order.id}`)));
    const gone = (await bulk('cause=snapshot_unreadable')).body;
    expect(gone.counts).toEqual({ orders: 3, free: 0, stillStuck: 0, refused: 3, failed: 0 });
    expect(gone.results[0]).toMatchObject({
      verdict: null,
      state: 'created',
      stuck: { cause: 'snapshot_unreadable' },
      error: { code: 'nothing_to_retry', detail: expect.stringContaining('1 event is kept for it') },
    });
    await world.sql`update orders set machine = 'order.v1' where id = any (${ids})`;
    const listed = (await service.call('GET', '/v1/orders?stuck=true&cause=snapshot_unreadable')).body.orders;
    expect(listed.map(({ id }: Json) => id)).toEqual(ids.toReversed());
    const back = (await bulk('cause=snapshot_unreadable')).body;
    expect(back.counts).toEqual({ orders: 3, free: 3, stillStuck: 0, refused: 0, failed: 0 });
    expect(back.results.every(({ state }: Json) => state === 'subscribed')).toBe(true);
  });

  test('deadlines that nobody sent are sent', async () => {
    const { world } = service;
    const order = await openOrder(world);
    const now = world.clock().toISOString();
    world.clock.set('2026-01-31T12:00:00.000Z');
    const { results } = (await bulk('cause=deadline_passed')).body;
    world.clock.set(now);
    expect(results).toMatchObject([
      { orderId: order.id, verdict: 'applied', state: 'failed', stuck: null, did: [{ what: 'deadline', done: true }] },
    ]);
  });

  test('dead effects are armed again, and parked orders say what they need', async () => {
    const { world } = service;
    const dead = await openOrder(world);
    await world.dispatch(operator(dead.id, { type: 'cancel.requested', reason: 'bored' }));
    await world.sql`update outbox set status = 'dead' where order_id = ${dead.id} and effect = 'close'`;
    const odd = await openOrder(world);
    await world.dispatch(webhook(odd.providerOrderId, captured('pay-odd', 1)));
    expect((await bulk('cause=effect_dead')).body.results).toMatchObject([{ orderId: dead.id, stuck: null }]);
    expect((await bulk('cause=parked')).body).toMatchObject({
      counts: { orders: 1, refused: 1 },
      results: [{ orderId: odd.id, error: { code: 'nothing_to_retry', detail: expect.stringContaining('refund it') } }],
    });
  });
});

test.each([
  ['', 'cause must be "deadline_passed" or'],
  ['cause=bored', 'cause must be "deadline_passed" or'],
  ['cause=parked&limit=101', 'limit must be at most 100'],
  ['cause=parked&limit=0', 'limit must be at least 1'],
  ['cause=parked&cursor=1', 'cursor must be the nextCursor'],
  ['cause=parked&all=true', 'unknown fields: all'],
])('POST /v1/retry?%s is refused with a sentence', async (query, sentence) => {
  const { status, body } = await bulk(query);
  expect([status, body.code]).toEqual([400, 'invalid_request']);
  expect(body.detail).toContain(sentence);
});

const searched = { state: null, userId: null, provider: null, cursor: null, limit: 10, machines: KNOWN_MACHINE_IDS };
const asking: [string, (db: Database, now: Date) => Promise<unknown>][] = [
  ...[null, ...STUCK_CAUSES].map((cause): (typeof asking)[number] => [
    `the search for ${cause ?? 'every cause'}`,
    (db, now) => searchOrders(db, { ...searched, stuckAt: now, cause }),
  ]),
  ...STUCK_CAUSES.map((cause): (typeof asking)[number] => [
    `the page of a retry of ${cause}`,
    (db, now) => readStuckFor(db, { cause, cursor: null, limit: 10, now, machines: KNOWN_MACHINE_IDS }),
  ]),
];

test.each(asking)('%s reads no table from end to end', async (_, ask) => {
  const { db, sql, clock } = service.world;
  const asked: [string, readonly unknown[]][] = [];
  const spy = {
    ...db,
    query: ((text: string, params: readonly never[]) => {
      asked.push([text, params]);
      return db.query(text, params);
    }) as typeof db.query,
  };
  await ask(spy, clock());
  const [text, params] = asked[0]!;
  const plan = await sql.begin(async transaction => {
    await transaction.unsafe('set local enable_seqscan = off');
    return (await transaction.unsafe(`explain ${text}`, params as never[])).map(row => row['QUERY PLAN']).join('\n');
  });
  expect(plan).not.toMatch(/Seq Scan/);
  expect(plan).not.toMatch(/Index (Only )?Scan.* using (outbox|inbox|transitions)_pkey/);
});
