// How far each provider's list of payments was read. One row a provider and depth; whoever holds its lease reads on, and
// every write of the holder is fenced by the lease, so that one that slept past it overwrites nothing.
import { arrayLiteral } from './arrays.ts';
import type { Database, Row } from './client.ts';

/** `recent`, often and over little; `deep`, rarely and over weeks. */
export type Depth = 'recent' | 'deep';

export type Listing = {
  provider: string;
  depth: Depth;
  /** Lower bound of the run that is under way, or of the last one. */
  since: Date | null;
  cursor: string | null;
  startedAt: Date | null;
  completedAt: Date | null;
  /** When the last run that came to its end had begun. */
  completedStartedAt: Date | null;
  nextAt: Date;
  pages: number;
  payments: number;
  news: number;
  lastError: string | null;
};

/** A listing this process alone may work on until the lease ends. */
export type ListingLease = { provider: string; depth: Depth; token: string };

/** A run was begun and has not come to its end. */
export const isUnderWay = ({ startedAt, completedStartedAt }: Listing): boolean =>
  startedAt !== null && startedAt.getTime() !== completedStartedAt?.getTime();

const COLUMNS = `provider, depth, since, cursor, started_at as "startedAt", completed_at as "completedAt",
  completed_started_at as "completedStartedAt", next_at as "nextAt", pages, payments, news, last_error as "lastError"`;

/** Makes the row of this provider and depth, first due at `firstAt`; one that is there stays as it is. */
export async function ensureListing(db: Database, provider: string, depth: Depth, firstAt: Date): Promise<void> {
  await db.query(
    'insert into listings (provider, depth, next_at) values ($1, $2, $3::text::timestamptz) on conflict (provider, depth) do nothing',
    [provider, depth, firstAt.toISOString()],
  );
}

const CLAIM = `
with due as (
  select provider, depth from listings
  where provider = $1 and next_at <= $2::text::timestamptz and (leased_until is null or leased_until < now())
  order by depth desc limit 1 for no key update skip locked)
update listings t set leased_by = $3, leased_until = now() + $4::int * interval '1 millisecond'
from due where t.provider = due.provider and t.depth = due.depth
returning ${COLUMNS.replaceAll(/\b(provider|depth)\b/g, 't.$1')}`;

/** Takes the lease of a listing of this provider that is due, `recent` before `deep`; null when there is none to take. */
export async function claimListing(
  db: Database,
  claim: { provider: string; now: Date; token: string; leaseMs: number },
): Promise<Listing | null> {
  const { provider, now, token, leaseMs } = claim;
  const [row] = await db.query<Row>(CLAIM, [provider, now.toISOString(), token, leaseMs]);
  return row ? (row as Listing) : null;
}

/** Each answers false when the lease is no longer ours: then somebody else has gone on, or a new run was asked for. */
async function fenced(db: Database, lease: ListingLease, set: string, params: (string | number | null)[]) {
  const { provider, depth, token } = lease;
  const rows = await db.query(
    `update listings set ${set} where provider = $1 and depth = $2 and leased_by = $3 returning provider`,
    [provider, depth, token, ...params],
  );
  return rows.length > 0;
}

export const beginListing = (db: Database, lease: ListingLease, run: { since: Date; startedAt: Date }) =>
  fenced(
    db,
    lease,
    `since = $4::text::timestamptz, started_at = $5::text::timestamptz, cursor = null, pages = 0, payments = 0, news = 0, last_error = null`,
    [run.since.toISOString(), run.startedAt.toISOString()],
  );

/** One page was worked off: its successor, and what it held, are on disk before the next one is asked for. */
export const advanceListing = (
  db: Database,
  lease: ListingLease,
  page: { cursor: string | null; pages: number; payments: number; news: number; leaseMs: number },
) =>
  fenced(
    db,
    lease,
    `cursor = $4, pages = pages + $5::int, payments = payments + $6::int, news = news + $7::int, last_error = null,
     leased_until = now() + $8::int * interval '1 millisecond'`,
    [page.cursor, page.pages, page.payments, page.news, page.leaseMs],
  );

/** Lets go of a run that goes on later, from the page it is at. */
export const pauseListing = (db: Database, lease: ListingLease, nextAt: Date) =>
  fenced(db, lease, 'leased_by = null, leased_until = null, next_at = $4::text::timestamptz', [nextAt.toISOString()]);

/** Lets go of a run that met trouble; `startOver` forgets the page it was at. `error` is a sentence for operators. */
export const failListing = (
  db: Database,
  lease: ListingLease,
  trouble: { nextAt: Date; error: string; startOver: boolean },
) =>
  fenced(
    db,
    lease,
    `leased_by = null, leased_until = null, next_at = $4::text::timestamptz, last_error = $5${trouble.startOver ? ', cursor = null, pages = 0, payments = 0, news = 0' : ''}`,
    [trouble.nextAt.toISOString(), trouble.error],
  );

export const completeListing = (db: Database, lease: ListingLease, end: { completedAt: Date; nextAt: Date }) =>
  fenced(
    db,
    lease,
    `leased_by = null, leased_until = null, cursor = null, completed_at = $4::text::timestamptz, completed_started_at = started_at,
     next_at = $5::text::timestamptz, last_error = null`,
    [end.completedAt.toISOString(), end.nextAt.toISOString()],
  );

// Whoever reads the list now loses its lease and with it the run: what it would still write is fenced off.
const REQUEST = `
insert into listings as t (provider, depth, since, started_at, next_at)
values ($1, $2, $3::text::timestamptz, $4::text::timestamptz, $4::text::timestamptz)
on conflict (provider, depth) do update set since = excluded.since, started_at = excluded.started_at, next_at = excluded.next_at,
  completed_started_at = null, cursor = null, pages = 0, payments = 0, news = 0, last_error = null, leased_by = null, leased_until = null`;

/** Begins a run from `since` now, in place of the one that may be under way. */
export async function requestListing(
  db: Database,
  request: { provider: string; depth: Depth; since: Date; now: Date },
): Promise<void> {
  const { provider, depth, since, now } = request;
  await db.query(REQUEST, [provider, depth, since.toISOString(), now.toISOString()]);
}

/** The listings of these providers, by provider, `recent` first. */
export function readListings(db: Database, providers: readonly string[]): Promise<Listing[]> {
  return db.query<Listing>(
    `select ${COLUMNS} from listings where provider = any ($1::text[]) order by provider, depth desc`,
    [arrayLiteral(providers)],
  );
}
