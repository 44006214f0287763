// Counting a stretch of time, from the tables themselves: a page of rows by their index, summed in the database. The same
// statements count for the tallies, once, and for a page what is younger than the tallies.
import type { Database, Row } from './client.ts';
import type { TalliedPayment, Tally, TallyKind, TallySource } from './tallies.ts';

/** Upper bounds of how long after the provider's own time a webhook was decided, in s; what took longer is `more`. */
export const LAG_CLASSES = [1, 5, 15, 60, 300, 3_600, 86_400] as const;

/** What the stretches of each source are counted into, payments' money aside. */
export const KINDS: Record<TallySource, readonly TallyKind[]> = {
  transitions: ['order', 'granted', 'lag'],
  inbox: ['event'],
};
/** The kind that counts each row of the source exactly once. */
const EACH: Record<TallySource, TallyKind> = { transitions: 'order', inbox: 'event' };
const STAMP: Record<TallySource, string> = { transitions: 'at', inbox: 'received_at' };

/** A stretch holds what is stamped at `from` or later and before `to`. Rows of one instant are never parted. */
const bounds = (source: TallySource) => {
  const at = STAMP[source];
  return `b as materialized (
  select $1::text::timestamptz as lo, greatest($1::text::timestamptz, least($2::text::timestamptz, coalesce(
    (select t.${at} from ${source} t where t.${at} > $1::text::timestamptz order by t.${at} offset $3::int limit 1), $2::text::timestamptz))) as hi)`;
};
const ANSWER = `select (select hi::text from b) as "throughAt", (select hi = $2::text::timestamptz from b) as whole,
  coalesce((select jsonb_agg(jsonb_build_object('bucketAt', bucket, 'kind', kind, 'provider', provider, 'key', key, 'currency', currency,
    'count', n, 'amountMinor', amount, 'latestAt', latest)) from x), '[]') as tallies`;

const lagClass = (seconds: string) =>
  `case ${LAG_CLASSES.map(bound => `when ${seconds} <= ${bound} then '${bound}'`).join(' ')} else 'more' end`;

const TRANSITIONS = `
with ${bounds('transitions')},
p as materialized (
  select date_trunc('hour', t.at) as bucket, coalesce(t.from_state, '') as from_state, t.to_state, t.at, coalesce(o.provider, '') as provider, o.currency, o.amount_minor,
    case when t.source = 'webhook' then extract(epoch from t.at - (t.event->>'occurredAt')::timestamptz) end as lag
  from b cross join lateral (select * from transitions t where t.at >= b.lo and t.at < b.hi offset 0) t
    cross join lateral (select o.provider, o.currency, o.amount_minor from orders o where o.id = t.order_id limit 1) o),
x as (
  select bucket, 'order' as kind, provider, from_state || '>' || to_state as key, '' as currency, count(*) as n, 0::numeric as amount, max(at) as latest
  from p group by 1, 3, 4
  union all
  select bucket, 'granted', provider, '', currency, sum(case to_state when 'subscribed' then 1 else -1 end), sum(case to_state when 'subscribed' then amount_minor else -amount_minor end), max(at)
  from p where (to_state = 'subscribed') <> (from_state = 'subscribed') group by 1, 3, 5
  union all
  select bucket, 'lag', provider, ${lagClass('lag')}, '', count(*), 0, max(at) from p where lag is not null group by 1, 3, 4)
${ANSWER}`;

const INBOX = `
with ${bounds('inbox')},
p as materialized (
  select date_trunc('hour', t.received_at) as bucket, t.provider, t.source || ':' || t.verdict as key, t.received_at
  from b cross join lateral (select * from inbox t where t.received_at >= b.lo and t.received_at < b.hi offset 0) t),
x as (
  select bucket, 'event' as kind, provider, key, '' as currency, count(*) as n, 0::numeric as amount, max(received_at) as latest from p group by 1, 3, 4)
${ANSWER}`;

export type Stretch = {
  /** Where it ends: `to`, or sooner when there are more rows than were asked for. */
  throughAt: string;
  whole: boolean;
  tallies: Tally[];
};

/** Counts from one instant to before another, but no more than about `limit` rows. */
export async function countStretch(
  db: Database,
  source: TallySource,
  { from, to, limit }: { from: string; to: string; limit: number },
): Promise<Stretch> {
  const [row] = await db.query<Row>(source === 'inbox' ? INBOX : TRANSITIONS, [from, to, limit]);
  const tallies = (row?.tallies ?? []) as Tally[];
  return {
    throughAt: row?.throughAt as string,
    whole: row?.whole as boolean,
    tallies: tallies.map(tally => ({ ...tally, bucketAt: new Date(tally.bucketAt).toISOString() })),
  };
}

