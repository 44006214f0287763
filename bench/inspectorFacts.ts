// What the inspector's bench tells its orders: what they sell, and the events that providers send about it.
import type { PlanTerms, UnstampedOrderEvent } from '../machines/orderEvents.ts';

/** A period of days: moved in time, it is as long in every month. */
export const PLAN: PlanTerms = {
  id: 'pro-30-days',
  product: 'pro',
  amountMinor: 49_900,
  currency: 'INR',
  months: 0,
  days: 30,
  graceDays: 3,
  surplusPolicy: 'refund',
};

export const pay = (token: string, amountMinor = PLAN.amountMinor): UnstampedOrderEvent => ({
  type: 'payment.captured',
  paymentId: `pay_${token}`,
  amountMinor,
  currency: PLAN.currency,
});
export const reserve = (token: string): UnstampedOrderEvent =>
  ({ ...pay(token), type: 'payment.authorized' }) as UnstampedOrderEvent;
export const decline = (token: string): UnstampedOrderEvent => ({
  type: 'payment.failed',
  paymentId: `pay_${token}_declined`,
  reason: 'the card was declined',
});
export const back = (token: string, amountMinor: number): UnstampedOrderEvent => ({
  type: 'refund.updated',
  paymentId: `pay_${token}`,
  refundId: `rf_${token}`,
  state: 'completed',
  amountMinor,
});
export const dispute = (token: string, state: 'opened' | 'lost'): UnstampedOrderEvent => ({
  type: 'dispute.updated',
  paymentId: `pay_${token}`,
  disputeId: `dp_${token}`,
  state,
  amountMinor: PLAN.amountMinor,
});
