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
