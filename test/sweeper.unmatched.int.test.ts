// Events whose order nobody knows: tried again for three days at growing pauses, taken for foreign when nothing says that
// they are ours, told to somebody when they are, and decided at once when their order appears, by whatever name.
import { pino } from 'pino';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { resolveMatched } from '../db/inbox.ts';
import { putPlan } from '../db/plans.ts';
import type { UnstampedOrderEvent } from '../machines/orderEvents.ts';
import { withCompany } from '../src/company.ts';
import type { Envelope } from '../src/dispatch/envelope.ts';
import type { Dispatch } from '../src/dispatch.ts';
import type { PaymentProvider } from '../src/providers/provider.ts';
import { createHoldOff } from '../src/sweeper/holdOff.ts';
import { decideReadable, retryUnmatched } from '../src/sweeper/unmatchedEvents.ts';
import { expectSoundBooks } from './support/databaseChecks.ts';
import { copyEvents } from './support/manyOrders.ts';
import { type Refusal, refuse } from './support/refusals.ts';
import { captured, createWorld, MONTHLY, openOrder, operator, type World, webhook } from './support/world.ts';

const TOLD = '2026-01-31T10:00:00.000Z';
const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

let world: World;
const refusals: Refusal[] = [];
beforeAll(async () => {
  world = await createWorld();
});
beforeEach(() => world.clock.set(TOLD));
afterEach(async () => {
  for (const refused of refusals.splice(0)) await refused.remove();
  await world.sql`delete from inbox where verdict in ('unmatched', 'foreign', 'parked')`;
  await world.sql`delete from findings`;
});
afterAll(() => world.close());

const log = pino({ level: 'silent' });
const company = (dispatch: Dispatch = world.dispatch) => withCompany({ ...world, dispatch, log });
/** At most providers other things than ours are sold too; the sandbox of these tests is such a one unless told. */
const deps = ({ dispatch = company(), onlyOurs = false } = {}) => ({
  ...world,
  dispatch,
  providers: new Map([['sandbox', { onlyOurs } as unknown as PaymentProvider]]),
  log,
  holdOff: createHoldOff(world.clock),
});
const later = (ms: number) => world.clock.set(new Date(Date.parse(TOLD) + ms).toISOString());
const rowOf = async (eventKey: string) => {
  const [row] = await world.sql`
    select verdict, attempts, deliveries, next_attempt_at, order_id, mark, payer_id, event is not null as kept from inbox where event_key = ${eventKey}`;
  if (!row) throw new Error(`no event ${eventKey}`);
  return row;
};
const findings = () =>
  world.sql`select kind, severity, fingerprint, detail, order_id, resolved_at from findings order by fingerprint`;
const alerts = () =>
  world.sql`select payload, order_id from outbox where effect = 'alert' and payload->>'cause' = 'unmatched_event' order by id`;
const open = (id: string, providerOrderId: string, dispatch: Dispatch = company()) =>
  dispatch(operator(id, { type: 'checkout.opened', providerOrderId }, { source: 'checkout' }));
/** One round each at these times after the event was told. */
async function rounds(run: ReturnType<typeof deps>, ...at: number[]): Promise<void> {
  for (const ms of at) {
    later(ms);
    await retryUnmatched(run);
  }
}
let names = 0;
const stranger = (event: UnstampedOrderEvent = captured(`pay-s${names}`), more: Partial<Envelope> = {}) =>
  webhook(`sbo-stranger-${names++}`, event, more);
const MARK = 'ord_00000000000000000000000000';

