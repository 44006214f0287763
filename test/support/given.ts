// given(what the order heard before).when(an event).then(what is decided): the language of the machine's tests. Time is
// held: every event is stamped AT unless it brings its own instant, so a decision can be compared to the letter.
import { expect } from 'vitest';
import { type Decision, decide, decideCreation } from '../../machines/decide.ts';
import { writtenEffects } from '../../machines/effects.ts';
import type {
  DeadEffect,
  OrderCreated,
  OrderEvent,
  PlanTerms,
  UnstampedOrderEvent,
} from '../../machines/orderEvents.ts';
import { type LiveOrder, readOrder, stateName } from '../../machines/snapshot.ts';
import { noSubscription, type Subscription } from '../../machines/subscription.ts';

export const AT = '2026-01-31T10:00:00.000Z';
export const ORDER_ID = 'ord_1';
export const PRICE = 49900;

export const PLAN: PlanTerms = {
  id: 'pro-monthly',
  product: 'pro',
  amountMinor: PRICE,
  currency: 'INR',
  months: 1,
  days: 0,
  graceDays: 3,
  surplusPolicy: 'refund',
};

export function orderFor(more: Partial<OrderCreated> = {}): OrderCreated {
  const plan = more.plan ?? PLAN;
  return {
    type: 'order.created',
    at: AT,
    kind: 'purchase',
    userId: 'ada',
    plan,
    provider: 'sandbox',
    account: 'acc_1',
    live: false,
    amountMinor: plan.amountMinor,
    currency: plan.currency,
    ...more,
  };
}
/** An order that costs nothing: a trial. */
export const trial = orderFor({ kind: 'trial', provider: null, account: null, amountMinor: 0 });

// What an order can be told. Amounts and currency are the order's unless the test says otherwise.
type MoneyMore = { amountMinor?: number; currency?: string; account?: string; live?: boolean } & Stamps;
type Stamps = { occurredAt?: string; ownedBy?: string };
export const opened: UnstampedOrderEvent = {
  type: 'checkout.opened',
  providerOrderId: 'sbo_1',
  url: 'https://pay.example/1',
};
export const openedAs = (providerOrderId: string): UnstampedOrderEvent => ({
  type: 'checkout.opened',
  providerOrderId,
});
export const refused: UnstampedOrderEvent = { type: 'checkout.refused', reason: 'the provider said no' };
export const authorized = (paymentId: string, more: MoneyMore = {}): UnstampedOrderEvent => ({
  type: 'payment.authorized',
  paymentId,
  amountMinor: PRICE,
  currency: 'INR',
  ...more,
});
export const captured = (paymentId: string, more: MoneyMore = {}): UnstampedOrderEvent => ({
  type: 'payment.captured',
  paymentId,
  amountMinor: PRICE,
  currency: 'INR',
  ...more,
});
export const failed = (paymentId?: string, more: Stamps = {}): UnstampedOrderEvent => ({
  type: 'payment.failed',
  ...(paymentId && { paymentId }),
  ...more,
});
export const canceled = (paymentId?: string): UnstampedOrderEvent => ({
  type: 'payment.canceled',
  ...(paymentId && { paymentId }),
});
type MovedMore = { id?: string; amountMinor?: number } & Stamps;
export const refund = (
  paymentId: string,
  state: 'pending' | 'completed' | 'failed' = 'completed',
  { id = 'rf_1', ...more }: MovedMore = {},
): UnstampedOrderEvent => ({ type: 'refund.updated', paymentId, refundId: id, state, amountMinor: PRICE, ...more });
export const dispute = (
  paymentId: string,
  state: 'opened' | 'won' | 'lost',
  { id = 'dp_1', ...more }: MovedMore = {},
): UnstampedOrderEvent => ({ type: 'dispute.updated', paymentId, disputeId: id, state, amountMinor: PRICE, ...more });
export const askRefund = (more: { paymentId?: string; amountMinor?: number } = {}): UnstampedOrderEvent => ({
  type: 'refund.requested',
  reason: 'the customer asked',
  ...more,
});
export const askCancel: UnstampedOrderEvent = { type: 'cancel.requested', reason: 'the customer asked' };
export const askRetry = (dead?: DeadEffect[]): UnstampedOrderEvent => ({
  type: 'retry.requested',
  reason: 'looked at it',
  ...(dead && { dead }),
});
export const recorded: UnstampedOrderEvent = { type: 'grant.recorded' };

/** Something to tell, perhaps worked out from the order as it stands; `grantFails` keeps the commit's prefix only. */
export type Told = (UnstampedOrderEvent & { at?: string }) | ((order: LiveOrder) => OrderEvent) | { grantFails: Told };

/** The pending deadline's own event, by default at the very instant it is due. */
export const deadline =
  ({ afterMs = 0, setAtVersion }: { afterMs?: number; setAtVersion?: number } = {}): Told =>
  order => ({
    type: 'deadline.passed',
    deadline: order.deadline?.id ?? 'none',
    setAtVersion: setAtVersion ?? order.deadline?.setAtVersion ?? 1,
    at: new Date(Date.parse(order.deadline?.dueAt ?? AT) + afterMs).toISOString(),
  });
