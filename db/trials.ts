// The trial of a user for a product: there is at most one, for ever, which a unique index sees to.
import type { Database, Row } from './client.ts';

export type TrialRow = {
  orderId: string;
  version: number;
  state: string;
  /** Null while its grant could not be written yet. */
  endsAt: Date | null;
  revokedAt: Date | null;
};

/**
 * Orders that were paid for, also if the money went back or the grant could not be written yet: after one of them there is
 * no trial. What nobody paid for leaves the way to it open.
 */
export const paidOrders = (userId: string, product: string) =>
  `select id from orders where user_id = ${userId} and product = ${product}
     and kind not in ('trial', 'gift') and state in ('captured', 'subscribed', 'refunded')`;

/** The first order by which this user paid for the product; null when there is none. */
export async function findPaidOrder(db: Database, userId: string, product: string): Promise<string | null> {
  const [row] = await db.query<{ id: string }>(`${paidOrders('$1', '$2')} order by id limit 1`, [userId, product]);
  return row?.id ?? null;
}

/** Null when this user never had one. */
export async function findTrial(db: Database, userId: string, product: string): Promise<TrialRow | null> {
  const [row] = await db.query<Row>(
    `select o.id as "orderId", o.version, o.state, g.ends_at as "endsAt", g.revoked_at as "revokedAt"
     from orders o left join lateral (select ends_at, revoked_at from grants where order_id = o.id limit 1) g on true
     where o.user_id = $1 and o.product = $2 and o.kind = 'trial'`,
    [userId, product],
  );
  return (row as TrialRow | undefined) ?? null;
}
