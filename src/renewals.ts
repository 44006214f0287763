// A recurring charge is told by webhook only: nobody checked out for it. It gets an order of kind `renewal`, with the
// plan as the renewed order bought it and an id derived from the payment, so that however often it is told it is one.
import type { Database } from '../db/client.ts';
import { findOnlyPurchase, findRenewedOrder, paymentOwner } from '../db/renewals.ts';
import type { Clock } from './clock.ts';
import type { Envelope } from './dispatch/envelope.ts';
import { insertFollowingOrder } from './followingOrder.ts';
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
  const { source, eventKey } = envelope;
  await insertFollowingOrder(deps, renewed, { id, kind: 'renewal', provider, source, eventKey: `renewal:${eventKey}` });
  return { ...envelope, orderId: id };
}
