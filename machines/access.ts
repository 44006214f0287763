// May this user use this product at instant t? Derived from the grants alone, with the reason; never stored, never
// written by a read. Every answer about access in the service comes from here.
import { type Fold, foldGrants, graceEnd } from './periods.ts';
import type { Grant } from './subscription.ts';

export type AccessReason = 'active' | 'in_grace' | 'trial' | 'expired' | 'refunded' | 'never_paid';

/** A grant with the kind of the order it belongs to: a trial reads differently from a purchase. */
export type KnownGrant = Grant & { kind: string };

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
 * Access at `at`, from the grants that were known and not revoked then. A subscription cancelled at its end gives no grace:
 * nobody is waiting for a late payment. `cancelAtEnd` speaks of the subscription as it stands now, so it is applied only
 * where `at` knows all that the subscription rests on; earlier instants are answered as they were.
 */
export function accessAt(
  grants: readonly KnownGrant[],
  at: Date,
  { cancelAtEnd = false }: { cancelAtEnd?: boolean } = {},
): Access {
  const isPresent = grants.every(
    ({ grantedAt, revokedAt }) => grantedAt <= at && (revokedAt === null || revokedAt <= at),
  );
  const endOf = (fold: Fold) => (cancelAtEnd && isPresent ? fold.endsAt : graceEnd(fold));
  const known = grants.filter(grant => grant.grantedAt <= at).sort((a, b) => a.seq - b.seq);
  const live = known.filter(grant => grant.revokedAt === null || grant.revokedAt > at);
  const { fold, periods } = foldGrants(live);
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
  // Without the refund there would be access: then the refund is the reason, not the calendar.
  const unrefunded = foldGrants(known).fold;
  const reason = unrefunded && at < endOf(unrefunded) ? 'refunded' : 'expired';
  return { access: false, until, graceUntil, reason, grants: dated };
}
