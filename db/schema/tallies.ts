// Figures that are counted beforehand. Nothing is decided from them.
import { bigint, integer, numeric, pgTable, primaryKey, text } from 'drizzle-orm/pg-core';
import { instant, minor } from './columns.ts';

/**
 * Counted beforehand, because counting ten million orders takes longer than anybody waits: one row an hour and name, and one
 * for all time in the bucket of 1970. Derived from the other tables; nothing is decided from it.
 */
export const tallies = pgTable(
  'tallies',
  {
    bucketAt: instant('bucket_at').notNull(),
    kind: text('kind').notNull(),
    provider: text('provider').notNull(),
    key: text('key').notNull(),
    currency: text('currency').notNull(),
    count: bigint('count', { mode: 'number' }).notNull(),
    /** Of many orders' money: it may pass what a bigint can hold of the smallest units. */
    amountMinor: numeric('amount_minor').notNull(),
    /** The latest instant that was counted here. */
    latestAt: instant('latest_at'),
  },
  t => [primaryKey({ columns: [t.bucketAt, t.kind, t.provider, t.key, t.currency] })],
);

/** How far each source of the tallies was counted. Every count that is added advances `version`, so that none is added twice. */
export const tallyCursors = pgTable('tally_cursors', {
  source: text('source').primaryKey(),
  version: integer('version').notNull(),
  /** Everything stamped before this instant is counted. */
  throughAt: instant('through_at').notNull(),
  /** Hours before this one were looked at a second time. */
  checkedAt: instant('checked_at').notNull(),
  /** When somebody last counted. */
  ranAt: instant('ran_at').notNull(),
});

/** What of a payment is in the tallies already: its money may change later, and only the difference is added then. */
export const talliedPayments = pgTable(
  'tallied_payments',
  {
    paymentId: text('payment_id').notNull(),
    provider: text('provider').notNull(),
    currency: text('currency').notNull(),
    capturedMinor: minor('captured_minor').notNull(),
    refundedMinor: minor('refunded_minor').notNull(),
    lostMinor: minor('lost_minor').notNull(),
  },
  t => [primaryKey({ columns: [t.paymentId, t.provider] })],
);

/** Calls with a wrong signature. Nothing of them is kept but that they came: a count an hour, provider and process. */
export const signatureFailures = pgTable(
  'signature_failures',
  {
    bucketAt: instant('bucket_at').notNull(),
    provider: text('provider').notNull(),
    /** The process that counted: each writes its own whole count, so that writing it again changes nothing. */
    countedBy: text('counted_by').notNull(),
    failures: bigint('failures', { mode: 'number' }).notNull(),
    latestAt: instant('latest_at').notNull(),
  },
  t => [primaryKey({ columns: [t.bucketAt, t.provider, t.countedBy] })],
);
