// How many orders are stuck, counted up to a limit: for the navigation, where the exact number of very many tells nothing.
import type { Database } from '../client.ts';

// Each cause by its own index and no further than the limit; an order that is stuck for two causes counts once.
const COUNT = `
select count(*)::int as count from (
  (select id from orders where wake_at is not null and wake_at <= $1::text::timestamptz order by wake_at, id limit $3)
  union (select order_id from outbox where status = 'dead' and order_id is not null order by order_id limit $3)
  union (select id from orders where state in ('authorized', 'captured', 'parked') and state in ('captured', 'parked') limit $3)
  union (select id from orders where machine <> 'order.v1' and machine <> all ($2::text[]) order by machine, id limit $3)
  union (select order_id from inbox where verdict = 'parked' and event is not null and order_id is not null order by received_at, event_key, provider limit $3)
) stuck`;

/** `limit` means that many or more. `machines` are the charts that can be read here; orders on others are stuck. */
export async function countStuck(
  db: Database,
  { now, machines, limit }: { now: Date; machines: readonly string[]; limit: number },
): Promise<number> {
  const params = [now.toISOString(), `{${machines.join(',')}}`, limit];
  const [row] = await db.query<{ count: number }>(COUNT, params);
  return Math.min(row?.count ?? 0, limit);
}
