// The only writer of orders. One commit is one SQL statement over arrays: it locks the orders at the versions they were
// decided on, writes everything that belongs to them, and answers which groups it wrote. Nobody waits for a row while
// holding others (SKIP LOCKED), so there is no deadlock and no order that holds up its neighbours. A group that is missing
// from the answer was changed meanwhile or is held by another commit: it is loaded and decided again. The laterals look rows
// up by key, one at a time; a plain join may be planned the other way round while a table is still empty, and that plan
// would then read the whole table for ever (decision 0007).
import type { Database } from './client.ts';
import { commitParams, commitRows as rows } from './commitRows.ts';
import type { Commit } from './writes.ts';

/** Verdicts that may still change: the event is decided again when it comes again or its order has moved. */
const OPEN_VERDICTS = ['unmatched', 'foreign', 'illegal', 'parked'] as const;
export const isOpen = (verdict: string): boolean => (OPEN_VERDICTS as readonly string[]).includes(verdict);

/** True of a stored verdict that may still change; only such a one is replaced. */
const STILL_OPEN = `t.verdict in (${OPEN_VERDICTS.map(verdict => `'${verdict}'`).join(', ')})`;
const ifOpen = (column: string) => `${column} = case when ${STILL_OPEN} then excluded.${column} else t.${column} end`;

const COMMIT = `
with
asked_orders as materialized (
  select x.* from ${rows.orders.from}),
-- The orders at the versions they were decided on. One that somebody holds now keeps its group out of this commit.
held_orders as materialized (
  select held.id from asked_orders a cross join lateral (
    select t.id from orders t where t.id = a.id and t.version = a.expected_version for no key update skip locked) held),
asked_payments as materialized (
  select x.* from ${rows.payments.from}),
-- A payment that another order owns cannot be written here; the group is decided again, knowing that.
owned_elsewhere as materialized (
  select a.g from asked_payments a cross join lateral (
    select t.order_id from payments t where t.payment_id = a.payment_id and t.provider = a.provider limit 1) owner
  where owner.order_id <> a.order_id),
held_groups as materialized (
  select a.g from asked_orders a left join held_orders h on h.id = a.id
  where not exists (select from owned_elsewhere e where e.g = a.g)
  group by a.g having count(*) = count(h.id)),
asked_subscriptions as materialized (
  select x.* from ${rows.subscriptions.from}),
held_subscriptions as materialized (
  select held.user_id, held.product from asked_subscriptions a join held_groups using (g) cross join lateral (
    select t.user_id, t.product from subscriptions t
    where t.user_id = a.user_id and t.product = a.product and t.version = a.expected_version for no key update skip locked) held),
written_subscriptions as (
  insert into subscriptions as t (user_id, product, version, grants, anchor_at, anchor_months, ends_at, grace_days, cancel_at_end)
  select a.user_id, a.product, a.expected_version + 1, a.grants, a.anchor_at::timestamptz, a.anchor_months,
    a.ends_at::timestamptz, a.grace_days, a.cancel_at_end
  from asked_subscriptions a join held_groups using (g) left join held_subscriptions h using (user_id, product)
  where a.expected_version = 0 or h.user_id is not null
  order by a.user_id, a.product
  on conflict (user_id, product) do update set version = excluded.version, grants = excluded.grants, anchor_at = excluded.anchor_at,
    anchor_months = excluded.anchor_months, ends_at = excluded.ends_at, grace_days = excluded.grace_days,
    cancel_at_end = excluded.cancel_at_end
  where t.version = excluded.version - 1
  returning t.user_id, t.product),
-- The groups that are whole: every order is held and, where a subscription is to be written, it was. Only they are written.
whole_groups as materialized (
  select h.g from held_groups h left join asked_subscriptions a on a.g = h.g
    left join written_subscriptions w on w.user_id = a.user_id and w.product = a.product
  where a.g is null or w.user_id is not null),
written_orders as (
  update orders t set state = a.state, version = a.expected_version + a.steps, snapshot = a.snapshot::jsonb, wake_at = a.wake_at::timestamptz,
    provider_order_id = coalesce(a.provider_order_id, t.provider_order_id),
    provider_subscription_id = coalesce(a.provider_subscription_id, t.provider_subscription_id), grant_error = a.grant_error, updated_at = now()
  from asked_orders a join whole_groups using (g) where t.id = a.id and a.steps > 0),
written_transitions as (
  insert into transitions (order_id, version, event_type, event, from_state, to_state, source, event_key, at)
  select x.order_id, x.version, x.event_type, x.event::jsonb, x.from_state, x.to_state, x.source, x.event_key, x.at::timestamptz
  from ${rows.transitions.from} join whole_groups using (g)),
written_payments as (
  insert into payments as t (payment_id, provider, order_id, state, currency, captured_minor, refunded_minor, lost_minor, counts, as_of)
  select a.payment_id, a.provider, a.order_id, a.state, a.currency, a.captured, a.refunded, a.lost, a.counts, a.as_of::timestamptz
  from asked_payments a join whole_groups using (g) order by a.payment_id
  on conflict (payment_id, provider) do update set state = excluded.state, currency = excluded.currency,
    captured_minor = greatest(t.captured_minor, excluded.captured_minor), refunded_minor = excluded.refunded_minor,
    lost_minor = excluded.lost_minor, counts = excluded.counts, as_of = excluded.as_of),
written_refunds as (
  insert into refunds as t (refund_id, provider, payment_id, state, amount_minor, as_of)
  select x.id, x.provider, x.payment_id, x.state, x.amount, x.as_of::timestamptz
  from ${rows.refunds.from} join whole_groups using (g) order by x.id
  on conflict (refund_id, provider) do update set state = excluded.state, amount_minor = excluded.amount_minor, as_of = excluded.as_of),
written_disputes as (
  insert into disputes as t (dispute_id, provider, payment_id, state, amount_minor, as_of)
  select x.id, x.provider, x.payment_id, x.state, x.amount, x.as_of::timestamptz
  from ${rows.disputes.from} join whole_groups using (g) order by x.id
  on conflict (dispute_id, provider) do update set state = excluded.state, amount_minor = excluded.amount_minor, as_of = excluded.as_of),
written_grants as (
  insert into grants as t (order_id, user_id, product, seq, provider, payment_id, base_at, months, days, grace_days, starts_at, ends_at, granted_at, revoked_at, revoke_reason)
  select x.order_id, x.user_id, x.product, x.seq, x.provider, x.payment_id, x.base_at::timestamptz, x.months, x.days, x.grace_days,
    x.starts_at::timestamptz, x.ends_at::timestamptz, x.granted_at::timestamptz, x.revoked_at::timestamptz, x.revoke_reason
  from ${rows.grants.from} join whole_groups using (g)
  on conflict (order_id) do update set starts_at = excluded.starts_at, ends_at = excluded.ends_at, revoked_at = excluded.revoked_at, revoke_reason = excluded.revoke_reason),
-- An effect that is asked for again stays one effect. One that had died is tried anew; its last error stays, because it tells
-- the worker that an earlier try may have reached the other side. An effect that does no harm when it is done twice is tried
-- anew even when it was done: a payment that failed can be authorised again, and an order be opened after it was closed.
written_effects as (
  insert into outbox as t (id, order_id, order_version, effect, payload, dedup_key, available_at)
  select x.id, x.order_id, x.order_version, x.effect, x.payload::jsonb, x.dedup_key, x.available_at::timestamptz
  from ${rows.effects.from} join whole_groups using (g)
  on conflict (dedup_key) do update set status = 'pending', attempts = 0, available_at = excluded.available_at, done_at = null
  where t.status = 'dead' or (t.status = 'done' and t.effect in ('capture', 'void', 'close'))),
-- Every event with its verdict. A final verdict is never overwritten; each delivery is counted.
written_events as (
  insert into inbox as t (event_key, provider, event_type, order_id, provider_order_id, source, raw, body_hash, headers, received_at, mark, payer_id, event, verdict, detail, decided_version, applied_version, deliveries, next_attempt_at)
  select x.event_key, x.provider, x.event_type, x.order_id, x.provider_order_id, x.source, decode(x.raw, 'hex'), x.body_hash, x.headers::jsonb, x.received_at::timestamptz, x.mark, x.payer_id, x.event::jsonb,
    x.verdict, x.detail, x.decided_version, x.applied_version, x.deliveries, x.next_attempt_at::timestamptz
  from ${rows.inbox.from} left join whole_groups w using (g) where x.g is null or w.g is not null order by x.event_key
  on conflict (event_key, provider) do update set deliveries = t.deliveries + excluded.deliveries,
    attempts = t.attempts + case when ${STILL_OPEN} then 1 else 0 end,
    ${ifOpen('order_id')},
    ${ifOpen('event')},
    ${ifOpen('verdict')},
    ${ifOpen('detail')},
    ${ifOpen('decided_version')},
    ${ifOpen('applied_version')},
    ${ifOpen('next_attempt_at')}),
opened_findings as (
  insert into findings (id, fingerprint, kind, severity, order_id, detail)
  select x.* from ${rows.findings.from} on conflict (fingerprint) do nothing)
select g from whole_groups`;

