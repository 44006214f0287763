// The inspector's lists over two hundred thousand orders: every combination of filters answers what a reading of the whole
// table would, page by page and back, without ever reading the whole table.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Database } from '../db/client.ts';
import { COMMON_VERDICTS, countEvents, LISTED_VERDICTS, listEvents } from '../db/inspect/eventList.ts';
import { CANDIDATES, LOOK, listOrderIds, type OrderListFilter } from '../db/inspect/orderList.ts';
import { readOrderRows } from '../db/inspect/orderRows.ts';
import { BEGINNING_LIMIT, findKept, findOrders } from '../db/inspect/orderSearch.ts';
import { countStuckByCause } from '../db/inspect/stuckCount.ts';
import { STUCK_CAUSES } from '../db/orders.ts';
import { seedListedOrders } from './support/manyListed.ts';
import { createWorld, type World } from './support/world.ts';

const ORDERS = 200_000;
const SEEDING_MS = 240_000;
const NOW = new Date('2026-01-10T00:00:00Z');
const PAGE = 50;
/** Events of one instant: an index of instants only is read to the end of them. */
const SAME_INSTANT = 10;
const FIRST_PAGE = { cursor: null, newer: false, limit: PAGE };

let world: World;
beforeAll(async () => {
  world = await createWorld();
  await seedListedOrders(world, ORDERS);
}, SEEDING_MS);
afterAll(() => world.close());

const ALL: OrderListFilter = {
  ids: null,
  state: null,
  provider: null,
  verdict: null,
  cause: null,
  from: null,
  to: null,
  now: NOW,
  machines: ['order.v1'],
};

/** Every filter of the list, alone and with others. */
const FILTERS: Record<string, Partial<OrderListFilter>> = {
  none: {},
  'a common state': { state: 'subscribed' },
  'failed, as common as failing is': { state: 'failed' },
  'a state that is passed quickly': { state: 'created' },
  refunded: { state: 'refunded' },
  parked: { state: 'parked' },
  captured: { state: 'captured' },
  authorized: { state: 'authorized' },
  'a provider': { provider: 'stripe' },
  'a provider of three orders': { provider: 'razorpay' },
  'a provider nobody has': { provider: 'nobody' },
  'a common verdict': { verdict: 'duplicate' },
  'a verdict of few': { verdict: 'mismatch' },
  illegal: { verdict: 'illegal' },
  surplus: { verdict: 'surplus' },
  'parked events': { verdict: 'parked' },
  stale: { verdict: 'stale' },
  'a stretch of time': { from: new Date('2026-01-05T00:00:00Z'), to: new Date('2026-01-05T06:00:00Z') },
  'since then': { from: new Date('2026-01-23T00:00:00Z'), state: 'failed' },
  'before then': { to: new Date('2026-01-02T00:00:00Z'), provider: 'stripe' },
  'rare state and provider': { state: 'authorized', provider: 'stripe' },
  'rare verdict, state and time': { verdict: 'mismatch', state: 'parked', from: new Date('2026-01-03T00:00:00Z') },
  'cause and provider': { cause: 'deadline_passed', provider: 'sandbox' },
  'cause and verdict': { cause: 'parked', verdict: 'mismatch' },
  'everything at once': {
    cause: 'any',
    verdict: 'applied',
    provider: 'sandbox',
    state: 'parked',
    from: new Date('2026-01-02T00:00:00Z'),
    to: new Date('2026-01-09T00:00:00Z'),
  },
  'anything stuck': { cause: 'any' },
  ...Object.fromEntries(STUCK_CAUSES.map(cause => [`stuck: ${cause}`, { cause }])),
};

/** The same question, answered by reading everything. */
async function readAll(filter: Partial<OrderListFilter>): Promise<string[]> {
  const { sql } = world;
  const causes = {
    deadline_passed: sql`wake_at <= ${NOW}`,
    effect_dead: sql`id in (select order_id from outbox where status = 'dead')`,
    parked: sql`state = 'parked'`,
    grant_failed: sql`state = 'captured'`,
    snapshot_unreadable: sql`(machine <> 'order.v1' or id in (select order_id from inbox where verdict = 'parked'))`,
  };
  const stuck = { ...causes, any: Object.values(causes).reduce((a, b) => sql`${a} or ${b}`) };
  const rows = await sql<{ id: string }[]>`
    select id from orders where true
      ${filter.state ? sql`and state = ${filter.state}` : sql``}
      ${filter.provider ? sql`and provider = ${filter.provider}` : sql``}
      ${filter.verdict ? sql`and id in (select order_id from inbox where verdict = ${filter.verdict})` : sql``}
      ${filter.cause ? sql`and (${stuck[filter.cause]})` : sql``}
      ${filter.from ? sql`and created_at >= ${filter.from}` : sql``}
      ${filter.to ? sql`and created_at < ${filter.to}` : sql``}
      ${filter.ids ? sql`and id = any(${[...filter.ids]})` : sql``}
    order by created_at desc, id desc`;
  return rows.map(row => row.id);
}

