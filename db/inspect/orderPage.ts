// Everything the page of one order shows, from one statement, so that what stands beside each other was true together.
// Lists that can grow have a limit; what is older is read by a cursor. Every look-up is by the order's id.
import type { Database, Row } from '../client.ts';
import { iso, ORDER, type OrderRow, orderRow } from '../orders.ts';
import { RESTORATIONS } from '../users.ts';
import type {
  DisputeRow,
  EffectRow,
  EntryCursor,
  EntryKind,
  FindingRow,
  GrantRow,
  PaymentRow,
  RefundRow,
  SubscriptionRow,
  TimelineEntry,
  TransitionRow,
} from './orderPageRows.ts';

/** Orders with more transitions than this are shown by the page and not replayed: 100 attempts and years of retries are fewer. */
export const MAX_REPLAYED_TRANSITIONS = 500;
/** Effects that are not over, findings, payments and what went back of them: past this many of one kind something floods the order. */
const LIST_LIMIT = 100;
/** Merchants' checkout keys shown: nearly always one, a few when a cart was sent again under another. */
const KEYS_LIMIT = 5;

export type OrderPageQuery = {
  /** Which kinds of entries the timeline shows. */
  kinds: readonly EntryKind[];
  /** The last entry of the page before. */
  timelineBefore: EntryCursor | null;
  timelineLimit: number;
  /** Transitions before this version; only asked of orders that are too long to be read whole. */
  transitionsBefore: number | null;
  transitionsLimit: number;
  /** The last effect of the page before. */
  effectsBefore: { orderVersion: number; id: string } | null;
  effectsLimit: number;
};

export type OrderPageRow = {
  order: OrderRow;
  metadata: Record<string, unknown> | null;
  live: boolean;
  providerAccount: string | null;
  providerSubscriptionId: string | null;
  checkoutKeys: string[];
  /** Newest first; one more than asked tells that there are older ones. */
  timeline: TimelineEntry[];
  /** Newest first: all of them, or of a very long order one page and one more. */
  transitions: TransitionRow[];
  /** Pending or dead, newest first. */
  openEffects: EffectRow[];
  /** Done, newest first; one more than asked tells that there are older ones. */
  doneEffects: EffectRow[];
  payments: PaymentRow[];
  refunds: RefundRow[];
  disputes: DisputeRow[];
  findings: FindingRow[];
  /** Of this user and product, revoked ones too, whichever order gave them; in `seq` order. */
  grants: GrantRow[];
  subscription: SubscriptionRow | null;
};

const object = (fields: Record<string, string>) =>
  `jsonb_build_object(${Object.entries(fields).flatMap(([name, value]) => [`'${name}'`, value])})`;
/** A list as JSON; `picked` gives one column `entry` and what it is ordered by. */
const list = (picked: string, order: string) =>
  `coalesce((select jsonb_agg(l.entry order by ${order}) from (${picked}) l), '[]')`;

const TRANSITION = object({
  version: 't.version',
  type: 't.event_type',
  event: 't.event',
  from: 't.from_state',
  to: 't.to_state',
  source: 't.source',
  eventKey: 't.event_key',
  at: iso('t.at'),
});
const EFFECT = object({
  id: 'x.id',
  effect: 'x.effect',
  payload: 'x.payload',
  status: 'x.status',
  attempts: 'x.attempts',
  lastError: 'x.last_error',
  availableAt: iso('x.available_at'),
  leasedUntil: `case when x.status = 'pending' then ${iso('x.leased_until')} end`,
  doneAt: iso('x.done_at'),
  orderVersion: 'x.order_version',
  dedupKey: 'x.dedup_key',
});
const RECEIVED = object({
  provider: 'i.provider',
  eventKey: 'i.event_key',
  type: 'i.event_type',
  source: 'i.source',
  verdict: 'i.verdict',
  detail: 'i.detail',
  decidedVersion: 'i.decided_version',
  appliedVersion: 'i.applied_version',
  deliveries: 'i.deliveries',
  nextAttemptAt: iso('i.next_attempt_at'),
  receivedAt: iso('i.received_at'),
});
const ATTEMPT = object({
  notificationId: 'a.notification_id',
  topic: `x.payload->>'type'`,
  endpointId: 'a.endpoint_id',
  trigger: 'a.trigger',
  reason: 'a.reason',
  status: 'a.status',
  error: 'a.error',
  ms: 'a.ms',
});
const FINDING = object({
  id: 'f.id',
  findingKind: 'f.kind',
  severity: 'f.severity',
  detail: 'f.detail',
  openedAt: iso('f.opened_at'),
  acknowledgedAt: iso('f.acknowledged_at'),
  resolvedAt: iso('f.resolved_at'),
});

