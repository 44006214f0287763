// Puts webhooks into an order's document. Sending them is the business of serverDeliveries.ts; here they only become
// part of the same write as the fact they tell of.
import { newSandboxId, type SandboxContext } from './serverContext.ts';
import type { SandboxDelivery, SandboxDispute, SandboxOrder, SandboxPayment, SandboxRefund } from './serverState.ts';

/** How the webhooks of a scenario travel. */
export type WebhookManner = 'prompt' | 'late' | 'twice' | 'never';

/** How one webhook is to be sent: its manner, and which delivery has to be tried before it. */
export type WebhookPlan = { manner: WebhookManner; after?: SandboxDelivery };

const PROMPT: WebhookPlan = { manner: 'prompt' };

/** Tells of a payment's state. */
export function queuePaymentWebhook(
  context: SandboxContext,
  order: SandboxOrder,
  payment: SandboxPayment,
  plan: WebhookPlan = PROMPT,
): SandboxDelivery {
  const reason = payment.reason === undefined ? {} : { reason: payment.reason };
  const data = { ...describe(order, payment), amountMinor: payment.amountMinor, ...reason };
  return queue(context, order, { type: `payment.${payment.state}`, timestamp: payment.at, data }, plan);
}

/** Tells of a refund's state; the amount is this refund's. */
export function queueRefundWebhook(
  context: SandboxContext,
  order: SandboxOrder,
  payment: SandboxPayment,
  refund: SandboxRefund,
): SandboxDelivery {
  const data = { ...describe(order, payment), amountMinor: refund.amountMinor, refundId: refund.refundId };
  return queue(context, order, { type: `refund.${refund.state}`, timestamp: refund.at, data }, PROMPT);
}

/** Tells of a dispute's state; the amount is this dispute's. */
export function queueDisputeWebhook(
  context: SandboxContext,
  order: SandboxOrder,
  payment: SandboxPayment,
  dispute: SandboxDispute,
): SandboxDelivery {
  const data = { ...describe(order, payment), amountMinor: dispute.amountMinor, disputeId: dispute.disputeId };
  return queue(context, order, { type: `dispute.${dispute.state}`, timestamp: dispute.at, data }, PROMPT);
}

function describe(order: SandboxOrder, payment: SandboxPayment) {
  return { providerOrderId: order.providerOrderId, paymentId: payment.paymentId, currency: payment.currency };
}

function queue(
  context: SandboxContext,
  order: SandboxOrder,
  message: { type: string; timestamp: string; data: Record<string, unknown> },
  plan: WebhookPlan,
): SandboxDelivery {
  const delayMs = plan.manner === 'late' ? context.timing.lateMs : 0;
  const delivery: SandboxDelivery = {
    webhookId: newSandboxId(context, 'evt'),
    type: message.type,
    body: JSON.stringify(message),
    status: plan.manner === 'never' ? 'withheld' : 'pending',
    attempts: 0,
    nextAttemptAt: new Date(context.clock().getTime() + delayMs).toISOString(),
    lastAnswer: null,
    after: plan.after?.webhookId ?? null,
    repeats: plan.manner === 'twice' ? 1 : 0,
  };
  order.deliveries.push(delivery);
  return delivery;
}