/** Pages from a place on, until the end or enough ids. */
async function pages(filter: Partial<OrderListFilter>, enough: number, from?: { cursor: string; newer: boolean }) {
  const ids: string[] = [];
  let cursor = from?.cursor ?? null;
  const newer = from?.newer ?? false;
  for (;;) {
    const page = await listOrderIds(world.db, { ...ALL, ...filter }, { cursor, newer, limit: PAGE });
    if (newer) ids.unshift(...page.ids);
    else ids.push(...page.ids);
    cursor = page.next;
    if (cursor === null || ids.length >= enough) return { ids, isOver: cursor === null };
  }
}

describe('a page of orders', () => {
  test.each(Object.entries(FILTERS))('by %s is what reading everything would answer', async (_name, filter) => {
    const all = await readAll(filter);
    const enough = 3 * PAGE;
    const { ids, isOver } = await pages(filter, enough);
    expect(ids).toEqual(all.slice(0, ids.length));
    expect(isOver).toBe(ids.length === all.length);
    expect(ids.length).toBeGreaterThanOrEqual(Math.min(all.length, enough));
  });

  test('leads to the end and back again over the same orders', async () => {
    const filter = { state: 'refunded', to: new Date('2026-01-04T00:00:00Z') };
    const all = await readAll(filter);
    expect(all.length).toBeGreaterThan(4 * PAGE);
    expect((await pages(filter, Number.POSITIVE_INFINITY)).ids).toEqual(all);
    const last = all.at(-1) as string;
    const back = await pages(filter, Number.POSITIVE_INFINITY, { cursor: last, newer: true });
    expect(back).toEqual({ ids: all.slice(0, -1), isOver: true });
  });

  test('that looked far without being filled says how far, and goes on from there', async () => {
    const page = await listOrderIds(
      world.db,
      { ...ALL, provider: 'razorpay' },
      { cursor: null, newer: false, limit: PAGE },
    );
    const end = new Date(Date.parse('2026-01-01T00:00:00Z') + (ORDERS - LOOK + 1) * 10_000);
    expect(page).toMatchObject({ lookedTo: end, cut: false });
    expect(page.ids.length).toBe((await readAll({ provider: 'razorpay', from: end })).length);
    expect(page.next).not.toBeNull();
    const none = await listOrderIds(
      world.db,
      { ...ALL, provider: 'nobody', from: end },
      { cursor: null, newer: false, limit: PAGE },
    );
    expect(none).toEqual({ ids: [], next: null, lookedTo: null, cut: false });
  });

  test('tells of each order what was heard last and what comes next', async () => {
    const [paid, waiting] = ['20001', '10002'].map(n => `ord_${n.padStart(26, '0')}`) as [string, string];
    const rows = await readOrderRows(world.db, [waiting, paid, 'ord_nobody']);
    expect(rows.map(row => row.order.id)).toEqual([waiting, paid]);
    expect(rows[0]?.nextEffect).toMatchObject({ effect: 'notify', attempts: 0 });
    expect(rows[1]).toMatchObject({
      order: { state: 'parked' },
      lastEvent: { type: 'payment.captured', verdict: 'mismatch' },
      lastStep: { type: 'order.created' },
      nextEffect: null,
    });
  });
});

