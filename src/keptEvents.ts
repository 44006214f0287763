// Lists the events that were received and could not be decided (unmatched, foreign or parked), for whoever wonders why a
// payment shows nowhere.
import type { Database } from '../db/client.ts';
import type { EventRef } from '../db/inbox.ts';
import { type KeptEventRow, type KeptVerdict, listKept } from '../db/keptEvents.ts';
import { InvalidRequest } from './errors.ts';
import { eventCursor, readEventCursor } from './eventCursor.ts';

export type KeptEventFilter = { verdict: KeptVerdict; cursor?: string; limit: number };

/** Instants are ISO 8601 UTC. `mark` is our own id of the order as the provider carries it. */
export type KeptEventView = Omit<KeptEventRow, 'receivedAt' | 'nextAttemptAt'> & {
  receivedAt: string;
  /** Null when it is not tried again by itself; it is still decided when its order appears. */
  nextAttemptAt: string | null;
};

export type KeptEventPage = { events: KeptEventView[]; nextCursor: string | null };

/** One page, newest first. @throws InvalidRequest for a cursor that no page gave */
export async function keptEvents(db: Database, { verdict, cursor, limit }: KeptEventFilter): Promise<KeptEventPage> {
  const rows = await listKept(db, verdict, cursor === undefined ? null : placeOf(cursor), limit + 1);
  const page = rows.slice(0, limit);
  const last = page.at(-1);
  return { events: page.map(viewOf), nextCursor: rows.length > limit && last ? eventCursor(last) : null };
}

const viewOf = ({ receivedAt, nextAttemptAt, ...row }: KeptEventRow): KeptEventView => ({
  ...row,
  receivedAt: receivedAt.toISOString(),
  nextAttemptAt: nextAttemptAt?.toISOString() ?? null,
});

function placeOf(cursor: string): EventRef {
  const place = readEventCursor(cursor);
  if (!place) throw new InvalidRequest('cursor must be the nextCursor of the page before');
  return place;
}
