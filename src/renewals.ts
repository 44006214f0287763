// A recurring charge is told by webhook only: nobody checked out for it. It gets an order of kind `renewal`, with the
// plan as the renewed order bought it and an id derived from the payment, so that however often it is told it is one.
import type { Database } from '../db/client.ts';
import { paymentOwner } from '../db/paymentOwner.ts';
import { findOnlyPurchase, findRenewedOrder, type RenewedOrder } from '../db/renewals.ts';
import type { Clock } from './clock.ts';
import type { Envelope } from './dispatch/envelope.ts';
import { insertFollowingOrder } from './followingOrder.ts';
import { derivedOrderId } from './ids.ts';

export type RenewalDeps = { db: Database; clock: Clock };

/** Where a recurring charge belongs; `renews` is set where it pays for a renewal that is still to be made, of that order. */
export type ChargeAddress = { orderId: string; renews: RenewedOrder | null };

/** Looks only. Null for every other event, and for a charge of something nobody here knows. */
export async function findChargeAddress(db: Database, envelope: Envelope): Promise<ChargeAddress | null> {
  const { event, provider, orderId, providerOrderId, payerId } = envelope;
  if (!provider || (event?.type !== 'payment.captured' && event?.type !== 'payment.authorized')) return null;
  const { subscriptionId, paymentId } = event;
  if (!subscriptionId && !payerId) return null;
  const owner = await paymentOwner(db, provider, paymentId);
  if (owner) return { orderId: owner, renews: null };
  const renewed = subscriptionId
    ? await findRenewedOrder(db, { provider, orderId, providerOrderId, subscriptionId, paymentId })
    : await findOnlyPurchase(db, {
        provider,
        userId: payerId ?? '',
        amountMinor: event.amountMinor,
        currency: event.currency,
      });
  if (!renewed) return null;
  if (!renewed.paid) return { orderId: renewed.id, renews: null };
  return { orderId: derivedOrderId(provider, paymentId), renews: renewed };
}

/**
 * Addresses a recurring charge to the order it pays for: the first payment to the order that was checked out, each
 * later one to a renewal of it, made here. Every other event comes back as it is.
 */
export async function addressRenewal(deps: RenewalDeps, envelope: Envelope): Promise<Envelope> {
  const address = await findChargeAddress(deps.db, envelope);
  if (!address) return envelope;
  const { orderId: id, renews } = address;
  const { source, eventKey, provider } = envelope;
  if (renews && provider) {
    await insertFollowingOrder(deps, renews, {
      id,
      kind: 'renewal',
      provider,
      source,
      eventKey: `renewal:${eventKey}`,
    });
  }
  return { ...envelope, orderId: id };
}
