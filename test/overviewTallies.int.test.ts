// The numbers of the overview against a naive count, after random lives: however late something was committed, however many
// replicas counted, and wherever the counting was interrupted.
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { readOverview } from '../db/inspect/overview.ts';
import { readTallyCursor } from '../db/tallies.ts';
import { countSignatureFailures } from '../src/inspector/overview/signatureFailures.ts';
import { tallyJob } from '../src/inspector/overview/tallyJob.ts';
import { seeded } from './support/databaseChecks.ts';
import {
  captured,
  createWorld,
  heldClock,
  MONTHLY,
  openOrder,
  operator,
  type World,
  webhook,
} from './support/world.ts';

const log = pino({ level: 'silent' });
const never = new AbortController().signal;
const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

let world: World;
beforeEach(async () => {
  world = await createWorld({ clock: heldClock('2026-01-31T10:00:00.000Z') });
});
afterEach(() => world.close());

const later = (ms: number) => world.clock.set(new Date(world.clock().getTime() + ms).toISOString());
const job = () => tallyJob({ db: world.db, clock: world.clock, log });
const count = () => job().run(never);
const overview = (span: '24h' | '30d' = '24h') =>
  readOverview(world.db, { now: world.clock(), span, machines: ['order.v1'], providers: ['sandbox'] });

/** What the overview should say, by reading everything. */
async function naive() {
  const { sql } = world;
  const states =
    await sql`select state, coalesce(provider, '') as provider, count(*)::int from orders group by 1, 2 order by 1, 2`;
  const [money] =
    await sql`select coalesce(sum(captured_minor), 0)::int as captured, coalesce(sum(refunded_minor), 0)::int as refunded, coalesce(sum(lost_minor), 0)::int as lost from payments`;
  const [granted] =
    await sql`select coalesce(sum(amount_minor), 0)::int as minor, count(*)::int as n from orders where state = 'subscribed'`;
  const verdicts = await sql`select verdict, count(*)::int from inbox group by 1 order by 1`;
  const [moved] = await sql`select count(*) filter (where from_state is null)::int as created,
    count(*) filter (where to_state = 'subscribed' and from_state is distinct from 'subscribed')::int as subscribed,
    count(*) filter (where to_state = 'failed' and from_state is distinct from 'failed')::int as failed from transitions`;
  return {
    states: states.map(row => ({ ...row })),
    money: {
      captured: money?.captured,
      refunded: money?.refunded,
      lost: money?.lost,
      granted: granted?.minor,
      grants: granted?.n,
    },
    verdicts: Object.fromEntries(verdicts.map(row => [row.verdict, row.count])),
    moved: { ...moved },
  };
}

async function told() {
  const { states, money, steps } = await overview('30d');
  const [inr] = money;
  const verdicts: Record<string, number> = {};
  for (const step of steps) for (const [verdict, n] of step.verdicts) verdicts[verdict] = (verdicts[verdict] ?? 0) + n;
  const sum = (of: 'created' | 'subscribed' | 'failed') => steps.reduce((total, step) => total + step[of], 0);
  return {
    states: states
      .map(({ exact: _, ...rest }) => rest)
      .sort((a, b) => (a.state + a.provider < b.state + b.provider ? -1 : 1)),
    money: {
      captured: inr?.capturedMinor ?? 0,
      refunded: inr?.refundedMinor ?? 0,
      lost: inr?.lostMinor ?? 0,
      granted: inr?.grantedMinor ?? 0,
      grants: inr?.grants ?? 0,
    },
    verdicts,
    moved: { created: sum('created'), subscribed: sum('subscribed'), failed: sum('failed') },
  };
}

const paid = async (paymentId: string) => {
  const order = await openOrder(world);
  await world.dispatch(webhook(order.providerOrderId, captured(paymentId)));
  return order;
};

