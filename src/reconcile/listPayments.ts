// The provider's lists of payments, disputes and refunds, read page by page and compared with our books, so that what no webhook
// and no callback told is found all the same, weeks later too. Where a run stands is in the database: a restart, or another
// replica, goes on at that page.
import {
  advanceListing,
  beginListing,
  claimListing,
  completeListing,
  ensureListing,
  failListing,
  isUnderWay,
  type Listing,
  type ListingLease,
  pauseListing,
} from '../../db/listings.ts';
import { InvalidRequest, ProviderRefused, ProviderUnreachable } from '../errors.ts';
import type { PaymentPage, PaymentProvider } from '../providers/provider.ts';
import { listAfter, readMoneyBack } from './hearMoneyBack.ts';
import { hearPayments, type ReconcileDeps } from './hearPayments.ts';
import { type Place, placeOf, textOf } from './listingPlace.ts';
import { askAboutOurs, type Seen } from './oursAtProvider.ts';

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;
/** How often each depth begins, in ms: a quarter of an hour is how long a customer waits for what webhook and callback both lost. */
export const EVERY_MS = { recent: 15 * MINUTE_MS, deep: DAY_MS } as const;
/** What a run looks back beyond the start of the one before, in ms: lists lag, and clocks differ. */
const OVERLAP_MS = 60 * MINUTE_MS;
/**
 * How far back the deep run looks, and the very first one, in ms. Providers list by when a payment was made, and one may
 * be captured or refunded weeks after that; what is older is asked for by an operator. Disputes and refunds have lists of
 * their own where this one does not tell them of older payments, and are looked for further back.
 */
export const LOOK_BACK_MS = 30 * DAY_MS;
/** When the first deep run begins, in ms after the first start: the first recent run reads the same thirty days already. */
export const FIRST_DEEP_PAUSE_MS = 60 * MINUTE_MS;
/**
 * Calls of one run a minute, pages and single payments alike. No provider publishes less than 25 a second; half a call a
 * second leaves nearly all of that to customers who are paying.
 */
export const CALLS_PER_ROUND = 30;
const ROUND_PAUSE_MS = MINUTE_MS;
/** How long one page may take before another replica reads it, in ms: a page with a hundred refunds to look up takes minutes at worst. */
const LEASE_MS = 5 * MINUTE_MS;
/** First pause after trouble, in ms, doubled up to the longest: a provider that is down is not helped by being asked. */
const TROUBLE_PAUSE_MS = MINUTE_MS;
const TROUBLE_PAUSE_MAX_MS = 15 * MINUTE_MS;
/** Longest sentence kept about trouble, in characters. */
const MAX_ERROR_LENGTH = 500;

export type ListingDeps = ReconcileDeps & {
  providers: ReadonlyMap<string, PaymentProvider>;
  /** Between 0 and 1, so that replicas do not come back together. */
  jitter: () => number;
};

export type PaymentListing = {
  /** Reads what is due of every provider, each at most its share of a minute. Never rejects; stops after the page at hand. */
  run(stop: AbortSignal): Promise<void>;
};

export function createPaymentListing(deps: ListingDeps): PaymentListing {
  const memory = { seen: new Map<string, Seen>(), troubles: new Map<string, number>(), ensured: false };
  return {
    async run(stop) {
      try {
        if (!memory.ensured) await ensureRows(deps);
        memory.ensured = true;
        await Promise.all([...deps.providers.values()].map(provider => readDue(deps, memory, provider, stop)));
      } catch (error) {
        deps.log.warn({ err: error }, 'payments could not be listed; trying again');
      }
    },
  };
}

type Memory = { seen: Map<string, Seen>; troubles: Map<string, number> };
type Run = {
  provider: PaymentProvider;
  listing: Listing & { since: Date; startedAt: Date };
  lease: ListingLease;
  /** Where it stands; null once it came to the end. */
  place: Place | null;
  memory: Memory;
  stop: AbortSignal;
};

async function ensureRows({ db, providers, clock }: ListingDeps): Promise<void> {
  const now = clock();
  for (const name of providers.keys()) {
    await ensureListing(db, name, 'recent', now);
    await ensureListing(db, name, 'deep', new Date(now.getTime() + FIRST_DEEP_PAUSE_MS));
  }
}

/** One provider's listings, one after the other, so that they share its patience. */
async function readDue(deps: ListingDeps, memory: Memory, provider: PaymentProvider, stop: AbortSignal): Promise<void> {
  const { db, clock, newId } = deps;
  while (!stop.aborted) {
    const token = newId('req');
    const listing = await claimListing(db, { provider: provider.name, now: clock(), token, leaseMs: LEASE_MS });
    if (!listing) return;
    const lease = { provider: provider.name, depth: listing.depth, token };
    const started = isUnderWay(listing) ? listing : await begin(deps, listing, lease);
    if (!started) continue;
    const place = placeOf(started.cursor);
    const run: Run = { provider, listing: started as Run['listing'], lease, place, memory, stop };
    await readOn(deps, run).catch(error => giveUpForNow(deps, run, error));
  }
}

