// The decision: an order and one event in, what is to be written out. Pure; the only caller of XState's transitions.
// The engine runs nothing: every action that is not an assignment comes back as data and is read here by its type.
import type { AnyActorScope } from 'xstate';
import { type Effect, effectsOf, noticesOfGrant, withRefundsSetAside } from './effects.ts';
import { counts, heldMinor, type PaymentRecord } from './money.ts';
import type { OrderContext } from './orderContext.ts';
import type { OrderCreated, OrderEvent } from './orderEvents.ts';
import type { Answer, GrantParams } from './orderSetup.ts';
import { type Deadline, type LiveOrder, type StoredSnapshot, stateName, storedForm } from './snapshot.ts';
import { type GrantChange, give, restore, revoke, type Subscription } from './subscription.ts';
import { CURRENT_MACHINE_ID, chartOf } from './versions.ts';

/**
 * A payment that we hear of within this time, in ms, is granted from its own instant. One that we hear of later is granted
 * from the decision on, because nobody should pay for days on which we gave no access.
 */
const LEARNED_IN_TIME_MS = 3_600_000;

/** One transition, with everything that is true right after it, so that a commit may also stop here. */
export type Step = {
  event: OrderCreated | OrderEvent;
  from: string | null;
  to: string;
  version: number;
  snapshot: StoredSnapshot;
  wakeAt: Date | null;
  effects: Effect[];
};

export type Decision = {
  verdict: Answer['verdict'];
  detail: string | null;
  steps: Step[];
  /** The order afterwards; the same object when nothing was applied. */
  order: LiveOrder;
  /** The payments that changed. */
  money: PaymentRecord[];
  grant: GrantChange | null;
};

type Chart = NonNullable<ReturnType<typeof chartOf>>;
type Action = { type: string; params?: unknown };
type Moved = { order: LiveOrder; actions: Action[]; answer: Answer; step: Step | null };

/** Makes an order: transition 1 and, for orders that cost nothing, the grant at once. */
export function decideCreation(id: string, created: OrderCreated, subscription: Subscription): Decision {
  const { order, step } = begin(id, CURRENT_MACHINE_ID, created);
  return withGrant(
    { verdict: 'applied', detail: null, steps: [step], order, money: [], grant: null },
    subscription,
    created.at,
  );
}

/** Transition 1 alone. @throws Error when no chart of that name is registered */
export function begin(id: string, machine: string, created: OrderCreated): { order: LiveOrder; step: Step } {
  const chart = chartOf(machine);
  if (!chart) throw new Error(`no chart named ${machine} is registered`);
  const [state, actions] = initialTransition(chart, created);
  const born: LiveOrder = { id, version: 1, machine, state, deadline: null };
  const order = { ...born, deadline: nextDeadline(born, actions, created.at) };
  return { order, step: stepOf(order, created, null, effectsOf(order, created, actions, null)) };
}

/**
 * What becomes of this event, and what is to be written. `subscription` is the row the order's grant belongs to; its
 * grants must be loaded (`all`) where money may go back or return.
 * @throws Error when a cell of the chart is silent, or for an event no boundary may let through: both are bugs
 */
export function decide(order: LiveOrder, event: OrderEvent, subscription: Subscription): Decision {
  if (event.type.startsWith('xstate.')) throw new Error(`${event.type} is the engine's own event`);
  const moved = move(order, event);
  const decision: Decision = {
    verdict: moved.answer.verdict,
    detail: moved.answer.detail ?? null,
    steps: moved.step ? [moved.step] : [],
    order: moved.order,
    money: changedPayments(order, moved.order),
    grant: grantOf(moved, subscription, event.at),
  };
  return withGrant(decision, subscription, event.at);
}

/**
 * One event without the grant that `decide` lets follow it, for replays: among stored transitions the grant has an event of
 * its own. The step is null when the chart answers without moving.
 * @throws Error like `decide`
 */
export function walk(order: LiveOrder, event: OrderEvent): { order: LiveOrder; step: Step | null } {
  if (event.type.startsWith('xstate.')) throw new Error(`${event.type} is the engine's own event`);
  const { order: after, step } = move(order, event);
  return { order: after, step };
}

/** An order that enters `captured` is granted at once: two transitions, which one commit writes together. */
function withGrant(decision: Decision, subscription: Subscription, at: string): Decision {
  if (decision.steps.length === 0 || stateName(decision.order) !== 'captured') return decision;
  const recorded = move(decision.order, { type: 'grant.recorded', at });
  if (!recorded.step) throw new Error(`order ${decision.order.id} refused its own grant`);
  const grant = grantOf(recorded, subscription, at);
  if (grant)
    recorded.step.effects.push(
      ...noticesOfGrant(recorded.order, recorded.order.state.context, grant, subscription, at),
    );
  return { ...decision, steps: [...decision.steps, recorded.step], order: recorded.order, grant };
}

function move(order: LiveOrder, event: OrderEvent): Moved {
  const chart = chartOf(order.machine);
  if (!chart) throw new Error(`order ${order.id} was read with a chart that is gone`);
  const heard =
    event.type === 'deadline.passed' && isDue(order.deadline, event) ? { type: order.deadline.event } : event;
  const [state, actions] = transition(chart, order.state, heard);
  if (state === order.state && actions.length === 0) {
    throw new Error(`${order.machine} is silent on ${event.type} in ${stateName(order)}`);
  }
  const answer = lastParams<Answer>(actions, 'answer') ?? { verdict: 'applied' };
  if (answer.verdict !== 'applied' && answer.verdict !== 'mismatch' && answer.verdict !== 'surplus') {
    return { order, actions, answer, step: null };
  }
  const place = { id: order.id, version: order.version + 1 };
  const effects = effectsOf(place, event, actions, order.state.context);
  const next = { ...order, state: withRefundsRemembered(chart, state, effects), version: place.version };
  const moved = { ...next, deadline: nextDeadline({ ...next, deadline: order.deadline }, actions, event.at) };
  return { order: moved, actions, answer, step: stepOf(moved, event, stateName(order), effects) };
}