describe('the overview after random lives', () => {
  test('tells what a naive count tells, counted beforehand or not', async () => {
    const { random } = seeded();
    const pick = <T>(list: readonly T[]) => list[Math.floor(random() * list.length)] as T;
    const orders: { id: string; providerOrderId: string; payments: string[] }[] = [];
    let names = 0;
    const amounts = [MONTHLY.amountMinor, MONTHLY.amountMinor, 100];
    const unknown: string[] = [];
    const steps: (() => Promise<unknown>)[] = [
      async () => orders.push({ ...(await openOrder(world)), payments: [] }),
      async () => orders.push({ ...(await openOrder(world)), payments: [] }),
      async () => {
        const order = pick(orders);
        const payment = `pay_${names++}`;
        order.payments.push(payment);
        await world.dispatch(
          webhook(order.providerOrderId, {
            ...captured(payment, pick(amounts)),
            occurredAt: new Date(world.clock().getTime() - pick([400, 4_000, 90_000])).toISOString(),
          } as ReturnType<typeof captured>),
        );
      },
      async () =>
        world.dispatch(webhook(pick(orders).providerOrderId, { type: 'payment.failed', paymentId: `pay_${names++}` })),
      async () => {
        const order = pick(orders);
        if (order.payments.length === 0) return;
        const refund = {
          type: 'refund.updated',
          paymentId: pick(order.payments),
          refundId: `rf_${Math.floor(names++ / 2)}`,
          state: pick(['pending', 'completed', 'failed'] as const),
          amountMinor: pick([100, 49_900]),
        } as const;
        await world.dispatch(webhook(order.providerOrderId, refund));
      },
      async () => {
        const order = pick(orders);
        if (order.payments.length === 0) return;
        const dispute = {
          type: 'dispute.updated',
          paymentId: pick(order.payments),
          disputeId: `dp_${Math.floor(names++ / 2)}`,
          state: pick(['opened', 'won', 'lost'] as const),
          amountMinor: 49_900,
        } as const;
        await world.dispatch(webhook(order.providerOrderId, dispute));
      },
      async () => {
        unknown.push(`sbo_unknown_${names++}`);
        await world.dispatch(webhook(unknown.at(-1)!, captured(`pay_${names++}`)));
      },
      async () => world.dispatch(operator(pick(orders).id, { type: 'cancel.requested', reason: 'asked' })),
      async () => later(pick([1_000, 20_000, 5 * MINUTE_MS, 50 * MINUTE_MS])),
      async () => later(pick([1_000, 20_000, 5 * MINUTE_MS, 50 * MINUTE_MS])),
      async () => count(),
      // Several replicas at once.
      async () => Promise.all([count(), count(), count()]),
    ];
    orders.push({ ...(await openOrder(world)), payments: [] });
    for (let step = 0; step < 220; step++) {
      await pick(steps)();
      if (step % 20 === 0) expect(await told(), `after step ${step}`).toEqual(await naive());
    }
    later(3 * HOUR_MS);
    await count();
    expect(await told()).toEqual(await naive());
    const { states } = await overview();
    expect(states.length).toBeGreaterThan(2);
  });
});

describe('what is counted beforehand', () => {
  test('holds a change of money that came after the payment was counted', async () => {
    const order = await paid('pay_1');
    later(2 * MINUTE_MS);
    await count();
    await world.dispatch(
      webhook(order.providerOrderId, {
        type: 'refund.updated',
        paymentId: 'pay_1',
        refundId: 'rf_1',
        state: 'completed',
        amountMinor: 100,
      }),
    );
    expect((await overview()).money).toMatchObject([
      { capturedMinor: 49_900, refundedMinor: 100, netMinor: 49_800, grantedMinor: 49_900 },
    ]);
    later(2 * MINUTE_MS);
    await count();
    expect((await overview()).money).toMatchObject([{ capturedMinor: 49_900, refundedMinor: 100, netMinor: 49_800 }]);
    expect((await overview()).ordersAsOf).toEqual({ at: world.clock(), now: true });
  });

  test('leaves out what may still be followed by an earlier commit', async () => {
    await paid('pay_1');
    await count();
    const [row] = await world.sql`select count(*)::int as n from tallies`;
    expect(row?.n).toBe(0);
    expect((await overview()).states).toEqual([{ state: 'subscribed', provider: 'sandbox', count: 1, exact: false }]);
  });

  test('is counted again where something was committed an hour late', async () => {
    const { id } = await paid('pay_1');
    // Its process slept: what happened at ten is not there when ten is counted.
    await world.sql`create table asleep as select * from transitions where order_id = ${id} and version > 2`;
    await world.sql`delete from transitions where order_id = ${id} and version > 2`;
    later(2 * MINUTE_MS);
    await count();
    await world.sql`insert into transitions select * from asleep`;
    await count();
    expect((await overview()).states).toMatchObject([{ state: 'created', count: 1 }]);
    later(4 * HOUR_MS);
    await count();
    expect(await told()).toEqual(await naive());
  });

  test('follows an event to the order that it was too early for', async () => {
    const { id } = await openOrder(world, { opened: false });
    await world.dispatch(webhook('sbo_early', captured('pay_early')));
    later(2 * MINUTE_MS);
    await count();
    expect((await overview()).steps.at(-1)?.verdicts).toEqual(new Map([['unmatched', 1]]));
    await world.dispatch(
      operator(id, { type: 'checkout.opened', providerOrderId: 'sbo_early' }, { source: 'checkout' }),
    );
    await world.sql`update inbox set verdict = 'applied', order_id = ${id} where verdict = 'unmatched'`;
    later(2 * MINUTE_MS);
    await count();
    const { steps, webhooks } = await overview();
    expect(steps.at(-1)?.verdicts).toEqual(new Map([['applied', 1]]));
    expect(webhooks).toMatchObject([{ provider: 'sandbox', verdicts: new Map([['applied', 1]]) }]);
  });

  test('is added once by any number of replicas, and from where the last one stopped', async () => {
    for (let i = 0; i < 5; i++) await paid(`pay_${i}`);
    later(2 * MINUTE_MS);
    await Promise.all(Array.from({ length: 4 }, count));
    await count();
    expect(await told()).toEqual(await naive());
    const before = await readTallyCursor(world.db, 'transitions');
    const stopped = new AbortController();
    stopped.abort();
    later(5 * MINUTE_MS);
    await job().run(stopped.signal);
    expect(await readTallyCursor(world.db, 'transitions')).toEqual(before);
  });

  test('says as of when it is where too much is younger to be counted for a page', async () => {
    await paid('pay_1');
    later(2 * MINUTE_MS);
    await count();
    const { id } = await openOrder(world);
    await world.sql`insert into transitions select order_id, version + n, event_type, event, 'created', 'created', source, null, at + n * interval '1 ms' from transitions, generate_series(10, 2300) n where order_id = ${id} and version = 2`;
    const { ordersAsOf, states } = await overview();
    expect(ordersAsOf).toEqual({ at: new Date(world.clock().getTime() - MINUTE_MS), now: false });
    expect(states).toMatchObject([{ state: 'subscribed', count: 1 }]);
  });
});