/**
 * Writes what was decided and answers the indexes of the groups that were written. The others were not touched.
 * @throws Error when one commit names the same row twice, which is a bug of the caller
 */
export async function commitDecisions(db: Database, commit: Commit): Promise<Set<number>> {
  assertOnceEach(commit);
  const written = await db.query<{ g: number }>(COMMIT, commitParams(commit));
  return new Set(written.map(row => row.g));
}

/** A second row of the same key in one statement would be dropped silently or fail everybody: refuse it here. */
function assertOnceEach({ groups, looseInbox }: Commit): void {
  assertDistinct(
    'order',
    groups.flatMap(group => group.orders.map(order => order.id)),
  );
  assertDistinct(
    'subscription',
    groups.flatMap(group => (group.subscription ? [`${group.subscription.userId} ${group.subscription.product}`] : [])),
  );
  assertDistinct(
    'payment',
    groups.flatMap(group => group.payments.map(payment => `${payment.provider} ${payment.paymentId}`)),
  );
  assertDistinct(
    'grant',
    groups.flatMap(group => group.grants.map(grant => grant.orderId)),
  );
  assertDistinct(
    'dedup key',
    groups.flatMap(group => group.effects.map(effect => effect.dedupKey)),
  );
  assertDistinct(
    'inbox key',
    [...groups.flatMap(group => group.inbox), ...looseInbox].map(row => `${row.provider} ${row.eventKey}`),
  );
}

function assertDistinct(what: string, keys: string[]): void {
  if (new Set(keys).size === keys.length) return;
  const twice = keys.find((key, index) => keys.indexOf(key) !== index);
  throw new Error(`one commit may write each ${what} once, but it has ${twice} twice`);
}
