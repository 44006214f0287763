// What somebody should look at.
import { sql } from 'drizzle-orm';
import { index, pgTable, text, unique } from 'drizzle-orm/pg-core';
import { instant } from './columns.ts';

/** Something that should not be: opened once, acknowledged by a person, resolved when it is no longer true. */
export const findings = pgTable(
  'findings',
  {
    id: text('id').primaryKey(),
    /** What makes two sightings the same finding. */
    fingerprint: text('fingerprint').notNull(),
    kind: text('kind').notNull(),
    severity: text('severity').notNull(),
    orderId: text('order_id'),
    detail: text('detail').notNull(),
    openedAt: instant('opened_at').notNull().defaultNow(),
    acknowledgedAt: instant('acknowledged_at'),
    resolvedAt: instant('resolved_at'),
  },
  t => [
    unique('findings_fingerprint_unique').on(t.fingerprint),
    index('findings_order_id').on(t.orderId),
    index('findings_open').on(t.id).where(sql`resolved_at is null`),
  ],
);