describe('a night on which a thousand orders are parked', () => {
  test('counts them all, tells those few that are captured exactly, and leaves to the tallies whose the many are', async () => {
    const { sql } = world;
    const [few, many] = [await paid('pay_1'), await openOrder(world)];
    await world.dispatch(webhook(many.providerOrderId, captured('pay_2', 1)));
    await sql`update orders set state = 'captured' where id = ${few.id}`;
    await sql`insert into orders select (o).* from (select jsonb_populate_record(t, jsonb_build_object('id', 'ord_' || lpad(n::text, 26, '0'),
      'provider_order_id', 'sbo_night_' || n, 'state', 'parked')) as o from orders t cross join generate_series(1, 1200) n where t.id = ${many.id}) x`;
    const { states, stuck } = await overview();
    const stuckFor = (cause: string) => stuck.find(group => group.cause === cause);
    expect(stuckFor('parked')).toMatchObject({ count: 1_201, more: false });
    expect(stuckFor('grant_failed')).toMatchObject({ count: 1, more: false });
    expect(states).toContainEqual({ state: 'captured', provider: 'sandbox', count: 1, exact: true });
    // Of those that were written past it the tallies know nothing.
    expect(states).toContainEqual({ state: 'parked', provider: 'sandbox', count: 1, exact: false });
    expect(states.filter(({ state }) => state === 'parked')).toHaveLength(1);
  });
});

describe('signature failures', () => {
  test('are known after a restart, added over processes, and written without waiting', async () => {
    const deps = { db: world.db, clock: world.clock, newId: world.newId, log };
    const first = countSignatureFailures(deps);
    for (let i = 0; i < 1_000; i++) first.failed('sandbox');
    await first.flush();
    first.failed('sandbox');
    await first.close();
    const second = countSignatureFailures(deps);
    later(HOUR_MS);
    second.failed('sandbox');
    second.failed('stripe');
    await second.close();
    const { webhooks } = await overview();
    expect(webhooks.map(({ provider, signatureFailures }) => [provider, signatureFailures])).toEqual([
      ['sandbox', 1002],
      ['stripe', 1],
    ]);
    expect(webhooks[0]?.lastFailureAt).toEqual(world.clock());
    const [rows] = await world.sql`select count(*)::int as n from signature_failures`;
    expect(rows?.n).toBe(3);
  });

  test('wait for a database that cannot be written to, a bounded number of them', async () => {
    let isDown = true;
    const db = {
      ...world.db,
      query: ((text, params) =>
        isDown ? Promise.reject(new Error('down')) : world.db.query(text, params)) as typeof world.db.query,
    };
    const counter = countSignatureFailures({ db, clock: world.clock, newId: world.newId, log });
    counter.failed('sandbox');
    await expect(counter.flush()).rejects.toThrow('down');
    for (let i = 0; i < 2_000; i++) counter.failed(`provider-${i}`);
    await expect(counter.flush()).rejects.toThrow('down');
    isDown = false;
    await counter.flush();
    await counter.close();
    const [rows] = await world.sql`select count(*)::int as n from signature_failures`;
    expect(rows?.n).toBe(300);
  });
});
