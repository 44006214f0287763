// What stands still is told to somebody once, and told no more when it goes on: orders that cannot be read, webhooks nobody
// understands, lists that do not come to their end, events that came again with other words.
import { pino } from 'pino';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { beginListing, claimListing, completeListing, ensureListing, failListing } from '../db/listings.ts';
import { withCompany } from '../src/company.ts';
import type { PaymentProvider } from '../src/providers/provider.ts';
import { sweeperJobs } from '../src/sweeper/sweeper.ts';
import { captured, createWorld, openOrder, type World, webhook } from './support/world.ts';

const START = '2026-01-31T10:00:00.000Z';
const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

let world: World;
beforeAll(async () => {
  world = await createWorld();
});
beforeEach(() => world.clock.set(START));
afterEach(async () => {
  await world.sql`truncate orders, transitions, inbox, findings, outbox, listings cascade`;
});
afterAll(() => world.close());

const passTime = (ms: number) => world.clock.set(new Date(world.clock().getTime() + ms).toISOString());

/** A process with a memory of its own; `look` is a round of every job that looks for what waits. */
function startProcess() {
  const log = pino({ level: 'silent' });
  const providers = new Map([['sandbox', { onlyOurs: true } as unknown as PaymentProvider]]);
  const dispatch = withCompany({ ...world, log });
  const jobs = sweeperJobs({ ...world, dispatch, providers, log });
  const look = async () => {
    for (const job of jobs) await job.run(new AbortController().signal);
  };
  return { look };
}

/** Which findings stand open, and every alert that was raised, by cause. */
async function told() {
  const open = await world.sql`select fingerprint from findings where resolved_at is null order by fingerprint`;
  const alerts =
    await world.sql`select payload->>'cause' as cause from outbox where effect = 'alert' and dedup_key like 'alert:finding:%' order by available_at`;
  return { open: open.map(row => row.fingerprint), alerts: alerts.map(row => row.cause) };
}

const newestAlert = async () => {
  const [row] =
    await world.sql`select payload from outbox where effect = 'alert' order by available_at desc, id desc limit 1`;
  return row?.payload;
};

const damage = (id: string) =>
  world.sql`update orders set snapshot = jsonb_set(snapshot, '{value}', '"forgotten"') where id = ${id}`;
const mend = (id: string) =>
  world.sql`update orders set snapshot = jsonb_set(snapshot, '{value}', '"created"') where id = ${id}`;

test('orders on a chart nobody knows are told of once for the chart, not while a release is rolled out, and are done with when it is back', async () => {
  const { look } = startProcess();
  const [one, two] = [await openOrder(world), await openOrder(world)];
  await world.sql`update orders set machine = 'order.v0', wake_at = now() - interval '1 hour' where id in (${one.id}, ${two.id})`;
  await look();
  passTime(9 * MINUTE);
  await look();
  expect(await told()).toEqual({ open: [], alerts: [] });
  passTime(MINUTE);
  await look();
  const { sql } = world;
  expect(await told()).toEqual({ open: ['chart_unknown:order.v0'], alerts: ['chart_unknown'] });
  expect(await newestAlert()).toMatchObject({
    severity: 'critical',
    detail: '2 orders live on the chart order.v0, which this release does not have',
  });
  passTime(HOUR);
  await look();
  expect((await told()).alerts).toEqual(['chart_unknown']);
  await sql`update orders set machine = 'order.v1', wake_at = null where id = ${one.id}`;
  await look();
  expect((await told()).open).toEqual(['chart_unknown:order.v0']);
  await sql`update orders set machine = 'order.v1', wake_at = null where id = ${two.id}`;
  await look();
  expect(await told()).toEqual({ open: [], alerts: ['chart_unknown'] });
});

test('two releases that disagree about a chart tell somebody every ten minutes, not every minute', async () => {
  const { look } = startProcess();
  const order = await openOrder(world);
  await world.sql`update orders set machine = 'order.v0', wake_at = null where id = ${order.id}`;
  for (let minute = 0; minute <= 25; minute++) {
    await look();
    // As the release would that has the chart.
    await world.sql`update findings set resolved_at = ${world.clock()} where kind = 'chart_unknown' and resolved_at is null`;
    passTime(MINUTE);
  }
  expect((await told()).alerts).toEqual(['chart_unknown', 'chart_unknown']);
});

test('a paid webhook of an order that cannot be read is told of after ten minutes, and the order goes on when it can be read', async () => {
  const { look } = startProcess();
  const order = await openOrder(world);
  await damage(order.id);
  await world.dispatch(webhook(order.providerOrderId, captured(`pay-${order.id}`)));
  await look();
  passTime(10 * MINUTE - SECOND);
  await look();
  expect((await told()).open).toEqual([]);
  passTime(SECOND);
  await look();
  const fingerprint = `snapshot_unreadable:${order.id}`;
  expect(await told()).toEqual({ open: [fingerprint], alerts: ['snapshot_unreadable'] });
  expect(await newestAlert()).toMatchObject({ orderId: order.id, detail: expect.stringContaining('does not fit') });
  await startProcess().look();
  expect((await told()).alerts).toEqual(['snapshot_unreadable']);
  await mend(order.id);
  await look();
  expect((await told()).open).toEqual([]);
  passTime(HOUR);
  await look();
  const [row] = await world.sql`select state from orders where id = ${order.id}`;
  expect(row).toEqual({ state: 'subscribed' });
});