describe('a search', () => {
  const idOf = (n: number) => `ord_${String(n).padStart(26, '0')}`;
  const parked = 10_001;
  const refunded = 10_107;
  test.each([
    ['our id', idOf(parked), 'order', parked],
    ['the provider’s order', `po_${parked}`, 'provider order', parked],
    ['a payment', `pay_po_${parked}`, 'payment', parked],
    ['a refund', `rf_po_${refunded}`, 'refund', refunded],
    ['a dispute', `dp_po_${parked}`, 'dispute', parked],
    ['an event', `applied_po_${parked}`, 'event', parked],
    ['a checkout key', `key_po_${parked}`, 'checkout key', parked],
    ['an effect', `eff_po_${parked}`, 'effect', parked],
  ])('by the id of %s finds the one order', async (_what, id, name, n) => {
    expect(await findOrders(world.db, id)).toEqual([{ id: idOf(n), name }]);
  });

  test('by a user or a provider’s subscription finds all its orders', async () => {
    expect((await findOrders(world.db, 'user_3000')).length).toBe(5);
    expect(new Set((await findOrders(world.db, 'sub_7')).map(found => found.name))).toEqual(
      new Set(['provider subscription']),
    );
    expect((await findOrders(world.db, 'sub_7')).length).toBe(20);
  });

  test('by the beginning of our id finds what begins so, and no beginning of other ids', async () => {
    const found = await findOrders(world.db, idOf(parked).slice(0, -2));
    const alike =
      await world.sql`select id from orders where id like ${`${idOf(parked).slice(0, -2)}%`} order by id desc`;
    expect(found.map(one => one.id)).toEqual(alike.map(row => row.id));
    expect(alike.length).toBeGreaterThan(50);
    for (const nothing of [`pay_po_${parked}`.slice(0, -1), 'ord_', 'ord_0', "' or true --", 'ord_%', '%']) {
      expect(await findOrders(world.db, nothing)).toEqual(
        nothing.startsWith('pay') ? await findOrders(world.db, 'pay_po_1000') : [],
      );
    }
  });

  test('finds the kept events that carry the id of a payment, an order of the provider, or an event', async () => {
    const kept = { provider: 'sandbox', eventKey: 'unmatched_po_5013', verdict: 'unmatched' };
    for (const id of ['nobodys_po_5013', 'po_5013', 'unmatched_po_5013'])
      expect(await findKept(world.db, id)).toMatchObject([kept]);
    expect(await findKept(world.db, 'applied_po_5013')).toEqual([]);
  });
});

describe('received events by verdict', () => {
  test.each([...LISTED_VERDICTS, ...COMMON_VERDICTS, null])('%s: every page, to the end and back', async verdict => {
    const stripes = { verdict, provider: 'stripe', from: null, to: null };
    for (const filter of [{ ...stripes, provider: null }, stripes]) {
      const of = filter.provider ? world.sql`and provider = ${filter.provider}` : world.sql``;
      const all = await world.sql<
        { event_key: string }[]
      >`select event_key from inbox where ${verdict ? world.sql`verdict = ${verdict}` : world.sql`true`} ${of} order by received_at desc, event_key desc, provider desc limit 120`;
      const place = { cursor: null, newer: false, limit: 40 };
      const first = await listEvents(world.db, filter, place);
      const second = await listEvents(world.db, filter, {
        ...place,
        cursor: first.next ?? { provider: '', eventKey: '' },
      });
      const keys = [...first.events, ...second.events].map(event => event.eventKey);
      expect(keys).toEqual(all.slice(0, 80).map(row => row.event_key));
      const last = second.events[0];
      if (!last) continue;
      const back = await listEvents(world.db, filter, { ...place, cursor: last, newer: true });
      expect(back.events).toEqual(first.events);
    }
  });

  test('are counted, and a thousand is enough', async () => {
    expect(await countEvents(world.db)).toMatchObject({ unmatched: 40, illegal: 40, foreign: 1_001, ignored: 1_001 });
  });

  test('can be looked at in a stretch of time', async () => {
    const from = new Date('2026-01-05T00:00:00Z');
    const to = new Date('2026-01-06T00:00:00Z');
    const [all] =
      await world.sql`select count(*)::int as n from inbox where verdict = 'ignored' and received_at >= ${from} and received_at < ${to}`;
    const page = await listEvents(
      world.db,
      { verdict: 'ignored', provider: null, from, to },
      { cursor: null, newer: false, limit: 2_000 },
    );
    expect(page.events.length).toBe(all?.n);
  });
});

type PlanNode = {
  'Node Type': string;
  'Relation Name'?: string;
  'Index Name'?: string;
  'Actual Rows': number;
  'Actual Loops': number;
  'Rows Removed by Filter'?: number;
  Plans?: PlanNode[];
};

/** Runs what a read asks of the database once more, and answers how the database went about it. */
async function plansOf(read: (db: Database) => Promise<unknown>): Promise<PlanNode[][]> {
  const asked: [string, Parameters<Database['query']>[1]][] = [];
  const listening: Database = {
    ...world.db,
    query(text, params) {
      asked.push([text, params]);
      return world.db.query(text, params);
    },
  };
  await read(listening);
  return Promise.all(
    asked.map(async ([text, params]) => {
      const explain = `explain (analyze, timing off, format json) ${text}`;
      const rows = await world.db.query<{ 'QUERY PLAN': [{ Plan: PlanNode }] }>(explain, params);
      const nodes = rows.map(row => row['QUERY PLAN'][0].Plan);
      for (const node of nodes) nodes.push(...(node.Plans ?? []));
      return nodes;
    }),
  );
}