/**
 * Sets the money of every refund among these effects aside, under the effect's key. Done here, in the step that asks for
 * the refund, and not by the chart's cells, so that no cell can forget it.
 */
function withRefundsRemembered(
  chart: Chart,
  state: LiveOrder['state'],
  effects: readonly Effect[],
): LiveOrder['state'] {
  const { context } = state;
  const payments = withRefundsSetAside(context.payments, effects);
  if (payments === context.payments) return state;
  return chart.resolveState({ value: state.value, context: { ...context, payments } });
}

/**
 * This and `transition` do what XState's functions of the same names do, without the actor that those make for every call
 * and never start: making it costs twice as much as the step (decision 0008). The chart has no children and invokes
 * nothing, so all that the engine needs of an actor is a place to leave its actions.
 */
function initialTransition(chart: Chart, created: OrderCreated): [LiveOrder['state'], Action[]] {
  const actions: Action[] = [];
  return [chart.getInitialSnapshot(inertScope(actions), created), actions];
}

function transition(chart: Chart, state: LiveOrder['state'], event: { type: string }): [LiveOrder['state'], Action[]] {
  const actions: Action[] = [];
  // The engine's own timer events are not part of the chart's declared events, hence the cast.
  return [chart.transition(state, event as OrderEvent, inertScope(actions)), actions];
}

function inertScope(actions: Action[]): AnyActorScope {
  const scope = {
    self: {},
    system: { _sendInspectionEvent: () => {} },
    actionExecutor: (action: Action) => void actions.push(action),
  };
  return scope as unknown as AnyActorScope;
}

function isDue(deadline: Deadline | null, event: OrderEvent & { type: 'deadline.passed' }): deadline is Deadline {
  return (
    deadline !== null &&
    deadline.id === event.deadline &&
    deadline.setAtVersion === event.setAtVersion &&
    event.at >= deadline.dueAt
  );
}

/**
 * The deadline after these actions: the engine announces a timer as `xstate.raise` with a delay and withdraws it by
 * `xstate.cancel`.
 */
function nextDeadline(order: LiveOrder, actions: readonly Action[], at: string): Deadline | null {
  let deadline = order.deadline;
  for (const action of actions) {
    if (action.type === 'xstate.cancel') deadline = null;
    if (action.type !== 'xstate.raise') continue;
    const { event, delay } = action.params as { event: { type: string }; delay: number };
    const id = event.type.slice('xstate.after.'.length, event.type.indexOf(`.${order.machine}.`));
    const dueAt = new Date(Date.parse(at) + delay).toISOString();
    deadline = { id, event: event.type, dueAt, setAtVersion: order.version };
  }
  return deadline;
}

function stepOf(order: LiveOrder, event: OrderCreated | OrderEvent, from: string | null, effects: Effect[]): Step {
  return {
    event,
    from,
    to: stateName(order),
    version: order.version,
    snapshot: storedForm(order),
    wakeAt: order.deadline ? new Date(order.deadline.dueAt) : null,
    effects,
  };
}

function changedPayments(before: LiveOrder, after: LiveOrder): PaymentRecord[] {
  const old = before.state.context.payments;
  return after.state.context.payments.filter(payment => !old.includes(payment));
}

function grantOf(moved: Moved, subscription: Subscription, at: string): GrantChange | null {
  const change = moved.step && lastParams<GrantParams>(moved.actions, 'grant')?.change;
  if (!change) return null;
  const { context } = moved.order.state;
  if (change === 'restore') return restore(subscription, moved.order.id);
  // A refund that was heard before the grant was ever written leaves nothing to revoke.
  if (change === 'revoke')
    return context.granted ? revoke(subscription, moved.order.id, new Date(at), 'refunded') : null;
  const paying = payingPayment(context);
  const bought = {
    orderId: moved.order.id,
    provider: context.provider,
    paymentId: paying?.paymentId ?? null,
    baseAt: baseAt(paying, at),
    months: context.plan.months,
    days: context.plan.days,
    graceDays: context.plan.graceDays,
    grantedAt: new Date(at),
  };
  return give(subscription, bought, context.kind);
}

/** The payment that buys the grant: the one that fits and still holds its money, the latest of several. */
function payingPayment(context: OrderContext): PaymentRecord | undefined {
  return context.payments.findLast(payment => counts(payment) && heldMinor(payment) > 0);
}

/** The instant from which the grant counts: that of the payment where it is recent, else that of the decision. */
function baseAt(paying: PaymentRecord | undefined, at: string): Date {
  const decidedAt = Date.parse(at);
  const paidAt = paying?.asOf ? Date.parse(paying.asOf) : decidedAt;
  return new Date(decidedAt - paidAt <= LEARNED_IN_TIME_MS ? Math.min(paidAt, decidedAt) : decidedAt);
}

/** The parameters of the last action of this type; undefined when there is none. */
function lastParams<P>(actions: readonly Action[], type: string): P | undefined {
  return actions.findLast(action => action.type === type)?.params as P | undefined;
}
