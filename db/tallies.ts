// What is counted beforehand. Every count is a sum of immutable parts, each added once: whoever adds advances the cursor of
// its source in the same statement, so of several replicas that counted the same stretch one writes and the others change
// nothing. Each addition goes to the row of its hour and to the row for all time.
import { statementArrays } from './arrays.ts';
import type { Database, Row } from './client.ts';

/** The bucket that holds the sums for all time. */
export const EVER = '1970-01-01T00:00:00.000Z';

/** `transitions` are counted by when they were decided, `inbox` by when it was received. */
export type TallySource = 'transitions' | 'inbox';

/**
 * By kind. `order`: transitions, key `from>to`. `granted`: orders that became subscribed, less those that ceased to be, and
 * their price. `captured`, `refunded`, `lost`: payments' money. `lag`: webhooks by how long after the provider's own time
 * they were decided, key one of LAG_CLASSES. `event`: inbox, key `source:verdict`.
 */
export type TallyKind = 'order' | 'granted' | 'captured' | 'refunded' | 'lost' | 'lag' | 'event';

export type Tally = {
  /** The full hour, ISO 8601. */
  bucketAt: string;
  kind: TallyKind;
  /** Empty for what no provider has to do with, such as a trial. */
  provider: string;
  key: string;
  /** Empty where no money is counted. */
  currency: string;
  count: number;
  amountMinor: number;
  latestAt: string | null;
};

/** What of one payment's money is counted once this is written. */
export type TalliedPayment = {
  paymentId: string;
  provider: string;
  currency: string;
  capturedMinor: number;
  refundedMinor: number;
  lostMinor: number;
};

/** Instants as the database writes them: to the microsecond, and comparable only there. */
export type TallyCursor = { version: number; throughAt: string; checkedAt: string; ranAt: Date };

/** The source's cursor; at first nothing is counted. `now` only matters then: hours before it need no second look. */
export async function takeTallyCursor(db: Database, source: TallySource, now: Date): Promise<TallyCursor> {
  for (;;) {
    const cursor = await readTallyCursor(db, source);
    if (cursor) return cursor;
    await db.query(
      `insert into tally_cursors (source, version, through_at, checked_at, ran_at)
       values ($1, 0, '${EVER}', date_trunc('hour', $2::text::timestamptz), $2::text::timestamptz) on conflict (source) do nothing`,
      [source, now.toISOString()],
    );
  }
}

export async function readTallyCursor(db: Database, source: TallySource): Promise<TallyCursor | null> {
  const [row] = await db.query<Row & TallyCursor>(
    `select version, through_at::text as "throughAt", checked_at::text as "checkedAt", ran_at as "ranAt" from tally_cursors where source = $1`,
    [source],
  );
  return row ?? null;
}

const arrays = statementArrays();
const ADDED = arrays<Tally>('x', {
  bucket_at: ['text', t => t.bucketAt],
  kind: ['text', t => t.kind],
  provider: ['text', t => t.provider],
  key: ['text', t => t.key],
  currency: ['text', t => t.currency],
  count: ['bigint', t => t.count],
  amount_minor: ['bigint', t => t.amountMinor],
  latest_at: ['text', t => t.latestAt],
});
const TOLD = arrays<TalliedPayment>('p', {
  payment_id: ['text', p => p.paymentId],
  provider: ['text', p => p.provider],
  currency: ['text', p => p.currency],
  captured_minor: ['bigint', p => p.capturedMinor],
  refunded_minor: ['bigint', p => p.refundedMinor],
  lost_minor: ['bigint', p => p.lostMinor],
});
/** Parameters of the two lists above; those of the cursor follow. */
const LISTED = 14;

// Twice in one statement no row may be added to: the hours and all time are rows of their own, summed beforehand.
const ADD = `
with u as (
  update tally_cursors set version = version + 1, through_at = $${LISTED + 3}::text::timestamptz, checked_at = $${LISTED + 4}::text::timestamptz, ran_at = $${LISTED + 5}::text::timestamptz
  where source = $${LISTED + 1} and version = $${LISTED + 2}::int returning source),
x as materialized (select * from ${ADDED.from}),
added as (
  insert into tallies as t (bucket_at, kind, provider, key, currency, count, amount_minor, latest_at)
  select b.at, x.kind, x.provider, x.key, x.currency, sum(x.count), sum(x.amount_minor), max(x.latest_at::timestamptz)
  from u cross join x cross join lateral (values (x.bucket_at::timestamptz), ('${EVER}'::timestamptz)) b(at)
  group by 1, 2, 3, 4, 5 order by 1, 2, 3, 4, 5
  on conflict (bucket_at, kind, provider, key, currency) do update set count = t.count + excluded.count,
    amount_minor = t.amount_minor + excluded.amount_minor, latest_at = greatest(t.latest_at, excluded.latest_at)),
told as (
  insert into tallied_payments as t (payment_id, provider, currency, captured_minor, refunded_minor, lost_minor)
  select p.* from u cross join ${TOLD.from} order by 1, 2
  on conflict (payment_id, provider) do update set currency = excluded.currency, captured_minor = excluded.captured_minor,
    refunded_minor = excluded.refunded_minor, lost_minor = excluded.lost_minor)
select source from u`;

export type TallyAddition = {
  /** The cursor these counts were made after. */
  after: TallyCursor;
  throughAt: string;
  checkedAt: string;
  now: Date;
  tallies: readonly Tally[];
  payments: readonly TalliedPayment[];
};

/** Adds counts and advances the cursor, or, when somebody else did since `after` was read, changes nothing and answers false. */
export async function addTallies(db: Database, source: TallySource, addition: TallyAddition): Promise<boolean> {
  const { after, throughAt, checkedAt, now, tallies, payments } = addition;
  const rows = await db.query(ADD, [
    ...ADDED.params(tallies),
    ...TOLD.params(payments),
    source,
    after.version,
    throughAt,
    checkedAt,
    now.toISOString(),
  ]);
  return rows.length === 1;
}

/** The rows of one hour, of these kinds. */
export async function readTalliesOf(db: Database, hour: string, kinds: readonly TallyKind[]): Promise<Tally[]> {
  const rows = await db.query<Row>(
    `select kind, provider, key, currency, count, amount_minor, latest_at from tallies
     where bucket_at = $1::text::timestamptz and kind = any ($2::text[])`,
    [hour, `{${kinds.join(',')}}`],
  );
  return rows.map(row => ({
    bucketAt: hour,
    kind: row.kind as TallyKind,
    provider: row.provider as string,
    key: row.key as string,
    currency: row.currency as string,
    count: Number(row.count),
    amountMinor: Number(row.amount_minor),
    latestAt: (row.latest_at as Date | null)?.toISOString() ?? null,
  }));
}
