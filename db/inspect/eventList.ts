// Received events by what became of them, newest first, for people. Each verdict has an index of its own rows
// (inbox_{verdict}_received), except `applied` and `duplicate`: nearly every event is one of them, so they are found by
// walking down inbox_received_at, and an index would have to be written for each payment.
import type { Database, Param, Row } from '../client.ts';
import type { EventRef } from '../inbox.ts';

/** Events that one page looks at when only some are wanted: what is read in some tens of milliseconds. */
export const LOOK = 10_000;
/** Counts end here: whoever reads further than "more than a thousand" reads nothing new. */
export const COUNT_LIMIT = 1_000;

export const LISTED_VERDICTS = [
  'unmatched',
  'foreign',
  'parked',
  'illegal',
  'mismatch',
  'surplus',
  'stale',
  'ignored',
] as const;
export type ListedVerdict = (typeof LISTED_VERDICTS)[number];

/** The verdicts that are looked for among all events. */
export const COMMON_VERDICTS = ['applied', 'duplicate'] as const;
export type AnyVerdict = ListedVerdict | (typeof COMMON_VERDICTS)[number];

export type EventListFilter = {
  /** Null is every event. */
  verdict: AnyVerdict | null;
  provider: string | null;
  from: Date | null;
  to: Date | null;
};

export type EventListPlace = { cursor: EventRef | null; newer: boolean; limit: number };

export type EventListRow = EventRef & {
  type: string;
  source: string;
  verdict: string;
  detail: string | null;
  orderId: string | null;
  /** Our own id of the order, as the provider carries it. */
  mark: string | null;
  providerOrderId: string | null;
  paymentId: string | null;
  receivedAt: Date;
  attempts: number;
  nextAttemptAt: Date | null;
  deliveries: number;
};

export type EventListPage = {
  /** Newest first. */
  events: EventListRow[];
  /** The event behind which the next page in the same direction begins; null at the end. */
  next: EventRef | null;
  /** The page ended here before it was full, because enough had been looked at. */
  lookedTo: Date | null;
};

const PLACE = 'received_at, event_key, provider';
const inOrder = ({ newer }: EventListPlace) => (newer ? PLACE : PLACE.replaceAll(/\w+/g, '$& desc'));
/** The columns of an EventListRow. */
export const SHOWN = `provider, event_key as "eventKey", event_type as type, source, verdict, detail, order_id as "orderId", mark,
  provider_order_id as "providerOrderId", event->>'paymentId' as "paymentId", received_at as "receivedAt", attempts,
  next_attempt_at as "nextAttemptAt", deliveries`;

export async function listEvents(db: Database, filter: EventListFilter, place: EventListPlace): Promise<EventListPage> {
  const values: Param[] = [];
  const from = stretch(filter, place, values);
  const wanted = ['true'];
  if (filter.provider) wanted.push(`i.provider = $${values.push(filter.provider)}`);
  if (!isListed(filter.verdict) && filter.verdict) wanted.push(`i.verdict = $${values.push(filter.verdict)}`);
  const order = inOrder(place);
  const rows = await db.query<Row & EventListRow>(
    `select ${SHOWN} from (select * from inbox where ${from} order by ${order} limit ${LOOK}) i
     where ${wanted.join(' and ')} order by ${order} limit $${values.push(place.limit + 1)}`,
    values,
  );
  const events = rows.slice(0, place.limit);
  const isFull = rows.length > place.limit;
  const horizon = !isFull && wanted.length > 1 ? await horizonOf(db, filter, place) : null;
  const last = isFull ? events.at(-1) : horizon;
  const next = last ? { provider: last.provider, eventKey: last.eventKey } : null;
  if (place.newer) events.reverse();
  return { events, next, lookedTo: horizon?.receivedAt ?? null };
}

const isListed = (verdict: AnyVerdict | null) => LISTED_VERDICTS.some(listed => listed === verdict);

/**
 * The verdict stands in the text, so that the list has the index of its own rows; the cursor is a row, whose instant
 * stays.
 */
function stretch({ verdict, from, to }: EventListFilter, { cursor, newer }: EventListPlace, values: Param[]): string {
  const asked = [isListed(verdict) ? `verdict = '${verdict}'` : 'true'];
  if (from) asked.push(`received_at >= $${values.push(from.toISOString())}::text::timestamptz`);
  if (to) asked.push(`received_at < $${values.push(to.toISOString())}::text::timestamptz`);
  if (cursor) {
    const key = `event_key = $${values.push(cursor.eventKey)} and provider = $${values.push(cursor.provider)}`;
    asked.push(`(${PLACE}) ${newer ? '>' : '<'} (select ${PLACE} from inbox where ${key})`);
  }
  return asked.join(' and ');
}

async function horizonOf(db: Database, filter: EventListFilter, place: EventListPlace) {
  const values: Param[] = [];
  const rows = await db.query<Row & EventRef & { receivedAt: Date }>(
    `select provider, event_key as "eventKey", received_at as "receivedAt" from inbox where ${stretch(filter, place, values)}
     order by ${inOrder(place)} offset ${LOOK - 1} limit 2`,
    values,
  );
  return rows.length === 2 ? (rows[0] ?? null) : null;
}

const COUNTS = LISTED_VERDICTS.map(
  verdict =>
    `(select count(*)::int from (select from inbox where verdict = '${verdict}' limit ${COUNT_LIMIT + 1}) n) as ${verdict}`,
).join(', ');

/** How many events have each verdict; one more than COUNT_LIMIT stands for more. */
export async function countEvents(db: Database): Promise<Record<ListedVerdict, number>> {
  const [row] = await db.query<Record<ListedVerdict, number>>(`select ${COUNTS}`, []);
  if (!row) throw new Error('a count answers one row');
  return row;
}
