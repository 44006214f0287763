// An order that nobody checked out for: a payment of a known order became one of its own, as a renewal or as a surplus.
import type { Database } from '../db/client.ts';
import { insertOrder } from '../db/insertOrder.ts';
import { planTermsSchema } from '../machines/orderEvents.ts';
import type { Clock } from './clock.ts';
import { newOrder, type OrderOrigin } from './newOrder.ts';

/** What it takes over from the order it follows; `plan` is as bought. */
export type FollowedOrder = {
  userId: string;
  plan: unknown;
  providerAccount: string | null;
  live: boolean;
  amountMinor: number;
  currency: string;
};

/** Written at most once: a second telling finds it there. */
export async function insertFollowingOrder(
  { db, clock }: { db: Database; clock: Clock },
  order: FollowedOrder,
  as: { id: string; kind: 'renewal' | 'surplus'; provider: string } & Pick<OrderOrigin, 'source' | 'eventKey'>,
): Promise<void> {
  const { userId, providerAccount: account, live, amountMinor, currency } = order;
  const { id, kind, provider, source, eventKey } = as;
  const plan = planTermsSchema.parse(order.plan);
  const about = { kind, userId, plan, provider, account, live, amountMinor, currency };
  const created = { type: 'order.created' as const, at: clock().toISOString(), ...about };
  await insertOrder(db, newOrder(id, created, { another: false, returnUrl: null, metadata: null, source, eventKey }));
}
