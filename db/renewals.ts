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

// Never a renewal: each charge has one of its own, and one that is not paid yet waits for its own charge.
const FIND = `
select o.id, o.user_id as "userId", o.product, o.plan_id as "planId", o.plan, o.provider_account as "providerAccount", o.live,
  o.amount_minor, o.currency, exists (select from payments p where p.order_id = o.id and p.counts and p.payment_id <> $5) as paid
from orders o
where o.provider = $1 and o.kind <> 'renewal' and (o.id = $2 or o.provider_order_id = $3 or o.provider_subscription_id = $4)
order by coalesce(o.id = $2, false) desc, coalesce(o.provider_order_id = $3, false) desc, o.created_at, o.id limit 1`;

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
  return row ? renewedOrder(row) : null;
}

function renewedOrder({ amount_minor, ...order }: Row): RenewedOrder {
  return { ...(order as Omit<RenewedOrder, 'amountMinor'>), amountMinor: Number(amount_minor) };
}

// One plan at this price is no guess; two would be, and then a person must say which was meant. Only what is still sold at
// that price and still stands is renewed so: the owner of a card is named by the browser, who must not choose an old price.
const FIND_BY_PAYER = `
with bought as (
  select o.* from orders o
  where o.provider = $1 and o.user_id = $2 and o.kind = 'purchase' and o.amount_minor = $3 and o.currency = $4
    and exists (select from grants g where g.order_id = o.id and g.revoked_at is null)
    and exists (select from plans l where l.id = o.plan_id and l.amount_minor = o.amount_minor and l.currency = o.currency))
select o.id, o.user_id as "userId", o.product, o.plan_id as "planId", o.plan, o.provider_account as "providerAccount", o.live,
  o.amount_minor, o.currency, true as paid
from bought o where (select count(distinct plan_id) from bought) = 1 order by o.id limit 1`;

/** The only thing this user ever bought at exactly this price from this provider; null when there is none or a choice. */
export async function findOnlyPurchase(
  db: Database,
  by: { provider: string; userId: string; amountMinor: number; currency: string },
): Promise<RenewedOrder | null> {
  const [row] = await db.query<Row>(FIND_BY_PAYER, [by.provider, by.userId, by.amountMinor, by.currency]);
  return row ? renewedOrder(row) : null;
}
