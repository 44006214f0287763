// The orders, the checkout keys that name them, and every step each of them took. Every constraint is a last guard: the
// decision and the commit keep it, and the database refuses whatever slips through.
import { sql } from 'drizzle-orm';
import {
  boolean,
  check,
  index,
  integer,
  jsonb,
  pgTable,
  primaryKey,
  text,
  unique,
  uniqueIndex,
} from 'drizzle-orm/pg-core';
import { instant, minor } from './columns.ts';

export const orders = pgTable(
  'orders',
  {
    id: text('id').primaryKey(),
    kind: text('kind').notNull(),
    userId: text('user_id').notNull(),
    product: text('product').notNull(),
    planId: text('plan_id').notNull(),
    /** The plan as bought. */
    plan: jsonb('plan').notNull(),
    provider: text('provider'),
    providerAccount: text('provider_account'),
    live: boolean('live').notNull(),
    providerOrderId: text('provider_order_id'),
    providerSubscriptionId: text('provider_subscription_id'),
    amountMinor: minor('amount_minor').notNull(),
    currency: text('currency').notNull(),
    machine: text('machine').notNull(),
    state: text('state').notNull(),
    version: integer('version').notNull(),
    snapshot: jsonb('snapshot').notNull(),
    /** When the pending deadline is due; null when the order waits for nothing. */
    wakeAt: instant('wake_at'),
    /** What the database said when the grant could not be written; null otherwise. */
    grantError: text('grant_error'),
    /** The buyer asked for one more of the same while another was open (`another: true`). */
    another: boolean('another').notNull().default(false),
    returnUrl: text('return_url'),
    metadata: jsonb('metadata'),
    createdAt: instant('created_at').notNull().defaultNow(),
    updatedAt: instant('updated_at').notNull().defaultNow(),
  },
  t => [
    unique('orders_provider_order_id_provider_unique').on(t.providerOrderId, t.provider),
    uniqueIndex('orders_one_trial').on(t.userId, t.product).where(sql`kind = 'trial'`),
    // Two tabs are one purchase: while an order waits to be paid, the same user gets no second one for the same price.
    uniqueIndex('orders_one_open')
      .on(t.userId, t.planId, t.provider, t.amountMinor, t.currency)
      .where(sql`state = 'created' and kind = 'purchase' and not another`),
    index('orders_user_id').on(t.userId, t.id),
    index('orders_provider_subscription_id')
      .on(t.providerSubscriptionId, t.provider)
      .where(sql`provider_subscription_id is not null`),
    index('orders_wake_at').on(t.wakeAt, t.id).where(sql`wake_at is not null`),
    // The states an operator looks for are rare beside subscribed and failed. By state first: with thousands of orders parked,
    // the few captured ones are found without reading those. Few entries, so no hot spot where an index is spread by its key.
    index('orders_unsettled_by_state').on(t.state, t.id).where(sql`state in ('authorized', 'captured', 'parked')`),
    // Newest first for people. Ids cannot tell: an order made of a payment the provider told us about has a derived one.
    index('orders_created_at').on(t.createdAt, t.id),
    // Orders on an older chart, or one that is not registered here: to be found without reading all the others.
    index('orders_other_machine').on(t.machine, t.id).where(sql`machine <> 'order.v1'`),
    check('orders_version_positive', sql`${t.version} >= 1`),
    check('orders_amount_not_negative', sql`${t.amountMinor} >= 0`),
    check('orders_free_or_provider', sql`${t.amountMinor} = 0 or ${t.provider} is not null`),
  ],
);

/** One row a checkout key, kept for ever. Several keys may name one order. */
export const idempotencyKeys = pgTable(
  'idempotency_keys',
  {
    key: text('key').primaryKey(),
    requestHash: text('request_hash').notNull(),
    orderId: text('order_id').notNull(),
    createdAt: instant('created_at').notNull().defaultNow(),
    /** Until then one caller holds the right to open this order at the provider; the others wait. */
    openingUntil: instant('opening_until'),
  },
  t => [index('idempotency_keys_order_id').on(t.orderId)],
);

export const transitions = pgTable(
  'transitions',
  {
    orderId: text('order_id')
      .notNull()
      .references(() => orders.id),
    version: integer('version').notNull(),
    eventType: text('event_type').notNull(),
    event: jsonb('event').notNull(),
    fromState: text('from_state'),
    toState: text('to_state').notNull(),
    source: text('source').notNull(),
    /** Null on follow-ups inside one commit: the event that caused them carries the key. */
    eventKey: text('event_key'),
    at: instant('at').notNull(),
  },
  t => [
    primaryKey({ columns: [t.orderId, t.version] }),
    uniqueIndex('transitions_order_id_event_key').on(t.orderId, t.eventKey).where(sql`event_key is not null`),
    // What happened in a stretch of time, for the tallies.
    index('transitions_at').on(t.at),
    check(
      'transitions_source_known',
      sql`${t.source} in ('checkout', 'callback', 'webhook', 'worker', 'sweeper', 'reconcile', 'operator', 'fix')`,
    ),
  ],
);
