// One event as it arrived, raw, for a person who wants to see what the provider really said; with what it names, so that
// the order it belongs to can be found, and what was noted about it since. By its key alone.
import type { Database, Row } from '../client.ts';
import type { EventRef } from '../inbox.ts';
import { unmatchedFingerprint } from '../inbox.ts';

export type ArrivedEventRow = {
  orderId: string | null;
  eventKey: string;
  provider: string;
  type: string;
  source: string;
  raw: Uint8Array;
  bodyHash: string;
  headers: Record<string, unknown>;
  receivedAt: Date;
  verdict: string;
  detail: string | null;
  decidedVersion: number | null;
  appliedVersion: number | null;
  deliveries: number;
  attempts: number;
  nextAttemptAt: Date | null;
  /** Of the body as it came, in bytes. */
  size: number;
  /** Our own id of the order, as the provider carries it. */
  mark: string | null;
  providerOrderId: string | null;
  payerId: string | null;
  /** What was understood of it; only kept while it may have to be decided again. */
  event: Record<string, unknown> | null;
};

const EVENT = `
select order_id as "orderId", event_key as "eventKey", provider, event_type as type, source, substring(raw from 1 for $3::int) as raw,
  body_hash as "bodyHash", headers, received_at as "receivedAt", verdict, detail, decided_version as "decidedVersion",
  applied_version as "appliedVersion", deliveries, attempts, next_attempt_at as "nextAttemptAt", length(raw) as size,
  mark, provider_order_id as "providerOrderId", payer_id as "payerId", event
from inbox where event_key = $1 and provider = $2`;

/** Null when nothing of this key arrived; of the body at most `maxBytes`. */
export async function readArrivedEvent(
  db: Database,
  { provider, eventKey }: EventRef,
  maxBytes: number,
): Promise<ArrivedEventRow | null> {
  const [row] = await db.query<Row & ArrivedEventRow>(EVENT, [eventKey, provider, maxBytes]);
  return row ?? null;
}

export type EventFinding = {
  kind: string;
  severity: string;
  detail: string;
  openedAt: Date;
  acknowledgedAt: Date | null;
  resolvedAt: Date | null;
};

/** The finding about an event that is ours and has no order. */
export async function readEventFinding(db: Database, { provider, eventKey }: EventRef): Promise<EventFinding | null> {
  const [row] = await db.query<Row & EventFinding>(
    `select kind, severity, detail, opened_at as "openedAt", acknowledged_at as "acknowledgedAt", resolved_at as "resolvedAt"
     from findings where fingerprint = $1`,
    [unmatchedFingerprint(provider, eventKey)],
  );
  return row ?? null;
}

export type EventNote = { detail: string; at: Date };

/** What was noted under these keys, oldest first: who had this event decided again, and why. */
export function readEventNotes(db: Database, provider: string, keys: readonly string[]): Promise<EventNote[]> {
  return db.query<Row & EventNote>(
    `select n.detail, n.received_at as at from jsonb_array_elements_text($1::text::jsonb) k(key)
     -- offset 0: by the key of each, however few events there are yet.
     cross join lateral (select i.detail, i.received_at from inbox i where i.event_key = k.key and i.provider = $2 offset 0) n
     where n.detail is not null order by n.received_at`,
    [JSON.stringify(keys), provider],
  );
}
