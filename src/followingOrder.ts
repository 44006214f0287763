// Makes an order without a checkout: for a payment that belongs to a known order and pays for one more period, as a renewal or
// as a surplus.
import type { Database } from '../db/client.ts';
import { insertOrder } from '../db/insertOrder.ts';
import { planTermsSchema } from '../machines/orderEvents.ts';
import type { Clock } from './clock.ts';
import { newOrder, type OrderOrigin } from './newOrder.ts';

/** What the new order takes over from the one it follows. `plan` is as it was bought. */
export type FollowedOrder = {
  userId: string;
  plan: unknown;
  providerAccount: string | null;
  live: boolean;
  amountMinor: number;
  currency: string;
};

/** Written at most once: its id is derived from the payment, and a second call finds it there. */
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
