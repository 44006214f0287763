// What a list shows of each order: the order and why it is stuck, the last thing that was heard about it, and what comes
// next by itself.
import type { Database, Row } from '../client.ts';
import { iso, ORDER, type OrderRow, orderRow } from '../orders.ts';

export type OrderListRow = {
  order: OrderRow;
  /** The last thing received about it; null when it never was told anything. */
  lastEvent: { type: string; verdict: string; at: Date } | null;
  /** Its last transition. */
  lastStep: { type: string; at: Date };
  /** The effect that runs next, and when. */
  nextEffect: { effect: string; attempts: number; availableAt: Date } | null;
};

/** By their keys: inbox_order_id, transitions (order_id, version), outbox_pending. */
const ROWS = `
select ${ORDER},
  e.heard[3] as heard_type, e.heard[4] as heard_verdict, e.heard[1]::timestamptz as heard_at,
  s.event_type as step_type, s.at as step_at,
  x.effect as next_effect, x.attempts as next_attempts, x.available_at as next_at
from jsonb_array_elements_text($1::text::jsonb) with ordinality k(id, place)
-- offset 0: by the key of each, however few orders there are yet.
cross join lateral (select t.* from orders t where t.id = k.id offset 0) o
-- A maximum and no "order by … limit 1": that could be read as a walk down everything ever received, in search of this order.
left join lateral (select max(array[${iso('i.received_at')}, i.event_key, i.event_type, i.verdict]) as heard from inbox i where i.order_id = o.id) e on true
left join lateral (select t.event_type, t.at from transitions t where t.order_id = o.id and t.version = o.version) s on true
left join lateral (select x.effect, x.attempts, x.available_at from outbox x where x.order_id = o.id and x.status = 'pending' order by x.order_version, x.id limit 1) x on true
order by k.place`;

/** The orders of these ids, in their order. */
export async function readOrderRows(db: Database, ids: readonly string[]): Promise<OrderListRow[]> {
  if (ids.length === 0) return [];
  return (await db.query<Row>(ROWS, [JSON.stringify(ids)])).map(listRow);
}

function listRow(row: Row): OrderListRow {
  return {
    order: orderRow(row),
    lastEvent: row.heard_at
      ? { type: row.heard_type as string, verdict: row.heard_verdict as string, at: row.heard_at as Date }
      : null,
    lastStep: { type: row.step_type as string, at: row.step_at as Date },
    nextEffect: row.next_at
      ? { effect: row.next_effect as string, attempts: row.next_attempts as number, availableAt: row.next_at as Date }
      : null,
  };
}