async function begin({ db, clock }: ListingDeps, listing: Listing, lease: ListingLease): Promise<Listing | null> {
  const startedAt = clock();
  const before = listing.depth === 'recent' ? listing.completedStartedAt : null;
  const since = new Date(before ? before.getTime() - OVERLAP_MS : startedAt.getTime() - LOOK_BACK_MS);
  return (await beginListing(db, lease, { since, startedAt })) ? { ...listing, since, startedAt, cursor: null } : null;
}

/** From the place where the run stands to its end, or until this minute's calls are used up. */
async function readOn(deps: ListingDeps, run: Run): Promise<void> {
  const { db, clock } = deps;
  const { lease, listing, memory } = run;
  for (let calls = 0; run.place !== null; ) {
    if (run.stop.aborted || calls >= CALLS_PER_ROUND) {
      const pause = run.stop.aborted ? 0 : ROUND_PAUSE_MS;
      await pauseListing(db, lease, new Date(clock().getTime() + pause));
      return;
    }
    const step = await stepOn(deps, run, run.place, CALLS_PER_ROUND - calls);
    calls += step.calls;
    run.place = step.next;
    const { pages, payments, news } = step;
    const cursor = textOf(run.place ?? { at: 'end' });
    if (!(await advanceListing(db, lease, { cursor, pages, payments, news, leaseMs: LEASE_MS }))) return;
    memory.troubles.delete(nameOf(lease));
  }
  const completedAt = clock();
  const nextAt = Math.max(listing.startedAt.getTime() + EVERY_MS[lease.depth], completedAt.getTime() + ROUND_PAUSE_MS);
  await completeListing(db, lease, { completedAt, nextAt: new Date(nextAt) });
  memory.seen.delete(nameOf(lease));
  deps.log.info({ ...lease, since: listing.since }, 'payments listed');
}

type Step = { next: Place | null; calls: number; pages: number; payments: number; news: number };

/** One page of their payments; once those are through, of what went back; then some of ours that were not among them. */
async function stepOn(deps: ListingDeps, run: Run, place: Place, callsLeft: number): Promise<Step> {
  const { provider, listing } = run;
  if (place.at === 'end') return { next: null, calls: 0, pages: 0, payments: 0, news: 0 };
  const seen = seenOf(run, place);
  if (place.at === 'ours') {
    const asked = await askAboutOurs(deps, provider, { listing, seen, place, callsLeft });
    return { ...asked, pages: 0, payments: 0 };
  }
  if (place.at !== 'theirs') {
    const { next, asked, news } = await readMoneyBack(deps, provider, { listing, place, callsLeft });
    return { next: next ?? lastPart(run), calls: 1 + asked, pages: 1, payments: 0, news };
  }
  const page = await provider.listPayments(listing.since, place.cursor);
  const heard = await hearPayments(deps, provider, page.payments);
  for (const { paymentId } of page.payments) seen.ids.add(paymentId);
  return {
    next: placeAfter(page, run),
    calls: 1 + heard.asked,
    pages: 1,
    payments: page.payments.length,
    news: heard.news,
  };
}

function placeAfter({ cursor }: PaymentPage, run: Run): Place | null {
  if (cursor !== null) return { at: 'theirs', cursor };
  return listAfter(run.provider, null) ?? lastPart(run);
}

/** Only what the list covers can be missing in it: orders of weeks, not of the last minutes. */
const lastPart = ({ listing }: Run): Place | null =>
  listing.depth === 'deep' ? { at: 'ours', after: null, asked: 0 } : null;

/** Which payments this run has met; a run that another process began knows only those of its own pages. */
function seenOf({ lease, listing, memory }: Run, place: Place): Seen {
  const startedAt = listing.startedAt.getTime();
  const isFirstPage = place.at === 'theirs' && place.cursor === null;
  const before = memory.seen.get(nameOf(lease));
  if (before?.startedAt === startedAt && !isFirstPage) return before;
  const fresh = { startedAt, ids: new Set<string>(), isWhole: isFirstPage };
  memory.seen.set(nameOf(lease), fresh);
  return fresh;
}

/** Keeps the place and says what happened. A page the provider no longer knows cannot be gone on from: the run starts over. */
async function giveUpForNow(deps: ListingDeps, run: Run, error: unknown): Promise<void> {
  const { db, clock, log, jitter } = deps;
  const { lease, listing, memory } = run;
  const isNo = error instanceof ProviderRefused || error instanceof InvalidRequest;
  const { place } = run;
  const startOver = isNo && place !== null && 'cursor' in place && place.cursor !== null;
  const troubles = (memory.troubles.get(nameOf(lease)) ?? 0) + 1;
  memory.troubles.set(nameOf(lease), troubles);
  const pause = Math.min(TROUBLE_PAUSE_MAX_MS, TROUBLE_PAUSE_MS * 2 ** (troubles - 1)) * (1 + jitter() / 2);
  const sentence = error instanceof Error ? error.message : String(error);
  const told = { ...lease, since: listing.since, startOver, err: error };
  if (error instanceof ProviderUnreachable) log.warn(told, 'a provider could not be asked for its payments');
  else log.error(told, 'payments could not be listed');
  await failListing(db, lease, {
    nextAt: new Date(clock().getTime() + pause),
    error: `${startOver ? 'Started over: ' : ''}${sentence}`.slice(0, MAX_ERROR_LENGTH),
    startOver,
  });
}

const nameOf = ({ provider, depth }: ListingLease) => `${provider} ${depth}`;
