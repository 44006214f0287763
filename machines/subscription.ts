// The subscription of one user to one product: the fold of its live grants. Orders change it in three ways only: give,
// revoke, restore. Each returns the rows to write; nothing here reads a clock or a table.
import type { OrderKind } from './orderEvents.ts';
import { type Bought, type Fold, foldGrants, goesOn, step } from './periods.ts';

/** This order bought this period. Its facts never change; the dates are the fold's answer. */
export type Grant = Bought & {
  orderId: string;
  userId: string;
  product: string;
  /** 1, 2, … per subscription, in the order the grants were given. */
  seq: number;
  provider: string | null;
  paymentId: string | null;
  startsAt: Date;
  endsAt: Date;
  grantedAt: Date;
  revokedAt: Date | null;
  revokeReason: string | null;
};

/** A subscription row in memory. */
export type Subscription = {
  userId: string;
  product: string;
  /**
   * The row's version when it was loaded; 0 when there is no row yet. The commit raises it by one, however many grants
   * it writes.
   */
  version: number;
  /** How many grants were ever given, revoked ones included: the last `seq`. */
  grants: number;
  fold: Fold | null;
  cancelAtEnd: boolean;
  /** All its grants; null where they were not loaded, because nothing will be revoked or restored. */
  all: readonly Grant[] | null;
};

/** What a decision does to the subscription: its next value and the grant rows that differ from before. */
export type GrantChange = {
  change: 'give' | 'revoke' | 'restore';
  subscription: Subscription;
  grants: Grant[];
  /** True when the given period continues one that was still running. */
  extended: boolean;
};

export type NewGrant = Bought & Pick<Grant, 'orderId' | 'provider' | 'paymentId' | 'grantedAt'>;

/** Whoever buys again wants to go on; a renewal is charged without anybody asking, so a cancellation outlives it. */
export const takesCancellationBack = (kind: string): boolean => kind !== 'renewal';

export function noSubscription(userId: string, product: string): Subscription {
  return { userId, product, version: 0, grants: 0, fold: null, cancelAtEnd: false, all: [] };
}

/** Adds one grant: one step of the fold, whatever came before. */
export function give(subscription: Subscription, bought: NewGrant, kind: OrderKind): GrantChange {
  const graceDays = graceOf(subscription.fold, bought, kind);
  const { fold, startsAt, endsAt } = step(subscription.fold, { ...bought, graceDays });
  const grant: Grant = {
    orderId: bought.orderId,
    userId: subscription.userId,
    product: subscription.product,
    seq: subscription.grants + 1,
    provider: bought.provider,
    paymentId: bought.paymentId,
    baseAt: bought.baseAt,
    months: bought.months,
    days: bought.days,
    graceDays,
    grantedAt: bought.grantedAt,
    startsAt,
    endsAt,
    revokedAt: null,
    revokeReason: null,
  };
  const next: Subscription = {
    ...subscription,
    grants: grant.seq,
    fold,
    cancelAtEnd: subscription.cancelAtEnd && !takesCancellationBack(kind),
    all: subscription.all && [...subscription.all, grant],
  };
  return { change: 'give', subscription: next, grants: [grant], extended: goesOn(subscription.fold, bought.baseAt) };
}

/**
 * A trial has no grace of its own. Where it continues paid time, because a payment was granted just before it, the
 * grace of that payment stays.
 */
function graceOf(fold: Fold | null, { baseAt, graceDays }: NewGrant, kind: OrderKind): number {
  return kind === 'trial' && goesOn(fold, baseAt) ? Math.max(graceDays, fold.graceDays) : graceDays;
}

/** Takes the order's grant out of the fold: the subscription becomes what it would be had the order never been. */
export function revoke(subscription: Subscription, orderId: string, at: Date, reason: string): GrantChange {
  return refold(subscription, orderId, 'revoke', grant => ({ ...grant, revokedAt: at, revokeReason: reason }));
}

/** Puts a revoked grant back where it was in the order of grants. */
export function restore(subscription: Subscription, orderId: string): GrantChange {
  return refold(subscription, orderId, 'restore', grant => ({ ...grant, revokedAt: null, revokeReason: null }));
}

function refold(
  subscription: Subscription,
  orderId: string,
  change: 'revoke' | 'restore',
  edit: (grant: Grant) => Grant,
): GrantChange {
  const before = subscription.all;
  if (!before) throw new Error(`the grants of ${subscription.userId}/${subscription.product} were not loaded`);
  if (!before.some(grant => grant.orderId === orderId)) throw new Error(`order ${orderId} has no grant to ${change}`);
  const edited = [...before]
    .sort((a, b) => a.seq - b.seq)
    .map(grant => (grant.orderId === orderId ? edit(grant) : grant));
  const { fold, periods } = foldGrants(edited.filter(grant => !grant.revokedAt));
  const dates = new Map(periods.map(period => [period.grant.orderId, period]));
  const all = edited.map(grant => {
    const period = dates.get(grant.orderId);
    return period ? { ...grant, startsAt: period.startsAt, endsAt: period.endsAt } : grant;
  });
  const known = new Map(before.map(grant => [grant.orderId, grant]));
  const moved = all.filter(grant => !sameRow(grant, known.get(grant.orderId)));
  return {
    change,
    subscription: { ...subscription, fold, all },
    grants: moved,
    extended: false,
  };
}

function sameRow(a: Grant, b: Grant | undefined): boolean {
  return (
    b !== undefined &&
    a.startsAt.getTime() === b.startsAt.getTime() &&
    a.endsAt.getTime() === b.endsAt.getTime() &&
    a.revokedAt?.getTime() === b.revokedAt?.getTime()
  );
}
