// What one user bought: grants with the kind of their orders, and the subscription rows.
import type { Database, Row } from './client.ts';
import type { GrantWrite } from './writes.ts';

/** A grant with the kind of its order, and whether its subscription was cancelled at the end of what is paid. */
export type UserGrantRow = GrantWrite & { kind: string; cancelAtEnd: boolean };

/** Every grant of this user and product, revoked ones too, in `seq` order. */
export function readGrants(db: Database, userId: string, product: string): Promise<UserGrantRow[]> {
  return db.query<UserGrantRow>(
    `select g.order_id as "orderId", g.user_id as "userId", g.product, o.kind, g.seq, g.provider, g.payment_id as "paymentId",
       g.base_at as "baseAt", g.months, g.days, g.grace_days as "graceDays", g.starts_at as "startsAt", g.ends_at as "endsAt",
       g.granted_at as "grantedAt", g.revoked_at as "revokedAt", g.revoke_reason as "revokeReason",
       coalesce((select s.cancel_at_end from subscriptions s where s.user_id = g.user_id and s.product = g.product), false) as "cancelAtEnd"
     from grants g join orders o on o.id = g.order_id where g.user_id = $1 and g.product = $2 order by g.seq`,
    [userId, product],
  );
}

export type SubscriptionRow = {
  userId: string;
  product: string;
  version: number;
  grants: number;
  endsAt: Date | null;
  graceDays: number;
  cancelAtEnd: boolean;
};

export async function readSubscriptions(db: Database, userId: string): Promise<SubscriptionRow[]> {
  const rows = await db.query<Row>(
    `select user_id as "userId", product, version, grants, ends_at as "endsAt", grace_days as "graceDays", cancel_at_end as "cancelAtEnd"
     from subscriptions where user_id = $1 order by product`,
    [userId],
  );
  return rows as unknown as SubscriptionRow[];
}