// Transitions by the event that made them, `head` being its first: those without a key follow it in the same commit.
const BY_EVENT = `
  select t.head, min(t.at) as at, jsonb_agg(${TRANSITION} order by t.version) as steps
  from (select s.*, coalesce(max(s.version) filter (where s.event_key is not null) over (order by s.version), s.version) as head
    from transitions s where s.order_id = o.id) t
  group by t.head`;

// `rank` and `key` order what happened in one instant: first the events, as they came upon each other, then what they led to.
// What arrived and made transitions stands where it made them. An effect that is not over has not happened yet; a dead one
// died when it was last due.
const ENTRIES = `
  select 1 as rank,
    case when i.event_key is null then 'transition' when i.verdict in ('applied', 'mismatch', 'surplus') then 'received' else 'unapplied' end as kind,
    lpad(coalesce(m.head, i.decided_version, 0)::text, 10, '0') || case when m.head is null then ' 2 ' else ' 1 ' end || coalesce(i.event_key || ' ' || i.provider, '') as key,
    coalesce(m.at, i.received_at) as at,
    case when i.event_key is null then '{}' else ${RECEIVED} end || jsonb_build_object('steps', coalesce(m.steps, '[]')) as entry
  from (select * from inbox where order_id = o.id) i full join (${BY_EVENT}) m on m.head = i.applied_version
  union all
  select 3, 'effect', x.id, coalesce(x.done_at, x.available_at), ${EFFECT} from outbox x
  where x.order_id = o.id and (x.status = 'dead' or x.status = 'done' and x.effect <> 'notify')
  union all
  select 4, 'notification', a.id, a.at, ${ATTEMPT}
  from outbox x cross join lateral (select * from notification_attempts where notification_id = x.id offset 0) a
  where x.order_id = o.id and x.effect = 'notify'
  union all
  select 5, 'finding', f.id, f.opened_at, ${FINDING} from findings f where f.order_id = o.id
  union all
  select 6, 'cancellation', lpad(c.wish->>'afterSeq', 10, '0'), (c.wish->>'at')::timestamptz, c.wish
  from subscriptions s cross join lateral jsonb_array_elements(s.cancellations) c(wish)
  where s.user_id = o.user_id and s.product = o.product
    and exists (select from grants g where g.order_id = o.id and g.seq <= (c.wish->>'afterSeq')::int)`;

const TIMELINE = `
  select p.rank, p.key, p.at, jsonb_build_object('kind', p.kind, 'rank', p.rank, 'key', p.key, 'at', ${iso('p.at')}, 'instant', p.at::text) || p.entry as entry
  from (select * from (${ENTRIES}) e
    where e.kind = any ($2::text[])
      and ($3::text is null or (e.at, e.rank, e.key) < ($3::text::timestamptz, $4::int, $5::text))
    order by e.at desc, e.rank desc, e.key desc limit $6::int) p`;

const TRANSITIONS = `
  select t.version, ${TRANSITION} as entry from transitions t
  where t.order_id = o.id and (o.version <= ${MAX_REPLAYED_TRANSITIONS} or $7::int is null or t.version < $7::int)
  order by t.version desc limit case when o.version <= ${MAX_REPLAYED_TRANSITIONS} then ${MAX_REPLAYED_TRANSITIONS} else $8::int end`;

const effects = (condition: string, limit: string | number) => `
  select x.order_version, x.id, ${EFFECT} as entry from outbox x where x.order_id = o.id and ${condition}
  order by x.order_version desc, x.id desc limit ${limit}`;

const PAYMENTS = `
  select p.as_of, p.payment_id, ${object({
    paymentId: 'p.payment_id',
    provider: 'p.provider',
    state: 'p.state',
    currency: 'p.currency',
    capturedMinor: 'p.captured_minor',
    refundedMinor: 'p.refunded_minor',
    lostMinor: 'p.lost_minor',
    counts: 'p.counts',
    asOf: iso('p.as_of'),
  })} as entry from payments p where p.order_id = o.id limit ${LIST_LIMIT}`;
const movedBack = (table: 'refunds' | 'disputes', id: string) => `
  select m.as_of, m.${id} as id, ${object({
    id: `m.${id}`,
    paymentId: 'm.payment_id',
    state: 'm.state',
    amountMinor: 'm.amount_minor',
    currency: 'p.currency',
    asOf: iso('m.as_of'),
  })} as entry
  from payments p cross join lateral (select * from ${table} where payment_id = p.payment_id and provider = p.provider offset 0) m
  where p.order_id = o.id limit ${LIST_LIMIT}`;

