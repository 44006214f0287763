// Lists of the events that nobody could decide, for people: newest first, a page at a time.
import type { Database, Row } from './client.ts';

export const KEPT_VERDICTS = ['unmatched', 'foreign', 'parked'] as const;
export type KeptVerdict = (typeof KEPT_VERDICTS)[number];

export type KeptEventRow = {
  provider: string;
  eventKey: string;
  type: string;
  verdict: string;
  detail: string | null;
  orderId: string | null;
  mark: string | null;
  providerOrderId: string | null;
  receivedAt: Date;
  attempts: number;
  nextAttemptAt: Date | null;
  deliveries: number;
};

// The verdict stands in the text, so that each list has the index of its own rows; the cursor is a row, whose instant stays.
const listOf = (verdict: KeptVerdict) => `
select provider, event_key as "eventKey", event_type as type, verdict, detail, order_id as "orderId", mark,
  provider_order_id as "providerOrderId", received_at as "receivedAt", attempts, next_attempt_at as "nextAttemptAt", deliveries
from inbox
where verdict = '${verdict}' and ($1::text is null or (received_at, event_key, provider)
  < (select received_at, event_key, provider from inbox where event_key = $1 and provider = $2))
order by received_at desc, event_key desc, provider desc limit $3`;
const LISTS = Object.fromEntries(KEPT_VERDICTS.map(verdict => [verdict, listOf(verdict)])) as Record<
  KeptVerdict,
  string
>;

/** One page, newest first, after the row that `cursor` names. */
export function listKept(
  db: Database,
  verdict: KeptVerdict,
  cursor: { eventKey: string; provider: string } | null,
  limit: number,
): Promise<KeptEventRow[]> {
  return db.query<Row & KeptEventRow>(LISTS[verdict], [cursor?.eventKey ?? null, cursor?.provider ?? null, limit]);
}