/** Rows that were read by all turns of this node. */
const readBy = (node: PlanNode) => (node['Actual Rows'] + (node['Rows Removed by Filter'] ?? 0)) * node['Actual Loops'];

/** Nothing reads a table through, and no more is read or sorted than was said. */
function expectBounded(nodes: PlanNode[], limits: { read: number; sorted: number }, what: string): void {
  for (const node of nodes) {
    const at = `${what}: ${node['Node Type']} ${node['Relation Name'] ?? ''} ${node['Index Name'] ?? ''}`;
    expect(node['Node Type'], at).not.toBe('Seq Scan');
    if (node['Relation Name']) expect(readBy(node), at).toBeLessThanOrEqual(limits.read);
    if (node['Node Type'].includes('Sort'))
      expect(Math.max(...(node.Plans ?? []).map(readBy)), at).toBeLessThanOrEqual(limits.sorted);
  }
}

// Without statistics the planner takes any index for any question: what is looked up by key must be so all the same.
describe.each(['before', 'after'])('the database, %s it was analysed,', when => {
  beforeAll(async () => {
    if (when === 'after') await world.sql`analyze`;
  }, SEEDING_MS);

  test('lists the orders of a search by their keys', async () => {
    for (const id of ['user_3000', 'sub_7', 'pay_po_10001', 'nobody', 'ord_00', 'ord_0000000000000000000001']) {
      for (const nodes of await plansOf(db => findOrders(db, id)))
        expectBounded(nodes, { read: BEGINNING_LIMIT, sorted: 200 }, id);
      for (const nodes of await plansOf(db => findKept(db, id))) expectBounded(nodes, { read: 20, sorted: 100 }, id);
      const ids = (await findOrders(world.db, id)).map(found => found.id);
      const plans = await plansOf(db =>
        listOrderIds(db, { ...ALL, ids, cause: 'any', verdict: 'applied' }, FIRST_PAGE),
      );
      for (const nodes of plans) expectBounded(nodes, { read: 5 * BEGINNING_LIMIT, sorted: BEGINNING_LIMIT }, id);
    }
  });

  test('reads what is shown of each order by its keys', async () => {
    const { ids } = await listOrderIds(world.db, ALL, FIRST_PAGE);
    for (const nodes of await plansOf(db => readOrderRows(db, ids)))
      expectBounded(nodes, { read: 20 * PAGE, sorted: 4 * PAGE }, 'rows');
  });
});

describe('the database', () => {
  beforeAll(async () => {
    await world.sql`analyze`;
  }, SEEDING_MS);

  const places = [
    FIRST_PAGE,
    { cursor: `ord_${'100001'.padStart(26, '0')}`, newer: false, limit: PAGE },
    { cursor: `ord_${'100001'.padStart(26, '0')}`, newer: true, limit: PAGE },
  ];
  const DRIVEN = new Set(['parked', 'captured', 'authorized', 'illegal', 'mismatch', 'surplus']);
  const isDriven = ({ cause, verdict, state }: Partial<OrderListFilter>) =>
    Boolean(cause) || DRIVEN.has(verdict ?? '') || verdict === 'parked' || DRIVEN.has(state ?? '');

  test.each(Object.entries(FILTERS))('lists orders by %s from an index, and looks at few', async (name, filter) => {
    for (const place of places) {
      const plans = await plansOf(db => listOrderIds(db, { ...ALL, ...filter }, place));
      for (const nodes of plans)
        expectBounded(nodes, { read: LOOK + 1, sorted: isDriven(filter) ? CANDIDATES : 0 }, name);
    }
  });

  test('lists and counts events by the index of their verdict', async () => {
    for (const verdict of [...LISTED_VERDICTS, ...COMMON_VERDICTS, null]) {
      for (const provider of [null, 'stripe', 'razorpay']) {
        const filter = { verdict, provider, from: null, to: null };
        const plans = await plansOf(db => listEvents(db, filter, { cursor: null, newer: false, limit: PAGE }));
        for (const nodes of plans)
          expectBounded(nodes, { read: LOOK + SAME_INSTANT, sorted: LOOK + SAME_INSTANT }, `${verdict} ${provider}`);
      }
    }
    for (const nodes of await plansOf(countEvents)) expectBounded(nodes, { read: 1_001, sorted: 0 }, 'counts');
    for (const nodes of await plansOf(db => countStuckByCause(db, ALL)))
      expectBounded(nodes, { read: CANDIDATES, sorted: CANDIDATES }, 'stuck');
  });
});
