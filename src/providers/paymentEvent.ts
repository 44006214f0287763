// The events of the order machine that a payment's state at its provider is, wherever the payment was read.
import type { UnstampedOrderEvent } from '../../machines/orderEvents.ts';
import type { ProviderPayment } from './provider.ts';

/** Null while the payment is pending: then there is nothing to tell. `occurredAt` is said where the payment tells none. */
export function paymentEvent(payment: ProviderPayment, occurredAt = payment.occurredAt): UnstampedOrderEvent | null {
  const { paymentId, state, amountMinor, currency, live, reason, subscriptionId } = payment;
  const time = occurredAt === undefined ? {} : { occurredAt };
  switch (state) {
    case 'pending':
      return null;
    case 'authorized':
    case 'captured':
      return {
        type: `payment.${state}`,
        paymentId,
        amountMinor,
        currency,
        ...(live !== undefined && { live }),
        ...(subscriptionId !== undefined && { subscriptionId }),
        ...time,
      };
    case 'failed':
    case 'canceled':
      return { type: `payment.${state}`, paymentId, ...(reason !== undefined && { reason }), ...time };
  }
}

export type RefundEvent = Extract<UnstampedOrderEvent, { type: 'refund.updated' }>;

/** One event a refund, as it stands now. */
export function refundEvents({
  paymentId,
  refunds = [],
}: Pick<ProviderPayment, 'paymentId' | 'refunds'>): RefundEvent[] {
  return refunds.map(({ refundId, state, amountMinor, occurredAt }) => ({
    type: 'refund.updated' as const,
    paymentId,
    refundId,
    state,
    amountMinor,
    ...(occurredAt !== undefined && { occurredAt }),
  }));
}

export type DisputeEvent = Extract<UnstampedOrderEvent, { type: 'dispute.updated' }>;

/** One event a dispute, as it stands now. */
export function disputeEvents({
  paymentId,
  disputes = [],
}: Pick<ProviderPayment, 'paymentId' | 'disputes'>): DisputeEvent[] {
  return disputes.map(({ disputeId, state, amountMinor, occurredAt }) => ({
    type: 'dispute.updated' as const,
    paymentId,
    disputeId,
    state,
    amountMinor,
    ...(occurredAt !== undefined && { occurredAt }),
  }));
}