export const grantFails = (told: Told): Told => ({ grantFails: told });

export const stamped = (told: Told, order: LiveOrder): OrderEvent => {
  if (typeof told === 'function') return told(order);
  return 'grantFails' in told ? stamped(told.grantFails, order) : ({ at: AT, ...told } as OrderEvent);
};

export type World = { order: LiveOrder; subscription: Subscription };

/** An order just made, and its subscription, which nobody else uses. */
export function begin(created: OrderCreated): { world: World; decision: Decision } {
  const subscription = noSubscription(created.userId, created.plan.product);
  const decision = decideCreation(ORDER_ID, created, subscription);
  return { world: committed({ order: decision.order, subscription }, decision), decision };
}

/** The world after this decision was committed. */
export function committed(world: World, decision: Decision): World {
  return { order: decision.order, subscription: decision.grant?.subscription ?? world.subscription };
}

/** Tells one thing and commits what was decided, or only its first step when the grant cannot be written. */
export function tell(world: World, told: Told): { world: World; decision: Decision } {
  const decision = decide(world.order, stamped(told, world.order), world.subscription);
  const first = decision.steps[0];
  if (typeof told === 'function' || !('grantFails' in told) || decision.steps.length < 2 || !first) {
    return { world: committed(world, decision), decision };
  }
  const order = readOrder({
    id: ORDER_ID,
    machine: world.order.machine,
    version: first.version,
    snapshot: first.snapshot,
  });
  return { world: { ...world, order }, decision: { ...decision, order, steps: [first], grant: null } };
}

/** What a test compares: `path` is every state in order, the one before the event first. */
export type Outcome = {
  verdict: Decision['verdict'];
  path: string;
  /** The effects by their keys, without the order's id and version: `capture:pay_1`, `notify:order.failed`. */
  does?: string[];
  grant?: 'give' | 'revoke' | 'restore';
  /** The deadline that is pending afterwards. */
  waits?: string;
  detail?: string;
};

export const effectKeys = (decision: Decision) =>
  writtenEffects(decision.steps)
    .map(({ dedupKey, orderVersion }) =>
      dedupKey.replace(`${ORDER_ID}:`, '').replace(new RegExp(`:${orderVersion}$`), ''),
    )
    .sort();

export function outcomeOf(before: LiveOrder, decision: Decision): Outcome {
  const does = effectKeys(decision);
  return {
    verdict: decision.verdict,
    path: [stateName(before), ...decision.steps.map(step => step.to)].join(' → '),
    ...(does.length > 0 && { does }),
    ...(decision.grant && { grant: decision.grant.change }),
    ...(decision.order.deadline && { waits: decision.order.deadline.id }),
  };
}

/** Holds for every decision: written ⇔ applied, mismatch or surplus; the last step is the order; its dates agree. */
export function expectConsistent(before: LiveOrder, decision: Decision): void {
  const writes = ['applied', 'mismatch', 'surplus'].includes(decision.verdict);
  expect(decision.steps.length > 0, `${decision.verdict} ⇔ a step is written`).toBe(writes);
  if (!writes) {
    expect(decision.order, 'the very same order').toBe(before);
    expect([decision.grant, decision.money]).toEqual([null, []]);
    return;
  }
  const last = decision.steps.at(-1);
  expect(decision.steps.map(step => step.version)).toEqual(decision.steps.map((_, i) => before.version + 1 + i));
  expect(last).toMatchObject({ version: decision.order.version, to: stateName(decision.order) });
  expect(last?.wakeAt?.toISOString() ?? null).toBe(decision.order.deadline?.dueAt ?? null);
}

type Given = { world: World; when(told: Told): When };
type When = { world: World; decision: Decision; then(expected: Outcome): Decision };

export function givenOrder(created: OrderCreated, ...history: Told[]): Given {
  let { world } = begin(created);
  for (const told of history) world = tell(world, told).world;
  return {
    world,
    when(told) {
      const next = tell(world, told);
      return {
        ...next,
        // biome-ignore lint/suspicious/noThenProperty: never awaited; the sentence is worth the word
        then({ detail, ...expected }) {
          expectConsistent(world.order, next.decision);
          expect(outcomeOf(world.order, next.decision)).toEqual({
            ...expected,
            ...(expected.does && { does: [...expected.does].sort() }),
          });
          if (detail !== undefined) expect(next.decision.detail).toBe(detail);
          return next.decision;
        },
      };
    },
  };
}

/** A purchase that was opened at the provider, and what it heard since. */
export const given = (...history: Told[]): Given => givenOrder(orderFor(), opened, ...history);

/** A short way to each state. */
export const standing = {
  created: [],
  authorized: [authorized('pay_a')],
  captured: [grantFails(captured('pay_1'))],
  subscribed: [captured('pay_1')],
  failed: [failed('pay_f')],
  parked: [captured('pay_w', { amountMinor: 100 })],
  refunded: [captured('pay_1'), refund('pay_1')],
} satisfies Record<string, Told[]>;
