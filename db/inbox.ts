// Events that are kept because nobody could decide them yet, read back to be decided again.
import type { UnstampedOrderEvent } from '../machines/orderEvents.ts';
import type { Database } from './client.ts';

/** At most this many at once: an order has a handful of early events, more is somebody's flood. */
const UNMATCHED_LIMIT = 100;

export type KeptEvent = {
  eventKey: string;
  provider: string;
  eventType: string;
  providerOrderId: string | null;
  source: string;
  raw: Uint8Array;
  bodyHash: string;
  headers: Record<string, string>;
  event: UnstampedOrderEvent;
};

const BY = { order: 'provider_order_id = $2', payment: `event->>'paymentId' = $2` } as const;
export type UnmatchedBy = keyof typeof BY;

/** Events that named this provider order, or this payment, before we knew it, oldest first. */
export function readUnmatched(db: Database, provider: string, by: UnmatchedBy, id: string): Promise<KeptEvent[]> {
  return db.query<KeptEvent>(
    `select event_key as "eventKey", provider, event_type as "eventType", provider_order_id as "providerOrderId", source, raw,
       body_hash as "bodyHash", headers, event
     from inbox where provider = $1 and ${BY[by]} and verdict = 'unmatched' and event is not null
     order by received_at limit ${UNMATCHED_LIMIT}`,
    [provider, id],
  );
}
