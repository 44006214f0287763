// The order a recurring charge renews: found by our own mark, by the provider's order, or by the provider's
// subscription that its first payment named.
import type { Database, Row } from './client.ts';

export type RenewedOrder = {
  id: string;
  userId: string;
  product: string;
  planId: string;
  /** As bought. */
  plan: unknown;
  providerAccount: string | null;
  live: boolean;
  amountMinor: number;
  currency: string;
  /** A payment of its own has paid for it; another one of the same subscription is a renewal. */
  paid: boolean;
};

const FIND = `
select o.id, o.user_id as "userId", o.product, o.plan_id as "planId", o.plan, o.provider_account as "providerAccount", o.live,
  o.amount_minor, o.currency, exists (select from payments p where p.order_id = o.id and p.counts and p.payment_id <> $5) as paid
from orders o
where o.provider = $1 and (o.id = $2 or o.provider_order_id = $3 or o.provider_subscription_id = $4)
order by o.id is not distinct from $2 desc, o.provider_order_id is not distinct from $3 desc, o.created_at, o.id limit 1`;

/** Null when nothing we know is meant. */
export async function findRenewedOrder(
  db: Database,
  by: {
    provider: string;
    orderId: string | null;
    providerOrderId: string | null;
    subscriptionId: string;
    paymentId: string;
  },
): Promise<RenewedOrder | null> {
  const [row] = await db.query<Row>(FIND, [
    by.provider,
    by.orderId,
    by.providerOrderId,
    by.subscriptionId,
    by.paymentId,
  ]);
  if (!row) return null;
  const { amount_minor, ...order } = row;
  return { ...(order as Omit<RenewedOrder, 'amountMinor'>), amountMinor: Number(amount_minor) };
}

/** The order that heard of this payment first, if any did. */
export async function paymentOwner(db: Database, provider: string, paymentId: string): Promise<string | null> {
  const [row] = await db.query<{ orderId: string }>(
    `select order_id as "orderId" from payments where payment_id = $1 and provider = $2`,
    [paymentId, provider],
  );
  return row?.orderId ?? null;
}
