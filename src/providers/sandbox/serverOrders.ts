// Opening and closing orders at the sandbox, and how orders and payments are shown to the service.
import { z } from 'zod';
import { amountMinorSchema, currencySchema } from '../../../machines/orderEvents.ts';
import { newSandboxId, type SandboxContext, SandboxRefusal } from './serverContext.ts';
import { heldMinor, type SandboxOrder, type SandboxPayment } from './serverState.ts';

const nameSchema = z.string().regex(/^[\x21-\x7e]{1,255}$/, 'must be 1 to 255 printable ASCII characters');
export const newOrderSchema = z.object({
  orderId: nameSchema,
  userId: nameSchema,
  planId: nameSchema,
  amountMinor: amountMinorSchema,
  currency: currencySchema,
  callbackUrl: z.url({ protocol: /^https?$/ }).max(2_048),
});
export type NewOrder = z.infer<typeof newOrderSchema>;

/** Opens an order, or answers the one that was opened for this order id before. */
export function openOrder(context: SandboxContext, request: NewOrder): { order: SandboxOrder; created: boolean } {
  const known = context.store.byOrderId(request.orderId);
  if (known !== undefined) return { order: reopen(context, known, request), created: false };
  const createdAt = context.clock().toISOString();
  const order: SandboxOrder = {
    providerOrderId: newSandboxId(context, 'sbo'),
    ...request,
    closed: false,
    createdAt,
    lastFactAt: createdAt,
    payments: [],
    deliveries: [],
    runs: [],
  };
  context.save(order);
  return { order, created: true };
}

/** A repeated call must ask for the same thing. Only the way back may differ: the service may have moved since. */
function reopen(context: SandboxContext, order: SandboxOrder, request: NewOrder): SandboxOrder {
  for (const field of ['userId', 'planId', 'amountMinor', 'currency'] as const) {
    if (order[field] !== request[field]) {
      throw new SandboxRefusal(422, 'idempotency_key_reused', `This order was opened with another ${field}.`);
    }
  }
  if (order.callbackUrl !== request.callbackUrl) {
    order.callbackUrl = request.callbackUrl;
    context.save(order);
  }
  return order;
}

/** @throws SandboxRefusal when no order has this id */
export function findOrder(context: SandboxContext, providerOrderId: string): SandboxOrder {
  const order = context.store.byId(providerOrderId);
  if (order === undefined) throw new SandboxRefusal(404, 'not_found', 'There is no order with this id.');
  return order;
}

/** Takes no further payment on the pay page. No webhook: whoever closes an order hears it in the answer. */
export function closeOrder(context: SandboxContext, order: SandboxOrder): void {
  if (order.closed) return;
  const holding = order.payments.find(payment => payment.state === 'authorized' || payment.state === 'captured');
  if (holding !== undefined) {
    throw new SandboxRefusal(
      409,
      'order_paid',
      `The order holds a payment that is ${holding.state}; it cannot be closed.`,
    );
  }
  order.closed = true;
  context.save(order);
}

/** Where the customer pays for an order. Made from where the server is now, never stored. */
export function payUrl(context: SandboxContext, order: SandboxOrder): string {
  return `${context.publicUrl()}/pay/${order.providerOrderId}`;
}

function orderStatus(order: SandboxOrder): 'open' | 'authorized' | 'paid' | 'closed' {
  if (order.payments.some(payment => payment.state === 'captured')) return 'paid';
  if (order.payments.some(payment => payment.state === 'authorized')) return 'authorized';
  return order.closed ? 'closed' : 'open';
}

/** An order as the API shows it. */
export function showOrder(context: SandboxContext, order: SandboxOrder) {
  const { providerOrderId, orderId, userId, planId, amountMinor, currency, callbackUrl, createdAt } = order;
  return {
    providerOrderId,
    orderId,
    userId,
    planId,
    amountMinor,
    currency,
    callbackUrl,
    url: payUrl(context, order),
    status: orderStatus(order),
    createdAt,
    payments: order.payments.map(payment => showPayment(order, payment)),
  };
}

/** A payment as the API shows it: `occurredAt` is the time of its state, `updatedAt` that of its last change of any kind. */
export function showPayment(order: SandboxOrder, payment: SandboxPayment) {
  return {
    paymentId: payment.paymentId,
    providerOrderId: order.providerOrderId,
    orderId: order.orderId,
    state: payment.state,
    amountMinor: payment.amountMinor,
    currency: payment.currency,
    ...(payment.reason !== undefined && { reason: payment.reason }),
    heldMinor: heldMinor(payment),
    refunds: payment.refunds.map(({ refundId, state, amountMinor, key, at }) => ({
      refundId,
      state,
      amountMinor,
      key,
      occurredAt: at,
    })),
    disputes: payment.disputes.map(({ disputeId, state, amountMinor, at }) => ({
      disputeId,
      state,
      amountMinor,
      occurredAt: at,
    })),
    occurredAt: payment.at,
    updatedAt: payment.changedAt,
  };
}
