// A batch between load and commit: each event is decided on the order as the events before it left it, and the rows that
// follow are gathered in groups that must be written together. Nothing here waits or reads a clock.
import type { Loaded, LoadedOrder } from '../../db/load.ts';
import type { CommitGroup, InboxWrite, PaymentWrite, TransitionWrite } from '../../db/writes.ts';
import { type Decision, decide, type Step } from '../../machines/decide.ts';
import { writtenEffects } from '../../machines/effects.ts';
import { counts, lostMinor, type PaymentRecord, refundedMinor } from '../../machines/money.ts';
import type { OrderEvent, UnstampedOrderEvent } from '../../machines/orderEvents.ts';
import { type LiveOrder, readOrder, SnapshotUnreadable, stateName } from '../../machines/snapshot.ts';
import { type Grant, noSubscription, type Subscription } from '../../machines/subscription.ts';
import type { NewId } from '../ids.ts';
import type { Item, Outcome } from './envelope.ts';

/** An order in this batch: as loaded, as decided so far, and what it leaves to write. */
export type OrderDraft = {
  loaded: LoadedOrder;
  /** Null when the snapshot cannot be read: then nothing of it is touched. */
  live: LiveOrder | null;
  unreadable: string | null;
  last: Step | null;
  transitions: TransitionWrite[];
  payments: Map<string, PaymentRecord>;
  effects: CommitGroup['effects'];
  inbox: Map<string, InboxWrite>;
  grantError: string | null;
  keys: Set<string>;
};

type SubscriptionDraft = { value: Subscription; expectedVersion: number; changed: boolean; grants: Map<string, Grant> };

/** One subscription with its orders: written whole or not at all. */
export type GroupDraft = {
  subscription: SubscriptionDraft;
  orders: Map<string, OrderDraft>;
  members: { item: Item; outcome: Outcome }[];
};

export type BatchDraft = {
  at: string;
  groups: Map<string, GroupDraft>;
  /** Which order a payment belongs to, as loaded and as decided in this batch. */
  owners: Map<string, string>;
  newId: NewId;
};

export function newDraft(at: string, newId: NewId): BatchDraft {
  return { at, groups: new Map(), owners: new Map(), newId };
}

/** The group and order this event belongs to, opened at its first event. */
export function placeOf(
  draft: BatchDraft,
  loaded: Loaded,
  order: LoadedOrder,
): { group: GroupDraft; order: OrderDraft } {
  const name = `${order.userId} ${order.product}`;
  let group = draft.groups.get(name);
  if (!group) {
    group = { subscription: subscriptionDraft(loaded, order), orders: new Map(), members: [] };
    draft.groups.set(name, group);
  }
  if (loaded.allGrants && !group.subscription.value.all) {
    group.subscription.value = {
      ...group.subscription.value,
      all: [...loaded.allGrants.map(grantFrom), ...group.subscription.grants.values()],
    };
  }
  let drafted = group.orders.get(order.id);
  if (!drafted) {
    drafted = orderDraft(order);
    group.orders.set(order.id, drafted);
  }
  return { group, order: drafted };
}

function orderDraft(loaded: LoadedOrder): OrderDraft {
  const empty = {
    last: null,
    transitions: [],
    payments: new Map(),
    effects: [],
    inbox: new Map(),
    grantError: null,
    keys: new Set<string>(),
  };
  try {
    const live = readOrder({ ...loaded, snapshot: JSON.parse(loaded.snapshot) });
    return { loaded, live, unreadable: null, ...empty };
  } catch (error) {
    if (error instanceof SnapshotUnreadable) return { loaded, live: null, unreadable: error.message, ...empty };
    throw error;
  }
}

