// Events that are kept because nobody could decide them yet, read back to be decided again or to be looked at.
import type { UnstampedOrderEvent } from '../machines/orderEvents.ts';
import type { Database } from './client.ts';

/** At most this many by each name of an order: it has a handful of early events, more is somebody's flood. */
const EARLY_LIMIT = 100;

export type KeptEvent = {
  eventKey: string;
  provider: string;
  eventType: string;
  orderId: string | null;
  providerOrderId: string | null;
  /** Our own id of the order, as the provider carries it. */
  mark: string | null;
  payerId: string | null;
  source: string;
  raw: Uint8Array;
  bodyHash: string;
  headers: Record<string, string>;
  receivedAt: Date;
  event: UnstampedOrderEvent;
};

const KEPT = `i.event_key as "eventKey", i.provider, i.event_type as "eventType", i.order_id as "orderId",
  i.provider_order_id as "providerOrderId", i.mark, i.payer_id as "payerId", i.source, i.raw, i.body_hash as "bodyHash", i.headers,
  i.received_at as "receivedAt", i.event`;

/**
 * What waits for an order under this name. An array and an order that only the name's own index gives: to a plan made
 * while nothing waits, any index with the provider in it is as good, and would read all that does later on.
 */
export const waitingFor = (column: string, name: string) =>
  `from inbox where ${column} = any (array[${name}]) and provider = o.provider and verdict in ('unmatched', 'foreign') order by ${column}`;

/** Each name is looked up by itself, one row at a time: a join might read every event that nobody could place. */
const namedBy = (column: string, name: string, from = 'o') =>
  `select k.event_key, k.provider from ${from} cross join lateral (
     select event_key, provider ${waitingFor(column, name)} limit ${EARLY_LIMIT}) k`;

const EARLY = `
with o as materialized (select id, provider, provider_order_id, provider_subscription_id, user_id from orders where id = $1),
n as materialized (
  ${[
    namedBy('provider_order_id', 'o.provider_order_id'),
    namedBy('mark', 'o.id'),
    namedBy(`(event->>'subscriptionId')`, 'o.provider_subscription_id'),
    namedBy('payer_id', 'o.user_id'),
    namedBy(
      `(event->>'paymentId')`,
      'p.payment_id',
      'o cross join lateral (select payment_id from payments where order_id = o.id) p',
    ),
  ].join('\n  union\n  ')})
select ${KEPT} from n cross join lateral (
  select * from inbox where event_key = n.event_key and provider = n.provider and event is not null limit 1) i
order by i.received_at, i.event_key limit ${EARLY_LIMIT}`;

/** What was told too early of this order, by whatever name: its own id, the provider's order, subscription or payment, its user. Oldest first. */
export function readEarly(db: Database, orderId: string): Promise<KeptEvent[]> {
  return db.query<KeptEvent>(EARLY, [orderId]);
}

/** An unmatched event whose next attempt is due. */
export type DueEvent = KeptEvent & {
  /** Something in it is ours: our mark, a subscription or a buyer we know at this provider. */
  ours: boolean;
  /** As the database writes it: the cursor of the next page. */
  dueAt: string;
};

/** Something in it is ours: our mark, a subscription or a buyer we know at this provider. */
const OURS = `i.mark is not null
    or coalesce((select true from orders o where o.provider_subscription_id = i.event->>'subscriptionId' and o.provider = i.provider limit 1), false)
    or coalesce((select true from orders o where o.user_id = i.payer_id and o.provider = i.provider limit 1), false) as ours`;

// Only what is unmatched has a next attempt; asking for the verdict as well would tempt the planner to read them all, as
// `exists` would to read all orders into a hash.
const DUE = `
select ${KEPT}, i.next_attempt_at::text as "dueAt", ${OURS}
from inbox i
where i.next_attempt_at <= $1::text::timestamptz and (i.next_attempt_at, i.event_key, i.provider) > ($2::text::timestamptz, $3, $4)
  and i.event is not null
order by i.next_attempt_at, i.event_key, i.provider limit $5`;

