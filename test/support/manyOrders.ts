// Thousands of orders or events at once, copied in the database from one that was made properly.
import type { World } from './world.ts';

/** Copies an opened order `count` times: other ids, another user each, the same history. Answers how many there are. */
export async function copyOrders({ sql }: Pick<World, 'sql'>, id: string, count: number): Promise<number> {
  await sql`
    insert into orders (id, kind, user_id, product, plan_id, plan, provider, provider_account, live, provider_order_id, amount_minor, currency, machine, state, version, snapshot, wake_at, another)
    select o.id || '_' || n, o.kind, o.user_id || '_' || n, o.product, o.plan_id, o.plan, o.provider, o.provider_account, o.live, o.provider_order_id || '_' || n,
      o.amount_minor, o.currency, o.machine, o.state, o.version,
      jsonb_set(jsonb_set(o.snapshot, '{context,userId}', to_jsonb(o.user_id || '_' || n)), '{context,providerOrderId}', to_jsonb(o.provider_order_id || '_' || n)),
      o.wake_at, o.another
    from orders o, generate_series(1, ${count}::int) n where o.id = ${id}`;
  const rows = await sql`
    insert into transitions (order_id, version, event_type, event, from_state, to_state, source, event_key, at)
    select t.order_id || '_' || n, t.version, t.event_type, t.event, t.from_state, t.to_state, t.source, t.event_key, t.at
    from transitions t, generate_series(1, ${count}::int) n where t.order_id = ${id} returning 1`;
  return rows.length;
}

/** Copies an event of the inbox `count` times under other keys, for other orders of the provider. */
export async function copyEvents({ sql }: Pick<World, 'sql'>, eventKey: string, count: number): Promise<void> {
  await sql`
    insert into inbox (event_key, provider, event_type, provider_order_id, source, raw, body_hash, headers, event, received_at, verdict, detail, next_attempt_at)
    select i.event_key || '_' || n, i.provider, i.event_type, i.provider_order_id || '_' || n, i.source, i.raw, i.body_hash, i.headers,
      jsonb_set(i.event, '{paymentId}', to_jsonb((i.event->>'paymentId') || '_' || n)), i.received_at, i.verdict, i.detail, i.next_attempt_at
    from inbox i, generate_series(1, ${count}::int) n where i.event_key = ${eventKey}`;
}
