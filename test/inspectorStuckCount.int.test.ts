// The number beside "Stuck" is the number of orders that are stuck, each counted once, and what it and the live pages ask
// the database is answered from indexes.
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Database } from '../db/client.ts';
import { orderMarks, serviceMark } from '../db/inspect/liveMarks.ts';
import { countStuck } from '../db/inspect/stuckCount.ts';
import { KNOWN_MACHINE_IDS } from '../machines/versions.ts';
import { until } from './support/databaseChecks.ts';
import { type InspectedService, startInspected } from './support/inspector.ts';
import { captured, openOrder, webhook } from './support/world.ts';

let service: InspectedService;
beforeAll(async () => {
  service = await startInspected();
});
afterAll(() => service.close());

const counted = (limit = 1_000) =>
  countStuck(service.world.db, { now: service.world.clock(), machines: KNOWN_MACHINE_IDS, limit });

test('each stuck order counts once, as in the list of the API, and no further than the limit', async () => {
  const { world } = service;
  expect(await counted()).toBe(0);
  const orders = [];
  for (let i = 0; i < 4; i++) orders.push(await openOrder(world));
  const [parked, late, unknown, well] = orders;
  await world.dispatch(webhook(parked!.providerOrderId, captured('pay_stuck_1', 1)));
  await world.dispatch(webhook(well!.providerOrderId, captured('pay_stuck_2')));
  await world.sql`update orders set machine = 'order.v0' where id = ${unknown!.id}`;
  // Dead effects beside another cause: still one order.
  await world.sql`update outbox set status = 'dead' where order_id = ${parked!.id}`;
  await world.sql`update orders set wake_at = ${new Date(world.clock().getTime() - 1)} where id = ${late!.id}`;
  const { body } = await service.call('GET', '/v1/orders?stuck=true');
  expect(body.orders).toHaveLength(3);
  expect(await counted()).toBe(3);
  expect(await counted(2)).toBe(2);
  // No page waits for the number, and the one of a page before is good for a second.
  const viewer = await service.signIn('viewer');
  const shown = async () => /Stuck <span class="count">(\d+)/.exec((await viewer.get('/inspector/nowhere')).text)?.[1];
  await until('the number is shown', async () => (await shown()) === '3');
});

test('a page that answers a form has the number, too: the one since the form was sent', async () => {
  const { world } = service;
  const operator = await service.signIn('operator');
  const order = await openOrder(world);
  await world.dispatch(webhook(order.providerOrderId, captured('pay_stuck_3', 1)));
  await world.sql`update orders set wake_at = null, machine = 'order.v1' where state = 'created'`;
  const before = await counted();
  const number = (text: string) => Number(/Stuck <span class="count">(\d+)/.exec(text)?.[1] ?? 0);
  await until('the number is shown', async () => number((await operator.get('/inspector/nowhere')).text) === before);
  // A form that is answered by a page, and one that is refused by one.
  await world.sql`update orders set state = 'failed' where id = ${order.id}`;
  await until('the answer has the number', async () => {
    const { status, text } = await operator.post('/inspector/nowhere');
    expect(status).toBe(404);
    expect(number(text)).not.toBe(before);
    return number(text) === before - 1;
  });
  const viewer = await service.signIn('viewer');
  await until('the refusal has the number', async () => {
    const { status, text } = await viewer.post('/inspector/nowhere');
    expect(status).toBe(403);
    return number(text) === before - 1;
  });
});

test('the count and the marks are read from indexes, no further than their limits', async () => {
  const { sql } = service.world;
  const asked: { text: string; params: readonly unknown[] }[] = [];
  const noting: Database = {
    ...service.world.db,
    query(text, params) {
      asked.push({ text, params });
      return Promise.resolve([]);
    },
  };
  await countStuck(noting, { now: service.world.clock(), machines: KNOWN_MACHINE_IDS, limit: 10 });
  await serviceMark(noting);
  await orderMarks(noting, ['ord_00000000000000000000000000']);
  for (const { text, params } of asked) {
    await sql.reserve().then(async one => {
      try {
        await one.unsafe(
          `set enable_seqscan = off; set plan_cache_mode = force_generic_plan; prepare asked as ${text}`,
        );
        const given = params.map(value => (typeof value === 'number' ? value : `'${value}'`)).join(', ');
        const plan = (await one.unsafe(`explain execute asked${given && `(${given})`}`))
          .map(row => row['QUERY PLAN'])
          .join('\n');
        expect(plan).not.toMatch(/Seq Scan/);
        // What is sorted has been cut to the limit before.
        expect(plan).not.toMatch(/Limit [^\n]*\n *-> +Sort/);
      } finally {
        await one.unsafe('deallocate all; reset all');
        one.release();
      }
    });
  }
});
