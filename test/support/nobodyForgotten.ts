// No order can wait for ever: whoever waits has a deadline, an effect that is still to come, or somebody who was told.
// Asked in SQL past the service, so that the service's own idea of being stuck is not its witness.
import type postgres from 'postgres';
import { expect } from 'vitest';

/** Somebody was told of this order, or is being told, after it came to its state: an alert about it. */
const toldOf = (order: string, more = '') => `exists (
  select from outbox a where a.effect = 'alert' and (a.order_id = ${order}.id or a.payload->>'orderId' = ${order}.id) ${more})`;
/** A finding about this order stands open; each opens with an alert of its own, which a rule below looks for. */
const findingOf = (order: string) =>
  `exists (select from findings f where f.order_id = ${order}.id and f.resolved_at is null)`;
/** Something is still to be done for it, by itself, and the database knows when. */
const pendingFor = (order: string, effects: string) => `exists (
  select from outbox e where e.order_id = ${order}.id and e.status = 'pending' and e.effect in (${effects}))`;

/** Each must answer no row, of a service that is up, once it has done what was due. `$1` is that instant. */
const FORGOTTEN: Record<string, string> = {
  'an order that is created, authorized or captured has a deadline': `
    select id, state from orders where state in ('created', 'authorized', 'captured') and wake_at is null`,
  'no deadline, effect or question is overdue': `
    select id, state as what, wake_at as due from orders where wake_at <= $1::timestamptz
    union all select id, effect, available_at from outbox e where status = 'pending' and available_at <= $1::timestamptz
    union all select event_key, verdict, next_attempt_at from inbox where next_attempt_at <= $1::timestamptz
    union all select provider, depth, next_at from listings where next_at <= $1::timestamptz`,
  'an order that is parked or captured has been told to somebody': `
    select id, state from orders o where state in ('parked', 'captured') and not ${toldOf('o')} and not ${findingOf('o')}
      and not (state = 'captured' and wake_at > $1::timestamptz)`,
  'an effect that died has been told to somebody': `
    select e.id, e.effect from outbox e where e.status = 'dead' and e.effect <> 'alert'
      and not exists (select from outbox a where a.effect = 'alert' and a.dedup_key like e.dedup_key || ':dead:%')`,
  'a finding that is open has been told to somebody': `
    select f.id, f.kind from findings f where f.resolved_at is null
      and not exists (select from outbox a where a.effect = 'alert'
        and (starts_with(a.dedup_key, 'alert:finding:' || f.fingerprint || ':') or a.payload->>'tells' = f.fingerprint))`,
  'money of an order that is not subscribed is on its way back, or somebody knows of it': `
    select o.id, o.state, p.payment_id from orders o join payments p on p.order_id = o.id
    where o.state not in ('subscribed', 'captured') and p.captured_minor > p.refunded_minor + p.lost_minor
      and not ${pendingFor('o', `'refund'`)} and not ${toldOf('o', `and a.payload->>'paymentId' = p.payment_id`)} and not ${findingOf('o')}`,
  'more money than an order costs is on its way back, or somebody knows of it': `
    select o.id, o.state, sum(p.captured_minor - p.refunded_minor - p.lost_minor) as net from orders o join payments p on p.order_id = o.id
    where p.counts group by o.id having sum(p.captured_minor - p.refunded_minor - p.lost_minor) > o.amount_minor
      and not ${pendingFor('o', `'refund', 'open'`)} and not ${toldOf('o')} and not ${findingOf('o')}`,
  'money that is only reserved is to be taken or let go, or somebody knows of it': `
    select o.id, o.state, p.payment_id from orders o join payments p on p.order_id = o.id
    where p.state = 'authorized' and o.state <> 'authorized'
      and not exists (select from outbox e where e.order_id = o.id and e.effect = 'void' and e.status <> 'dead' and e.payload->>'paymentId' = p.payment_id)
      and not ${toldOf('o', `and a.payload->>'paymentId' = p.payment_id`)} and not ${findingOf('o')}`,
  'a payment that was passed on has become an order, or is about to': `
    select o.id, passed from orders o cross join lateral jsonb_array_elements_text(coalesce(o.snapshot->'context'->'passedOn', '[]')) passed
    where not exists (select from payments p where p.payment_id = passed and p.provider = o.provider)
      and not ${pendingFor('o', `'open'`)} and not ${toldOf('o', `and a.payload->>'paymentId' = passed`)}`,
  'an event without an order is tried again, or was nobody’s, or was told to somebody': `
    select i.event_key, i.verdict from inbox i where i.verdict = 'unmatched' and i.next_attempt_at is null
      and not exists (select from findings f where f.fingerprint in ('unmatched_event:' || i.provider || ':' || i.event_key, 'payment:' || i.provider || ':' || (i.event->>'paymentId')))`,
  'an order on a chart that is not registered has been told to somebody': `
    select o.id, o.machine from orders o where o.machine <> 'order.v1'
      and not exists (select from findings f where f.fingerprint = 'chart_unknown:' || o.machine and f.resolved_at is null)`,
  'an event that is parked came within ten minutes, or was told to somebody': `
    select i.event_key, i.event_type from inbox i where i.verdict = 'parked' and i.received_at <= $1::timestamptz - interval '10 minutes'
      and not exists (select from findings f where f.fingerprint in (
        'webhook_undecodable:' || i.provider || ':' || i.event_type, 'snapshot_unreadable:' || i.order_id,
        (select 'chart_unknown:' || o.machine from orders o where o.id = i.order_id)))`,
};

/** Nobody waits for ever. `at` is the service's own clock, once it has nothing left to do at that instant. */
export async function expectNobodyForgotten(sql: postgres.Sql, at: Date): Promise<void> {
  for (const [rule, query] of Object.entries(FORGOTTEN)) {
    const rows = await sql.unsafe(query, query.includes('$1') ? [at.toISOString()] : []);
    expect([...rows], rule).toEqual([]);
  }
}

/** At the end of every schedule: no order is on its way, and nothing is left to do. Alerts and findings may stand. */
export async function expectNothingLeftToDo(sql: postgres.Sql): Promise<void> {
  const onTheWay = await sql`select id, state from orders where state in ('created', 'authorized', 'captured')`;
  expect([...onTheWay], 'orders on their way').toEqual([]);
  const waiting = await sql`
    select id, effect as what, available_at as due from outbox where status = 'pending'
    union all select id, state, wake_at from orders where wake_at is not null
    union all select event_key, verdict, next_attempt_at from inbox where next_attempt_at is not null`;
  expect([...waiting], 'something is still planned').toEqual([]);
}