describe('an event without an order', () => {
  test('is tried again after 10 s, then at pauses that double up to an hour, and no more after three days', async () => {
    const told = stranger(captured('pay-long'), { orderId: MARK });
    await world.dispatch(told);
    const run = deps();
    const pauses: number[] = [];
    let before = Date.parse(TOLD);
    for (;;) {
      const { next_attempt_at: next, verdict } = await rowOf(told.eventKey);
      expect(verdict).toBe('unmatched');
      if (next === null) break;
      pauses.push((next.getTime() - before) / SECOND);
      before = next.getTime();
      world.clock.set(new Date(before - 1).toISOString());
      const { attempts } = await rowOf(told.eventKey);
      await retryUnmatched(run);
      expect((await rowOf(told.eventKey)).attempts, 'not a millisecond early').toBe(attempts);
      world.clock.set(next.toISOString());
      await retryUnmatched(run);
      expect((await rowOf(told.eventKey)).attempts).toBe(attempts + 1);
    }
    expect(pauses.slice(0, 10)).toEqual([10, 10, 20, 40, 80, 160, 320, 640, 1280, 2560]);
    expect(new Set(pauses.slice(10))).toEqual(new Set([3600]));
    const tried = before - Date.parse(TOLD);
    expect(tried).toBeGreaterThanOrEqual(3 * DAY);
    expect(tried).toBeLessThan(3 * DAY + HOUR);
    expect(await rowOf(told.eventKey)).toMatchObject({ kept: true, deliveries: 1 });
  });

  test('is not tried sooner or later because its provider delivers it again and again', async () => {
    const told = stranger(captured('pay-again'), { orderId: MARK });
    await world.dispatch(told);
    later(40 * SECOND);
    for (let delivery = 0; delivery < 5; delivery++) await world.dispatch(told);
    const row = await rowOf(told.eventKey);
    expect(row).toMatchObject({ verdict: 'unmatched', deliveries: 6 });
    expect(row.next_attempt_at.getTime() - Date.parse(TOLD)).toBe(80 * SECOND);
  });

  test('is applied by the next round when its order was opened by a process that died before it looked', async () => {
    const order = await openOrder(world, { opened: false });
    const early = webhook(order.providerOrderId, captured(`pay-${order.id}`));
    await world.dispatch(early);
    // Past the company that would have brought it.
    await open(order.id, order.providerOrderId, world.dispatch);
    await rounds(deps(), 10 * SECOND);
    expect(await rowOf(early.eventKey)).toMatchObject({ verdict: 'applied', order_id: order.id, deliveries: 1 });
    await expectSoundBooks(world.sql);
  });

  test('is decided once by two replicas whose rounds meet', async () => {
    const order = await openOrder(world, { opened: false });
    const early = webhook(order.providerOrderId, captured(`pay-${order.id}`));
    await world.dispatch(early);
    await open(order.id, order.providerOrderId, world.dispatch);
    later(10 * SECOND);
    const other = deps({ dispatch: company(world.dispatcher().dispatch) });
    await Promise.all([retryUnmatched(deps()), retryUnmatched(other)]);
    expect(await rowOf(early.eventKey)).toMatchObject({ verdict: 'applied', deliveries: 1 });
    await expectSoundBooks(world.sql);
  });
});

describe('an event that nothing says is ours', () => {
  test('becomes foreign after ten minutes: kept, counted, not tried again, and nobody is alarmed', async () => {
    const told = stranger();
    await world.dispatch(told);
    const run = deps();
    const before = (await alerts()).length;
    await rounds(run, 10 * SECOND, 320 * SECOND, 10 * MINUTE - 1);
    expect((await rowOf(told.eventKey)).verdict).toBe('unmatched');
    await rounds(run, 11 * MINUTE, 3 * DAY);
    expect(await rowOf(told.eventKey)).toMatchObject({ verdict: 'foreign', next_attempt_at: null, kept: true });
    expect(await world.dispatch(told)).toMatchObject({ verdict: 'foreign', orderId: null });
    expect(await rowOf(told.eventKey)).toMatchObject({ verdict: 'foreign', next_attempt_at: null, deliveries: 2 });
    expect((await findings()).length).toBe(0);
    expect((await alerts()).length).toBe(before);
  });

  test('and is foreign already is decided after all when its order is opened', async () => {
    const order = await openOrder(world, { opened: false });
    const early = webhook(order.providerOrderId, captured(`pay-${order.id}`));
    await world.dispatch(early);
    await rounds(deps(), 11 * MINUTE);
    expect((await rowOf(early.eventKey)).verdict).toBe('foreign');
    await open(order.id, order.providerOrderId);
    expect(await rowOf(early.eventKey)).toMatchObject({ verdict: 'applied', order_id: order.id, kept: false });
    await expectSoundBooks(world.sql);
  });

  test('and is foreign already is decided when it is delivered again after its order was opened', async () => {
    const order = await openOrder(world, { opened: false });
    const early = webhook(order.providerOrderId, captured(`pay-${order.id}`));
    await world.dispatch(early);
    await rounds(deps(), 11 * MINUTE);
    await open(order.id, order.providerOrderId, world.dispatch);
    expect(await world.dispatch(early)).toMatchObject({ verdict: 'applied', state: 'subscribed' });
    await expectSoundBooks(world.sql);
  });
});

