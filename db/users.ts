// What one user bought: grants with the kind of their orders, and the subscription rows.

import type { Grant } from '../machines/subscription.ts';
import type { Database, Row } from './client.ts';
import { iso } from './orders.ts';

/** A wish to end a subscription with what is paid, as it is kept in `subscriptions.cancellations`; `at` is ISO 8601 UTC. */
export type CancellationRow = { at: string; afterSeq: number; reason: string; by: string | null };
/** A revocation that was taken back; instants are ISO 8601 UTC. */
export type RestorationRow = { revokedAt: string; restoredAt: string };

/** A grant with the kind of its order and its revocations that were taken back. */
export type UserGrantRow = Grant & { kind: string; restorations: RestorationRow[] };

/** Everything that access at any instant is derived from. */
export type SubscriptionPast = {
  /** Revoked ones too, in `seq` order. */
  grants: UserGrantRow[];
  cancelAtEnd: boolean;
  /** The first one first. */
  cancellations: CancellationRow[];
};

/**
 * The revocations of a grant `g` that were taken back, as a JSON array. The grant keeps only one that stands; that there
 * was one, and until when, stands in the transitions of its order.
 */
export const RESTORATIONS = `
  (select coalesce(jsonb_agg(jsonb_build_object('revokedAt', ${iso('r.at')}, 'restoredAt', ${iso('b.at')}) order by b.version), '[]')
   from transitions b cross join lateral (
     select at from transitions
     where order_id = b.order_id and version < b.version and from_state = 'subscribed' and to_state = 'refunded'
     order by version desc limit 1) r
   where b.order_id = g.order_id and b.from_state = 'refunded' and b.to_state = 'subscribed')`;

const PAST = `
select g.order_id as "orderId", g.user_id as "userId", g.product, o.kind, g.seq, g.provider, g.payment_id as "paymentId",
  g.base_at as "baseAt", g.months, g.days, g.grace_days as "graceDays", g.starts_at as "startsAt", g.ends_at as "endsAt",
  g.granted_at as "grantedAt", g.revoked_at as "revokedAt", g.revoke_reason as "revokeReason",
  case when $3 then ${RESTORATIONS} else '[]' end as restorations,
  s.cancel_at_end, coalesce(s.cancellations, '[]') as cancellations
from grants g join orders o on o.id = g.order_id
left join lateral (select * from subscriptions where user_id = g.user_id and product = g.product limit 1) s on true
where g.user_id = $1 and g.product = $2 order by g.seq`;

/** Without `isAboutThePast` the revocations that were taken back are not read: they change nothing about now. */
export async function readSubscriptionPast(
  db: Database,
  { userId, product, isAboutThePast }: { userId: string; product: string; isAboutThePast: boolean },
): Promise<SubscriptionPast> {
  const rows = await db.query<Row>(PAST, [userId, product, isAboutThePast]);
  const grants = rows.map(({ cancel_at_end: _, cancellations: __, ...grant }) => grant as UserGrantRow);
  const [first] = rows;
  return {
    grants,
    cancelAtEnd: first?.cancel_at_end === true,
    cancellations: (first?.cancellations ?? []) as CancellationRow[],
  };
}

export type SubscriptionRow = {
  userId: string;
  product: string;
  version: number;
  grants: number;
  endsAt: Date | null;
  graceDays: number;
  cancelAtEnd: boolean;
  /** ISO 8601 UTC; null when it is not cancelled, or nobody noted since when. */
  cancelledAt: string | null;
};

/** The columns of a `SubscriptionRow`. */
export const SUBSCRIPTION = `user_id as "userId", product, version, grants, ends_at as "endsAt", grace_days as "graceDays",
  cancel_at_end as "cancelAtEnd", case when cancel_at_end then cancellations->-1->>'at' end as "cancelledAt"`;

export async function readSubscriptions(db: Database, userId: string): Promise<SubscriptionRow[]> {
  const rows = await db.query<Row>(`select ${SUBSCRIPTION} from subscriptions where user_id = $1 order by product`, [
    userId,
  ]);
  return rows as unknown as SubscriptionRow[];
}
