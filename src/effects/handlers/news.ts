// What an order knows already need not be told again: an answer that says nothing new leaves no row behind.
import type { OrderContext } from '../../../machines/orderContext.ts';
import type { UnstampedOrderEvent } from '../../../machines/orderEvents.ts';

/** False where the order has heard exactly this. When in doubt it is news: the machine answers `duplicate`. */
export function isNews({ payments, attempts, passedOn }: OrderContext, event: UnstampedOrderEvent): boolean {
  if (!('paymentId' in event) || event.paymentId === undefined) return true;
  const { paymentId } = event;
  const known = payments.find(payment => payment.paymentId === paymentId);
  switch (event.type) {
    case 'payment.authorized':
      return !(known && ['authorized', 'captured', 'voided'].includes(known.state) && isSame(known, event));
    case 'payment.captured':
      return !passedOn.includes(paymentId) && !(known?.state === 'captured' && isSame(known, event));
    case 'payment.failed':
    case 'payment.canceled':
      return known ? known.state === 'authorized' : !attempts.some(attempt => attempt.paymentId === paymentId);
    case 'refund.updated':
      return !known?.refunds.some(({ id, state }) => id === event.refundId && state === event.state);
    default:
      return true;
  }
}

type Money = { amountMinor: number; currency: string };
const isSame = (a: Money, b: Money) => a.amountMinor === b.amountMinor && a.currency === b.currency;
