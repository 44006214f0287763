// One event as it arrived, raw, for a person who wants to see what the provider really said. By its key alone.
import type { Database, Row } from '../client.ts';

export type RawEventRow = {
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
};

const EVENT = `
select order_id as "orderId", event_key as "eventKey", provider, event_type as type, source, substring(raw from 1 for $4::int) as raw,
  body_hash as "bodyHash", headers, received_at as "receivedAt", verdict, detail, decided_version as "decidedVersion",
  applied_version as "appliedVersion", deliveries, attempts, next_attempt_at as "nextAttemptAt", length(raw) as size
from inbox where event_key = $1 and provider = $2 and order_id = $3`;

/** Null when nothing of this key arrived for this order; of the body at most `maxBytes`. */
export async function readRawEvent(
  db: Database,
  of: { orderId: string; provider: string; eventKey: string },
  maxBytes: number,
): Promise<RawEventRow | null> {
  const [row] = await db.query<Row & RawEventRow>(EVENT, [of.eventKey, of.provider, of.orderId, maxBytes]);
  return row ?? null;
}
