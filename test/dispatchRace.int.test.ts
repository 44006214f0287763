// Races between two service processes on one database: many deliveries of one payment, many payments of one user.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Envelope, Outcome } from '../src/dispatch/envelope.ts';
import { endOfServerLog, expectNoLastGuard, expectSoundBooks, seeded } from './support/databaseChecks.ts';
import { type DispatchProcess, startDispatchProcess } from './support/dispatchProcess.ts';
import { captured, createWorld, openOrder, type World, webhook } from './support/world.ts';

const ORDERS = 200;

let world: World;
let processes: DispatchProcess[];
let begin: number;
beforeAll(async () => {
  world = await createWorld();
  processes = await Promise.all([startDispatchProcess(world.url), startDispatchProcess(world.url)]);
});
beforeEach(async () => {
  begin = await endOfServerLog();
});
afterAll(async () => {
  await Promise.all(processes.map(process => process.close()));
  await world.close();
});

/** The browser coming back with this payment. */
const callback = (providerOrderId: string, paymentId: string): Envelope =>
  webhook(providerOrderId, captured(paymentId), { source: 'callback', eventKey: `cb:${paymentId}:captured` });

describe('two processes', () => {
  test('make one grant of two callbacks and six webhooks of each of 200 orders', async () => {
    const { shuffle } = seeded();
    const orders = await Promise.all(Array.from({ length: ORDERS }, () => openOrder(world)));
    const deliveries = orders.flatMap(({ id, providerOrderId }) => {
      const paymentId = `pay-race-${id}`;
      const hook = (name: string) => webhook(providerOrderId, captured(paymentId), { eventKey: `evt-${name}-${id}` });
      return [
        callback(providerOrderId, paymentId),
        callback(providerOrderId, paymentId),
        ...['a', 'a', 'a', 'b', 'b', 'c'].map(hook),
      ];
    });
    const outcomes = await Promise.all(shuffle(deliveries).map((envelope, index) => untilDecided(index, envelope)));
    expect(tally(outcomes)).toEqual({ applied: ORDERS, duplicate: 7 * ORDERS });
    expect(new Set(outcomes.map(outcome => outcome.state))).toEqual(new Set(['subscribed']));
    const ids = orders.map(({ id }) => id);
    const users = orders.map(({ userId }) => userId);
    const [grants] = await world.sql`select count(*)::int as n from grants where order_id = any (${ids})`;
    const [subscriptions] =
      await world.sql`select count(*)::int as n from subscriptions where user_id = any (${users})`;
    expect([grants?.n, subscriptions?.n]).toEqual([ORDERS, ORDERS]);
    const [inbox] = await world.sql`
      select sum(deliveries)::int as deliveries, count(*)::int as keys from inbox where order_id = any (${ids})`;
    expect(inbox).toEqual({ deliveries: 8 * ORDERS, keys: 4 * ORDERS });
    const [versions] = await world.sql`select min(version), max(version) from orders where id = any (${ids})`;
    expect(versions).toEqual({ min: 4, max: 4 });
    await expectSoundBooks(world.sql);
    await expectNoLastGuard(world.sql, begin);
  });

  test('extend the subscription of one user fifty times by fifty consecutive periods', async () => {
    const userId = 'fifty';
    const orders = await Promise.all(Array.from({ length: 50 }, () => openOrder(world, { userId })));
    const outcomes = await Promise.all(
      orders.map(({ id, providerOrderId }, index) =>
        untilDecided(index, webhook(providerOrderId, captured(`pay-fifty-${id}`))),
      ),
    );
    expect(tally(outcomes)).toEqual({ applied: 50 });
    const periods = await world.sql`select seq, starts_at, ends_at from grants where user_id = ${userId} order by seq`;
    expect(periods.map(period => period.seq)).toEqual(Array.from({ length: 50 }, (_, index) => index + 1));
    for (let i = 1; i < periods.length; i++) expect(periods[i]?.starts_at).toEqual(periods[i - 1]?.ends_at);
    await expectSoundBooks(world.sql);
    await expectNoLastGuard(world.sql, begin);
  });

  test('count one refund of a part once, told to both and told again', async () => {
    const order = await openOrder(world);
    const paymentId = `pay-part-${order.id}`;
    await processes[0]!.dispatch(webhook(order.providerOrderId, captured(paymentId)));
    const refund = webhook(order.providerOrderId, {
      type: 'refund.updated',
      paymentId,
      refundId: 'rfnd-part',
      state: 'completed',
      amountMinor: 10_000,
    });
    const told = await Promise.all([0, 1, 0, 1].map(index => untilDecided(index, refund)));
    expect(tally(told)).toEqual({ applied: 1, duplicate: 3 });
    expect(await processes[1]!.dispatch(refund)).toMatchObject({ verdict: 'duplicate', state: 'subscribed' });
    const [payment] = await world.sql`select refunded_minor::int from payments where payment_id = ${paymentId}`;
    expect(payment).toEqual({ refunded_minor: 10_000 });
    const [row] = await world.sql`select deliveries, verdict from inbox where event_key = ${refund.eventKey}`;
    expect(row).toEqual({ deliveries: 5, verdict: 'applied' });
    await expectSoundBooks(world.sql);
  });

  test('give one grant for a payment that two orders claim at the same moment', async () => {
    for (let round = 0; round < 20; round++) {
      const pair = await Promise.all([openOrder(world), openOrder(world)]);
      const paymentId = `pay-claimed-${round}`;
      const outcomes = await Promise.all(
        pair.map(({ providerOrderId }, index) => untilDecided(index, webhook(providerOrderId, captured(paymentId)))),
      );
      expect(tally(outcomes), `round ${round}`).toEqual({ applied: 1, mismatch: 1 });
    }
    await expectSoundBooks(world.sql);
  });
});

/** To the processes in turn; as a provider does, who delivers again when told that the service is overloaded. */
async function untilDecided(index: number, envelope: Envelope): Promise<Outcome> {
  for (;;) {
    try {
      return await processes[index % 2]!.dispatch(envelope);
    } catch (error) {
      if ((error as { code?: string }).code !== 'overloaded') throw error;
    }
  }
}

function tally(outcomes: readonly Outcome[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { verdict } of outcomes) counts[verdict] = (counts[verdict] ?? 0) + 1;
  return counts;
}
