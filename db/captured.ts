// Orders whose money is in and whose grant is missing: they are all driven again when the service starts.
import type { Database } from './client.ts';

export type CapturedOrder = { id: string; version: number };

/** A page of captured orders after `afterId`, oldest first. */
export function readCaptured(db: Database, afterId: string, limit: number): Promise<CapturedOrder[]> {
  return db.query<CapturedOrder>(
    `select id, version from orders where state = 'captured' and id > $1 order by id limit $2`,
    [afterId, limit],
  );
}