test('an order that cannot be read is told of when its deadline has passed, although nothing was told of it', async () => {
  const { look } = startProcess();
  const order = await openOrder(world);
  await damage(order.id);
  await world.sql`update orders set wake_at = ${world.clock()} where id = ${order.id}`;
  passTime(10 * MINUTE);
  await look();
  expect(await told()).toEqual({ open: [`snapshot_unreadable:${order.id}`], alerts: ['snapshot_unreadable'] });
  await mend(order.id);
});

const nonsense = (eventType: string) => {
  const envelope = webhook('nothing', { type: 'payment.captured', paymentId: 'x', amountMinor: 1, currency: 'INR' });
  return {
    ...envelope,
    event: null,
    because: 'undecodable' as const,
    detail: 'amount: expected number',
    received: { ...envelope.received!, eventType },
  };
};

test('webhooks nobody understands are told of once for each type, and again only when one came after somebody had seen to it', async () => {
  const { look } = startProcess();
  for (const type of ['charge.odd', 'charge.odd', 'refund.odd']) await world.dispatch(nonsense(type));
  await look();
  await look();
  const open = ['webhook_undecodable:sandbox:charge.odd', 'webhook_undecodable:sandbox:refund.odd'];
  expect(await told()).toEqual({ open, alerts: ['webhook_undecodable', 'webhook_undecodable'] });
  const [alert] = await world.sql`select payload from outbox where payload->>'eventType' = 'charge.odd'`;
  expect(alert?.payload).toMatchObject({
    provider: 'sandbox',
    detail: 'sandbox sent 2 webhooks of type charge.odd in a form that is not known here: amount: expected number',
  });
  passTime(HOUR);
  await world.sql`update findings set resolved_at = ${world.clock()}`;
  await look();
  expect((await told()).open).toEqual([]);
  passTime(MINUTE);
  await world.dispatch(nonsense('refund.odd'));
  await look();
  expect((await told()).open).toEqual(['webhook_undecodable:sandbox:refund.odd']);
  passTime(7 * DAY);
  await look();
  expect((await told()).open).toEqual(['webhook_undecodable:sandbox:refund.odd']);
  passTime(SECOND);
  await look();
  expect((await told()).open).toEqual([]);
  expect((await told()).alerts).toHaveLength(3);
});

test('a provider whose payments have not been listed to the end for a day is told of, and done with when they are', async () => {
  const { look } = startProcess();
  const list = async (comesToItsEnd: boolean) => {
    const lease = await claimListing(world.db, { provider: 'sandbox', now: world.clock(), token: 'req_1', leaseMs: 0 });
    const run = { provider: 'sandbox', depth: lease!.depth, token: 'req_1' };
    await beginListing(world.db, run, { since: world.clock(), startedAt: world.clock() });
    if (comesToItsEnd) return completeListing(world.db, run, { completedAt: world.clock(), nextAt: world.clock() });
    const nextAt = new Date(world.clock().getTime() + DAY);
    return failListing(world.db, run, { nextAt, error: 'sandbox: 403 the key may not list', startOver: false });
  };
  await ensureListing(world.db, 'sandbox', 'recent', world.clock());
  await list(false);
  passTime(DAY - MINUTE);
  await look();
  passTime(10 * MINUTE);
  await look();
  passTime(9 * MINUTE);
  await look();
  expect((await told()).open).toEqual([]);
  passTime(MINUTE);
  await look();
  expect(await told()).toEqual({ open: ['listing_late:sandbox'], alerts: ['listing_late'] });
  expect(await newestAlert()).toMatchObject({
    provider: 'sandbox',
    detail: `the payments of sandbox were never listed to the end, and that is tried since ${START}: sandbox: 403 the key may not list`,
  });
  await list(true);
  await look();
  expect(await told()).toEqual({ open: [], alerts: ['listing_late'] });
  passTime(3 * DAY);
  // A service that was off for days looks before its first list is through, and lists.
  await startProcess().look();
  await look();
  expect((await told()).open).toEqual([]);
});

test('an event that came again with another body is told of once, however many replicas look', async () => {
  const order = await openOrder(world);
  const first = webhook(order.providerOrderId, captured(`pay-${order.id}`));
  await world.dispatch(first);
  await world.dispatch({ ...first, received: { ...first.received!, bodyHash: 'another' } });
  expect((await told()).alerts).toEqual([]);
  await Promise.all([startProcess().look(), startProcess().look()]);
  passTime(HOUR);
  await startProcess().look();
  expect(await told()).toEqual({
    open: [`other_body:sandbox:${first.eventKey}:another`],
    alerts: ['event_key_reused'],
  });
  expect(await newestAlert()).toMatchObject({ orderId: order.id, detail: expect.stringContaining('another body') });
});
