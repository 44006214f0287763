// An order for which one cause explains another is stuck for the first of them only, and everybody says so: the order itself,
// the list of the API, the page of stuck orders, its tabs, the overview, the number beside "Stuck" and a retry of all.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { listOrderIds } from '../db/inspect/orderList.ts';
import { readStuck } from '../db/inspect/overviewStuck.ts';
import { countStuck, countStuckByCause } from '../db/inspect/stuckCount.ts';
import { STUCK_CAUSES, type StuckCause } from '../db/orders.ts';
import { readStuckFor } from '../db/stuckOrders.ts';
import { KNOWN_MACHINE_IDS } from '../machines/versions.ts';
import { type InspectedService, startInspected } from './support/inspector.ts';
import { captured, openOrder, webhook } from './support/world.ts';

let service: InspectedService;
/** Name → what the order's own page and the lists must say. */
const expected: Record<string, { id: string; causes: StuckCause[] }> = {};

beforeAll(async () => {
  service = await startInspected();
  const { world } = service;
  const { sql } = world;
  const past = new Date(world.clock().getTime() - 60_000);
  const order = async (name: string, ...causes: StuckCause[]) => {
    const { id, providerOrderId } = await openOrder(world, { userId: name });
    expected[name] = { id, causes };
    return { id, providerOrderId };
  };
  const late = (id: string) => sql`update orders set wake_at = ${past} where id = ${id}`;
  const onOtherChart = (id: string) => sql`update orders set machine = 'order.v0' where id = ${id}`;

  await late((await order('late', 'deadline_passed')).id);
  const lateUnreadable = await order('late and unreadable', 'snapshot_unreadable');
  await late(lateUnreadable.id);
  await onOtherChart(lateUnreadable.id);
  // Its chart is back, and what came meanwhile is not decided yet.
  const kept = await order('late and with kept events', 'snapshot_unreadable');
  await onOtherChart(kept.id);
  await world.dispatch(webhook(kept.providerOrderId, captured('pay_kept')));
  await sql`update orders set machine = 'order.v1' where id = ${kept.id}`;
  await late(kept.id);

  await sql`alter table grants add constraint nobody check (seq < 0) not valid`;
  for (const [name, isUnreadable] of [
    ['without a grant and late', false],
    ['without a grant and unreadable', true],
  ] as const) {
    const paid = await order(name, isUnreadable ? 'snapshot_unreadable' : 'grant_failed');
    await world.dispatch(webhook(paid.providerOrderId, captured(`pay_${paid.id}`)));
    await late(paid.id);
    if (isUnreadable) await onOtherChart(paid.id);
  }
  await sql`alter table grants drop constraint nobody`;

  for (const [name, isUnreadable] of [
    ['parked', false],
    ['parked and unreadable', true],
  ] as const) {
    const odd = await order(name, isUnreadable ? 'snapshot_unreadable' : 'parked');
    await world.dispatch(webhook(odd.providerOrderId, captured(`pay_${odd.id}`, 1)));
    await sql`delete from outbox where order_id = ${odd.id}`;
    if (isUnreadable) await onOtherChart(odd.id);
  }
  // What could not be done outside is trouble of its own.
  const dead = await order('dead and unreadable', 'snapshot_unreadable', 'effect_dead');
  await world.dispatch(webhook(dead.providerOrderId, captured(`pay_${dead.id}`)));
  await sql`update outbox set status = 'dead' where order_id = ${dead.id}`;
  await onOtherChart(dead.id);
  await order('well');
});
afterAll(() => service?.close());

const all = () => Object.values(expected);
const stuckFor = (cause: StuckCause) =>
  all()
    .filter(({ causes }) => causes.includes(cause))
    .map(({ id }) => id)
    .sort();
const at = () => ({ now: service.world.clock(), machines: KNOWN_MACHINE_IDS });

describe('an order that is stuck twice, the one because of the other', () => {
  test('says the cause that explains', async () => {
    for (const [name, { id, causes }] of Object.entries(expected)) {
      const { body } = await service.call('GET', `/v1/orders/${id}`);
      expect([name, body.stuck?.cause ?? null]).toEqual([name, causes[0] ?? null]);
    }
  });

  test.for(STUCK_CAUSES)('stands in every list of %s, or in none', async cause => {
    const { db } = service.world;
    const ids = stuckFor(cause);
    expect(ids.length).toBeGreaterThan(0);
    const { body } = await service.call('GET', `/v1/orders?stuck=true&cause=${cause}`);
    expect(body.orders.map((order: { id: string }) => order.id).sort()).toEqual(ids);
    const filter = { ...at(), ids: null, state: null, provider: null, verdict: null, from: null, to: null, cause };
    const place = { cursor: null, newer: false, limit: 50 };
    expect((await listOrderIds(db, filter, place)).ids.sort()).toEqual(ids);
    const among = { ...filter, ids: all().map(({ id }) => id) };
    expect((await listOrderIds(db, among, place)).ids.sort()).toEqual(ids);
    const retried = await readStuckFor(db, { ...at(), cause, cursor: null, limit: 50 });
    expect(retried.map(({ id }) => id).sort()).toEqual(ids);
  });

  test('is counted where it is listed, and once in all', async () => {
    const { db } = service.world;
    const counts = Object.fromEntries(STUCK_CAUSES.map(cause => [cause, stuckFor(cause).length]));
    expect(await countStuckByCause(db, at())).toEqual(counts);
    const { groups } = await readStuck(db, at().now, at().machines);
    expect(Object.fromEntries(groups.map(({ cause, count }) => [cause, count]))).toEqual(counts);
    expect(groups.filter(({ oldestAt }) => oldestAt === null)).toEqual([]);
    const stuck = all().filter(({ causes }) => causes.length > 0);
    expect(await countStuck(db, { ...at(), limit: 100 })).toBe(stuck.length);
    const { body } = await service.call('GET', '/v1/orders?stuck=true');
    expect(body.orders).toHaveLength(stuck.length);
  });
});
