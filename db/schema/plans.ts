// What is sold: price and period, and what a plan gives access to.
import { sql } from 'drizzle-orm';
import { check, integer, pgTable, text } from 'drizzle-orm/pg-core';
import { instant, minor } from './columns.ts';

export const plans = pgTable(
  'plans',
  {
    id: text('id').primaryKey(),
    product: text('product').notNull(),
    amountMinor: minor('amount_minor').notNull(),
    currency: text('currency').notNull(),
    months: integer('months').notNull(),
    days: integer('days').notNull(),
    graceDays: integer('grace_days').notNull(),
    trialDays: integer('trial_days').notNull(),
    surplusPolicy: text('surplus_policy').notNull(),
    createdAt: instant('created_at').notNull().defaultNow(),
    updatedAt: instant('updated_at').notNull().defaultNow(),
  },
  t => [
    check('plans_amount_positive', sql`${t.amountMinor} > 0`),
    check('plans_one_period', sql`(${t.months} > 0) <> (${t.days} > 0)`),
    check('plans_days_not_negative', sql`${t.graceDays} >= 0 and ${t.trialDays} >= 0`),
  ],
);
