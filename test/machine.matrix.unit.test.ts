// Every state meets every event, in every variant: none is silent, only requests are illegal, what is not applied leaves
// the order untouched, and every snapshot that is reached survives the disk.
import { describe, expect, test } from 'vitest';
import { decide } from '../machines/decide.ts';
import { type OrderEvent, type OrderEventType, orderEventSchema, REQUEST_TYPES } from '../machines/orderEvents.ts';
import { ORDER_STATES } from '../machines/orderStates.ts';
import {
  type LiveOrder,
  readOrder,
  SnapshotUnreadable,
  type StoredSnapshot,
  stateName,
  storedForm,
} from '../machines/snapshot.ts';
import { expectOneGrant } from './support/books.ts';
import {
  askCancel,
  askRefund,
  askRetry,
  authorized,
  begin,
  canceled,
  captured,
  committed,
  deadline,
  dispute,
  expectConsistent,
  failed,
  given,
  givenOrder,
  grantFails,
  opened,
  openedAs,
  orderFor,
  PLAN,
  recorded,
  refund,
  refused,
  stamped,
  standing,
  type Told,
  trial,
  type World,
} from './support/given.ts';

/** The payments that `standing` and the histories below speak of, and one that nobody has heard of. */
const PAYMENTS = ['pay_1', 'pay_a', 'pay_w', 'pay_new'];
const ODD = { amountMinor: 100 };
const EVENTS: Record<OrderEventType, Told[]> = {
  'checkout.opened': [opened, openedAs('sbo_2')],
  'checkout.refused': [refused],
  'payment.authorized': PAYMENTS.flatMap(id => [
    authorized(id),
    authorized(id, ODD),
    authorized(id, { ownedBy: 'ord_0' }),
  ]),
  'payment.captured': PAYMENTS.flatMap(id => [
    captured(id),
    captured(id, ODD),
    captured(id, { ownedBy: 'ord_0' }),
    captured(id, { currency: 'USD' }),
  ]),
  'payment.failed': [failed(), failed('pay_f'), ...PAYMENTS.map(id => failed(id))],
  'payment.canceled': [canceled(), ...PAYMENTS.map(id => canceled(id))],
  'refund.updated': PAYMENTS.flatMap(id =>
    (['pending', 'completed', 'failed'] as const).flatMap(state => [
      refund(id, state),
      refund(id, state, ODD),
      { ...refund(id, state, ODD), requestKey: 'ord_1:refund:5' } as Told,
    ]),
  ),
  'dispute.updated': PAYMENTS.flatMap(id =>
    (['opened', 'won', 'lost'] as const).flatMap(state => [dispute(id, state), dispute(id, state, ODD)]),
  ),
  'refund.requested': [
    askRefund(),
    askRefund({ amountMinor: 1 }),
    ...PAYMENTS.map(paymentId => askRefund({ paymentId })),
  ],
  'cancel.requested': [askCancel],
  'retry.requested': [askRetry(), askRetry([{ effect: 'close', dedupKey: 'ord_1:close', payload: {} }])],
  'deadline.passed': [deadline(), deadline({ afterMs: -1 }), deadline({ setAtVersion: 99 })],
  'grant.recorded': [recorded],
};
const extending = orderFor({ plan: { ...PLAN, surplusPolicy: 'extend' } });
/** Several ways into each state, because what an order has heard decides as much as where it stands. */
const WORLDS: [string, World][] = [
  ['never opened', begin(orderFor()).world],
  ['a trial', begin(trial).world],
  ...Object.entries(standing).map(([name, history]): [string, World] => [name, given(...history).world]),
  ['authorized beside wrong money', given(...standing.parked, authorized('pay_a')).world],
  ['captured with a surplus', given(captured('pay_1'), captured('pay_a')).world],
  [
    'captured without grant after a refund that failed',
    given(refund('pay_1'), captured('pay_1'), grantFails(refund('pay_1', 'failed'))).world,
  ],
  ['subscribed with an open dispute', given(captured('pay_1'), dispute('pay_1', 'opened')).world],
  ['failed and voided', given(authorized('pay_a'), canceled('pay_a')).world],
  ['failed after its money went back', given(...standing.parked, refund('pay_w', 'completed', ODD)).world],
  ['parked with a reservation', given(authorized('pay_a'), captured('pay_w', ODD)).world],
  ['parked for a reservation', given(authorized('pay_w', ODD)).world],
  ['refunded before it was granted', given(refund('pay_1'), captured('pay_1')).world],
  ['refunded with wrong money', given(...standing.refunded, captured('pay_w', ODD)).world],
  ['subscribed and passing payments on', givenOrder(extending, opened, captured('pay_1'), captured('pay_a')).world],
  ['subscribed with a refund asked for', given(captured('pay_1'), askRefund({ amountMinor: 100 })).world],
  ['refunded by a dispute', given(captured('pay_1'), dispute('pay_1', 'lost')).world],
];
const FACTS = (Object.keys(EVENTS) as OrderEventType[]).filter(
  type => !(REQUEST_TYPES as readonly string[]).includes(type),
);

test('the matrix is whole: every event type, every state', () => {
  const known = orderEventSchema.options.map(option => option.shape.type.value);
  expect(Object.keys(EVENTS).sort()).toEqual([...known].sort());
  expect(new Set(WORLDS.map(([, { order }]) => stateName(order)))).toEqual(new Set(ORDER_STATES));
});

