// Deadlines are delivered from the database alone: to every order, oldest first, once among replicas, a page at a time so
// that live traffic hardly notices, and past those that cannot be told.
import { pino } from 'pino';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Database, Param, Row } from '../db/client.ts';
import type { Envelope } from '../src/dispatch/envelope.ts';
import type { Dispatch } from '../src/dispatch.ts';
import { DatabaseUnavailable } from '../src/errors.ts';
import { passDeadlines } from '../src/sweeper/deadlines.ts';
import { createHoldOff } from '../src/sweeper/holdOff.ts';
import { expectSoundBooks, ofMost, refusal } from './support/databaseChecks.ts';
import { isCommit } from './support/gatedDatabase.ts';
import { copyOrders } from './support/manyOrders.ts';
import { type Refusal, refuse } from './support/refusals.ts';
import { captured, createWorld, MONTHLY, openOrder, patiently, type World, webhook } from './support/world.ts';

const OPENED = '2026-01-31T10:00:00.000Z';
/** The payment window is 30 min. */
const DUE = '2026-01-31T10:30:00.000Z';
const STORM = 10_000;

let world: World;
const refusals: Refusal[] = [];
beforeAll(async () => {
  world = await createWorld();
});
beforeEach(() => world.clock.set(OPENED));
afterEach(async () => {
  for (const refused of refusals.splice(0)) await refused.remove();
  await world.sql`update orders set wake_at = null where wake_at is not null`;
});
afterAll(() => world.close());

const log = pino({ level: 'silent' });
const deps = (more: { dispatch?: Dispatch; db?: Database } = {}) => ({
  db: world.db,
  dispatch: world.dispatch,
  clock: world.clock,
  log,
  holdOff: createHoldOff(world.clock),
  ...more,
});
const orders = (count: number) => Promise.all(Array.from({ length: count }, () => openOrder(world)));
const stateOf = async (id: string) => (await world.sql`select state from orders where id = ${id}`)[0]?.state;
const deadlinesOf = async (id: string) =>
  world.sql`select event_key, source, event->>'deadline' as deadline from transitions where order_id = ${id} and event_type = 'deadline.passed'`;

/** Dispatch that notes what the sweeper sends through it. */
function noted(dispatch: Dispatch = world.dispatch) {
  const sent: Envelope[] = [];
  const through: Dispatch = envelope => {
    sent.push(envelope);
    return dispatch(envelope);
  };
  return { sent, dispatch: through };
}

describe('a deadline', () => {
  test('is delivered when it is due and not a millisecond earlier, whatever state the order waits in', async () => {
    const [unpaid, reserved] = [await openOrder(world), await openOrder(world)];
    const amount = { amountMinor: MONTHLY.amountMinor, currency: MONTHLY.currency };
    const authorized = { type: 'payment.authorized' as const, paymentId: `pay-${reserved.id}`, ...amount };
    await world.dispatch(webhook(reserved.providerOrderId, authorized));
    world.clock.set('2026-01-31T10:29:59.999Z');
    await passDeadlines(deps());
    expect(await stateOf(unpaid.id)).toBe('created');
    world.clock.set(DUE);
    await passDeadlines(deps());
    expect(await stateOf(unpaid.id)).toBe('failed');
    expect(await deadlinesOf(unpaid.id)).toMatchObject([{ event_key: `deadline:${unpaid.id}:1`, source: 'sweeper' }]);
    expect(await stateOf(reserved.id)).toBe('authorized');
    world.clock.set('2026-02-28T10:00:00.000Z');
    await passDeadlines(deps());
    expect((await deadlinesOf(reserved.id)).length).toBeGreaterThan(0);
    await expectSoundBooks(world.sql);
  });

  test('is delivered once by two replicas that sweep at the same moment', async () => {
    const due = await orders(20);
    const other = world.dispatcher();
    world.clock.set(DUE);
    await Promise.all([passDeadlines(deps()), passDeadlines(deps({ dispatch: other.dispatch }))]);
    for (const { id } of due) {
      expect(await stateOf(id)).toBe('failed');
      expect((await deadlinesOf(id)).length).toBe(1);
    }
    await expectSoundBooks(world.sql);
  });

  test('shares its commit with the others of its page, because its key is its order’s alone', async () => {
    await orders(100);
    world.clock.set(DUE);
    let commits = 0;
    const db: Database = {
      ...world.db,
      query(text, params) {
        if (isCommit(text)) commits += 1;
        return world.db.query(text, params);
      },
    };
    await passDeadlines(deps({ dispatch: world.dispatcherOn(db).dispatch }));
    // One event for each of the two idle lanes, and all the others together.
    expect(commits).toBeLessThanOrEqual(5);
  });

  test('loses to the payment that comes at the same moment, or comes before it: paid is paid', async () => {
    const [order] = await orders(1);
    world.clock.set(DUE);
    await Promise.all([
      passDeadlines(deps({ dispatch: world.dispatcher().dispatch })),
      world.dispatch(webhook(order!.providerOrderId, captured(`pay-${order!.id}`))),
    ]);
    expect(await stateOf(order!.id)).toBe('subscribed');
    await expectSoundBooks(world.sql);
  });
});

