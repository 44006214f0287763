// What the API answers, as zod schemas: /openapi.json is generated from them, and `satisfies` ties each to the type the
// core returns, so that neither can change alone.
import { z } from '@hono/zod-openapi';
import { MAX_AMOUNT_MINOR } from '../../machines/orderEvents.ts';
import type { AccessView, GrantView, OrderView, PlanView, PreviewView, Stuck, SubscriptionView } from '../ports.ts';
import { causeField } from './fields.ts';

const instant = z.string().meta({ format: 'date-time', example: '2026-01-31T10:00:00.000Z' });
const amountMinor = z.int().meta({ description: 'Minor units of the currency', maximum: MAX_AMOUNT_MINOR });
const currency = z.string().meta({ description: 'ISO 4217', example: 'INR' });

/** A shared schema or nothing. `nullable()` would make the shared one nullable in the description, wherever it is used. */
export const orNull = <Schema extends z.ZodType>(schema: Schema) => z.union([schema, z.null()]);

export const verdictSchema = z.enum([
  'applied',
  'duplicate',
  'stale',
  'illegal',
  'mismatch',
  'surplus',
  'unmatched',
  'foreign',
  'parked',
  'ignored',
]);

export const stuckSchema = z
  .object({
    cause: causeField,
    since: instant,
    detail: z.string().nullable(),
  })
  .openapi('Stuck', { description: 'Why the order does not move by itself' }) satisfies z.ZodType<Stuck>;

export const orderSchema = z
  .object({
    id: z.string(),
    kind: z.string().meta({ description: 'purchase, renewal, trial, surplus, gift or import' }),
    userId: z.string(),
    planId: z.string(),
    product: z.string(),
    provider: z.string().nullable(),
    providerOrderId: z.string().nullable(),
    amountMinor,
    currency,
    state: z.string().meta({
      description: 'created, authorized, captured, subscribed, failed, parked or refunded',
      example: 'subscribed',
    }),
    version: z.int().meta({ description: 'Number of its transitions; also its ETag' }),
    stuck: orNull(stuckSchema),
    legalEvents: z.array(z.string()).meta({ description: 'Events that would not be refused now' }),
    createdAt: instant,
    updatedAt: instant,
  })
  .openapi('Order') satisfies z.ZodType<OrderView>;

export const grantSchema = z
  .object({
    orderId: z.string(),
    product: z.string(),
    seq: z.int(),
    paymentId: z.string().nullable(),
    baseAt: instant,
    months: z.int(),
    days: z.int(),
    graceDays: z.int(),
    startsAt: instant,
    endsAt: instant,
    grantedAt: instant,
    revokedAt: instant.nullable(),
    revokeReason: z.string().nullable(),
  })
  .openapi('Grant') satisfies z.ZodType<GrantView>;

export const previewSchema = z
  .object({
    orderId: z.string().meta({
      description:
        'The order that would hear it: money that goes back is the business of the order that owns the payment',
    }),
    verdict: verdictSchema,
    detail: z.string().nullable(),
    from: z.string(),
    to: z.string(),
    version: z.int(),
    diff: z.array(z.object({ path: z.string(), before: z.unknown(), after: z.unknown() })),
    effects: z.array(
      z.object({ effect: z.string(), payload: z.record(z.string(), z.unknown()), dedupKey: z.string() }),
    ),
    wakeAt: instant.nullable(),
    legalEvents: z.array(z.string()),
  })
  .openapi('Preview') satisfies z.ZodType<PreviewView>;

export const accessSchema = z
  .object({
    access: z.boolean(),
    product: z.string(),
    until: instant.nullable(),
    graceUntil: instant.nullable(),
    reason: z.enum(['active', 'in_grace', 'trial', 'expired', 'refunded', 'never_paid']),
    grants: z.array(grantSchema),
  })
  .openapi('Access') satisfies z.ZodType<AccessView>;

export const subscriptionSchema = z
  .object({
    userId: z.string(),
    product: z.string(),
    version: z.int(),
    grants: z.int().meta({ description: 'Grants ever given' }),
    endsAt: instant.nullable(),
    graceUntil: instant.nullable(),
    cancelAtEnd: z.boolean(),
    cancelledAt: instant.nullable().meta({
      description: 'Since when it is cancelled; null when it is not, or when nobody noted it',
    }),
  })
  .openapi('Subscription') satisfies z.ZodType<SubscriptionView>;

export const planSchema = z
  .object({
    id: z.string(),
    product: z.string(),
    amountMinor,
    currency,
    period: z.union([z.object({ months: z.int() }), z.object({ days: z.int() })]),
    graceDays: z.int(),
    trialDays: z.int(),
    surplusPolicy: z.enum(['refund', 'extend', 'hold']),
    createdAt: instant,
    updatedAt: instant,
  })
  .openapi('Plan') satisfies z.ZodType<PlanView>;

export const problemSchema = z
  .object({
    type: z.string().meta({ example: 'urn:paylatch:problem:invalid_request' }),
    title: z.string(),
    status: z.int(),
    detail: z.string().meta({ description: 'A sentence saying what was wrong and what is legal' }),
    code: z.string().meta({ example: 'invalid_request' }),
    requestId: z.string(),
    errors: z
      .array(z.object({ in: z.string(), field: z.string(), detail: z.string() }))
      .optional()
      .meta({ description: 'With invalid_request: each field that was wrong' }),
    legalEvents: z.array(z.string()).optional().meta({ description: 'With illegal_event and nothing_to_retry' }),
    order: orderSchema
      .optional()
      .meta({ description: 'With illegal_event and nothing_to_retry: the order as it stands' }),
    version: z.int().optional().meta({ description: 'With version_conflict: where the order stands' }),
  })
  .openapi('Problem');
