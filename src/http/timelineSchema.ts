// The timeline of an order as it is answered: everything that ever reached it, applied or not, oldest first.
import { z } from '@hono/zod-openapi';
import type { TimelineView } from '../ports.ts';
import { grantSchema, orderSchema, orNull } from './schemas.ts';

const instant = z.string().meta({ format: 'date-time' });

export const timelineSchema = z
  .object({
    order: orderSchema,
    transitions: z.array(
      z.object({
        version: z.int(),
        type: z.string(),
        from: z.string().nullable(),
        to: z.string(),
        source: z.string(),
        eventKey: z.string().nullable(),
        at: instant,
        reason: z.string().optional(),
        by: z.string().optional(),
      }),
    ),
    received: z.array(
      z.object({
        provider: z.string(),
        eventKey: z.string(),
        type: z.string(),
        verdict: z.string(),
        detail: z.string().nullable(),
        appliedVersion: z.int().nullable(),
        deliveries: z.int(),
        receivedAt: instant,
      }),
    ),
    effects: z.array(
      z.object({
        id: z.string(),
        effect: z.string(),
        status: z.string(),
        attempts: z.int(),
        lastError: z.string().nullable(),
        availableAt: instant,
        orderVersion: z.int(),
        dedupKey: z.string(),
      }),
    ),
    payments: z.array(
      z.object({
        paymentId: z.string(),
        provider: z.string(),
        state: z.string(),
        currency: z.string(),
        capturedMinor: z.int(),
        refundedMinor: z.int(),
        lostMinor: z.int(),
        counts: z.boolean(),
        asOf: instant.nullable(),
      }),
    ),
    refunds: z.array(
      z.object({
        refundId: z.string(),
        paymentId: z.string(),
        state: z.string(),
        amountMinor: z.int(),
        asOf: instant.nullable(),
      }),
    ),
    disputes: z.array(
      z.object({
        disputeId: z.string(),
        paymentId: z.string(),
        state: z.string(),
        amountMinor: z.int(),
        asOf: instant.nullable(),
      }),
    ),
    grant: orNull(grantSchema),
  })
  .openapi('Timeline') satisfies z.ZodType<TimelineView>;
