// The past of a subscription as the database tells it, in the form access is derived from: instants instead of texts.
import type { CancellationRow, RestorationRow, SubscriptionPast } from '../db/users.ts';
import { type Access, accessAt, type Cancelled, type Restoration } from '../machines/access.ts';

/** Access at `at`, the way it was given or refused then. */
export function accessOf({ grants, ...cancelled }: SubscriptionPast, at: Date): Access {
  const known = grants.map(grant => ({ ...grant, restorations: restorationsFrom(grant.restorations) }));
  return accessAt(known, at, cancelledFrom(cancelled));
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
