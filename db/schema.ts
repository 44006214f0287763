// The tables, named so that an operator can query them by hand. Every constraint here is a last guard: the decision and
// the commit keep it, and the database refuses whatever slips through.
import { sql } from 'drizzle-orm';
import {
  bigint,
  boolean,
  check,
  customType,
  index,
  integer,
  jsonb,
  numeric,
  pgTable,
  primaryKey,
  text,
  timestamp,
  unique,
  uniqueIndex,
} from 'drizzle-orm/pg-core';

const bytea = customType<{ data: Uint8Array }>({ dataType: () => 'bytea' });
const instant = (name: string) => timestamp(name, { withTimezone: true, mode: 'date' });
const minor = (name: string) => bigint(name, { mode: 'number' });

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

/** How far the list of a provider's recent payments was read: one row a provider and kind of run, so that a restart goes on. */
export const listings = pgTable(
  'listings',
  {
    provider: text('provider').notNull(),
    /** `recent`, often and over little; or `deep`, rarely and over weeks. */
    depth: text('depth').notNull(),
    /** Of the run that is under way, or was the last: its lower bound, the provider's cursor (null at its first page), and when it began. */
    since: instant('since'),
    cursor: text('cursor'),
    startedAt: instant('started_at'),
    /** When a run last came to the end, and when that one had begun: the next one looks back to there. */
    completedAt: instant('completed_at'),
    completedStartedAt: instant('completed_started_at'),
    nextAt: instant('next_at').notNull(),
    pages: integer('pages').notNull().default(0),
    payments: integer('payments').notNull().default(0),
    /** How many of them told us something new. */
    news: integer('news').notNull().default(0),
    lastError: text('last_error'),
    leasedBy: text('leased_by'),
    leasedUntil: instant('leased_until'),
  },
  t => [
    primaryKey({ columns: [t.provider, t.depth] }),
    check('listings_depth_known', sql`${t.depth} in ('recent', 'deep')`),
  ],
);

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
