// What is to be done outside, named by a transition and written in the same commit.
import { sql } from 'drizzle-orm';
import { check, index, integer, jsonb, pgTable, text, unique } from 'drizzle-orm/pg-core';
import { instant } from './columns.ts';

export const outbox = pgTable(
  'outbox',
  {
    id: text('id').primaryKey(),
    /** Null when the alert is about the service and not about one order. */
    orderId: text('order_id'),
    orderVersion: integer('order_version').notNull(),
    effect: text('effect').notNull(),
    payload: jsonb('payload').notNull(),
    dedupKey: text('dedup_key').notNull(),
    status: text('status').notNull().default('pending'),
    attempts: integer('attempts').notNull().default(0),
    availableAt: instant('available_at').notNull().defaultNow(),
    leasedBy: text('leased_by'),
    leasedUntil: instant('leased_until'),
    lastError: text('last_error'),
    doneAt: instant('done_at'),
  },
  t => [
    unique('outbox_dedup_key_unique').on(t.dedupKey),
    index('outbox_order_id').on(t.orderId),
    index('outbox_dead').on(t.orderId).where(sql`status = 'dead'`),
    // What is due, one a lane: a backlog in one must not be read through to find what is due in another. LANES of db/outbox.ts.
    index('outbox_due_provider')
      .on(t.availableAt, t.id)
      .where(sql`status = 'pending' and effect in ('open', 'capture', 'void', 'refund')`),
    index('outbox_due_closing').on(t.availableAt, t.id).where(sql`status = 'pending' and effect = 'close'`),
    index('outbox_due_question').on(t.availableAt, t.id).where(sql`status = 'pending' and effect = 'reconcile'`),
    index('outbox_due_merchant').on(t.availableAt, t.id).where(sql`status = 'pending' and effect = 'notify'`),
    index('outbox_due_operator').on(t.availableAt, t.id).where(sql`status = 'pending' and effect = 'alert'`),
    // Effects of one order run in order: is an earlier one still pending?
    index('outbox_pending').on(t.orderId, t.orderVersion, t.id).where(sql`status = 'pending'`),
    // What merchants were told, newest first.
    index('outbox_notify').on(t.id).where(sql`effect = 'notify'`),
    check('outbox_status_known', sql`${t.status} in ('pending', 'done', 'dead')`),
  ],
);
