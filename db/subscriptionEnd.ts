// The wish to end a subscription with the period that is paid. It is a fact about the subscription and not about one of
// its orders, so it is written here and not by a commit; raising the version makes commits under way decide again. Each
// wish is kept with its instant, also after a later purchase took it back: access in the past is told as it was then.
import type { Database, Row } from './client.ts';
import { SUBSCRIPTION, type SubscriptionRow } from './users.ts';

export type EndWish = {
  userId: string;
  product: string;
  /** For the effect, if one is needed. */
  effectId: string;
  reason: string;
  by: string | null;
  at: Date;
};

/** Where the provider goes on charging by itself. */
export type ClosedSubscription = { orderId: string; subscriptionId: string };

// Asked again, the first wish stands, and nothing changes but that an effect which had died is tried anew. Our ids of renewals
// are not in the order of time.
const END = `
with ended as (
  update subscriptions set cancel_at_end = true, version = version + case when cancel_at_end then 0 else 1 end,
    cancellations = case when cancel_at_end then cancellations
      else coalesce(cancellations, '[]') || jsonb_build_object('at', $6::text, 'afterSeq', grants, 'reason', $4::text, 'by', $5::text) end
  where user_id = $1 and product = $2
  returning *),
charged as (
  select o.id, o.version, o.provider_subscription_id as subscription_id from orders o
  where o.user_id = $1 and o.product = $2 and o.provider_subscription_id is not null and exists (select from ended)
  order by o.created_at desc, o.id desc limit 1),
effect as (
  insert into outbox as t (id, order_id, order_version, effect, payload, dedup_key, available_at)
  select $3, id, version, 'close', jsonb_build_object('subscriptionId', subscription_id, 'reason', $4::text, 'by', $5::text),
    id || ':close:subscription:' || subscription_id, $6::text::timestamptz
  from charged
  on conflict (dedup_key) do update set status = 'pending', attempts = 0, available_at = excluded.available_at where t.status = 'dead')
select t.*, c.id as "orderId", c.subscription_id as "subscriptionId"
from (select ${SUBSCRIPTION} from ended) t left join charged c on true`;

/** The subscription as it is now, and what is closed at a provider for it; null when there is no subscription. */
export async function endSubscription(
  db: Database,
  { userId, product, effectId, reason, by, at }: EndWish,
): Promise<{ subscription: SubscriptionRow; closes: ClosedSubscription | null } | null> {
  const [row] = await db.query<Row>(END, [userId, product, effectId, reason, by, at.toISOString()]);
  if (!row) return null;
  const { orderId, subscriptionId, ...subscription } = row;
  const closes = orderId === null ? null : ({ orderId, subscriptionId } as ClosedSubscription);
  return { subscription: subscription as unknown as SubscriptionRow, closes };
}
