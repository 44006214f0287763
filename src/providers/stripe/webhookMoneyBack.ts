// Refunds and disputes, each as the state of its own object. Their times are Stripe's events', which are in whole seconds
// and promise no order: only states that end something carry one, so that a late `pending` never overrules them.
import { amountMinorSchema } from '../../../machines/orderEvents.ts';
import { ignored, undecodable } from '../signedBody.ts';
import { disputeFrom, disputeSchema } from './moneyBack.ts';
import { ORDER_MARK, orderIdIn, refundSchema, refundStateOf } from './objects.ts';
import { type EventAbout, type Translated, timeOf } from './translation.ts';
import { fromStripeAmount } from './units.ts';

export function refundUpdated(object: unknown, about: EventAbout): Translated {
  const refund = refundSchema.parse(object);
  const orderId = orderIdIn(refund.metadata?.[ORDER_MARK]);
  if (refund.payment_intent === null) return { orderId, ...ignored('The refund belongs to no payment intent.') };
  const inOurUnit = fromStripeAmount(refund.amount, refund.currency);
  if (inOurUnit === null) return { orderId, ...undecodable('The amount has a fraction of a minor unit.') };
  // A type of event that says so is believed even beside a status of another word.
  const state = about.type === 'refund.failed' ? 'failed' : refundStateOf(refund.status);
  return {
    orderId,
    event: {
      type: 'refund.updated',
      paymentId: refund.payment_intent,
      refundId: refund.id,
      state,
      amountMinor: amountMinorSchema.parse(inOurUnit),
      ...(state !== 'pending' && timeOf(about)),
    },
  };
}

/** Decided by the dispute's own status: `closed` alone does not say for whom, and money is withdrawn while it is open. */
export function disputeUpdated(object: unknown, about: EventAbout): Translated {
  const dispute = disputeSchema.parse(object);
  if (dispute.payment_intent === null) return ignored('The dispute belongs to no payment intent.');
  const told = disputeFrom(dispute);
  if (told === null) return undecodable('The amount has a fraction of a minor unit.');
  return {
    event: {
      type: 'dispute.updated',
      paymentId: dispute.payment_intent,
      ...told,
      amountMinor: amountMinorSchema.parse(told.amountMinor),
      ...(told.state !== 'opened' && timeOf(about)),
    },
  };
}
