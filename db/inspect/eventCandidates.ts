// Which orders an event could belong to: looked for by every name it carries, each by an index of its own, and last by what
// it costs and when it was made, because a payment that has lost its name still has its price and its hour.
import type { Database, Param, Row } from '../client.ts';

/** Orders shown for one name: a user may have hundreds. */
const BY_NAME_LIMIT = 5;
/** Orders shown because they cost the same; one more tells that there are more. */
export const BY_PRICE_LIMIT = 10;
/** Orders looked at because they were made in the right hour: at a hundred a minute, twenty minutes of them, the latest first. */
export const PRICE_LOOK = 2_000;

export type CandidateReason = 'decided' | 'mark' | 'provider order' | 'payment' | 'subscription' | 'payer' | 'price';

export type CandidateRow = {
  why: CandidateReason;
  id: string;
  userId: string;
  planId: string;
  state: string;
  provider: string | null;
  providerOrderId: string | null;
  amountMinor: number;
  currency: string;
  createdAt: Date;
  /** Money of a payment is in its books. */
  paid: boolean;
};

export type CandidateQuestion = {
  provider: string;
  orderId: string | null;
  mark: string | null;
  providerOrderId: string | null;
  paymentId: string | null;
  subscriptionId: string | null;
  payerId: string | null;
  /** Null where no price is told, or the order is known anyway. */
  price: { amountMinor: number; currency: string; from: Date; to: Date } | null;
};

const NAMED = `
  select id, 'decided' as why, 1 as rank from orders where id = $1
  union all select id, 'mark', 2 from orders where id = $2
  union all select id, 'provider order', 3 from orders where provider_order_id = $3
  union all select order_id, 'payment', 4 from payments where payment_id = $4
  union all (select id, 'subscription', 5 from orders
    where provider_subscription_id is not null and provider_subscription_id = $5 limit ${BY_NAME_LIMIT})
  union all (select id, 'payer', 6 from orders where user_id = $6 order by id desc limit ${BY_NAME_LIMIT})`;

const PRICED = `
  union all (select id, 'price', 7 from (
      select * from orders where created_at >= $8::text::timestamptz and created_at < $9::text::timestamptz
      order by created_at desc, id desc limit ${PRICE_LOOK}) o
    where provider = $7 and amount_minor = $10::bigint and currency = $11 limit ${BY_PRICE_LIMIT + 1})`;

const found = (priced: boolean) => `
with n as materialized (${NAMED}${priced ? PRICED : ''})
select n.why, o.id, o.user_id as "userId", o.plan_id as "planId", o.state, o.provider, o.provider_order_id as "providerOrderId",
  o.amount_minor, o.currency, o.created_at as "createdAt",
  coalesce((select true from payments p where p.order_id = o.id and p.captured_minor > 0 limit 1), false) as paid
from n cross join lateral (select * from orders where id = n.id offset 0) o
order by n.rank, o.created_at desc, o.id`;

const BY_NAMES = found(false);
const BY_PRICE_TOO = found(true);

/** A row for each reason an order is among them, the surest reason first, then the latest order. */
export async function findCandidates(db: Database, question: CandidateQuestion): Promise<CandidateRow[]> {
  const { provider, orderId, mark, providerOrderId, paymentId, subscriptionId, payerId, price } = question;
  const names: Param[] = [orderId, mark, providerOrderId, paymentId, subscriptionId, payerId];
  const rows = price
    ? await db.query<Row>(BY_PRICE_TOO, [
        ...names,
        provider,
        price.from.toISOString(),
        price.to.toISOString(),
        price.amountMinor,
        price.currency,
      ])
    : await db.query<Row>(BY_NAMES, names);
  return rows.map(({ amount_minor, ...row }) => ({
    ...(row as Omit<CandidateRow, 'amountMinor'>),
    amountMinor: Number(amount_minor),
  }));
}
