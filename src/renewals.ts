// A recurring charge is told by webhook only: nobody checked out for it. It gets an order of kind `renewal`, with the
// plan as the renewed order bought it and an id derived from the payment, so that however often it is told it is one.
import type { Database } from '../db/client.ts';
import { insertOrder } from '../db/insertOrder.ts';
import { findOnlyPurchase, findRenewedOrder, paymentOwner, type RenewedOrder } from '../db/renewals.ts';
import { planTermsSchema } from '../machines/orderEvents.ts';
import type { Clock } from './clock.ts';
import type { Envelope } from './dispatch/envelope.ts';
import { derivedOrderId } from './ids.ts';
import { newOrder } from './newOrder.ts';

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
  const { userId, providerAccount, live, amountMinor, currency } = renewed;
  const plan = planTermsSchema.parse(renewed.plan);
  const about = {
    kind: 'renewal' as const,
    userId,
    plan,
    provider,
    account: providerAccount,
    live,
    amountMinor,
    currency,
  };
  const created = { type: 'order.created' as const, at: clock().toISOString(), ...about };
  const origin = { another: false, returnUrl: null, metadata: null, source, eventKey: `renewal:${eventKey}` };
  await insertOrder(db, newOrder(id, created, origin));
}
