// What we learn by asking a provider, as events for dispatch: the payment's state and each of its refunds and disputes. The key names
// the fact, so asking a hundred times leaves one row of the inbox.
import { createHash } from 'node:crypto';
import type { UnstampedOrderEvent } from '../../machines/orderEvents.ts';
import type { Envelope } from '../dispatch/envelope.ts';
import {
  type DisputeEvent,
  disputeEvents,
  paymentEvent,
  type RefundEvent,
  refundEvents,
} from '../providers/paymentEvent.ts';
import type { MoneyBack, ProviderPayment } from '../providers/provider.ts';

/** The events a payment stands for now, its own first; none while it is pending. `order` says whose it is where the payment does not. */
export function learned(provider: string, payment: ProviderPayment, order: Whose = payment): Envelope[] {
  const { paymentId, payerId } = payment;
  const whose = {
    orderId: payment.orderId ?? order.orderId,
    providerOrderId: payment.providerOrderId ?? order.providerOrderId,
  };
  const own = paymentEvent(payment);
  return [
    ...(own ? [{ event: own, eventKey: keyOfPayment(payment), told: payment }] : []),
    ...backEvents(payment).map(event => ({ event, eventKey: keyOfMoneyBack(paymentId, event), told: event })),
  ].map(fact => ({ ...envelopeOf(provider, fact, whose), ...(payerId !== undefined && { payerId }) }));
}

/** The same events for what was told apart from its payment, by which they find their order. */
export function learnedMoneyBack(provider: string, told: MoneyBack): Envelope[] {
  return backEvents(told).map(event => {
    const eventKey = keyOfMoneyBack(told.paymentId, event);
    return envelopeOf(provider, { event, eventKey, told: event }, { orderId: null, providerOrderId: null });
  });
}

const backEvents = (told: MoneyBack) => [...refundEvents(told), ...disputeEvents(told)];

type Whose = { orderId: string | null; providerOrderId: string | null };
/** `told` is what is kept as it was learned. */
type Fact = { event: UnstampedOrderEvent; eventKey: string; told: unknown };

function envelopeOf(provider: string, { event, eventKey, told }: Fact, whose: Whose): Envelope {
  const raw = Buffer.from(JSON.stringify(told));
  const bodyHash = createHash('sha256').update(raw).digest('hex');
  const received = { eventType: event.type, raw, bodyHash, headers: {} };
  return { source: 'reconcile', ...whose, provider, eventKey, event, received };
}

const keyOfPayment = ({ paymentId, state, amountMinor, occurredAt = '' }: ProviderPayment) =>
  `rc:${paymentId}:${state}:${amountMinor}:${occurredAt}`;

function keyOfMoneyBack(paymentId: string, event: RefundEvent | DisputeEvent): string {
  if (event.type === 'refund.updated') return `rc:${paymentId}:refund:${event.refundId}:${event.state}`;
  // A dispute can be won, and then be lost after all, and won again.
  return `rc:${paymentId}:dispute:${event.disputeId}:${event.state}:${event.occurredAt ?? ''}`;
}
