// Where merchants are told what happened, and every try to tell them.
import { sql } from 'drizzle-orm';
import { check, index, integer, pgTable, text } from 'drizzle-orm/pg-core';
import { instant } from './columns.ts';

/** Where a merchant is told what happened. Its signing secret is derived from our key, its id and `generation`, and never stored. */
export const endpoints = pgTable(
  'endpoints',
  {
    id: text('id').primaryKey(),
    url: text('url').notNull(),
    /** The topics it hears, comma-separated; null means all. */
    topics: text('topics'),
    generation: integer('generation').notNull().default(1),
    /** Until then messages are signed with the secret before the present one, too. */
    previousUntil: instant('previous_until'),
    disabledAt: instant('disabled_at'),
    disabledReason: text('disabled_reason'),
    createdAt: instant('created_at').notNull().defaultNow(),
    updatedAt: instant('updated_at').notNull().defaultNow(),
  },
  t => [check('endpoints_generation_positive', sql`${t.generation} >= 1`)],
);

/** Each try to tell one endpoint one notification, and what it answered. */
export const notificationAttempts = pgTable(
  'notification_attempts',
  {
    id: text('id').primaryKey(),
    /** The id of its outbox row, which is also the `webhook-id` that the merchant sees. */
    notificationId: text('notification_id').notNull(),
    endpointId: text('endpoint_id').notNull(),
    /** `scheduled` by the worker, or `manual`: somebody asked for it. */
    trigger: text('trigger').notNull(),
    at: instant('at').notNull(),
    /** Null when no answer came; then `error` says why. */
    status: integer('status'),
    answer: text('answer'),
    error: text('error'),
    /** The endpoint asked not to be tried again before. */
    retryAt: instant('retry_at'),
    /** Why somebody asked for it; null when nobody did. */
    reason: text('reason'),
    ms: integer('ms').notNull(),
  },
  t => [
    index('notification_attempts_notification').on(t.notificationId, t.endpointId),
    index('notification_attempts_endpoint').on(t.endpointId, t.id),
    check('notification_attempts_trigger_known', sql`${t.trigger} in ('scheduled', 'manual')`),
  ],
);
