// The past of a subscription as the database tells it, in the form access is derived from: instants instead of texts.
import type { CancellationRow, RestorationRow, SubscriptionPast } from '../db/users.ts';
import { type Access, accessAt, type Cancelled, type Restoration } from '../machines/access.ts';

/** Access at `at`, the way it was given or refused then. */
export function accessOf({ grants, ...cancelled }: SubscriptionPast, at: Date): Access {
  const known = grants.map(grant => ({ ...grant, restorations: restorationsFrom(grant.restorations) }));
  return accessAt(known, at, cancelledFrom(cancelled));
}

/**
 * Access now: whatever is written is known. The clock of the process that wrote it may be ahead of this one's, and a
 * customer who has just paid is not refused for that.
 */
export function accessNow(past: SubscriptionPast, now: Date): Access {
  const known = (instant: Date) => (instant > now ? now : instant);
  const grants = past.grants.map(grant => ({
    ...grant,
    grantedAt: known(grant.grantedAt),
    revokedAt: grant.revokedAt && known(grant.revokedAt),
  }));
  return accessOf({ ...past, grants }, now);
}

export function cancelledFrom({
  cancelAtEnd,
  cancellations,
}: {
  cancelAtEnd: boolean;
  cancellations: readonly CancellationRow[];
}): Cancelled {
  return { cancelAtEnd, cancellations: cancellations.map(({ at, afterSeq }) => ({ at: new Date(at), afterSeq })) };
}

export const restorationsFrom = (rows: readonly RestorationRow[]): Restoration[] =>
  rows.map(({ revokedAt, restoredAt }) => ({ revokedAt: new Date(revokedAt), restoredAt: new Date(restoredAt) }));
