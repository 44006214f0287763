// What we learn by asking a provider, as events for dispatch: the payment's state and each of its refunds and disputes. The key names
// the fact, so asking a hundred times leaves one row of the inbox.
import { createHash } from 'node:crypto';
import type { UnstampedOrderEvent } from '../../machines/orderEvents.ts';
import type { Envelope } from '../dispatch/envelope.ts';
import { disputeEvents, paymentEvent, refundEvents } from '../providers/paymentEvent.ts';
import type { ProviderPayment } from '../providers/provider.ts';

/** The events a payment stands for now, its own first; none while it is pending. `order` says whose it is where the payment does not. */
export function learned(
  provider: string,
  payment: ProviderPayment,
  order: { orderId: string | null; providerOrderId: string | null } = payment,
): Envelope[] {
  const own = paymentEvent(payment);
  return [...(own ? [own] : []), ...refundEvents(payment), ...disputeEvents(payment)].map(event => {
    const raw = Buffer.from(JSON.stringify(tellsOfMoneyBack(event) ? event : payment));
    return {
      source: 'reconcile',
      orderId: payment.orderId ?? order.orderId,
      provider,
      providerOrderId: payment.providerOrderId ?? order.providerOrderId,
      ...(payment.payerId !== undefined && { payerId: payment.payerId }),
      eventKey: keyOf(event, payment),
      event,
      received: {
        eventType: event.type,
        raw,
        bodyHash: createHash('sha256').update(raw).digest('hex'),
        headers: {},
      },
    };
  });
}

const tellsOfMoneyBack = ({ type }: UnstampedOrderEvent) => type === 'refund.updated' || type === 'dispute.updated';

function keyOf(
  event: UnstampedOrderEvent,
  { paymentId, state, amountMinor, occurredAt = '' }: ProviderPayment,
): string {
  if (event.type === 'refund.updated') return `rc:${paymentId}:refund:${event.refundId}:${event.state}`;
  // A dispute can be won, and then be lost after all, and won again.
  if (event.type === 'dispute.updated')
    return `rc:${paymentId}:dispute:${event.disputeId}:${event.state}:${event.occurredAt ?? ''}`;
  return `rc:${paymentId}:${state}:${amountMinor}:${occurredAt}`;
}