const GRANTS = `
  select g.seq, ${object({
    orderId: 'g.order_id',
    userId: 'g.user_id',
    product: 'g.product',
    kind: '(select k.kind from orders k where k.id = g.order_id)',
    seq: 'g.seq',
    provider: 'g.provider',
    paymentId: 'g.payment_id',
    baseAt: iso('g.base_at'),
    months: 'g.months',
    days: 'g.days',
    graceDays: 'g.grace_days',
    startsAt: iso('g.starts_at'),
    endsAt: iso('g.ends_at'),
    grantedAt: iso('g.granted_at'),
    revokedAt: iso('g.revoked_at'),
    revokeReason: 'g.revoke_reason',
    restorations: RESTORATIONS,
  })} as entry from grants g where g.user_id = o.user_id and g.product = o.product`;

const SUBSCRIPTION = `(
  select ${object({
    version: 's.version',
    grants: 's.grants',
    endsAt: iso('s.ends_at'),
    graceDays: 's.grace_days',
    cancelAtEnd: 's.cancel_at_end',
    cancellations: `coalesce(s.cancellations, '[]')`,
  })} from subscriptions s where s.user_id = o.user_id and s.product = o.product)`;

const PAGE = `
select ${ORDER}, o.metadata, o.live, o.provider_account, o.provider_subscription_id,
  ${list(`select k.created_at, to_jsonb(k.key) as entry from idempotency_keys k where k.order_id = o.id limit ${KEYS_LIMIT}`, 'l.created_at')} as checkout_keys,
  ${list(TIMELINE, 'l.at desc, l.rank desc, l.key desc')} as timeline,
  ${list(TRANSITIONS, 'l.version desc')} as transitions,
  ${list(effects(`x.status <> 'done'`, LIST_LIMIT), 'l.order_version desc, l.id desc')} as open_effects,
  ${list(effects(`x.status = 'done' and ($9::int is null or (x.order_version, x.id) < ($9::int, $10::text))`, '$11::int'), 'l.order_version desc, l.id desc')} as done_effects,
  ${list(PAYMENTS, 'l.as_of nulls first, l.payment_id')} as payments,
  ${list(movedBack('refunds', 'refund_id'), 'l.as_of nulls first, l.id')} as refunds,
  ${list(movedBack('disputes', 'dispute_id'), 'l.as_of nulls first, l.id')} as disputes,
  ${list(`select f.opened_at, f.id, ${FINDING} as entry from findings f where f.order_id = o.id order by f.opened_at desc limit ${LIST_LIMIT}`, 'l.opened_at desc, l.id desc')} as findings,
  ${list(GRANTS, 'l.seq')} as grants,
  ${SUBSCRIPTION} as subscription
from orders o where o.id = $1`;

/** Null when there is no order of this id. */
export async function readOrderPage(db: Database, id: string, query: OrderPageQuery): Promise<OrderPageRow | null> {
  const { kinds, timelineBefore, transitionsBefore, effectsBefore } = query;
  const [row] = await db.query<Row>(PAGE, [
    id,
    `{${kinds.join(',')}}`,
    timelineBefore?.instant ?? null,
    timelineBefore?.rank ?? null,
    timelineBefore?.key ?? null,
    query.timelineLimit + 1,
    transitionsBefore,
    query.transitionsLimit + 1,
    effectsBefore?.orderVersion ?? null,
    effectsBefore?.id ?? null,
    query.effectsLimit + 1,
  ]);
  return row ? pageRow(row) : null;
}

function pageRow(row: Row): OrderPageRow {
  return {
    order: orderRow(row),
    metadata: row.metadata as Record<string, unknown> | null,
    live: row.live as boolean,
    providerAccount: row.provider_account as string | null,
    providerSubscriptionId: row.provider_subscription_id as string | null,
    checkoutKeys: row.checkout_keys as string[],
    timeline: row.timeline as TimelineEntry[],
    transitions: row.transitions as TransitionRow[],
    openEffects: row.open_effects as EffectRow[],
    doneEffects: row.done_effects as EffectRow[],
    payments: row.payments as PaymentRow[],
    refunds: row.refunds as RefundRow[],
    disputes: row.disputes as DisputeRow[],
    findings: row.findings as FindingRow[],
    grants: row.grants as GrantRow[],
    subscription: row.subscription as SubscriptionRow | null,
  };
}
