// What is still to be done at the provider, and whose turn it is.
import type postgres from 'postgres';

export type Open = { pending: number; dead: number; unsettled: number; reviving: number; revivedAt: Date | null };

/** Effects that change something at the provider and are not over; of the dead ones, those their order's deadline revives. */
export async function openOf(sql: postgres.Sql): Promise<Open> {
  const [row] = await sql<Open[]>`
    select count(*) filter (where t.status = 'pending' and t.effect not in ('reconcile', 'notify', 'alert'))::int as pending,
      count(*) filter (where t.status = 'dead')::int as dead,
      count(*) filter (where t.status = 'dead' and t.effect = 'capture' and o.wake_at is not null)::int as reviving,
      max(o.wake_at) filter (where t.status = 'dead' and t.effect = 'capture') as "revivedAt",
      (select count(*)::int from orders where state not in ('subscribed', 'refunded', 'failed')) as unsettled
    from outbox t left join orders o on o.id = t.order_id`;
  return row!;
}

/** `3 capture of orders subscribed, 1 refund of orders subscribed`. */
export async function deadOf(sql: postgres.Sql): Promise<string> {
  const rows = await sql<{ effect: string; state: string; count: number }[]>`
    select t.effect, o.state, count(*)::int as count from outbox t join orders o on o.id = t.order_id
    where t.status = 'dead' group by t.effect, o.state`;
  return rows.map(({ effect, state, count }) => `${count} dead ${effect} of orders ${state}`).join(', ');
}