describe('an event that is ours', () => {
  test('by our mark is told to somebody after ten minutes, once however many look, and goes on being tried', async () => {
    const told = stranger(captured('pay-marked'), { orderId: MARK });
    await world.dispatch(told);
    const before = (await alerts()).length;
    const run = deps();
    const other = deps({ dispatch: company(world.dispatcher().dispatch) });
    await rounds(run, 9 * MINUTE);
    expect((await findings()).length).toBe(0);
    later(20 * MINUTE);
    await Promise.all([retryUnmatched(run), retryUnmatched(other)]);
    await rounds(run, HOUR, 3 * HOUR, DAY);
    expect(await findings()).toMatchObject([
      {
        kind: 'unmatched_event',
        severity: 'critical',
        fingerprint: `unmatched_event:sandbox:${told.eventKey}`,
        resolved_at: null,
      },
    ]);
    const [alert, ...more] = (await alerts()).slice(before);
    expect(more).toEqual([]);
    expect(alert).toMatchObject({
      order_id: null,
      payload: { provider: 'sandbox', eventKey: told.eventKey, mark: MARK },
    });
    expect(await rowOf(told.eventKey)).toMatchObject({ verdict: 'unmatched', mark: MARK });
    expect((await rowOf(told.eventKey)).next_attempt_at).not.toBeNull();
  });

  test('because nothing else moves at its provider is told, too, as a warning where no money moved', async () => {
    const told = stranger({ type: 'payment.failed', paymentId: 'pay-no' });
    await world.dispatch(told);
    await rounds(deps({ onlyOurs: true }), 15 * MINUTE);
    expect((await rowOf(told.eventKey)).verdict).toBe('unmatched');
    expect(await findings()).toMatchObject([{ severity: 'warning' }]);
  });

  test('is decided when its order appears long after it was given up, and the finding about it is resolved', async () => {
    const order = await openOrder(world, { opened: false });
    const early = webhook(order.providerOrderId, captured(`pay-${order.id}`), { orderId: MARK });
    await world.dispatch(early);
    const run = deps();
    await rounds(run, HOUR, 4 * DAY);
    expect(await rowOf(early.eventKey)).toMatchObject({ verdict: 'unmatched', next_attempt_at: null, kept: true });
    later(30 * DAY);
    await open(order.id, order.providerOrderId);
    expect(await rowOf(early.eventKey)).toMatchObject({ verdict: 'applied', order_id: order.id });
    await resolveMatched(world.db, world.clock());
    const [finding] = await findings();
    expect(finding).toMatchObject({ order_id: order.id });
    expect(finding?.resolved_at.getTime()).toBe(Date.parse(TOLD) + 30 * DAY);
    await expectSoundBooks(world.sql);
  });

  test('by our mark is decided when an order of that id appears', async () => {
    const order = await openOrder(world, { opened: false });
    const told = webhook('', captured(`pay-${order.id}`), { providerOrderId: null, orderId: order.id });
    // The order is there: what has only the mark is matched by it at once, without waiting for its opening.
    expect(await world.dispatch(told)).toMatchObject({ verdict: 'applied', orderId: order.id });
  });
});

describe('a recurring charge told before what it renews', () => {
  const charge = (paymentId: string, subscriptionId?: string) => ({
    ...captured(paymentId),
    ...(subscriptionId && { subscriptionId }),
  });
  const nameless = (event: UnstampedOrderEvent, more: Partial<Envelope> = {}) =>
    webhook('', event, { providerOrderId: null, ...more });
  const kindsOf = async (userId: string) =>
    (
      await world.sql`select o.kind from grants g join orders o on o.id = g.order_id where g.user_id = ${userId} order by seq`
    ).map(row => row.kind);

  test('by its subscription is a renewal once the first payment names that subscription', async () => {
    const order = await openOrder(world);
    const second = nameless(charge(`pay-second-${order.id}`, 'sub_late'));
    expect(await company()(second)).toMatchObject({ verdict: 'unmatched' });
    await rounds(deps(), 11 * MINUTE);
    await company()(webhook(order.providerOrderId, charge(`pay-first-${order.id}`, 'sub_late')));
    expect(await rowOf(second.eventKey)).toMatchObject({ verdict: 'applied' });
    expect(await kindsOf(order.userId)).toEqual(['purchase', 'renewal']);
    await expectSoundBooks(world.sql);
  });

  test('by the stored card of a buyer keeps the buyer, is ours once the buyer is known, and renews what was bought', async () => {
    await putPlan(world.db, { ...MONTHLY, trialDays: 0 });
    const order = await openOrder(world);
    const second = nameless(charge(`pay-card-${order.id}`), { payerId: order.userId });
    expect(await company()(second)).toMatchObject({ verdict: 'unmatched' });
    expect(await rowOf(second.eventKey)).toMatchObject({ payer_id: order.userId, mark: null });
    await rounds(deps(), 11 * MINUTE);
    expect(await rowOf(second.eventKey)).toMatchObject({ verdict: 'unmatched' });
    expect(await findings()).toMatchObject([{ severity: 'critical' }]);
    // The first payment's webhook comes at last, past the company: the sweeper finds the purchase by the payer.
    await world.dispatch(webhook(order.providerOrderId, charge(`pay-bought-${order.id}`)));
    await rounds(deps(), HOUR);
    expect(await rowOf(second.eventKey)).toMatchObject({ verdict: 'applied' });
    expect(await kindsOf(order.userId)).toEqual(['purchase', 'renewal']);
    await expectSoundBooks(world.sql);
  });

  test('brings its refund, told even before it, back to the renewal', async () => {
    const order = await openOrder(world);
    await company()(webhook(order.providerOrderId, charge(`pay-r1-${order.id}`, 'sub_back')));
    const paymentId = `pay-r2-${order.id}`;
    const back = nameless({
      type: 'refund.updated',
      paymentId,
      refundId: 'rf',
      state: 'completed',
      amountMinor: 49900,
    });
    expect(await company()(back)).toMatchObject({ verdict: 'unmatched' });
    const renewal = await company()(nameless(charge(paymentId, 'sub_back')));
    expect(await rowOf(back.eventKey)).toMatchObject({ verdict: 'applied', order_id: renewal.orderId });
    const [row] = await world.sql`select state, kind from orders where id = ${renewal.orderId}`;
    expect(row).toEqual({ state: 'refunded', kind: 'renewal' });
    await expectSoundBooks(world.sql);
  });
});