describe('an order that cannot be told', () => {
  test('because it cannot be read leaves the others alone, is not asked again at once, and is told once it can be read', async () => {
    const [broken, sound] = await orders(2);
    await world.sql`update orders set machine = 'order.v0', wake_at = wake_at - interval '1 hour' where id = ${broken!.id}`;
    world.clock.set(DUE);
    const { sent, dispatch } = noted();
    const round = deps({ dispatch });
    await passDeadlines(round);
    await passDeadlines(round);
    expect(sent.map(envelope => envelope.orderId)).toEqual([sound!.id]);
    expect(await stateOf(sound!.id)).toBe('failed');
    expect((await world.sql`select from inbox where order_id = ${broken!.id}`).length, 'nothing is noted').toBe(0);
    await world.sql`update orders set machine = 'order.v1' where id = ${broken!.id}`;
    world.clock.set('2026-01-31T10:30:30.000Z');
    await passDeadlines(round);
    expect(await stateOf(broken!.id)).toBe('failed');
  });

  test('because the database refuses it costs the others nothing, and is tried again later each time', async () => {
    const [culprit, ...others] = await orders(40);
    const when = `new.order_id = '${culprit!.id}' and new.event_type = 'deadline.passed'`;
    refusals.push(await refuse(world.sql, 'transitions', { when, message: 'not this one' }));
    world.clock.set(DUE);
    const { sent, dispatch } = noted();
    const round = deps({ dispatch });
    const tries = () => sent.filter(envelope => envelope.orderId === culprit!.id).length;
    await passDeadlines(round);
    for (const { id } of others) expect(await stateOf(id)).toBe('failed');
    expect(await stateOf(culprit!.id)).toBe('created');
    await passDeadlines(round);
    expect(tries(), 'left alone for a while').toBe(1);
    world.clock.set('2026-01-31T10:30:10.000Z');
    await passDeadlines(round);
    world.clock.set('2026-01-31T10:30:20.000Z');
    await passDeadlines(round);
    expect(tries(), 'left alone for longer').toBe(2);
    await refusals.pop()!.remove();
    world.clock.set('2026-01-31T10:30:30.000Z');
    await passDeadlines(round);
    expect(await stateOf(culprit!.id)).toBe('failed');
  });

  test('because its row is due and its snapshot is not is left alone too', async () => {
    const [order] = await orders(1);
    await world.sql`update orders set wake_at = ${OPENED} where id = ${order!.id}`;
    const { sent, dispatch } = noted();
    const round = deps({ dispatch });
    await passDeadlines(round);
    await passDeadlines(round);
    expect(sent.length).toBe(1);
    expect(await stateOf(order!.id)).toBe('created');
  });

  test('because the database is away is nobody’s fault: the round ends, and the next one tells all', async () => {
    const due = await orders(3);
    world.clock.set(DUE);
    let away = true;
    const { sent, dispatch } = noted(envelope =>
      away ? Promise.reject(new DatabaseUnavailable('nobody answers')) : world.dispatch(envelope),
    );
    const round = deps({ dispatch });
    expect((await refusal(passDeadlines(round))).code).toBe('database_unavailable');
    away = false;
    await passDeadlines(round);
    for (const { id } of due) expect(await stateOf(id)).toBe('failed');
    expect(sent.length, 'nobody was left alone for it').toBe(6);
  });
});

describe(`${STORM} deadlines due at once`, () => {
  test('are all delivered, oldest first, while a live event waits behind no more than two pages of them', async () => {
    const [template] = await orders(1);
    await copyOrders(world, template!.id, STORM - 1);
    // Ten different instants, all past: the order among them is by instant.
    await world.sql`update orders set wake_at = wake_at - (length(id) + ascii(right(id, 1)) % 10) * interval '1 second', snapshot = jsonb_set(snapshot, '{deadline,dueAt}', to_jsonb(to_char((wake_at - (length(id) + ascii(right(id, 1)) % 10) * interval '1 second') at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'))) where wake_at is not null`;
    const live = await orders(30);
    await world.sql`update orders set wake_at = null where id = any (${live.map(({ id }) => id)})`;
    world.clock.set(DUE);

    let underWay = 0;
    let most = 0;
    let answered = 0;
    const dispatch: Dispatch = async envelope => {
      underWay += 1;
      most = Math.max(most, underWay);
      try {
        return await patiently(() => world.dispatch(envelope));
      } finally {
        underWay -= 1;
        answered += 1;
      }
    };
    const read: string[] = [];
    const db: Database = {
      ...world.db,
      async query<R extends Row>(text: string, params: readonly Param[]) {
        const rows = await world.db.query<R>(text, params);
        if (text.includes('"wakeAt"')) read.push(...rows.map(row => row.wakeAt as unknown as string));
        return rows;
      },
    };
    let isOver = false;
    const round = passDeadlines(deps({ dispatch, db })).finally(() => {
      isOver = true;
    });
    const overtaken: number[] = [];
    for (const order of live) {
      const before = answered;
      const paid = webhook(order.providerOrderId, captured(`pay-${order.id}`));
      const outcome = await patiently(() => world.dispatch(paid));
      if (!isOver) overtaken.push(answered - before);
      expect(outcome.state).toBe('subscribed');
    }
    await round;
    expect(answered).toBe(STORM);
    expect(most, 'never more under way than a page').toBeLessThanOrEqual(100);
    expect(overtaken.length, 'the live events came while the storm lasted').toBeGreaterThan(10);
    expect(ofMost(overtaken), 'told before a live event that came earlier').toBeLessThanOrEqual(200);
    expect(read).toEqual([...read].sort());
    const [left] = await world.sql`select count(*)::int as n from orders where wake_at is not null`;
    expect(left?.n).toBe(0);
    await expectSoundBooks(world.sql);
  });

  test('stop with the page at hand when told to', async () => {
    const [template] = await orders(1);
    await copyOrders(world, template!.id, 999);
    world.clock.set(DUE);
    const stop = new AbortController();
    const { sent, dispatch } = noted(async envelope => {
      stop.abort();
      return world.dispatch(envelope);
    });
    await passDeadlines(deps({ dispatch }), stop.signal);
    expect(sent.length).toBe(100);
    const [left] = await world.sql`select count(*)::int as n from orders where wake_at is not null`;
    expect(left?.n).toBe(900);
  });
});
