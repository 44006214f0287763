// The event of the order machine that a payment's state is, wherever the payment was read.
import type { UnstampedOrderEvent } from '../../../machines/orderEvents.ts';
import type { ProviderPayment } from '../provider.ts';

/** Null while the payment is pending: then there is nothing to tell. */
export function paymentEvent(payment: ProviderPayment, occurredAt?: string): UnstampedOrderEvent | null {
  const { paymentId, state, amountMinor, currency, reason, subscriptionId } = payment;
  const time = occurredAt === undefined ? {} : { occurredAt };
  switch (state) {
    case 'pending':
      return null;
    case 'authorized':
    case 'captured': {
      const subscription = subscriptionId === undefined ? {} : { subscriptionId };
      return { type: `payment.${state}`, paymentId, amountMinor, currency, ...subscription, ...time };
    }
    case 'failed':
    case 'canceled':
      return { type: `payment.${state}`, paymentId, ...(reason !== undefined && { reason }), ...time };
  }
}
