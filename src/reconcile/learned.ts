// What we learn by asking a provider, as events for dispatch: the payment's state and each of its refunds. The key names
// the fact, so asking a hundred times leaves one row of the inbox.
import { createHash } from 'node:crypto';
import type { UnstampedOrderEvent } from '../../machines/orderEvents.ts';
import type { Envelope } from '../dispatch/envelope.ts';
import { paymentEvent, refundEvents } from '../providers/paymentEvent.ts';
import type { ProviderPayment } from '../providers/provider.ts';

/** The events a payment stands for now, its own first; none while it is pending. `order` says whose it is where the payment does not. */
export function learned(
  provider: string,
  payment: ProviderPayment,
  order: { orderId: string | null; providerOrderId: string | null } = payment,
): Envelope[] {
  const own = paymentEvent(payment);
  return [...(own ? [own] : []), ...refundEvents(payment)].map(event => {
    const raw = Buffer.from(JSON.stringify(event.type === 'refund.updated' ? event : payment));
    return {
      source: 'reconcile',
      orderId: payment.orderId ?? order.orderId,
      provider,
      providerOrderId: payment.providerOrderId ?? order.providerOrderId,
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

function keyOf(
  event: UnstampedOrderEvent,
  { paymentId, state, amountMinor, occurredAt = '' }: ProviderPayment,
): string {
  return event.type === 'refund.updated'
    ? `rc:${paymentId}:refund:${event.refundId}:${event.state}`
    : `rc:${paymentId}:${state}:${amountMinor}:${occurredAt}`;
}
