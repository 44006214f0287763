// Every verified provider event and callback, once, raw, with its verdict.
import { sql } from 'drizzle-orm';
import { check, index, integer, jsonb, pgTable, primaryKey, text } from 'drizzle-orm/pg-core';
import { bytea, instant } from './columns.ts';

export const inbox = pgTable(
  'inbox',
  {
    eventKey: text('event_key').notNull(),
    provider: text('provider').notNull(),
    eventType: text('event_type').notNull(),
    orderId: text('order_id'),
    providerOrderId: text('provider_order_id'),
    source: text('source').notNull(),
    raw: bytea('raw').notNull(),
    bodyHash: text('body_hash').notNull(),
    headers: jsonb('headers').notNull(),
    /** The translated event, kept while it may have to be decided again. */
    event: jsonb('event'),
    receivedAt: instant('received_at').notNull().defaultNow(),
    verdict: text('verdict').notNull(),
    detail: text('detail'),
    /** Our own id of the order as the provider carries it, and whose stored card was charged: what an unmatched event is looked for by. */
    mark: text('mark'),
    payerId: text('payer_id'),
    decidedVersion: integer('decided_version'),
    appliedVersion: integer('applied_version'),
    deliveries: integer('deliveries').notNull().default(1),
    attempts: integer('attempts').notNull().default(0),
    nextAttemptAt: instant('next_attempt_at'),
  },
  t => [
    primaryKey({ columns: [t.eventKey, t.provider] }),
    index('inbox_order_id').on(t.orderId).where(sql`order_id is not null`),
    // What arrived in a stretch of time, for the tallies.
    index('inbox_received_at').on(t.receivedAt),
    // What nobody could place yet, by each name an order may later be known under.
    index('inbox_unmatched').on(t.providerOrderId, t.provider).where(sql`verdict in ('unmatched', 'foreign')`),
    index('inbox_unmatched_mark').on(t.mark, t.provider).where(sql`verdict in ('unmatched', 'foreign')`),
    index('inbox_unmatched_payer').on(t.payerId, t.provider).where(sql`verdict in ('unmatched', 'foreign')`),
    index('inbox_unmatched_payment')
      .on(sql`(event->>'paymentId')`, t.provider)
      .where(sql`verdict in ('unmatched', 'foreign')`),
    index('inbox_unmatched_subscription')
      .on(sql`(event->>'subscriptionId')`, t.provider)
      .where(sql`verdict in ('unmatched', 'foreign')`),
    // An operator's lists, newest first; one a verdict, because foreign events may be many and parked ones are few.
    index('inbox_unmatched_received').on(t.receivedAt, t.eventKey, t.provider).where(sql`verdict = 'unmatched'`),
    index('inbox_foreign_received').on(t.receivedAt, t.eventKey, t.provider).where(sql`verdict = 'foreign'`),
    index('inbox_parked_received').on(t.receivedAt, t.eventKey, t.provider).where(sql`verdict = 'parked'`),
    index('inbox_illegal_received').on(t.receivedAt, t.eventKey, t.provider).where(sql`verdict = 'illegal'`),
    index('inbox_mismatch_received').on(t.receivedAt, t.eventKey, t.provider).where(sql`verdict = 'mismatch'`),
    index('inbox_surplus_received').on(t.receivedAt, t.eventKey, t.provider).where(sql`verdict = 'surplus'`),
    index('inbox_stale_received').on(t.receivedAt, t.eventKey, t.provider).where(sql`verdict = 'stale'`),
    index('inbox_ignored_received').on(t.receivedAt, t.eventKey, t.provider).where(sql`verdict = 'ignored'`),
    index('inbox_next_attempt_at').on(t.nextAttemptAt, t.eventKey, t.provider).where(sql`next_attempt_at is not null`),
    check(
      'inbox_verdict_known',
      sql`${t.verdict} in ('applied', 'duplicate', 'stale', 'illegal', 'mismatch', 'surplus', 'unmatched', 'foreign', 'parked', 'ignored')`,
    ),
  ],
);
