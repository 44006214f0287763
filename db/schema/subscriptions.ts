// Which order bought which period, and what all of a user's grants of one product fold to.
import { sql } from 'drizzle-orm';
import { boolean, check, integer, jsonb, pgTable, primaryKey, text, unique } from 'drizzle-orm/pg-core';
import { instant } from './columns.ts';
import { orders } from './orders.ts';

export const grants = pgTable(
  'grants',
  {
    orderId: text('order_id')
      .primaryKey()
      .references(() => orders.id),
    userId: text('user_id').notNull(),
    product: text('product').notNull(),
    seq: integer('seq').notNull(),
    provider: text('provider'),
    paymentId: text('payment_id'),
    baseAt: instant('base_at').notNull(),
    months: integer('months').notNull(),
    days: integer('days').notNull(),
    graceDays: integer('grace_days').notNull(),
    startsAt: instant('starts_at').notNull(),
    endsAt: instant('ends_at').notNull(),
    grantedAt: instant('granted_at').notNull(),
    revokedAt: instant('revoked_at'),
    revokeReason: text('revoke_reason'),
  },
  t => [
    unique('grants_payment_id_provider_unique').on(t.paymentId, t.provider),
    unique('grants_user_id_product_seq_unique').on(t.userId, t.product, t.seq),
    check('grants_period_forward', sql`${t.endsAt} > ${t.startsAt}`),
    check('grants_seq_positive', sql`${t.seq} >= 1`),
  ],
);

export const subscriptions = pgTable(
  'subscriptions',
  {
    userId: text('user_id').notNull(),
    product: text('product').notNull(),
    version: integer('version').notNull(),
    grants: integer('grants').notNull(),
    anchorAt: instant('anchor_at'),
    anchorMonths: integer('anchor_months').notNull(),
    endsAt: instant('ends_at'),
    graceDays: integer('grace_days').notNull(),
    cancelAtEnd: boolean('cancel_at_end').notNull().default(false),
    /**
     * Each wish to end it with what is paid, the first one first: `[{at, afterSeq, reason, by}]`, `afterSeq` the last grant
     * by then. Later grants that take it back leave it here: what was true then stays known. Null for older rows.
     */
    cancellations: jsonb('cancellations'),
  },
  t => [primaryKey({ columns: [t.userId, t.product] })],
);
