// The only writer of orders. One commit is one SQL statement over arrays: it takes the orders at the versions they were
// decided on, then everything that belongs to them, and answers the groups it wrote. Nobody waits for a row while
// holding others (SKIP LOCKED), so there is no deadlock and no stuck neighbour: a group that is missing from the answer
// was taken or is held by somebody and is loaded and decided again. The laterals are look-ups by key, one row at a time: a
// plain join may be planned the other way round while a table is still empty, and would then read all of it for ever.
import type { Database } from './client.ts';
import { commitParams, commitRows as rows } from './commitRows.ts';
import type { Commit } from './writes.ts';

/** Verdicts that may still change: the event is decided again when it comes again or its order has moved. */
export const OPEN_VERDICTS = ['unmatched', 'foreign', 'illegal', 'parked'] as const;
export const isOpen = (verdict: string): boolean => (OPEN_VERDICTS as readonly string[]).includes(verdict);

/** Only a verdict that may still change is replaced. */
const STILL_OPEN = `t.verdict in (${OPEN_VERDICTS.map(verdict => `'${verdict}'`).join(', ')})`;
const ifOpen = (column: string) => `${column} = case when ${STILL_OPEN} then excluded.${column} else t.${column} end`;

const COMMIT = `
with
-- The orders at the versions they were decided on; whoever holds one now keeps its group out of this commit.
o as materialized (
  select * from ${rows.orders.from}),
lk as materialized (
  select k.id from o cross join lateral (select t.id from orders t where t.id = o.id and t.version = o.ver for no key update skip locked) k),
-- A payment that another order owns cannot be written here; the group is decided again, knowing that.
p as materialized (
  select * from ${rows.payments.from}),
po as materialized (
  select p.g from p cross join lateral (select t.order_id from payments t where t.payment_id = p.payment_id and t.provider = p.provider limit 1) k where k.order_id <> p.order_id),
g1 as materialized (
  select o.g from o left join lk on lk.id = o.id where not exists (select from po where po.g = o.g) group by o.g having count(*) = count(lk.id)),
s as materialized (
  select * from ${rows.subscriptions.from}),
ls as materialized (
  select k.user_id, k.product from s join g1 using (g) cross join lateral (
    select t.user_id, t.product from subscriptions t where t.user_id = s.user_id and t.product = s.product and t.version = s.ver for no key update skip locked) k),
su as (
  insert into subscriptions as t (user_id, product, version, grants, anchor_at, anchor_months, ends_at, grace_days, cancel_at_end)
  select s.user_id, s.product, s.ver + 1, s.grants, s.anchor_at::timestamptz, s.anchor_months, s.ends_at::timestamptz, s.grace_days, s.cancel_at_end
  from s join g1 using (g) left join ls using (user_id, product) where s.ver = 0 or ls.user_id is not null
  order by s.user_id, s.product
  on conflict (user_id, product) do update set version = excluded.version, grants = excluded.grants, anchor_at = excluded.anchor_at,
    anchor_months = excluded.anchor_months, ends_at = excluded.ends_at, grace_days = excluded.grace_days,
    cancel_at_end = excluded.cancel_at_end
  where t.version = excluded.version - 1
  returning t.user_id, t.product),
-- The groups that are whole: every order held and, where one is written, the subscription too.
ok as materialized (
  select g1.g from g1 left join s on s.g = g1.g left join su on su.user_id = s.user_id and su.product = s.product
  where s.g is null or su.user_id is not null),
upd as (
  update orders t set state = o.state, version = o.ver + o.n, snapshot = o.snapshot::jsonb, wake_at = o.wake_at::timestamptz,
    provider_order_id = coalesce(o.provider_order_id, t.provider_order_id),
    provider_subscription_id = coalesce(o.provider_subscription_id, t.provider_subscription_id), grant_error = o.grant_error, updated_at = now()
  from o join ok using (g) where t.id = o.id and o.n > 0),
tr as (
  insert into transitions (order_id, version, event_type, event, from_state, to_state, source, event_key, at)
  select x.order_id, x.version, x.event_type, x.event::jsonb, x.from_state, x.to_state, x.source, x.event_key, x.at::timestamptz
  from ${rows.transitions.from} join ok using (g)),
pa as (
  insert into payments as t (payment_id, provider, order_id, state, currency, captured_minor, refunded_minor, lost_minor, counts, as_of)
  select p.payment_id, p.provider, p.order_id, p.state, p.currency, p.captured, p.refunded, p.lost, p.counts, p.as_of::timestamptz
  from p join ok using (g) order by p.payment_id
  on conflict (payment_id, provider) do update set state = excluded.state, currency = excluded.currency,
    captured_minor = greatest(t.captured_minor, excluded.captured_minor), refunded_minor = excluded.refunded_minor,
    lost_minor = excluded.lost_minor, counts = excluded.counts, as_of = excluded.as_of),
rf as (
  insert into refunds as t (refund_id, provider, payment_id, state, amount_minor, as_of)
  select x.id, x.provider, x.payment_id, x.state, x.amount, x.as_of::timestamptz
  from ${rows.refunds.from}
    join ok using (g) order by x.id
  on conflict (refund_id, provider) do update set state = excluded.state, amount_minor = excluded.amount_minor, as_of = excluded.as_of),
dp as (
  insert into disputes as t (dispute_id, provider, payment_id, state, amount_minor, as_of)
  select x.id, x.provider, x.payment_id, x.state, x.amount, x.as_of::timestamptz
  from ${rows.disputes.from}
    join ok using (g) order by x.id
  on conflict (dispute_id, provider) do update set state = excluded.state, amount_minor = excluded.amount_minor, as_of = excluded.as_of),
gr as (
  insert into grants as t (order_id, user_id, product, seq, provider, payment_id, base_at, months, days, grace_days, starts_at, ends_at, granted_at, revoked_at, revoke_reason)
  select x.order_id, x.user_id, x.product, x.seq, x.provider, x.payment_id, x.base_at::timestamptz, x.months, x.days, x.grace_days,
    x.starts_at::timestamptz, x.ends_at::timestamptz, x.granted_at::timestamptz, x.revoked_at::timestamptz, x.revoke_reason
  from ${rows.grants.from} join ok using (g)
  on conflict (order_id) do update set starts_at = excluded.starts_at, ends_at = excluded.ends_at, revoked_at = excluded.revoked_at, revoke_reason = excluded.revoke_reason),
-- An effect that is asked for again stays one effect; asked for after it had died, it is tried anew. Its last error stays:
-- it tells the worker that an earlier try may have reached the other side. What changes nothing when it is done once more is
-- tried anew also when it was done: a payment that failed can be authorised again, an order be opened after it was closed.
ob as (
  insert into outbox as t (id, order_id, order_version, effect, payload, dedup_key, available_at)
  select x.id, x.order_id, x.order_version, x.effect, x.payload::jsonb, x.dedup_key, x.available_at::timestamptz
  from ${rows.effects.from} join ok using (g)
  on conflict (dedup_key) do update set status = 'pending', attempts = 0, available_at = excluded.available_at, done_at = null
  where t.status = 'dead' or (t.status = 'done' and t.effect in ('capture', 'void', 'close'))),
-- Every event with its verdict. A final verdict is never overwritten; each delivery is counted.
ib as (
  insert into inbox as t (event_key, provider, event_type, order_id, provider_order_id, source, raw, body_hash, headers, received_at, mark, payer_id, event, verdict, detail, decided_version, applied_version, deliveries, next_attempt_at)
  select x.event_key, x.provider, x.event_type, x.order_id, x.provider_order_id, x.source, decode(x.raw, 'hex'), x.body_hash, x.headers::jsonb, x.received_at::timestamptz, x.mark, x.payer_id, x.event::jsonb,
    x.verdict, x.detail, x.decided_version, x.applied_version, x.deliveries, x.next_attempt_at::timestamptz
  from ${rows.inbox.from}
    left join ok using (g) where x.g is null or ok.g is not null order by x.event_key
  on conflict (event_key, provider) do update set deliveries = t.deliveries + excluded.deliveries,
    attempts = t.attempts + case when ${STILL_OPEN} then 1 else 0 end,
    ${ifOpen('order_id')},
    ${ifOpen('event')},
    ${ifOpen('verdict')},
    ${ifOpen('detail')},
    ${ifOpen('decided_version')},
    ${ifOpen('applied_version')},
    ${ifOpen('next_attempt_at')}),
fi as (
  insert into findings (id, fingerprint, kind, severity, order_id, detail)
  select * from ${rows.findings.from} on conflict (fingerprint) do nothing)
select g from ok`;

/** Writes what was decided; answers the indexes of the groups that were written. */
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
