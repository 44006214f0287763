// A recurring charge is told by webhook only: nobody checked out for it. It gets an order of kind `renewal`, with the
// plan as the renewed order bought it and an id derived from the payment, so that however often it is told it is one.
import type { Database } from '../db/client.ts';
import { insertOrder } from '../db/insertOrder.ts';
import { findOnlyPurchase, findRenewedOrder, paymentOwner, type RenewedOrder } from '../db/renewals.ts';
import { decideCreation } from '../machines/decide.ts';
import { planTermsSchema } from '../machines/orderEvents.ts';
import { noSubscription } from '../machines/subscription.ts';
import { CURRENT_MACHINE_ID } from '../machines/versions.ts';
import type { Clock } from './clock.ts';
import type { Envelope } from './dispatch/envelope.ts';
import { derivedOrderId } from './ids.ts';

export type RenewalDeps = { db: Database; clock: Clock };

/**
 * Addresses a recurring charge to the order it pays for: the first payment to the order that was checked out, each
 * later one to a renewal of it, made here. Every other event comes back as it is.
 */
export async function addressRenewal(deps: RenewalDeps, envelope: Envelope): Promise<Envelope> {
  const { event, provider, orderId, providerOrderId, payerId } = envelope;
  if (!provider || (event?.type !== 'payment.captured' && event?.type !== 'payment.authorized')) return envelope;
  const { subscriptionId, paymentId } = event;
  if (!subscriptionId && !payerId) return envelope;
  const owner = await paymentOwner(deps.db, provider, paymentId);
  if (owner) return { ...envelope, orderId: owner };
  const renewed = subscriptionId
    ? await findRenewedOrder(deps.db, { provider, orderId, providerOrderId, subscriptionId, paymentId })
    : await findOnlyPurchase(deps.db, {
        provider,
        userId: payerId ?? '',
        amountMinor: event.amountMinor,
        currency: event.currency,
      });
  if (!renewed) return envelope;
  if (!renewed.paid) return { ...envelope, orderId: renewed.id };
  const id = derivedOrderId(provider, paymentId);
  await insertRenewal(deps, id, provider, renewed, envelope);
  return { ...envelope, orderId: id };
}

/** Written at most once: a second telling finds it there. */
async function insertRenewal(
  { db, clock }: RenewalDeps,
  id: string,
  provider: string,
  renewed: RenewedOrder,
  { source, eventKey }: Envelope,
): Promise<void> {
  const at = clock().toISOString();
  const { userId, product, planId, providerAccount, live, amountMinor, currency } = renewed;
  const plan = planTermsSchema.parse(renewed.plan);
  const about = { kind: 'renewal' as const, userId, live, amountMinor, currency, plan, provider };
  const [first] = decideCreation(
    id,
    { type: 'order.created', at, ...about, account: providerAccount },
    noSubscription(userId, product),
  ).steps;
  if (!first) throw new Error('an order begins with a transition');
  await insertOrder(db, {
    id,
    ...about,
    product,
    planId,
    providerAccount,
    machine: CURRENT_MACHINE_ID,
    state: first.to,
    snapshot: first.snapshot,
    wakeAt: first.wakeAt,
    another: false,
    returnUrl: null,
    metadata: null,
    event: first.event,
    source,
    eventKey: `renewal:${eventKey}`,
    at,
  });
}
