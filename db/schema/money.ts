// Money as the provider has it: the state of each payment, refund and dispute, never a sum to be added to.
import { boolean, index, pgTable, primaryKey, text } from 'drizzle-orm/pg-core';
import { instant, minor } from './columns.ts';
import { orders } from './orders.ts';

export const payments = pgTable(
  'payments',
  {
    paymentId: text('payment_id').notNull(),
    provider: text('provider').notNull(),
    orderId: text('order_id')
      .notNull()
      .references(() => orders.id),
    state: text('state').notNull(),
    currency: text('currency').notNull(),
    capturedMinor: minor('captured_minor').notNull(),
    refundedMinor: minor('refunded_minor').notNull(),
    lostMinor: minor('lost_minor').notNull(),
    /** It pays for the order: captured, and exactly what the order costs. */
    counts: boolean('counts').notNull(),
    asOf: instant('as_of'),
  },
  t => [primaryKey({ columns: [t.paymentId, t.provider] }), index('payments_order_id').on(t.orderId)],
);

export const refunds = pgTable(
  'refunds',
  {
    refundId: text('refund_id').notNull(),
    provider: text('provider').notNull(),
    paymentId: text('payment_id').notNull(),
    state: text('state').notNull(),
    amountMinor: minor('amount_minor').notNull(),
    asOf: instant('as_of'),
  },
  t => [primaryKey({ columns: [t.refundId, t.provider] }), index('refunds_payment_id').on(t.paymentId, t.provider)],
);

export const disputes = pgTable(
  'disputes',
  {
    disputeId: text('dispute_id').notNull(),
    provider: text('provider').notNull(),
    paymentId: text('payment_id').notNull(),
    state: text('state').notNull(),
    amountMinor: minor('amount_minor').notNull(),
    asOf: instant('as_of'),
  },
  t => [primaryKey({ columns: [t.disputeId, t.provider] }), index('disputes_payment_id').on(t.paymentId, t.provider)],
);
