// The order an effect is about, as it stands when the effect is carried out: not as it stood when it was asked for.
import type { Database, Row } from './client.ts';

export type EffectOrder = {
  id: string;
  userId: string;
  product: string;
  provider: string | null;
  providerAccount: string | null;
  live: boolean;
  providerOrderId: string | null;
  /** As bought; not looked at yet. */
  plan: unknown;
  amountMinor: number;
  currency: string;
  machine: string;
  version: number;
  /** Not looked at yet. */
  snapshot: unknown;
  /** When the transition asked for the effect; when the order was made, where that transition is not known. */
  askedAt: Date;
  /** Nobody can pay at the provider any more: it was asked to close the order, and did. */
  closedThere: boolean;
};

const READ = `
select o.id, o.user_id as "userId", o.product, o.provider, o.provider_account as "providerAccount", o.live,
  o.provider_order_id as "providerOrderId", o.plan, o.amount_minor, o.currency, o.machine, o.version, o.snapshot,
  coalesce((select t.at from transitions t where t.order_id = o.id and t.version = $2), o.created_at) as "askedAt",
  exists (select from outbox x where x.dedup_key = o.id || ':close' and x.status = 'done') as "closedThere"
from orders o where o.id = $1`;

/** The order, and when its transition `version` asked for the effect. Null when there is none. */
export async function readEffectOrder(db: Database, id: string, version: number): Promise<EffectOrder | null> {
  const [row] = await db.query<Row>(READ, [id, version]);
  if (!row) return null;
  const { amount_minor, ...order } = row;
  return { ...(order as Omit<EffectOrder, 'amountMinor'>), amountMinor: Number(amount_minor) };
}