function subscriptionDraft({ subscription: row, allGrants }: Loaded, order: LoadedOrder): SubscriptionDraft {
  const none = noSubscription(order.userId, order.product);
  const value: Subscription = row
    ? {
        ...none,
        version: row.version,
        grants: row.grants,
        cancelAtEnd: row.cancelAtEnd,
        fold:
          row.endsAt && row.anchorAt
            ? { anchorAt: row.anchorAt, anchorMonths: row.anchorMonths, endsAt: row.endsAt, graceDays: row.graceDays }
            : null,
        all: allGrants?.map(grantFrom) ?? null,
      }
    : none;
  return { value, expectedVersion: value.version, changed: false, grants: new Map() };
}

/** A grant row as `to_jsonb` tells it: snake case, instants as ISO texts. */
function grantFrom(row: Record<string, string | number | null>): Grant {
  const instant = (name: string) => new Date(row[name] as string);
  return {
    orderId: row.order_id as string,
    userId: row.user_id as string,
    product: row.product as string,
    seq: row.seq as number,
    provider: row.provider as string | null,
    paymentId: row.payment_id as string | null,
    baseAt: instant('base_at'),
    months: row.months as number,
    days: row.days as number,
    graceDays: row.grace_days as number,
    startsAt: instant('starts_at'),
    endsAt: instant('ends_at'),
    grantedAt: instant('granted_at'),
    revokedAt: row.revoked_at === null ? null : instant('revoked_at'),
    revokeReason: row.revoke_reason as string | null,
  };
}

/**
 * Decides one event on its order and notes what follows. `grantError` asks for the steps that end in `captured` only,
 * because the database refused the grant with that sentence.
 */
export function decideInto(
  draft: BatchDraft,
  place: { group: GroupDraft; order: OrderDraft },
  item: Item,
  loaded: Loaded,
  grantError: string | null,
): Decision {
  const { group, order } = place;
  const { event: told } = item.envelope;
  if (!order.live || !told) throw new Error('an event is decided on an order that can be read');
  const event = stampEvent(told, draft, loaded, order.loaded);
  const whole = decide(order.live, event, group.subscription.value);
  const decision = grantError === null ? whole : withoutGrant(whole, grantError);
  order.live = decision.order;
  order.last = decision.steps.at(-1) ?? order.last;
  // The error is kept only with a grant that was left out. In any other case what the database refused before is written now.
  if (decision.steps.length > 0) order.grantError = decision === whole ? null : grantError;
  decision.steps.forEach((step, index) => {
    order.transitions.push(transitionOf(order.loaded.id, step, item, index === 0));
  });
  const effects = writtenEffects(decision.steps);
  // Ids made in the same millisecond are in random order. Sorted, they tell the merchant of transitions in the order
  // they had.
  const ids = effects.map(() => draft.newId('eff')).sort();
  effects.forEach((effect, index) => {
    addEffect(order, { id: ids[index] ?? '', orderId: order.loaded.id, ...effect });
  });
  for (const payment of decision.money) {
    order.payments.set(payment.paymentId, payment);
    draft.owners.set(ownerKey(order.loaded.provider, payment.paymentId), order.loaded.id);
  }
  if (decision.grant) {
    group.subscription.value = decision.grant.subscription;
    group.subscription.changed = true;
    for (const grant of decision.grant.grants) group.subscription.grants.set(grant.orderId, grant);
  }
  return decision;
}

/**
 * The order on which an event is decided instead of the one that it names, because that order owns its payment; null when
 * the event stays. Money that goes back belongs where it came in, whatever order the provider names. A payment stays with the
 * order that it names, which then says that it belongs elsewhere.
 */
export function ownerInstead(
  event: UnstampedOrderEvent | null,
  order: { id: string } | null,
  owner: string | null,
): string | null {
  const follows = !order || event?.type === 'refund.updated' || event?.type === 'dispute.updated';
  return follows && owner !== order?.id ? owner : null;
}

export const ownerKey = (provider: string | null, paymentId: string) => `${provider} ${paymentId}`;

