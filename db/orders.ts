// Reading orders, for people and programs. Everything about one order comes from one statement, so that what stands
// beside each other was true together.
import type { Database, Row } from './client.ts';
import {
  DEAD_FOR_ORDER,
  deadlinePassed,
  grantFailed,
  isParked,
  KEPT_FOR_ORDER,
  otherChart,
  unreadable,
} from './stuckCauses.ts';

/** An instant the way every answer tells it: `2026-01-31T10:00:00.000Z`. */
export const iso = (column: string) => `to_char(${column} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;

// The earliest kept event is looked for among the order's own (`offset 0`): a minimum could else be read as a walk down
// everything that is parked, in search of this order, and for each order of a list.
/** What makes an order stuck is read with it. */
export const ORDER = `
  o.id, o.kind, o.user_id, o.plan_id, o.product, o.provider, o.provider_order_id, o.amount_minor, o.currency, o.machine,
  o.state, o.version, o.snapshot, o.wake_at, o.grant_error, o.return_url, o.created_at, o.updated_at,
  (select t.at from transitions t where t.order_id = o.id and t.to_state = o.state and t.from_state is distinct from o.state order by t.version desc limit 1) as state_since,
  case when o.state = 'parked' then (
    select i.detail from inbox i join transitions t on t.order_id = i.order_id and t.version = i.applied_version
    where i.order_id = o.id and t.to_state = 'parked' and i.detail is not null order by t.version desc limit 1) end as parked_detail,
  (select jsonb_agg(jsonb_build_object('effect', x.effect, 'dedupKey', x.dedup_key, 'payload', x.payload, 'lastError', x.last_error, 'availableAt', ${iso('x.available_at')}) order by x.id)
   from outbox x where x.order_id = o.id and x.status = 'dead') as dead_effects,
  (select min(i.received_at) from (select received_at, verdict, event from inbox where order_id = o.id offset 0) i
   where i.verdict = 'parked' and i.event is not null) as kept_since`;

export type OrderRow = {
  id: string;
  kind: string;
  userId: string;
  planId: string;
  product: string;
  provider: string | null;
  providerOrderId: string | null;
  amountMinor: number;
  currency: string;
  machine: string;
  state: string;
  version: number;
  /** Not looked at yet. */
  snapshot: unknown;
  wakeAt: Date | null;
  grantError: string | null;
  returnUrl: string | null;
  createdAt: Date;
  updatedAt: Date;
  /** When it came into its present state. */
  stateSince: Date;
  parkedDetail: string | null;
  deadEffects: DeadEffectRow[];
  /** Since when events wait that came while the order could not be read; null when none do. */
  keptSince: Date | null;
};

export type DeadEffectRow = {
  effect: string;
  dedupKey: string;
  payload: Record<string, unknown>;
  lastError: string | null;
  availableAt: string;
};

export async function readOrderRow(db: Database, id: string): Promise<OrderRow | null> {
  const [row] = await db.query<Row>(`select ${ORDER} from orders o where o.id = $1`, [id]);
  return row ? orderRow(row) : null;
}

export const STUCK_CAUSES = [
  'deadline_passed',
  'effect_dead',
  'parked',
  'grant_failed',
  'snapshot_unreadable',
] as const;
export type StuckCause = (typeof STUCK_CAUSES)[number];

export type OrderSearch = {
  state: string | null;
  userId: string | null;
  provider: string | null;
  cursor: string | null;
  limit: number;
  /** Set to find only what is stuck at this instant. */
  stuckAt: Date | null;
  /** Only what is stuck for this cause; one with a dead effect may show a graver one. Null is any cause. */
  cause?: StuckCause | null;
  /** The charts that can be read here; orders on others are stuck. */
  machines: readonly string[];
};

// By when they were made, not by id: the ids of renewals and of surplus orders derive from their payments and tell no time.
// The cursor is the last id of the page before.
const SEARCH = `
select ${ORDER} from orders o
where ($1::text is null or o.state = $1) and ($2::text is null or o.user_id = $2) and ($3::text is null or o.provider = $3)
  and ($4::text is null or (o.created_at, o.id) < (select c.created_at, c.id from orders c where c.id = $4))`;
// Each cause has an index of its own. The parameters stand in every text, so that all searches are given the same ones.
const STUCK_BY: Record<StuckCause, string> = {
  deadline_passed: `select id from orders where ${deadlinePassed('$6')}`,
  effect_dead: `select order_id from outbox where ${DEAD_FOR_ORDER}`,
  parked: `select id from orders where ${isParked()}`,
  grant_failed: `select id from orders where ${grantFailed()}`,
  snapshot_unreadable: `select id from orders where ${otherChart('$7')} union select order_id from inbox where ${KEPT_FOR_ORDER}`,
};
const stuckFor = (causes: readonly StuckCause[]) =>
  `with ${unreadable('$7')} ${SEARCH} and $6::text is not null and o.id in (${causes.map(cause => STUCK_BY[cause]).join(' union ')})`;

/** One page, newest first; one row more than asked tells that another page follows. */
export async function searchOrders(db: Database, search: OrderSearch): Promise<OrderRow[]> {
  const { state, userId, provider, cursor, limit, stuckAt, cause, machines } = search;
  const params = [state, userId, provider, cursor, limit];
  const rows = stuckAt
    ? await db.query<Row>(
        `${stuckFor(cause ? [cause] : STUCK_CAUSES)} order by o.created_at desc, o.id desc limit $5`,
        [...params, stuckAt.toISOString(), `{${machines.join(',')}}`],
      )
    : await db.query<Row>(`${SEARCH} order by o.created_at desc, o.id desc limit $5`, params);
  return rows.map(orderRow);
}

/** From a row that `ORDER` was selected into. */
export function orderRow(row: Row): OrderRow {
  return {
    id: row.id as string,
    kind: row.kind as string,
    userId: row.user_id as string,
    planId: row.plan_id as string,
    product: row.product as string,
    provider: row.provider as string | null,
    providerOrderId: row.provider_order_id as string | null,
    amountMinor: Number(row.amount_minor),
    currency: row.currency as string,
    machine: row.machine as string,
    state: row.state as string,
    version: row.version as number,
    snapshot: row.snapshot,
    wakeAt: row.wake_at as Date | null,
    grantError: row.grant_error as string | null,
    returnUrl: row.return_url as string | null,
    createdAt: row.created_at as Date,
    updatedAt: row.updated_at as Date,
    stateSince: (row.state_since ?? row.created_at) as Date,
    parkedDetail: row.parked_detail as string | null,
    deadEffects: (row.dead_effects as DeadEffectRow[] | null) ?? [],
    keptSince: row.kept_since as Date | null,
  };
}

const list = (select: string, from: string, order: string, more = '') =>
  `coalesce((select jsonb_agg(jsonb_build_object(${select})${more} order by ${order}) from ${from}), '[]')`;
/** Who asked and why, where the event says so. */
const WHY = ` || jsonb_strip_nulls(jsonb_build_object('reason', t.event->>'reason', 'by', t.event->>'by'))`;

const TIMELINE = `
select ${ORDER},
  ${list(
    `'version', t.version, 'type', t.event_type, 'from', t.from_state, 'to', t.to_state, 'source', t.source, 'eventKey', t.event_key, 'at', ${iso('t.at')}`,
    'transitions t where t.order_id = o.id',
    't.version',
    WHY,
  )} as transitions,
  ${list(
    `'provider', i.provider, 'eventKey', i.event_key, 'type', i.event_type, 'verdict', i.verdict, 'detail', i.detail, 'appliedVersion', i.applied_version, 'deliveries', i.deliveries, 'receivedAt', ${iso('i.received_at')}`,
    'inbox i where i.order_id = o.id',
    'i.received_at, i.event_key',
  )} as received,
  ${list(
    `'id', x.id, 'effect', x.effect, 'status', x.status, 'attempts', x.attempts, 'lastError', x.last_error, 'availableAt', ${iso('x.available_at')}, 'orderVersion', x.order_version, 'dedupKey', x.dedup_key`,
    'outbox x where x.order_id = o.id',
    'x.order_version, x.id',
  )} as effects,
  ${list(
    `'paymentId', p.payment_id, 'provider', p.provider, 'state', p.state, 'currency', p.currency, 'capturedMinor', p.captured_minor, 'refundedMinor', p.refunded_minor, 'lostMinor', p.lost_minor, 'counts', p.counts, 'asOf', ${iso('p.as_of')}`,
    'payments p where p.order_id = o.id',
    'p.as_of nulls first, p.payment_id',
  )} as payments,
  ${list(
    `'refundId', r.refund_id, 'paymentId', r.payment_id, 'state', r.state, 'amountMinor', r.amount_minor, 'asOf', ${iso('r.as_of')}`,
    'refunds r join payments p using (payment_id, provider) where p.order_id = o.id',
    'r.as_of nulls first, r.refund_id',
  )} as refunds,
  ${list(
    `'disputeId', d.dispute_id, 'paymentId', d.payment_id, 'state', d.state, 'amountMinor', d.amount_minor, 'asOf', ${iso('d.as_of')}`,
    'disputes d join payments p using (payment_id, provider) where p.order_id = o.id',
    'd.as_of nulls first, d.dispute_id',
  )} as disputes,
  (select jsonb_build_object('orderId', g.order_id, 'product', g.product, 'seq', g.seq, 'paymentId', g.payment_id, 'baseAt', ${iso('g.base_at')},
      'months', g.months, 'days', g.days, 'graceDays', g.grace_days, 'startsAt', ${iso('g.starts_at')}, 'endsAt', ${iso('g.ends_at')},
      'grantedAt', ${iso('g.granted_at')}, 'revokedAt', ${iso('g.revoked_at')}, 'revokeReason', g.revoke_reason)
   from grants g where g.order_id = o.id) as grant
from orders o where o.id = $1`;

/** The parts of a timeline, each already in the shape it is answered in. */
export type TimelineRow = {
  order: OrderRow;
  transitions: unknown;
  received: unknown;
  effects: unknown;
  payments: unknown;
  refunds: unknown;
  disputes: unknown;
  grant: unknown;
};

export async function readTimeline(db: Database, id: string): Promise<TimelineRow | null> {
  const [row] = await db.query<Row>(TIMELINE, [id]);
  if (!row) return null;
  const { transitions, received, effects, payments, refunds, disputes, grant } = row;
  return { order: orderRow(row), transitions, received, effects, payments, refunds, disputes, grant };
}
