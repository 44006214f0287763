// What the provider answered, told to the order as events: an effect is over only when dispatch has taken them. Their keys
// name the effect and the fact, so a try that was killed after telling tells the same event, and not a second one.
import type { UnstampedOrderEvent } from '../../../machines/orderEvents.ts';
import { paymentEvent, type RefundEvent, refundEvents } from '../../providers/paymentEvent.ts';
import type { ProviderPayment, ProviderRefund } from '../../providers/provider.ts';
import { unsentRefundId } from '../unsentRefund.ts';
import type { HandlerDeps, Subject } from './subject.ts';

type About = Pick<Subject, 'effect' | 'order' | 'provider'>;

/** The payment's own state and each of its refunds. */
export async function tellPayment(deps: HandlerDeps, about: About, payment: ProviderPayment): Promise<void> {
  const own = paymentEvent(payment);
  if (own) await tell(deps, about, own, `${payment.paymentId}:${payment.state}`);
  for (const event of refundEvents(payment)) await tellRefund(deps, about, event);
}

/** The refund this effect asked for: what was set aside for it is free again with this. */
export async function tellAskedRefund(
  deps: HandlerDeps,
  about: About,
  paymentId: string,
  refund: ProviderRefund,
  requestKey = about.effect.dedupKey,
): Promise<void> {
  for (const event of refundEvents({ paymentId, refunds: [refund] }))
    await tellRefund(deps, about, { ...event, requestKey });
}

/** `unwanted`: nobody waits for this money: it was decided against, or has gone back another way. */
export type Unsent = { paymentId: string; amountMinor: number; reason: string; unwanted?: true };

/** Nothing was sent and nothing will be: told as a refund that failed, under a name of ours, so that its money is free again. */
export async function tellUnsent(
  deps: HandlerDeps,
  about: About,
  { paymentId, amountMinor, reason, unwanted }: Unsent,
): Promise<void> {
  const { dedupKey } = about.effect;
  await tellRefund(deps, about, {
    type: 'refund.updated',
    paymentId,
    refundId: unsentRefundId(dedupKey),
    state: 'failed',
    amountMinor,
    reason,
    requestKey: dedupKey,
    ...(unwanted && { unwanted }),
  });
}

async function tellRefund(deps: HandlerDeps, about: About, event: RefundEvent): Promise<void> {
  const asked = event.requestKey === undefined ? '' : ':asked';
  await tell(deps, about, event, `${event.paymentId}:refund:${event.refundId}:${event.state}${asked}`);
}

async function tell(
  { dispatch }: HandlerDeps,
  { effect, order, provider }: About,
  event: UnstampedOrderEvent,
  fact: string,
): Promise<void> {
  await dispatch({
    source: 'worker',
    orderId: order.id,
    provider: provider.name,
    providerOrderId: null,
    eventKey: `wk:${effect.id}:${fact}`,
    event,
    received: null,
  });
}
