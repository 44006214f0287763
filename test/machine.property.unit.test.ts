// Any list of events, in any order and however often each is told, keeps the order's invariants. fast-check prints the
// seed and the shortest list it finds; MACHINE_SEED
// replays it, MACHINE_RUNS searches longer.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { transition } from 'xstate';
import { type Decision, decide, decideCreation, type Step } from '../machines/decide.ts';
import { type Effect, withRefundsSetAside } from '../machines/effects.ts';
import { orderChart } from '../machines/order.ts';
import type { OrderContext } from '../machines/orderContext.ts';
import type { OrderCreated, OrderEvent } from '../machines/orderEvents.ts';
import type { EffectsAsked } from '../machines/orderSetup.ts';
import { type LiveOrder, readOrder, stateName, storedForm } from '../machines/snapshot.ts';
import { noSubscription, type Subscription } from '../machines/subscription.ts';
import { expectMoneyExplained, expectNoForgottenMoney, expectOneGrant } from './support/books.ts';
import {
  askRetry,
  begin,
  committed,
  expectConsistent,
  ORDER_ID,
  orderFor,
  stamped,
  type Told,
  type World,
} from './support/given.ts';
import { creations, histories } from './support/histories.ts';

const RUNS = Number(process.env.MACHINE_RUNS ?? 1_500);
const seed = process.env.MACHINE_SEED ? Number(process.env.MACHINE_SEED) : undefined;
const settings = { numRuns: RUNS, ...(seed !== undefined && { seed }) };

type Lived = { order: LiveOrder; subscription: Subscription; decisions: Decision[] };

/** The order's life, every decision checked as it is made. */
function live(created: OrderCreated, history: readonly Told[]): Lived {
  const born = begin(created);
  let world = born.world;
  const decisions = [born.decision];
  const effects: Effect[] = [];
  for (const next of history) {
    const event = stamped(next, world.order);
    const decision = decide(world.order, event, world.subscription);
    expectConsistent(world.order, decision);
    expectAsTheEngine(world.order, event, decision);
    if (decision.verdict === 'illegal') expect(event.type).toMatch(/\.requested$/);
    world = committed(world, decision);
    decisions.push(decision);
    effects.push(...decision.steps.flatMap(step => step.effects));
    expect(stateName(world.order), 'the resting state').not.toBe('captured');
    expectOneGrant(world);
    expectMoneyExplained(world, effects);
    expectNoForgottenMoney(world);
    expectPassedOnIsNotKept(world, effects);
  }
  return { ...world, decisions };
}

/** What was passed on is in no books here, and an effect names it: the money is somebody's. */
function expectPassedOnIsNotKept({ order }: World, effects: readonly Effect[]): void {
  const { passedOn, payments } = order.state.context;
  expect(passedOn.length, 'each is passed on once').toBe(new Set(passedOn).size);
  for (const id of passedOn) {
    expect(payments.map(({ paymentId }) => paymentId)).not.toContain(id);
    expect(effects.filter(({ effect, payload }) => effect === 'open' && payload.paymentId === id)).toHaveLength(1);
  }
}

/** What `decide` makes of an event is what XState's own `transition` makes of it: the same state, the same data to act on. */
function expectAsTheEngine(before: LiveOrder, event: OrderEvent, decision: Decision): void {
  if (event.type === 'deadline.passed') return;
  const [state, actions] = transition(orderChart, before.state, event);
  const told = actions.flatMap(({ type, params }) =>
    type === 'effect' ? [params as unknown as EffectsAsked].flat() : [],
  );
  const [first] = decision.steps;
  if (!first) {
    expect(state).toBe(before.state);
    return;
  }
  expect({ value: first.snapshot.value, context: first.snapshot.context }).toEqual({
    value: state.value,
    context: withSetAside(state.context, first),
  });
  if (event.type === 'retry.requested' && event.dead) return;
  // Nothing the chart asks for is lost, and what it asks for twice is done once.
  expect(first.effects.map(({ effect, payload }) => ({ effect, payload }))).toEqual(
    told.map(({ effect, payload }) => ({ effect, payload })),
  );
}

