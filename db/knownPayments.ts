// What we know of payments a provider tells of: one statement for a page of them, every look-up by key.
import { statementArrays } from './arrays.ts';
import type { Database, Row } from './client.ts';
import { iso } from './orders.ts';
import type { MovedBackWrite, PaymentWrite } from './writes.ts';

/** A payment as the provider names it, the keys its facts would have, and the name of a finding about it. */
export type PaymentAsk = {
  paymentId: string;
  /** Our order by our own mark or by the provider's id, where the payment is new to us. */
  orderId: string | null;
  providerOrderId: string | null;
  fingerprint: string;
  eventKeys: string[];
};

export type KnownPayment = {
  /** The order that owns the payment or, while none does, the one that it names. */
  orderId: string | null;
  orderState: string | null;
  /** Null while no money of this payment is in our books. */
  payment: Pick<PaymentWrite, 'state' | 'currency' | 'capturedMinor' | 'refundedMinor' | 'lostMinor' | 'counts'> | null;
  refunds: MovedBackWrite[];
  disputes: MovedBackWrite[];
  /** The order remembers a failed or canceled attempt with this payment. */
  attempted: boolean;
  /** Verdicts of the facts that were told before, by event key. */
  verdicts: Record<string, string>;
  /** Our order id as it was found when this payment was kept without an order. */
  mark: string | null;
  /** Kind of the finding that is open about this payment. */
  finding: string | null;
};

const arrays = statementArrays();
const ASKS = arrays<PaymentAsk>('q', {
  n: ['int', (_, n) => n],
  payment_id: ['text', ask => ask.paymentId],
  order_id: ['text', ask => ask.orderId],
  provider_order_id: ['text', ask => ask.providerOrderId],
  fingerprint: ['text', ask => ask.fingerprint],
});
const KEYS = arrays<{ eventKey: string }>('k', {
  n: ['int', (_, n) => n],
  event_key: ['text', key => key.eventKey],
});
/** The parameter behind those of the arrays. */
const PROVIDER = '$8::text';

const movedBack = (table: 'refunds' | 'disputes', id: string) =>
  `(select coalesce(jsonb_agg(jsonb_build_object('id', m.${id}, 'state', m.state, 'amountMinor', m.amount_minor,
      'asOf', ${iso('m.as_of')})), '[]')
    from ${table} m where m.payment_id = q.payment_id and m.provider = ${PROVIDER})`;

const READ = `
with heard as (
  select k.n, jsonb_object_agg(i.event_key, i.verdict) as verdicts, max(i.mark) as mark
  from ${KEYS.from} cross join lateral (
    select event_key, verdict, mark from inbox where event_key = k.event_key and provider = ${PROVIDER} limit 1) i
  group by k.n)
select o.id as order_id, o.state as order_state,
  p.state, p.currency, p.captured_minor, p.refunded_minor, p.lost_minor, p.counts,
  ${movedBack('refunds', 'refund_id')} as refunds, ${movedBack('disputes', 'dispute_id')} as disputes,
  coalesce(o.snapshot->'context'->'attempts' @> jsonb_build_array(jsonb_build_object('paymentId', q.payment_id)), false) as attempted,
  coalesce(heard.verdicts, '{}') as verdicts, heard.mark,
  (select kind from findings where fingerprint = q.fingerprint and resolved_at is null) as finding
from ${ASKS.from}
left join lateral (select * from payments where payment_id = q.payment_id and provider = ${PROVIDER} limit 1) p on true
left join lateral (
  (select id, state, snapshot from orders where id = p.order_id)
  union all
  (select id, state, snapshot from orders where id = q.order_id and provider = ${PROVIDER} and p.order_id is null)
  union all
  (select id, state, snapshot from orders where provider_order_id = q.provider_order_id and provider = ${PROVIDER} and p.order_id is null)
  limit 1) o on true
left join heard on heard.n = q.n
order by q.n`;

/** One answer a payment, in the order asked. */
export async function readKnownPayments(
  db: Database,
  provider: string,
  asks: readonly PaymentAsk[],
): Promise<KnownPayment[]> {
  if (asks.length === 0) return [];
  const keys = asks.flatMap((ask, n) => ask.eventKeys.map(eventKey => ({ eventKey, n })));
  const rows = await db.query<Row>(READ, [
    ...ASKS.params(asks, [...asks.keys()]),
    ...KEYS.params(
      keys,
      keys.map(key => key.n),
    ),
    provider,
  ]);
  return rows.map(knownFrom);
}

function knownFrom(row: Row): KnownPayment {
  const isKnown = row.state !== null;
  return {
    orderId: row.order_id as string | null,
    orderState: row.order_state as string | null,
    payment: isKnown
      ? {
          state: row.state as string,
          currency: row.currency as string,
          capturedMinor: Number(row.captured_minor),
          refundedMinor: Number(row.refunded_minor),
          lostMinor: Number(row.lost_minor),
          counts: row.counts as boolean,
        }
      : null,
    refunds: row.refunds as MovedBackWrite[],
    disputes: row.disputes as MovedBackWrite[],
    attempted: row.attempted as boolean,
    verdicts: row.verdicts as Record<string, string>,
    mark: row.mark as string | null,
    finding: row.finding as string | null,
  };
}

// Whatever happened to an order since left an effect, and their ids are in the order of time; those of renewals are not.
// An order comes with the first of its effects, so that it comes once.
const OURS = `
with touched as (
  select id, order_id from outbox where id > $2 and id < $3 and order_id is not null order by id limit $5)
select t.id as "effectId", p.payment_id as "paymentId", p.order_id as "orderId", o.provider_order_id as "providerOrderId"
from touched t
left join lateral (
  select * from orders where id = t.order_id and provider = $1 and created_at >= $4::text::timestamptz
    and not exists (select from outbox e where e.order_id = t.order_id and e.id > $6 and e.id < t.id) limit 1) o on true
left join lateral (
  select payment_id, order_id from payments
  where order_id = o.id and provider = $1 and captured_minor > refunded_minor + lost_minor) p on true
order by t.id, p.payment_id`;

/** `paymentId` null: this order has no money of this provider, or is older than what is listed. */
export type OurPayment = {
  effectId: string;
  paymentId: string | null;
  orderId: string | null;
  providerOrderId: string | null;
};

/**
 * Payments whose money we believe to hold, of orders made since `since` and touched by effects whose ids lie between
 * `from` and `before`, going on behind `after`. Rows are in the order of the effects, at most `limit` effects of them.
 */
export function readOurPayments(
  db: Database,
  ask: { provider: string; from: string; after: string; before: string; since: Date; limit: number },
): Promise<OurPayment[]> {
  const { provider, from, after, before, since, limit } = ask;
  return db.query<OurPayment>(OURS, [provider, after, before, since.toISOString(), limit, from]);
}
