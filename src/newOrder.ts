// The row an order begins with: its first decision, and around it what only the row keeps.
import type { NewOrder } from '../db/insertOrder.ts';
import { decideCreation } from '../machines/decide.ts';
import type { OrderCreated } from '../machines/orderEvents.ts';
import { noSubscription } from '../machines/subscription.ts';
import { CURRENT_MACHINE_ID } from '../machines/versions.ts';

/** How the order came about; the machine has no use for it. */
export type OrderOrigin = Pick<NewOrder, 'another' | 'returnUrl' | 'metadata' | 'source' | 'eventKey'>;

/** The row and its transition 1, for `insertOrder`. */
export function newOrder(id: string, created: OrderCreated, origin: OrderOrigin): NewOrder {
  const { kind, userId, plan, provider, account, live, amountMinor, currency, at } = created;
  const [first] = decideCreation(id, created, noSubscription(userId, plan.product)).steps;
  if (!first) throw new Error('an order begins with a transition');
  return {
    id,
    kind,
    userId,
    product: plan.product,
    planId: plan.id,
    plan,
    provider,
    providerAccount: account,
    live,
    amountMinor,
    currency,
    machine: CURRENT_MACHINE_ID,
    state: first.to,
    snapshot: first.snapshot,
    wakeAt: first.wakeAt,
    event: first.event,
    at,
    ...origin,
  };
}
