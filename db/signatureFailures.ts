// How often a signature did not hold: a count an hour and provider, kept by each process for itself.
import { statementArrays } from './arrays.ts';
import type { Database, Row } from './client.ts';

export type SignatureFailureCount = {
  /** The full hour. */
  bucketAt: Date;
  provider: string;
  /** Of this process in this hour, all of them. */
  failures: number;
  latestAt: Date;
};

const arrays = statementArrays();
const COUNTS = arrays<SignatureFailureCount>('x', {
  bucket_at: ['text', c => c.bucketAt.toISOString()],
  provider: ['text', c => c.provider],
  failures: ['bigint', c => c.failures],
  latest_at: ['text', c => c.latestAt.toISOString()],
});

// A process writes its whole count, so that a statement whose answer was lost can be sent again.
const WRITE = `
insert into signature_failures as t (bucket_at, provider, counted_by, failures, latest_at)
select x.bucket_at::timestamptz, x.provider, $5, x.failures, x.latest_at::timestamptz from ${COUNTS.from} order by 1, 2
on conflict (bucket_at, provider, counted_by) do update set failures = greatest(t.failures, excluded.failures), latest_at = greatest(t.latest_at, excluded.latest_at)`;

/** Writes what the process `countedBy` has counted. */
export async function writeSignatureFailures(
  db: Database,
  countedBy: string,
  counts: readonly SignatureFailureCount[],
): Promise<void> {
  await db.query(WRITE, [...COUNTS.params(counts), countedBy]);
}

export type SignatureFailureHour = { provider: string; bucketAt: Date; failures: number; latestAt: Date };

/** By provider and hour since a full hour, the latest first, as far as the processes have written them. */
export async function readSignatureFailureHours(db: Database, since: Date): Promise<SignatureFailureHour[]> {
  const rows = await db.query<Row>(
    `select provider, bucket_at, sum(failures)::text as failures, max(latest_at) as latest from signature_failures
     where bucket_at >= $1::text::timestamptz group by 1, 2 order by 2 desc, 1`,
    [since.toISOString()],
  );
  return rows.map(row => ({
    provider: row.provider as string,
    bucketAt: row.bucket_at as Date,
    failures: Number(row.failures),
    latestAt: row.latest as Date,
  }));
}