describe('an event of an order that cannot be read', () => {
  const harm = (id: string) => world.sql`update orders set machine = 'order.v0' where id = ${id}`;
  const spoil = (id: string) =>
    world.sql`update orders set snapshot = snapshot #- '{context,payments}' where id = ${id}`;
  const mend = (id: string) =>
    world.sql`update orders set machine = 'order.v1', snapshot = jsonb_set(snapshot, '{context,payments}', '[]') where id = ${id}`;

  test('is left alone while that lasts and decided by itself once it is over, what a person told of it too', async () => {
    for (const damage of [harm, spoil]) {
      const [order, neighbour] = [await openOrder(world), await openOrder(world)];
      await damage(order.id);
      const failed = webhook(order.providerOrderId, { type: 'payment.failed', paymentId: `pay-f-${order.id}` });
      const paid = operator(order.id, captured(`pay-${order.id}`));
      for (const told of [failed, paid]) expect(await world.dispatch(told)).toMatchObject({ verdict: 'parked' });
      const fine = webhook(neighbour.providerOrderId, captured(`pay-${neighbour.id}`));
      await world.dispatch(fine);
      const run = deps();
      await decideReadable(run);
      await decideReadable(run);
      expect(await rowOf(paid.eventKey)).toMatchObject({ verdict: 'parked', attempts: 0 });
      await mend(order.id);
      await decideReadable(run);
      const verdicts = [(await rowOf(failed.eventKey)).verdict, (await rowOf(paid.eventKey)).verdict];
      expect(verdicts).toEqual(['applied', 'applied']);
      const [row] = await world.sql`select state from orders where id = ${order.id}`;
      expect(row?.state).toBe('subscribed');
    }
    await expectSoundBooks(world.sql);
  });

  test('stays for a person when it is its own bytes that cannot be read', async () => {
    const broken = { ...stranger(), event: null, because: 'undecodable' as const };
    await world.dispatch(broken);
    await decideReadable(deps());
    await rounds(deps(), DAY);
    expect(await rowOf(broken.eventKey)).toMatchObject({ verdict: 'parked', attempts: 0 });
  });
});

describe('ten thousand unmatched events due at once', () => {
  test('are all tried, a page at a time, past one that the database refuses', async () => {
    const told = stranger(captured('pay-storm'));
    await world.dispatch(told);
    await copyEvents(world, told.eventKey, 9_999);
    const culprit = `${told.eventKey}_5000`;
    refusals.push(await refuse(world.sql, 'inbox', { when: `new.event_key = '${culprit}'`, message: 'not this one' }));
    let underWay = 0;
    let most = 0;
    let tries = 0;
    const dispatch: Dispatch = async envelope => {
      underWay += 1;
      most = Math.max(most, underWay);
      if (envelope.eventKey === culprit) tries += 1;
      try {
        return await world.dispatch(envelope);
      } finally {
        underWay -= 1;
      }
    };
    const run = deps({ dispatch: company(dispatch) });
    await rounds(run, 10 * SECOND);
    const due = () =>
      world.sql`select event_key from inbox where verdict = 'unmatched' and next_attempt_at <= ${world.clock()}`;
    expect((await due()).map(row => row.event_key)).toEqual([culprit]);
    expect(most).toBeLessThanOrEqual(50);
    await retryUnmatched(run);
    expect(tries, 'left alone for a while').toBe(1);
    await refusals.pop()!.remove();
    await world.sql`delete from inbox where verdict = 'unmatched' and event_key <> ${culprit}`;
    await rounds(run, 11 * MINUTE);
    expect((await rowOf(culprit)).verdict).toBe('foreign');
  });
});
