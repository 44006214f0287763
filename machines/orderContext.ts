// What an order remembers between events: its terms, fixed at creation, and the facts heard since. The snapshot that is
// stored is this context, the state's name and the pending deadline.
import { z } from 'zod';
import { paymentRecordSchema } from './money.ts';
import { type OrderCreated, orderTerms } from './orderEvents.ts';

/** How many attempts a snapshot keeps: enough to see a pattern at a glance; the count goes on. */
export const ATTEMPTS_KEPT = 20;
/**
 * Past this many failed attempts an order is being used to test cards: further ones are `stale` and write nothing to
 * it.
 */
export const MAX_ATTEMPTS = 100;
/**
 * Past this many payments an order takes no further authorisation, because its snapshot must stay small. Captured money
 * is always booked.
 */
export const MAX_PAYMENTS = 50;

const count = z.int().min(0);

export const orderContextSchema = z.object({
  ...orderTerms,
  providerOrderId: z.string().nullable(),
  checkoutUrl: z.string().nullable(),
  providerHandle: z.string().nullable(),
  providerSubscriptionId: z.string().nullable(),
  payments: z.array(paymentRecordSchema),
  /** Surplus payments that this order has passed on, to become orders of their own. */
  passedOn: z.array(z.string()).default([]),
  /** The authorisation the order waits to capture. */
  authorizedBy: z.string().nullable(),
  /** Failed or canceled attempts, newest last, with the provider's own time where it told one. */
  attempts: z.array(z.object({ paymentId: z.string().nullable(), asOf: z.string().nullable().default(null) })),
  attemptCount: count,
  /** True once the grant was written; a refund revokes it and a returned payment restores it. */
  granted: z.boolean(),
  /** How often the provider was asked about the present authorisation, and how often the grant was tried again. */
  asked: count,
  grantTries: count,
  /** The order was closed at the provider, or that was asked for. */
  closed: z.boolean(),
});
export type OrderContext = z.infer<typeof orderContextSchema>;

export function newOrderContext(created: OrderCreated): OrderContext {
  const { kind, userId, plan, provider, account, live, amountMinor, currency } = created;
  return {
    kind,
    userId,
    plan,
    provider,
    account,
    live,
    amountMinor,
    currency,
    providerOrderId: null,
    checkoutUrl: null,
    providerHandle: null,
    providerSubscriptionId: null,
    payments: [],
    passedOn: [],
    authorizedBy: null,
    attempts: [],
    attemptCount: 0,
    granted: false,
    asked: 0,
    grantTries: 0,
    closed: false,
  };
}