const CHANGED_PAYMENTS = `
with m as materialized (
  select t.event->>'paymentId' as payment_id, o.provider, max(date_trunc('hour', t.at)) as bucket
  from transitions t cross join lateral (select o.provider from orders o where o.id = t.order_id limit 1) o
  where t.at >= $1::text::timestamptz and t.at < $2::text::timestamptz and t.event->>'paymentId' is not null group by 1, 2)
select m.payment_id, m.provider, m.bucket, p.*, s.* from m
  cross join lateral (select currency, captured_minor, refunded_minor, lost_minor from payments p where p.payment_id = m.payment_id and p.provider = m.provider limit 1) p
  left join lateral (select currency as told_currency, captured_minor as told_captured, refunded_minor as told_refunded, lost_minor as told_lost
    from tallied_payments s where s.payment_id = m.payment_id and s.provider = m.provider limit 1) s on true
where (p.currency, p.captured_minor, p.refunded_minor, p.lost_minor) is distinct from (s.told_currency, s.told_captured, s.told_refunded, s.told_lost)
  and (s.told_currency is not null or p.captured_minor + p.refunded_minor + p.lost_minor > 0)`;

/** The payments that transitions of a stretch are about, with what of their money the tallies do not hold yet. */
export async function changedMoney(
  db: Database,
  { from, to }: { from: string; to: string },
): Promise<{ tallies: Tally[]; payments: TalliedPayment[] }> {
  const rows = await db.query<Row>(CHANGED_PAYMENTS, [from, to]);
  return { tallies: summed(rows.flatMap(moneyOf)), payments: rows.map(paymentOf) };
}

const paymentOf = (row: Row): TalliedPayment => ({
  paymentId: row.payment_id as string,
  provider: row.provider as string,
  currency: row.currency as string,
  capturedMinor: Number(row.captured_minor),
  refundedMinor: Number(row.refunded_minor),
  lostMinor: Number(row.lost_minor),
});

/** What was told is taken back in its currency, what is true now is added in its own: they are the same but for odd payments. */
function moneyOf(row: Row): Tally[] {
  const bucketAt = (row.bucket as Date).toISOString();
  const of = (kind: TallyKind, now: unknown, told: unknown): Tally[] =>
    (
      [
        [row.currency, Number(now), 1],
        [row.told_currency, Number(told ?? 0), -1],
      ] as const
    ).flatMap(([currency, amount, sign]) =>
      amount === 0
        ? []
        : [
            {
              bucketAt,
              kind,
              provider: row.provider as string,
              key: '',
              currency: currency as string,
              count: sign,
              amountMinor: sign * amount,
              latestAt: null,
            },
          ],
    );
  return [
    ...of('captured', row.captured_minor, row.told_captured),
    ...of('refunded', row.refunded_minor, row.told_refunded),
    ...of('lost', row.lost_minor, row.told_lost),
  ];
}

const nameOf = ({ bucketAt, kind, provider, key, currency }: Tally) =>
  JSON.stringify([bucketAt, kind, provider, key, currency]);

/** One tally a name. Those that add nothing are left out. */
export function summed(tallies: readonly Tally[]): Tally[] {
  const byName = new Map<string, Tally>();
  for (const tally of tallies) {
    const name = nameOf(tally);
    const known = byName.get(name);
    if (!known) byName.set(name, { ...tally });
    else {
      known.count += tally.count;
      known.amountMinor += tally.amountMinor;
    }
  }
  return [...byName.values()].filter(({ count, amountMinor }) => count !== 0 || amountMinor !== 0);
}

/** How many rows a stretch holds, read from the index alone. */
export async function rowsIn(db: Database, source: TallySource, from: string, to: string): Promise<number> {
  const at = STAMP[source];
  const [row] = await db.query<{ n: string }>(
    `select count(*)::text as n from ${source} where ${at} >= $1::text::timestamptz and ${at} < $2::text::timestamptz`,
    [from, to],
  );
  return Number(row?.n);
}

/** How many rows of an hour the tallies hold. */
export const rowsTold = (source: TallySource, told: readonly Tally[]): number =>
  told.reduce((total, tally) => (tally.kind === EACH[source] ? total + tally.count : total), 0);

const OPEN = ['unmatched', 'foreign', 'parked'] as const;
const openNow = (verdict: string) =>
  `select date_trunc('hour', received_at) as bucket, provider, '${verdict}' as verdict from inbox where verdict = '${verdict}' and received_at >= $1::text::timestamptz and received_at < $2::text::timestamptz`;
const OVERTAKEN = `
with told as (
  select bucket_at as bucket, provider, split_part(key, ':', 2) as verdict, sum(count) as n from tallies
  where bucket_at >= $1::text::timestamptz and bucket_at < $2::text::timestamptz and kind = 'event' group by 1, 2, 3),
there as (select bucket, provider, verdict, count(*) as n from (${OPEN.map(openNow).join(' union all ')}) o group by 1, 2, 3)
select distinct bucket from (select * from told where verdict in ('${OPEN.join("', '")}') and n <> 0) told full join there using (bucket, provider, verdict)
where told.n is distinct from there.n order by bucket desc limit $3::int`;

/** Hours, latest first, whose events were counted under a verdict that was not their last. `from` is a full hour. */
export async function overtakenHours(
  db: Database,
  { from, to, limit }: { from: string; to: string; limit: number },
): Promise<string[]> {
  const rows = await db.query<{ bucket: Date }>(OVERTAKEN, [from, to, limit]);
  return rows.map(row => row.bucket.toISOString());
}
