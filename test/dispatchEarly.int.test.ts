// What was told of a payment before the payment itself: found by the payment's own load and decided with it, in as many
// statements as a payment has; and what comes between its load and its commit, found by whom and when.
import { pino } from 'pino';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { Database } from '../db/client.ts';
import { readEarly } from '../db/inbox.ts';
import { loadForDecision } from '../db/load.ts';
import { putPlan } from '../db/plans.ts';
import { withCompany } from '../src/company.ts';
import { requestOf } from '../src/dispatch/batch.ts';
import type { Envelope } from '../src/dispatch/envelope.ts';
import type { Dispatch } from '../src/dispatch.ts';
import type { PaymentProvider } from '../src/providers/provider.ts';
import { createHoldOff } from '../src/sweeper/holdOff.ts';
import { retryUnmatched } from '../src/sweeper/unmatchedEvents.ts';
import { expectSoundBooks, until } from './support/databaseChecks.ts';
import { gated, isCommit } from './support/gatedDatabase.ts';
import { captured, createWorld, MONTHLY, openOrder, operator, type World, webhook } from './support/world.ts';

const TOLD = '2026-01-31T10:00:00.000Z';
const FIRST_PAUSE_MS = 10_000;

let world: World;
beforeAll(async () => {
  world = await createWorld();
});
afterEach(async () => {
  world.clock.set(TOLD);
  await world.sql`delete from inbox where verdict in ('unmatched', 'foreign')`;
});
afterAll(() => world.close());

const log = pino({ level: 'silent' });
const company = (dispatch: Dispatch = world.dispatch, db: Database = world.db) =>
  withCompany({ ...world, db, dispatch, log });
const sweep = async (msLater: number) => {
  world.clock.set(new Date(Date.parse(TOLD) + msLater).toISOString());
  const providers = new Map([['sandbox', { onlyOurs: true } as unknown as PaymentProvider]]);
  await retryUnmatched({ ...world, dispatch: company(), providers, log, holdOff: createHoldOff(world.clock) });
};
const verdictOf = async ({ eventKey }: Envelope) => {
  const [row] = await world.sql`select verdict from inbox where event_key = ${eventKey}`;
  return row?.verdict;
};
const stateOf = async ({ id }: { id: string }) => {
  const [row] = await world.sql`select state from orders where id = ${id}`;
  return row?.state;
};

/** A refund that names its payment and nothing else, as some providers tell it. */
const refundOf = (paymentId: string): Envelope => ({
  ...webhook('', { type: 'refund.updated', paymentId, refundId: 'rf', state: 'completed', amountMinor: 49_900 }),
  providerOrderId: null,
});

/** The world's database, and every statement that went through it. */
function watched() {
  const statements: string[] = [];
  const query: Database['query'] = (text, params) => {
    statements.push(text);
    return world.db.query(text, params);
  };
  return { db: { ...world.db, query }, statements };
}

/** The world's database, which keeps the first commit waiting and lets everything else through. */
function holdingFirstCommit() {
  const gate = gated(world.db);
  let isHolding = true;
  const query: Database['query'] = (text, params) => {
    if (!isHolding || !isCommit(text)) return world.db.query(text, params);
    isHolding = false;
    return gate.db.query(text, params);
  };
  const isHeld = () => until('the commit waits', () => gate.waiting() === 1);
  return { db: { ...world.db, query }, isHeld, release: () => gate.release() };
}

describe('a payment of which nothing was told before', () => {
  test('costs one load and one commit', async () => {
    const order = await openOrder(world);
    const { db, statements } = watched();
    const dispatch = company(world.dispatcherOn(db).dispatch, db);
    await dispatch(webhook(order.providerOrderId, captured(`pay-${order.id}`)));
    expect(statements.map(isCommit)).toEqual([false, true]);
    expect(await stateOf(order)).toBe('subscribed');
  });

  test('costs no more while events of others are kept', async () => {
    const order = await openOrder(world);
    await world.dispatch(refundOf('pay-of-somebody-else'));
    await world.dispatch(webhook('sbo-of-somebody-else', captured('pay-too')));
    const { db, statements } = watched();
    await company(world.dispatcherOn(db).dispatch, db)(webhook(order.providerOrderId, captured(`pay-${order.id}`)));
    expect(statements.map(isCommit)).toEqual([false, true]);
  });
});

describe('what waits for a name', () => {
  test('is looked up by the index of that name, also by a plan that was made while nothing was stored', async () => {
    const empty = await createWorld();
    const plans: string[] = [];
    const explained: Database['query'] = async (text, params) => {
      const lines = await empty.db.query<{ 'QUERY PLAN': string }>(`explain ${text}`, params);
      plans.push(lines.map(line => line['QUERY PLAN']).join('\n'));
      return [];
    };
    const db = { ...empty.db, query: explained };
    await loadForDecision(db, [requestOf({ envelope: webhook('sbo-1', captured('pay-1')) })]);
    await readEarly(db, 'ord_1');
    await empty.close();
    const used = plans.map(plan => [
      ...plan.matchAll(/using (inbox_unmatched\w*) .*\n *Index Cond: (.*)(\n *Filter)?/g),
    ]);
    const cond = (name: string) => expect.stringMatching(new RegExp(`^\\(+${name}.* = ANY .*provider = `));
    const [payment, subscription, payer] = [
      ['inbox_unmatched_payment', cond(`event ->> 'paymentId'`), undefined],
      ['inbox_unmatched_subscription', cond(`event ->> 'subscriptionId'`), undefined],
      ['inbox_unmatched_payer', cond('payer_id'), undefined],
    ];
    const [order, mark] = [
      ['inbox_unmatched', cond('provider_order_id'), undefined],
      ['inbox_unmatched_mark', cond('mark'), undefined],
    ];
    expect(used.map(scans => scans.map(([, ...scan]) => scan))).toEqual([
      [payment, subscription, payer],
      [order, mark, subscription, payer, payment],
    ]);
  });
});

