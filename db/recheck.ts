// What may still rescue somebody who is about to be refused: orders the provider may know more about than we do, and the
// provider's own subscriptions, which may have been charged without our hearing of it.
import type { Database, Row } from './client.ts';

export type OpenQuestion =
  | { about: 'order'; provider: string; orderId: string; providerOrderId: string; openedAt: Date }
  | { about: 'subscription'; provider: string; subscriptionId: string };

// `created_at` is the database's time; when an order began for us stands in its first transition.
const QUESTIONS = `
with mine as (
  select o.id, o.provider, o.provider_order_id, o.provider_subscription_id, o.state, t.at as opened_at
  from orders o cross join lateral (select at from transitions where order_id = o.id and version = 1 limit 1) t
  where o.user_id = $1 and o.product = $2 and o.provider is not null),
unsettled as (
  select id, provider, provider_order_id, opened_at from mine
  where provider_order_id is not null and state in ('created', 'authorized', 'failed', 'parked') and opened_at >= $3::text::timestamptz
  order by opened_at desc, id limit $4),
charged as (
  select provider, provider_subscription_id, max(opened_at) as opened_at from mine
  where provider_subscription_id is not null group by provider, provider_subscription_id
  order by max(opened_at) desc limit $5)
select 'order' as about, provider, id as "orderId", provider_order_id as "providerOrderId", opened_at as "openedAt", null as "subscriptionId" from unsettled
union all
select 'subscription', provider, null, null, opened_at, provider_subscription_id from charged`;

/** The newest ones: at most `orders` opened since `since`, and at most `subscriptions`. */
export async function readOpenQuestions(
  db: Database,
  by: { userId: string; product: string; since: Date; orders: number; subscriptions: number },
): Promise<OpenQuestion[]> {
  const { userId, product, since, orders, subscriptions } = by;
  const rows = await db.query<Row>(QUESTIONS, [userId, product, since.toISOString(), orders, subscriptions]);
  return rows as unknown as OpenQuestion[];
}

/** Which of these payments we know as captured already. */
export async function knownAsCaptured(
  db: Database,
  provider: string,
  paymentIds: readonly string[],
): Promise<Set<string>> {
  const rows = await db.query<{ paymentId: string }>(
    `select p.payment_id as "paymentId" from jsonb_array_elements_text($2::text::jsonb) x(id)
     cross join lateral (select payment_id from payments where payment_id = x.id and provider = $1 and state = 'captured' limit 1) p`,
    [provider, JSON.stringify(paymentIds)],
  );
  return new Set(rows.map(row => row.paymentId));
}
