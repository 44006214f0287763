// How far reconciliation by listing is, for operators, and how one is begun from any instant back.
import type { Logger } from 'pino';
import type { Database } from '../../db/client.ts';
import { isUnderWay, type Listing, readListings, requestListing } from '../../db/listings.ts';
import type { Clock } from '../clock.ts';
import { InvalidRequest, NotFound } from '../errors.ts';
import type { PaymentProvider } from '../providers/provider.ts';

export type ProgressDeps = {
  db: Database;
  providers: ReadonlyMap<string, PaymentProvider>;
  clock: Clock;
  log: Logger;
};

/** Of the run that is under way, or was the last. Instants are ISO 8601 UTC. */
export type ListingView = {
  provider: string;
  depth: 'recent' | 'deep';
  underWay: boolean;
  since: string | null;
  /** A page further on is known where the run goes on. */
  cursor: boolean;
  startedAt: string | null;
  completedAt: string | null;
  nextAt: string;
  /** Of payments, disputes and refunds. */
  pages: number;
  payments: number;
  /** How many payments, disputes and refunds told something we did not know. */
  news: number;
  lastError: string | null;
};

export type Reconciliation = {
  /** One entry a provider and depth; none before the first look. */
  progress(): Promise<ListingView[]>;
  /** Begins a deep run from `since`, in place of one under way. @throws NotFound, InvalidRequest for a future instant */
  start(provider: string, since: Date, reason: string): Promise<ListingView>;
};

export function reconciliation({ db, providers, clock, log }: ProgressDeps): Reconciliation {
  const progress = async (names: readonly string[]) => (await readListings(db, names)).map(listingView);
  return {
    progress: () => progress([...providers.keys()]),
    async start(provider, since, reason) {
      if (!providers.has(provider)) throw new NotFound(`there is no provider ${provider}`);
      const now = clock();
      if (since > now) throw new InvalidRequest('since lies in the future: nothing was paid then');
      await requestListing(db, { provider, depth: 'deep', since, now });
      log.info({ provider, since, reason }, 'payments are listed because an operator asked for it');
      const begun = (await progress([provider])).find(listing => listing.depth === 'deep');
      if (!begun) throw new NotFound(`the listing of ${provider} is gone`);
      return begun;
    },
  };
}

function listingView(listing: Listing): ListingView {
  const { provider, depth, pages, payments, news, lastError } = listing;
  return {
    provider,
    depth,
    underWay: isUnderWay(listing),
    since: listing.since?.toISOString() ?? null,
    cursor: listing.cursor !== null,
    startedAt: listing.startedAt?.toISOString() ?? null,
    completedAt: listing.completedAt?.toISOString() ?? null,
    nextAt: listing.nextAt.toISOString(),
    pages,
    payments,
    news,
    lastError,
  };
}