/** The event with what only dispatch knows: the instant, who owns the payment, which effects are dead. */
export function stampEvent(
  told: UnstampedOrderEvent,
  draft: BatchDraft,
  loaded: Loaded,
  order: LoadedOrder,
): OrderEvent {
  const event = { ...told, at: draft.at } as OrderEvent;
  if (event.type === 'payment.authorized' || event.type === 'payment.captured') {
    const owner = draft.owners.get(ownerKey(order.provider, event.paymentId)) ?? loaded.paymentOwner;
    if (owner && owner !== order.id) return { ...event, ownedBy: owner };
  }
  if (event.type === 'retry.requested' && loaded.deadEffects.length > 0) return { ...event, dead: loaded.deadEffects };
  return event;
}

/** The same decision, stopped where the money is safe and only the grant is missing. */
function withoutGrant(decision: Decision, why: string): Decision {
  const cut = decision.steps.findIndex(step => step.event.type === 'grant.recorded');
  const steps = cut < 0 ? decision.steps : decision.steps.slice(0, cut);
  const last = steps.at(-1);
  if (!last || cut < 0) return decision;
  const order = readOrder({
    id: decision.order.id,
    machine: decision.order.machine,
    version: last.version,
    snapshot: last.snapshot,
  });
  return { ...decision, detail: why, steps, order, grant: null };
}

function transitionOf(orderId: string, step: Step, item: Item, first: boolean): TransitionWrite {
  return {
    orderId,
    version: step.version,
    eventType: step.event.type,
    event: step.event,
    from: step.from,
    to: step.to,
    source: item.envelope.source,
    eventKey: first ? item.envelope.eventKey : null,
    at: step.event.at,
  };
}

function addEffect(order: OrderDraft, effect: CommitGroup['effects'][number]): void {
  if (!order.effects.some(known => known.dedupKey === effect.dedupKey)) order.effects.push(effect);
}

/** The rows of one group, as commit.ts wants them. */
export function groupWrites(group: GroupDraft): CommitGroup {
  const { subscription } = group;
  const { value } = subscription;
  const orders = [...group.orders.values()];
  return {
    orders: orders.map(order => ({
      id: order.loaded.id,
      expectedVersion: order.loaded.version,
      transitions: order.transitions,
      state: order.live ? stateName(order.live) : order.loaded.state,
      snapshot: order.last?.snapshot ?? null,
      wakeAt: order.last?.wakeAt ?? null,
      providerOrderId: order.live?.state.context.providerOrderId ?? null,
      providerSubscriptionId: order.live?.state.context.providerSubscriptionId ?? null,
      grantError: order.grantError,
    })),
    subscription: subscription.changed
      ? {
          userId: value.userId,
          product: value.product,
          expectedVersion: subscription.expectedVersion,
          grants: value.grants,
          anchorAt: value.fold?.anchorAt ?? null,
          anchorMonths: value.fold?.anchorMonths ?? 0,
          endsAt: value.fold?.endsAt ?? null,
          graceDays: value.fold?.graceDays ?? 0,
          cancelAtEnd: value.cancelAtEnd,
        }
      : null,
    grants: [...subscription.grants.values()],
    payments: orders.flatMap(order => [...order.payments.values()].map(payment => paymentWrite(order.loaded, payment))),
    effects: orders.flatMap(order => order.effects),
    inbox: orders.flatMap(order => [...order.inbox.values()]),
  };
}

function paymentWrite(order: LoadedOrder, payment: PaymentRecord): PaymentWrite {
  return {
    paymentId: payment.paymentId,
    provider: order.provider ?? '',
    orderId: order.id,
    state: payment.state,
    currency: payment.currency,
    capturedMinor: payment.state === 'captured' ? payment.amountMinor : 0,
    refundedMinor: refundedMinor(payment),
    lostMinor: lostMinor(payment),
    counts: counts(payment),
    asOf: payment.asOf,
    refunds: payment.refunds,
    disputes: payment.disputes,
  };
}