describe('what was told before', () => {
  test('of a payment is decided with it, also when it was authorised only, or is surplus', async () => {
    for (const type of ['payment.captured', 'payment.authorized'] as const) {
      for (const isSurplus of [false, true]) {
        const order = await openOrder(world);
        if (isSurplus) await world.dispatch(webhook(order.providerOrderId, captured(`pay-before-${order.id}`)));
        const paymentId = `pay-${order.id}`;
        const early = refundOf(paymentId);
        expect(await company()(early)).toMatchObject({ verdict: 'unmatched' });
        await company()(webhook(order.providerOrderId, { ...captured(paymentId), type } as Envelope['event'] & object));
        expect(await verdictOf(early), `${type}, ${isSurplus ? 'surplus' : 'first'}`).toBe('applied');
      }
    }
    await expectSoundBooks(world.sql);
  });

  test('by the stored card of a buyer, and taken for foreign since, is decided with the first payment', async () => {
    await putPlan(world.db, { ...MONTHLY, trialDays: 0 });
    const order = await openOrder(world);
    const second = { ...webhook('', captured(`pay-second-${order.id}`)), providerOrderId: null, payerId: order.userId };
    expect(await company()(second)).toMatchObject({ verdict: 'unmatched' });
    await world.sql`update inbox set verdict = 'foreign', next_attempt_at = null where event_key = ${second.eventKey}`;
    await company()(webhook(order.providerOrderId, captured(`pay-${order.id}`)));
    expect(await verdictOf(second)).toBe('applied');
    await expectSoundBooks(world.sql);
  });
});

describe('what is told between the load and the commit of the payment it belongs to', () => {
  test('is decided at once with the payment when both come to one process', async () => {
    const order = await openOrder(world);
    const { db, isHeld, release } = holdingFirstCommit();
    const dispatch = company(world.dispatcherOn(db).dispatch, db);
    const payment = dispatch(webhook(order.providerOrderId, captured(`pay-${order.id}`)));
    await isHeld();
    const between = refundOf(`pay-${order.id}`);
    expect(await dispatch(between)).toMatchObject({ verdict: 'unmatched' });
    await release();
    expect(await payment).toMatchObject({ verdict: 'applied', state: 'subscribed' });
    expect(await verdictOf(between)).toBe('applied');
    expect(await stateOf(order)).toBe('refunded');
    await expectSoundBooks(world.sql);
  });

  test('is decided by the sweeper after ten seconds when it came to another process', async () => {
    const order = await openOrder(world);
    const { db, isHeld, release } = holdingFirstCommit();
    const payment = company(
      world.dispatcherOn(db).dispatch,
      db,
    )(webhook(order.providerOrderId, captured(`pay-${order.id}`)));
    await isHeld();
    const between = refundOf(`pay-${order.id}`);
    expect(await company()(between)).toMatchObject({ verdict: 'unmatched' });
    await release();
    expect(await payment).toMatchObject({ verdict: 'applied', state: 'subscribed' });
    await sweep(FIRST_PAUSE_MS - 1);
    expect(await verdictOf(between)).toBe('unmatched');
    await sweep(FIRST_PAUSE_MS);
    expect(await verdictOf(between)).toBe('applied');
    expect(await stateOf(order)).toBe('refunded');
    await expectSoundBooks(world.sql);
  });

  test('and looks for it once more only after its commit, finds it by itself', async () => {
    const order = await openOrder(world);
    const { db, isHeld, release } = holdingFirstCommit();
    const between = refundOf(`pay-${order.id}`);
    const told = company(world.dispatcherOn(db).dispatch, db)(between);
    await isHeld();
    await company()(webhook(order.providerOrderId, captured(`pay-${order.id}`)));
    await release();
    expect(await told).toMatchObject({ verdict: 'applied', state: 'refunded' });
    await expectSoundBooks(world.sql);
  });
});

describe('a webhook told between the load and the commit of the opening of its order', () => {
  test('is decided at once with the opening, also when it came to another process', async () => {
    const order = await openOrder(world, { opened: false });
    const { db, isHeld, release } = holdingFirstCommit();
    const { id, providerOrderId } = order;
    const opening = company(
      world.dispatcherOn(db).dispatch,
      db,
    )(operator(id, { type: 'checkout.opened', providerOrderId }, { source: 'checkout' }));
    await isHeld();
    const between = webhook(providerOrderId, captured(`pay-${id}`));
    expect(await company()(between)).toMatchObject({ verdict: 'unmatched' });
    await release();
    await opening;
    expect(await verdictOf(between)).toBe('applied');
    expect(await stateOf(order)).toBe('subscribed');
    await expectSoundBooks(world.sql);
  });
});