/** One page of unmatched events due at this instant, after `cursor`. */
export function readDueEvents(
  db: Database,
  dueAt: Date,
  cursor: Pick<DueEvent, 'dueAt' | 'eventKey' | 'provider'> | null,
  limit: number,
): Promise<DueEvent[]> {
  const after = [cursor?.dueAt ?? '-infinity', cursor?.eventKey ?? '', cursor?.provider ?? ''];
  return db.query<DueEvent>(DUE, [dueAt.toISOString(), ...after, limit]);
}

export type EventRef = { provider: string; eventKey: string };

/** Any event that arrived. `event` is null when there is nothing for the machine in it, or nothing to decide any more. */
export type StoredEvent = Omit<KeptEvent, 'event'> & {
  event: UnstampedOrderEvent | null;
  verdict: string;
  /** How often it was decided again. */
  attempts: number;
  /** As of a DueEvent. */
  ours: boolean;
};

/** One event by its key. */
export async function readStored(db: Database, { provider, eventKey }: EventRef): Promise<StoredEvent | null> {
  const [row] = await db.query<StoredEvent>(
    `select ${KEPT}, i.verdict, i.attempts, ${OURS} from inbox i where i.event_key = $1 and i.provider = $2`,
    [eventKey, provider],
  );
  return row ?? null;
}

/** An event that was parked because its order could not be read, with that order as it is now. */
export type UnreadEvent = KeptEvent & {
  order: { id: string; machine: string; version: number; snapshot: unknown };
  /** As the database writes it: the cursor of the next page. */
  since: string;
};

const UNREAD = `
select ${KEPT}, i.received_at::text as since,
  jsonb_build_object('id', o.id, 'machine', o.machine, 'version', o.version, 'snapshot', o.snapshot) as order
from inbox i cross join lateral (select * from orders where id = i.order_id limit 1) o
where i.verdict = 'parked' and i.event is not null and i.detail like 'snapshot\\_unreadable:%' and o.machine = any ($4::text[])
  and (i.received_at, i.event_key, i.provider) > ($1::text::timestamptz, $2, $3)
order by i.received_at, i.event_key, i.provider limit $5`;

/** One page of them, oldest first, after `cursor`; those on charts that are not registered here are left out. */
export function readUnread(
  db: Database,
  machines: readonly string[],
  cursor: Pick<UnreadEvent, 'since' | 'eventKey' | 'provider'> | null,
  limit: number,
): Promise<UnreadEvent[]> {
  const after = [cursor?.since ?? '-infinity', cursor?.eventKey ?? '', cursor?.provider ?? ''];
  return db.query<UnreadEvent>(UNREAD, [...after, `{${machines.join(',')}}`, limit]);
}

/** What makes two sightings of an event without an order the same finding; `resolveMatched` takes it apart again. */
export const unmatchedFingerprint = (provider: string, eventKey: string): string =>
  `unmatched_event:${provider}:${eventKey}`;

// Each finding's event is looked up by its key, as its fingerprint spells it. A provider's name has no colon in it, an event
// key may.
const theirs = (column: string) => `(
  select i.${column} from inbox i
  where i.event_key = substr(f.fingerprint, length('unmatched_event:' || split_part(f.fingerprint, ':', 2) || ':') + 1)
    and i.provider = split_part(f.fingerprint, ':', 2) limit 1)`;
const RESOLVE_MATCHED = `
update findings f set resolved_at = $1::text::timestamptz, order_id = ${theirs('order_id')}
where f.resolved_at is null and f.kind = 'unmatched_event' and ${theirs('verdict')} not in ('unmatched', 'foreign')`;

/** Resolves the findings about events that have met their order since. */
export async function resolveMatched(db: Database, at: Date): Promise<void> {
  await db.query(RESOLVE_MATCHED, [at.toISOString()]);
}
