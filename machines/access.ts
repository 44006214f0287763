// May this user use this product at instant t? Derived from the grants alone, with the reason; never stored, never
// written by a read. Every answer about access in the service comes from here, about the past as it was then.
import { foldGrants, graceEnd } from './periods.ts';
import { type Grant, takesCancellationBack } from './subscription.ts';

export type AccessReason = 'active' | 'in_grace' | 'trial' | 'expired' | 'refunded' | 'never_paid';

/** A stretch in which a grant did not count: its money had gone back, and came back. */
export type Restoration = { revokedAt: Date; restoredAt: Date };

/** A grant with the kind of the order it belongs to: a trial reads differently from a purchase. */
export type KnownGrant = Grant & {
  kind: string;
  /** Revocations that were taken back, the first one first. Not told: there were none. */
  restorations?: readonly Restoration[];
};

/** The wish to end the subscription with what is paid: when, and which grant (`seq`) was the last one then. */
export type Cancellation = { at: Date; afterSeq: number };

/** How a subscription was cancelled at its end. */
export type Cancelled = {
  /** As it stands now. */
  cancelAtEnd: boolean;
  /**
   * Each wish with its instant, also those that were taken back. When `cancelAtEnd` is set and no wish explains it, its
   * instant is not known.
   */
  cancellations: readonly Cancellation[];
};

export const NOT_CANCELLED: Cancelled = { cancelAtEnd: false, cancellations: [] };

export type Access = {
  access: boolean;
  /** End of the paid time; null when nothing was ever paid or all of it went back. */
  until: Date | null;
  graceUntil: Date | null;
  reason: AccessReason;
  /** The grants this answer rests on, in `seq` order, with the dates they had at that instant. */
  grants: KnownGrant[];
};

/**
 * Access at `at`, from the grants that were known and not revoked then. A subscription that was cancelled at its end by
 * then gives no grace: nobody is waiting for a late payment.
 */
export function accessAt(grants: readonly KnownGrant[], at: Date, cancelled: Cancelled = NOT_CANCELLED): Access {
  const wasCancelled = isCancelledAt(grants, at, cancelled);
  const endOf = (fold: { endsAt: Date; graceDays: number }) => (wasCancelled ? fold.endsAt : graceEnd(fold));
  const known = grants.filter(grant => grant.grantedAt <= at).sort((a, b) => a.seq - b.seq);
  const { fold, periods } = foldGrants(known.filter(grant => revocationAt(grant, at) === null));
  const dated = periods.map(({ grant, startsAt, endsAt }) => ({ ...grant, startsAt, endsAt }));
  if (!fold) {
    const reason = known.length > 0 ? 'refunded' : 'never_paid';
    return { access: false, until: null, graceUntil: null, reason, grants: [] };
  }
  const until = fold.endsAt;
  const graceUntil = endOf(fold);
  if (at < until) {
    const current = dated.find(grant => grant.startsAt <= at && at < grant.endsAt);
    return { access: true, until, graceUntil, reason: current?.kind === 'trial' ? 'trial' : 'active', grants: dated };
  }
  if (at < graceUntil) return { access: true, until, graceUntil, reason: 'in_grace', grants: dated };
  // If there would be access without the refund, then the refund is the reason and not the calendar.
  const unrefunded = foldGrants(known).fold;
  const reason = unrefunded && at < endOf(unrefunded) ? 'refunded' : 'expired';
  return { access: false, until, graceUntil, reason, grants: dated };
}

/** Why the grant did not count at `at`, or null: since when it was revoked, and until when if that was taken back. */
export function revocationAt(
  { revokedAt, restorations = [] }: Pick<KnownGrant, 'revokedAt' | 'restorations'>,
  at: Date,
): { revokedAt: Date; restoredAt: Date | null } | null {
  if (revokedAt !== null && revokedAt <= at) return { revokedAt, restoredAt: null };
  return restorations.find(stretch => stretch.revokedAt <= at && at < stretch.restoredAt) ?? null;
}

/** The wish that stood at `at`; null when none did, or only one whose instant is not known. */
export function cancellationAt(
  grants: readonly Pick<KnownGrant, 'kind' | 'seq' | 'grantedAt'>[],
  at: Date,
  { cancellations }: Pick<Cancelled, 'cancellations'>,
): Cancellation | null {
  // A grant that was refunded since has taken the wish back all the same: it said that somebody wanted to go on.
  const isTakenBack = ({ afterSeq }: Cancellation) =>
    grants.some(({ seq, kind, grantedAt }) => seq > afterSeq && grantedAt <= at && takesCancellationBack(kind));
  return cancellations.findLast(wish => wish.at <= at && !isTakenBack(wish)) ?? null;
}

/** True when the subscription is cancelled now, and it was not noted since when. */
export function isCancelledSinceUnknown(grants: readonly KnownGrant[], cancelled: Cancelled): boolean {
  const last = cancelled.cancellations.at(-1);
  const isNoted = last && !grants.some(({ seq, kind }) => seq > last.afterSeq && takesCancellationBack(kind));
  return cancelled.cancelAtEnd && !isNoted;
}

/**
 * Of a wish without an instant we know only that it stands now. So it counts at every instant since the last change of
 * the grants.
 */
function isCancelledAt(grants: readonly KnownGrant[], at: Date, cancelled: Cancelled): boolean {
  if (cancellationAt(grants, at, cancelled)) return true;
  const changes = grants.flatMap(({ grantedAt, revokedAt, restorations = [] }) => [
    grantedAt,
    ...(revokedAt ? [revokedAt] : []),
    ...restorations.map(({ restoredAt }) => restoredAt),
  ]);
  return isCancelledSinceUnknown(grants, cancelled) && changes.every(change => change <= at);
}
