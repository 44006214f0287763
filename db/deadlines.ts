// Orders whose deadline has passed, oldest first: found by `wake_at`, so nothing has to be remembered in memory.
import type { Database, Row } from './client.ts';

export type DueOrder = {
  id: string;
  machine: string;
  version: number;
  /** Not looked at yet. */
  snapshot: unknown;
  /** As the database writes it, to the microsecond: the cursor of the next page. */
  wakeAt: string;
};

/** One page of orders due at this instant, after `cursor`. */
export function readDueOrders(
  db: Database,
  dueAt: Date,
  cursor: Pick<DueOrder, 'wakeAt' | 'id'> | null,
  limit: number,
): Promise<DueOrder[]> {
  return db.query<Row & DueOrder>(
    `select id, machine, version, snapshot, wake_at::text as "wakeAt" from orders
     where wake_at <= $1::text::timestamptz and (wake_at, id) > ($2::text::timestamptz, $3)
     order by wake_at, id limit $4`,
    [dueAt.toISOString(), cursor?.wakeAt ?? '-infinity', cursor?.id ?? '', limit],
  );
}
