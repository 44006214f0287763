// A shop's year of orders, small in bytes and spread like a real one: most subscribed, some failed, few of everything else.
// Ids say nothing about when an order was made, because those of renewals do not either.
import type { World } from './world.ts';

/** Orders n = 1 … count, made ten seconds apart. */
export async function seedListedOrders({ sql }: Pick<World, 'sql'>, count: number): Promise<void> {
  await sql`
    insert into orders (id, kind, user_id, product, plan_id, plan, provider, provider_account, live, provider_order_id, provider_subscription_id,
      amount_minor, currency, machine, state, version, snapshot, wake_at, another, created_at, updated_at)
    select 'ord_' || case when n % 7 = 0 then 'z' || left(md5(n::text), 25) else lpad(n::text, 26, '0') end, 'purchase', 'user_' || n / 5, 'pro', 'pro-monthly', '{}',
      case when n % 90000 = 5 then 'razorpay' when n % 10 = 0 then 'stripe' else 'sandbox' end, 'acct', true, 'po_' || n, case when n % 50 = 0 then 'sub_' || n / 1000 end,
      49900, 'INR', case when n % 40000 = 11 then 'order.v0' else 'order.v1' end,
      case when n % 10000 = 1 then 'parked' when n % 10000 = 2 then 'captured' when n % 5000 = 3 then 'authorized' when n % 100 = 7 then 'refunded'
        when n % 1000 = 9 then 'created' when n % 20 = 0 then 'failed' else 'subscribed' end,
      1, '{}', case when n % 1000 = 9 then '2026-01-01'::timestamptz + n * interval '10 s' end, true,
      '2026-01-01'::timestamptz + n * interval '10 s', now()
    from generate_series(1, ${count}::int) n`;
  await sql`
    insert into transitions (order_id, version, event_type, event, from_state, to_state, source, event_key, at)
    select id, 1, 'order.created', '{}', null, state, 'checkout', 'key_' || provider_order_id, created_at from orders`;
  await sql`
    insert into inbox (event_key, provider, event_type, order_id, provider_order_id, source, raw, body_hash, headers, received_at, verdict, event)
    select v.verdict || '_' || o.provider_order_id, o.provider, 'payment.captured', case when v.own then o.id end, o.provider_order_id, 'webhook', '', '', '{}',
      o.created_at + interval '1 s', v.verdict, case when v.verdict in ('unmatched', 'foreign', 'parked') then jsonb_build_object('paymentId', 'nobodys_' || o.provider_order_id) end
    from (select *, substr(provider_order_id, 4)::int as n from orders) o
    cross join lateral (values ('applied', true, true), ('duplicate', true, n % 3 = 0), ('stale', true, n % 20 = 0), ('mismatch', true, n % 2000 = 1), ('illegal', true, n % 5000 = 4),
      ('surplus', true, n % 3000 = 8), ('parked', true, n % 20000 = 12), ('ignored', false, n % 10 = 6), ('unmatched', false, n % 5000 = 13), ('foreign', false, n % 100 = 14)) v(verdict, own, here)
    where v.here`;
  await sql`
    insert into payments (payment_id, provider, order_id, state, currency, captured_minor, refunded_minor, lost_minor, counts)
    select 'pay_' || provider_order_id, provider, id, 'captured', currency, amount_minor, 0, 0, true from orders where state in ('subscribed', 'refunded', 'captured', 'parked')`;
  await sql`insert into refunds (refund_id, provider, payment_id, state, amount_minor)
    select 'rf_' || provider_order_id, provider, 'pay_' || provider_order_id, 'completed', amount_minor from orders where state = 'refunded'`;
  await sql`insert into disputes (dispute_id, provider, payment_id, state, amount_minor)
    select 'dp_' || provider_order_id, provider, 'pay_' || provider_order_id, 'opened', amount_minor from orders where state = 'parked'`;
  await sql`insert into idempotency_keys (key, request_hash, order_id) select 'key_' || provider_order_id, '', id from orders`;
  await sql`
    insert into outbox (id, order_id, order_version, effect, payload, dedup_key, status)
    select 'eff_' || provider_order_id, id, 1, 'notify', '{}', 'notify_' || id,
      case when substr(provider_order_id, 4)::int % 3000 = 15 then 'dead' when substr(provider_order_id, 4)::int % 10000 = 2 then 'pending' else 'done' end from orders`;
}
