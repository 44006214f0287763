// Orders whose money is in and whose grant is missing: they are driven again at start and when their time has come.
import type { Database } from './client.ts';

export type CapturedOrder = { id: string; version: number; deadline: { id: string; setAtVersion: number } | null };

/** A page of captured orders after `afterId`, oldest first; with `dueAt`, only those whose deadline has passed then. */
export function readCaptured(
  db: Database,
  afterId: string,
  limit: number,
  dueAt: Date | null,
): Promise<CapturedOrder[]> {
  return db.query<CapturedOrder>(
    `select id, version, snapshot->'deadline' as deadline from orders
     where state = 'captured' and id > $1
       and ($3::text is null or wake_at <= $3::text::timestamptz)
     order by id limit $2`,
    [afterId, limit, dueAt?.toISOString() ?? null],
  );
}