/** The engine knows no keys of effects: the money of refunds is set aside by `decide`, in the payments alone. */
const withSetAside = (context: OrderContext, { effects }: Step): OrderContext => ({
  ...context,
  payments: withRefundsSetAside(context.payments, effects),
});

/** Every snapshot goes through the disk, as between two processes. */
const fromDisk = (order: LiveOrder): LiveOrder =>
  readOrder({
    id: order.id,
    version: order.version,
    machine: order.machine,
    snapshot: JSON.parse(JSON.stringify(storedForm(order))),
  });

/** What the integrity check does: the events of the transitions alone, through the machine again. */
function replay(events: readonly (OrderCreated | OrderEvent)[]): LiveOrder {
  const [created, ...rest] = events;
  if (created?.type !== 'order.created') throw new Error('an order begins with its creation');
  let subscription = noSubscription(created.userId, created.plan.product);
  const born = decideCreation(ORDER_ID, created, subscription);
  let order = fromDisk(born.order);
  subscription = born.grant?.subscription ?? subscription;
  for (const event of rest) {
    // The grant's record follows by itself from the event before it.
    if (event.type === 'order.created' || (event.type === 'grant.recorded' && stateName(order) === 'subscribed'))
      continue;
    const decision = decide(order, event, subscription);
    order = fromDisk(decision.order);
    subscription = decision.grant?.subscription ?? subscription;
  }
  return order;
}

test('any order and duplication of any events keeps the invariants, and the transitions replay to the letter', () => {
  const seen = new Map<string, number>();
  const count = (what: string) => seen.set(what, (seen.get(what) ?? 0) + 1);
  fc.assert(
    fc.property(creations, histories, (created, history) => {
      const { order, decisions } = live(created, history);
      const steps = decisions.flatMap(decision => decision.steps);
      expect(steps.map(step => step.version)).toEqual(steps.map((_, index) => index + 1));
      expect(steps.map(step => step.from)).toEqual([null, ...steps.slice(0, -1).map(step => step.to)]);
      expect(order.version).toBe(steps.length);
      const replayed = replay(steps.map(step => step.event));
      expect(replayed.version).toBe(order.version);
      expect(JSON.stringify(storedForm(replayed))).toBe(JSON.stringify(storedForm(order)));
      for (const step of steps) count(step.to);
      for (const decision of decisions) count(decision.verdict);
      for (const decision of decisions) if (decision.grant) count(decision.grant.change);
      if (order.state.context.passedOn.length > 0) count('passed on');
    }),
    settings,
  );
  // A generator that never gets anywhere proves nothing.
  const rare = ['refunded', 'restore', 'revoke', 'surplus', 'passed on'];
  const common = ['created', 'authorized', 'captured', 'subscribed', 'failed', 'parked', 'give'];
  const verdicts = ['applied', 'duplicate', 'stale', 'illegal', 'mismatch'];
  // What comes a dozen times on the average comes seven times by chance, and never not at all.
  for (const what of rare) expect(seen.get(what) ?? 0, `times ${what} was seen`).toBeGreaterThan(0);
  for (const what of [...common, ...verdicts])
    expect(seen.get(what) ?? 0, `times ${what} was seen`).toBeGreaterThan(RUNS / 20);
});

test('a commit that stopped at captured at any time ends the same once the grant can be written', () => {
  fc.assert(
    fc.property(histories, fc.infiniteStream(fc.boolean()), (history, fails) => {
      let { world } = begin(orderFor());
      const refuse = fails[Symbol.iterator]();
      for (const next of history) {
        const decision = decide(world.order, stamped(next, world.order), world.subscription);
        const cut = decision.steps.findIndex(step => step.event.type === 'grant.recorded');
        const prefix = decision.steps[cut - 1];
        if (prefix && refuse.next().value) {
          const { version, snapshot } = prefix;
          world = { ...world, order: readOrder({ id: ORDER_ID, machine: world.order.machine, version, snapshot }) };
        } else world = committed(world, decision);
      }
      if (stateName(world.order) === 'captured') {
        const retried = decide(world.order, stamped(askRetry(), world.order), world.subscription);
        world = committed(world, retried);
        expect(stateName(world.order)).toBe('subscribed');
      }
      expectOneGrant(world);
    }),
    settings,
  );
});
