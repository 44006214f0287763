// Cancels a subscription at its end: what is paid stays, and nothing follows it, not even grace, because no payment is late.
// Where the provider charges by itself, it is told to stop, by an effect that is written together with the wish.
import type { Logger } from 'pino';
import type { Database } from '../db/client.ts';
import { endSubscription } from '../db/subscriptionEnd.ts';
import type { SubscriptionRow } from '../db/users.ts';
import { graceEnd } from '../machines/periods.ts';
import type { Clock } from './clock.ts';
import { NotFound } from './errors.ts';
import type { NewId } from './ids.ts';
import type { SubscriptionView } from './ports.ts';

export type CancelAtEndDeps = { db: Database; clock: Clock; newId: NewId; log: Logger };
export type CancelAtEndWish = { userId: string; product: string; reason: string; by?: string };

/** May be repeated: it then answers the same. @throws NotFound when this user never had the product */
export async function cancelAtEnd(deps: CancelAtEndDeps, wish: CancelAtEndWish): Promise<SubscriptionView> {
  const { db, clock, newId, log } = deps;
  const { userId, product, reason, by = null } = wish;
  const ended = await endSubscription(db, { userId, product, effectId: newId('eff'), reason, by, at: clock() });
  if (!ended) throw new NotFound(`user ${userId} has no subscription to ${product}`);
  const { subscription, closes } = ended;
  log.info({ userId, product, reason, by, version: subscription.version, ...closes }, 'cancelled at period end');
  return subscriptionView(subscription);
}

/** A subscription as every call answers it. When it is cancelled, its grace ends with the paid time. */
export function subscriptionView({ endsAt, graceDays, ...row }: SubscriptionRow): SubscriptionView {
  const graceUntil = endsAt && (row.cancelAtEnd ? endsAt : graceEnd({ endsAt, graceDays }));
  return { ...row, endsAt: endsAt?.toISOString() ?? null, graceUntil: graceUntil?.toISOString() ?? null };
}
