// What a retry of one order looks at besides the order: the events that were kept although it was known, and what became
// of the retry's own key.
import type { Database } from './client.ts';
import type { KeptEvent } from './inbox.ts';
import { iso } from './orders.ts';

/** Kept events read at once: an order has a handful; the rest of a flood is found by the next retry. */
const PARKED_LIMIT = 100;

/**
 * A row of the inbox whose verdict may still change. `event` is null when the body could not be decoded: then there is
 * nothing to decide.
 */
export type ParkedEvent = Omit<KeptEvent, 'event'> & { event: KeptEvent['event'] | null };

/**
 * Facts of this order that were kept undecided, because it or they could not be read, oldest first. Requests are not among
 * them: what somebody once asked for is not done behind their back later. OFFSET keeps the planner from walking the whole
 * inbox in its order of time.
 */
export function readParked(db: Database, orderId: string): Promise<ParkedEvent[]> {
  return db.query<ParkedEvent>(
    `select event_key as "eventKey", provider, event_type as "eventType", order_id as "orderId", provider_order_id as "providerOrderId",
       mark, payer_id as "payerId", source, raw, body_hash as "bodyHash", headers, received_at as "receivedAt", event
     from (select * from inbox where order_id = $1 and verdict in ('parked', 'illegal') and (event is null or event->>'type' not like '%.requested') offset 0) i order by received_at, event_key limit ${PARKED_LIMIT}`,
    [orderId],
  );
}

export type RetryTraces = {
  /** The transition this key made on this order. */
  made: number | null;
  /** The hash of what this key asked for, if it was noted in the inbox. */
  noted: string | null;
  /** An effect that failed and is going to be tried again by itself. */
  backingOff: { effect: string; attempts: number; availableAt: string } | null;
};

/** What is known of a retry's key, and what is under way without it. */
export async function readRetryTraces(
  db: Database,
  orderId: string,
  keys: { eventKey: string; noteKey: string },
): Promise<RetryTraces> {
  const [row] = await db.query<RetryTraces>(
    `select (select t.version from transitions t where t.order_id = $1 and t.event_key = $2) as made,
       (select i.body_hash from inbox i where i.event_key = $3 and i.order_id = $1 limit 1) as noted,
       (select jsonb_build_object('effect', x.effect, 'attempts', x.attempts, 'availableAt', ${iso('x.available_at')})
          from outbox x where x.order_id = $1 and x.status = 'pending' and x.attempts > 0
          order by x.order_version, x.id limit 1) as "backingOff"`,
    [orderId, keys.eventKey, keys.noteKey],
  );
  return row ?? { made: null, noted: null, backingOff: null };
}
