// What cannot be done however often it is tried is told to somebody, once for all of it, and is done with when it works.
import { pino } from 'pino';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { withCompany } from '../src/company.ts';
import { sweeperJobs } from '../src/sweeper/sweeper.ts';
import { type Refusal, refuse } from './support/refusals.ts';
import { captured, createWorld, openOrder, type World, webhook } from './support/world.ts';

const MINUTE_MS = 60_000;
const OPENED = '2026-01-31T10:00:00.000Z';

let world: World;
let refused: Refusal | null = null;
beforeAll(async () => {
  world = await createWorld();
});
beforeEach(() => world.clock.set(OPENED));
afterEach(async () => {
  await refused?.remove();
  refused = null;
  await world.sql`delete from findings`;
  await world.sql`delete from outbox`;
});
afterAll(() => world.close());

/** A process with the sweeper's jobs, each run once a minute. */
function sweeping() {
  const log = pino({ level: 'silent' });
  const jobs = sweeperJobs({ ...world, dispatch: withCompany({ ...world, log }), providers: new Map(), log });
  return async (minutes: number) => {
    for (let minute = 0; minute < minutes; minute++) {
      for (const job of jobs) await job.run(new AbortController().signal);
      world.clock.set(new Date(world.clock().getTime() + MINUTE_MS).toISOString());
    }
  };
}
const open = () => world.sql`select kind, severity, detail from findings where resolved_at is null order by kind`;
const alerts = async (cause: string) =>
  (await world.sql`select payload from outbox where effect = 'alert' and payload->>'cause' = ${cause}`).map(
    row => row.payload.detail,
  );

test('orders whose deadline the database refuses are told of after ten minutes, all at once, and no more when it takes them', async () => {
  const orders = [await openOrder(world), await openOrder(world)];
  const ids = orders.map(({ id }) => `'${id}'`).join(', ');
  const when = `new.order_id in (${ids}) and new.event_type = 'deadline.passed'`;
  refused = await refuse(world.sql, 'transitions', { when, message: 'not these' });
  const [one, other] = [sweeping(), sweeping()];
  world.clock.set('2026-01-31T10:30:00.000Z');
  await one(9);
  expect(await open()).toEqual([]);
  await one(4);
  await other(2);
  await one(2);
  const why = 'it could not be written; the log of the service says why';
  const detail = expect.stringMatching(
    new RegExp(`^2 orders cannot be told .* ord_\\w+:2, since 2026-01-31T10:30:00.000Z: ${why}$`),
  );
  expect(await open()).toEqual([{ kind: 'deadline_refused', severity: 'critical', detail }]);
  expect(await alerts('deadline_refused')).toEqual([detail]);
  await refused.remove();
  refused = null;
  await one(15);
  expect(await open()).toEqual([]);
  const states = await world.sql`select state from orders where id = any (${orders.map(({ id }) => id)})`;
  expect(states.map(row => row.state)).toEqual(['failed', 'failed']);
});

test('a paid webhook that was kept and cannot be decided is told of, although its order is there', async () => {
  const order = await openOrder(world, { opened: false });
  const told = webhook(`sbo_${order.id.slice(4)}`, captured('pay_kept'));
  await world.dispatch(told);
  await world.sql`update orders set provider_order_id = ${order.providerOrderId} where id = ${order.id}`;
  refused = await refuse(world.sql, 'transitions', {
    when: `new.order_id = '${order.id}' and new.event_type = 'payment.captured'`,
    message: 'not this one',
  });
  const sweep = sweeping();
  await sweep(14);
  expect(await open()).toMatchObject([{ kind: 'event_refused', detail: expect.stringContaining(told.eventKey) }]);
  expect(await alerts('event_refused')).toHaveLength(1);
  await refused.remove();
  refused = null;
  await sweep(15);
  expect(await open()).toEqual([]);
  expect((await world.sql`select state from orders where id = ${order.id}`)[0]?.state).toBe('subscribed');
});

test('an order that cannot be read is told of as such, and not a second time because its deadline passes', async () => {
  const order = await openOrder(world);
  await world.sql`update orders set snapshot = '{}' where id = ${order.id}`;
  world.clock.set('2026-01-31T10:30:00.000Z');
  await sweeping()(14);
  expect((await open()).map(({ kind }) => kind)).toEqual(['snapshot_unreadable']);
  await world.sql`update orders set wake_at = null where id = ${order.id}`;
});
