// What the API takes and answers about endpoints and notifications.
import { z } from '@hono/zod-openapi';
import {
  type AttemptView,
  type EndpointView,
  type EndpointWithSecret,
  MAX_ENDPOINT_URL_LENGTH,
  type NotificationBody,
  type NotificationDetail,
  type NotificationView,
  TOPICS,
} from '../notifications/notification.ts';
import { NAMES_NOTHING } from './validation.ts';

const instant = z.string().meta({ format: 'date-time', example: '2026-01-31T10:00:00.000Z' });
const TAIL = '06c7qfdzx8m2k4r9t0v1w3y5ab';

/** In a path: what cannot be an id names nothing. */
function idField(prefix: string, what: string) {
  const pattern = new RegExp(`^${prefix}_[0-9a-z]{26}$`);
  return z
    .string()
    .refine(id => pattern.test(id), {
      error: `names no ${what}: such an id is "${prefix}_" and 26 characters`,
      params: NAMES_NOTHING,
    })
    .meta({ pattern: pattern.source, example: `${prefix}_${TAIL}` });
}
export const endpointIdField = idField('ept', 'endpoint');
export const notificationIdField = idField('eff', 'notification');

export const notificationCursorField = z
  .string()
  .regex(/^eff_[0-9a-z]{26}$/, 'must be the nextCursor of the page before')
  .meta({ example: `eff_${TAIL}` });

export const urlField = z
  .string()
  .max(MAX_ENDPOINT_URL_LENGTH)
  .meta({ format: 'uri', example: 'https://shop.example/paylatch' });

export const topicsField = z
  .array(z.enum(TOPICS))
  .min(1)
  .refine(topics => new Set(topics).size === topics.length, 'must name each topic once')
  .nullable()
  .meta({ description: 'Which notifications it gets; null means all' });

export const endpointSchema = z
  .object({
    id: z.string(),
    url: z.string(),
    topics: z.array(z.enum(TOPICS)).nullable(),
    enabled: z.boolean(),
    disabledAt: instant.nullable(),
    disabledReason: z.string().nullable(),
    generation: z.int().meta({ description: 'Which of its secrets is the present one' }),
    previousUntil: instant.nullable().meta({ description: 'Until then the secret before signs, too' }),
    createdAt: instant,
    updatedAt: instant,
  })
  .openapi('Endpoint') satisfies z.ZodType<EndpointView>;

export const endpointWithSecretSchema = z
  .object({
    endpoint: endpointSchema,
    secret: z.string().meta({ description: 'Shown now and never again', example: 'whsec_…' }),
  })
  .openapi('EndpointWithSecret') satisfies z.ZodType<EndpointWithSecret>;

export const notificationSchema = z
  .object({
    id: z.string().meta({ description: 'The webhook-id, the same over all tries' }),
    type: z.string(),
    orderId: z.string(),
    status: z.enum(['pending', 'done', 'dead']),
    attempts: z.int().meta({ description: 'Rounds made by the schedule' }),
    createdAt: instant,
    doneAt: instant.nullable(),
    lastError: z.string().nullable(),
    nextAttemptAt: instant.nullable(),
  })
  .openapi('Notification') satisfies z.ZodType<NotificationView>;

export const attemptSchema = z
  .object({
    id: z.string(),
    endpointId: z.string(),
    trigger: z.enum(['scheduled', 'manual']),
    reason: z.string().nullable(),
    at: instant,
    status: z.int().nullable().meta({ description: 'Null when no answer came; only 2xx means that it was taken' }),
    answer: z.string().nullable().meta({ description: 'The beginning of what was answered' }),
    error: z.string().nullable(),
    retryAt: instant.nullable().meta({ description: 'The endpoint asked not to be tried again before' }),
    ms: z.int(),
  })
  .openapi('Attempt') satisfies z.ZodType<AttemptView>;

const bodySchema = z
  .object({
    type: z.string(),
    timestamp: instant,
    data: z.object({
      orderId: z.string(),
      version: z.int(),
      state: z.string(),
      kind: z.string(),
      userId: z.string(),
      product: z.string(),
      planId: z.string(),
      provider: z.string().nullable(),
      live: z.boolean(),
      amountMinor: z.int(),
      currency: z.string(),
      endsAt: instant.optional(),
      cause: z.string().optional(),
    }),
  })
  .openapi('NotificationBody', {
    description:
      'As it was when it happened, the same bytes at every try. Notifications may come twice and out of order: keep the highest version of each order, and fetch the order for what is true now.',
  }) satisfies z.ZodType<NotificationBody>;

export const notificationDetailSchema = z
  .object({
    notification: notificationSchema,
    body: bodySchema,
    attempts: z.array(attemptSchema).meta({ description: 'Oldest first' }),
  })
  .openapi('NotificationDetail') satisfies z.ZodType<NotificationDetail>;