describe.each(WORLDS)('%s', (_, world) => {
  test.each(Object.entries(EVENTS))('answers %s', (type, variants) => {
    for (const told of variants) {
      const event = stamped(told, world.order);
      expect(orderEventSchema.safeParse(event).error).toBeUndefined();
      const decision = decide(world.order, event, world.subscription);
      expectConsistent(world.order, decision);
      if (decision.verdict === 'illegal') {
        expect(REQUEST_TYPES, 'only requests are illegal').toContain(type);
        expect(decision.detail, 'and the answer says why').toBeTruthy();
      }
      expect(stateName(decision.order), 'never rests in captured after it was told of a grant').not.toSatisfy(
        (state: string) => state === 'captured' && decision.steps.length > 0,
      );
      expectOneGrantWhereKnown(committed(world, decision));
      for (const step of decision.steps) expectSurvivesTheDisk(step.snapshot, decision.order);
    }
  });

  test('the same told again at once is never applied', () => {
    for (const told of FACTS.flatMap(type => EVENTS[type])) {
      const event = stamped(told, world.order);
      const first = decide(world.order, event, world.subscription);
      if (first.steps.length === 0 || 'ownedBy' in event || isAttemptWithoutName(event)) continue;
      const again = decide(first.order, event, committed(world, first).subscription);
      expect(['duplicate', 'stale'], `${event.type} again`).toContain(again.verdict);
    }
  });

  test('the same event gives the same decision, to the letter', () => {
    for (const told of Object.values(EVENTS).flat()) {
      const event = stamped(told, world.order);
      const [one, two] = [1, 2].map(() => JSON.stringify(decide(world.order, event, world.subscription)));
      expect(one).toBe(two);
    }
  });

  test("refuses the engine's own events", () => {
    for (const type of ['xstate.init', 'xstate.stop', world.order.deadline?.event ?? 'xstate.after.x']) {
      expect(() => decide(world.order, { type } as unknown as OrderEvent, world.subscription)).toThrow(/engine's own/);
    }
  });
});

/** Two failures that name no payment may be two attempts. */
const isAttemptWithoutName = (event: OrderEvent) => event.type === 'payment.failed' && event.paymentId === undefined;

/** A resting `captured` exists only after a commit's prefix; there the grant is rightly missing. */
function expectOneGrantWhereKnown(world: World): void {
  if (stateName(world.order) !== 'captured') expectOneGrant(world);
}

function expectSurvivesTheDisk(snapshot: StoredSnapshot, { id, machine, version }: LiveOrder): void {
  const read = readOrder({ id, machine, version, snapshot: JSON.parse(JSON.stringify(snapshot)) });
  expect(storedForm(read)).toEqual(snapshot);
  expect(JSON.stringify(storedForm(read))).toBe(JSON.stringify(snapshot));
}

test('an event no chart knows is a bug and thrown', () => {
  const { order, subscription } = given().world;
  expect(() => decide(order, { type: 'order.created', at: '' } as unknown as OrderEvent, subscription)).toThrow(
    /silent/,
  );
});

test('a snapshot that was written before refunds and surplus payments were remembered is read as it was meant', () => {
  const { order } = given(captured('pay_1'), refund('pay_1', 'pending', ODD)).world;
  const good = JSON.parse(JSON.stringify(storedForm(order)));
  const { passedOn: _, ...context } = good.context;
  context.payments = context.payments.map(({ asked: __, ...payment }: Record<string, unknown>) => payment);
  const read = readOrder({ id: order.id, machine: order.machine, version: 4, snapshot: { ...good, context } });
  expect(storedForm(read)).toEqual(good);
  expect(read.state.context).toMatchObject({ passedOn: [], payments: [{ asked: [] }] });
});

describe('a snapshot that cannot be read is never guessed', () => {
  const { order } = given(captured('pay_1')).world;
  const stored = (snapshot: unknown, machine = order.machine) => ({ id: order.id, version: 4, machine, snapshot });
  const good = storedForm(order);
  const { granted: _, ...withoutGranted } = good.context;
  test.each([
    ['a chart nobody registered', stored(good, 'order.v0')],
    ['a chart named like a part of every object', stored(good, 'constructor')],
    ['a state that was removed', stored({ ...good, value: 'expired' })],
    ['a value that is empty', stored({ ...good, value: {} })],
    ['no value', stored({ ...good, value: undefined })],
    ['a context field that is missing', stored({ ...good, context: withoutGranted })],
    ['an amount that is no number', stored({ ...good, context: { ...good.context, amountMinor: '49900' } })],
    ['a chart that has ended', stored({ ...good, status: 'done' })],
    [
      'a deadline without an instant',
      stored({ ...good, deadline: { id: 'x', event: 'y', dueAt: 'soon', setAtVersion: 1 } }),
    ],
    ['text', stored('{}')],
    ['nothing', stored(null)],
  ])('%s', (_, row) => {
    expect(() => readOrder(row)).toThrow(SnapshotUnreadable);
    expect(() => readOrder(row)).toThrow(`order ord_1 (${row.machine}, version 4)`);
  });
});
