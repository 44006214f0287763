// What the sandbox server remembers of one order: a single document, so that a change of its payments and the webhooks
// that tell of it are written together or not at all.
import { z } from 'zod';

const refundSchema = z.object({
  refundId: z.string(),
  state: z.enum(['completed', 'failed']),
  amountMinor: z.int(),
  /** The caller's idempotency key, or null where a scenario made the refund. */
  key: z.string().nullable(),
  at: z.string(),
});

const disputeSchema = z.object({
  disputeId: z.string(),
  state: z.enum(['opened', 'won', 'lost']),
  amountMinor: z.int(),
  at: z.string(),
});

const paymentSchema = z.object({
  paymentId: z.string(),
  state: z.enum(['authorized', 'captured', 'failed', 'canceled']),
  amountMinor: z.int(),
  currency: z.string(),
  reason: z.string().optional(),
  /** When `state` became true. */
  at: z.string(),
  /** Grows with every change of any payment; lists are paged along it, so that a change is never paged over. */
  sequence: z.int(),
  changedAt: z.string(),
  refunds: z.array(refundSchema),
  disputes: z.array(disputeSchema),
});

const deliverySchema = z.object({
  webhookId: z.string(),
  type: z.string(),
  /** The exact text that is signed and sent, the same in every attempt. */
  body: z.string(),
  /** `withheld` is sent only by name: the webhook that never comes. `dead` has used up its attempts. */
  status: z.enum(['pending', 'delivered', 'withheld', 'dead']),
  attempts: z.int(),
  nextAttemptAt: z.string(),
  lastAnswer: z.string().nullable(),
  /** A delivery of the same order that has to be tried before this one, to keep a story in its order. */
  after: z.string().nullable(),
  /** How many more times to send it after it was delivered: the webhook that comes twice. */
  repeats: z.int(),
});

export const sandboxOrderSchema = z.object({
  providerOrderId: z.string(),
  /** The service's id for the order: the idempotency key of its creation. */
  orderId: z.string(),
  userId: z.string(),
  planId: z.string(),
  amountMinor: z.int(),
  currency: z.string(),
  callbackUrl: z.string(),
  closed: z.boolean(),
  createdAt: z.string(),
  /** The latest instant given to any fact of this order: every later fact is later, by a millisecond at least. */
  lastFactAt: z.string(),
  payments: z.array(paymentSchema),
  deliveries: z.array(deliverySchema),
  /** Which form submissions and scenario calls have been carried out, so that a double click pays once. */
  runs: z.array(z.object({ key: z.string(), paymentIds: z.array(z.string()) })),
});

export type SandboxOrder = z.infer<typeof sandboxOrderSchema>;
export type SandboxPayment = z.infer<typeof paymentSchema>;
export type SandboxRefund = z.infer<typeof refundSchema>;
export type SandboxDispute = z.infer<typeof disputeSchema>;
export type SandboxDelivery = z.infer<typeof deliverySchema>;

/** What of a payment's money is still here: captured less the refunds that went through. */
export function heldMinor(payment: SandboxPayment): number {
  if (payment.state !== 'captured') return 0;
  const refunded = payment.refunds.filter(refund => refund.state === 'completed');
  return payment.amountMinor - refunded.reduce((sum, refund) => sum + refund.amountMinor, 0);
}
