// Numbers over all orders: what the tallies hold, and what is younger than they are, counted by index where that is little.
import type { Database, Row } from '../client.ts';
import { EVER, readTallyCursor, type Tally, type TallyKind, type TallySource } from '../tallies.ts';
import { changedMoney, countStretch } from '../tallyStretch.ts';

/** Rows younger than the tallies that a page still counts: some tens of milliseconds. With more, it says as of when its numbers are. */
export const TAIL_ROWS = 2_000;
/** How often is read again when a count was added meanwhile: additions are seconds apart. */
const READ_TRIES = 3;

/** When numbers were true: now, or at the end of what was counted beforehand; null when nothing was ever counted. */
export type AsOf = { at: Date; now: boolean } | null;
export type Counted = Pick<Tally, 'kind' | 'provider' | 'key' | 'currency' | 'count' | 'amountMinor'> & {
  /** The start of its hour or day; null in the sums for all time. */
  bucketAt: Date | null;
  latestAt: Date | null;
};
/** The numbers of one source: for all time, and by hour since an instant. */
export type CountedSource = { asOf: AsOf; ranAt: Date | null; ever: Counted[]; recent: Counted[] };

// Lists and no objects: naming the fields of a thousand rows would cost several times what finding them does.
const READ = `
select c.version, c.through_at::text as through_at, c.ran_at, coalesce((
  select json_agg(json_build_array(extract(epoch from t.bucket_at), t.kind, t.provider, t.key, t.currency, t.count, t.amount_minor, extract(epoch from t.latest_at)))
  from tallies t where (t.bucket_at = '${EVER}'::timestamptz or t.bucket_at >= $2::text::timestamptz) and t.kind = any ($3::text[])), '[]') as tallies
from tally_cursors c where c.source = $1`;

/** As READ lists them; instants in s since 1970, which is the bucket for all time. */
type Told = [
  bucket: number,
  kind: TallyKind,
  provider: string,
  key: string,
  currency: string,
  count: number,
  amountMinor: number,
  latest: number | null,
];

const KINDS_OF: Record<TallySource, TallyKind[]> = {
  transitions: ['order', 'granted', 'captured', 'refunded', 'lost', 'lag'],
  inbox: ['event'],
};

/** What is known of a source at this instant. */
export async function readCounted(db: Database, source: TallySource, since: Date, now: Date): Promise<CountedSource> {
  for (let tries = 1; ; tries++) {
    const [row] = await db.query<Row>(READ, [source, since.toISOString(), `{${KINDS_OF[source].join(',')}}`]);
    const throughAt = (row?.through_at as string | undefined) ?? EVER;
    const told = ((row?.tallies ?? []) as Told[]).map(toldTally);
    const tail = await readTail(db, source, throughAt);
    // What was added meanwhile would be missing from both: the money that is counted is compared with what was told.
    const after = await readTallyCursor(db, source);
    if (after && after.version !== row?.version && tries < READ_TRIES) continue;
    const younger = (tail ?? []).map(youngTally);
    const through = row ? new Date(throughAt) : null;
    return {
      asOf: tail ? { at: now, now: true } : through && { at: through, now: false },
      ranAt: (row?.ran_at as Date | undefined) ?? null,
      ever: [...told.filter(tally => tally.bucketAt === null), ...younger.map(tally => ({ ...tally, bucketAt: null }))],
      recent: [...told, ...younger].filter(({ bucketAt }) => bucketAt !== null && bucketAt >= since),
    };
  }
}

/** Null when it is too much to be counted while somebody waits. */
async function readTail(db: Database, source: TallySource, from: string): Promise<Tally[] | null> {
  const stretch = await countStretch(db, source, { from, to: 'infinity', limit: TAIL_ROWS });
  if (!stretch.whole) return null;
  if (source !== 'transitions' || stretch.tallies.length === 0) return stretch.tallies;
  return [...stretch.tallies, ...(await changedMoney(db, { from, to: 'infinity' })).tallies];
}

const MS_PER_S = 1_000;

function toldTally([bucket, kind, provider, key, currency, count, amountMinor, latest]: Told): Counted {
  const bucketAt = bucket === 0 ? null : new Date(bucket * MS_PER_S);
  const latestAt = latest === null ? null : new Date(latest * MS_PER_S);
  return { kind, provider, key, currency, count, amountMinor, bucketAt, latestAt };
}

const youngTally = ({ bucketAt, latestAt, ...tally }: Tally): Counted => ({
  ...tally,
  bucketAt: new Date(bucketAt),
  latestAt: latestAt === null ? null : new Date(latestAt),
});

// Whole days are summed in the database: a month by the hour is tens of thousands of rows.
const DAYS = `
select date_trunc('day', bucket_at) as "bucketAt", kind, key, sum(count)::text as count from tallies
where bucket_at >= $1::text::timestamptz and bucket_at < $2::text::timestamptz and kind in ('order', 'event') group by 1, 2, 3`;

export type DayCount = Pick<Counted, 'kind' | 'key' | 'count'> & { bucketAt: Date };

/** Orders and events by UTC day, from one full hour to before another. */
export async function readDays(db: Database, from: Date, to: Date): Promise<DayCount[]> {
  const rows = await db.query<Row>(DAYS, [from.toISOString(), to.toISOString()]);
  return rows.map(row => ({
    bucketAt: row.bucketAt as Date,
    kind: row.kind as TallyKind,
    key: row.key as string,
    count: Number(row.count),
  }));
}
