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
  return accessOf({ ...past, grants: knownBy(past.grants, now) }, now);
}

type Written = { grantedAt: Date; revokedAt: Date | null };

/** What is written has happened: nothing of it later than `now`, whichever clock it was written by. */
export function knownBy<Grant extends Written>(grants: readonly Grant[], now: Date): Grant[] {
  const known = (instant: Date) => (instant > now ? now : instant);
  return grants.map(grant => ({
    ...grant,
    grantedAt: known(grant.grantedAt),
    revokedAt: grant.revokedAt && known(grant.revokedAt),
  }));
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
