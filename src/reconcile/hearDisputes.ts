// The provider's list of disputes, for providers whose payments do not tell theirs: a page of it, compared with our books.
// What is news goes through dispatch like any other event.
import { openFindings, resolveFindings } from '../../db/findings.ts';
import { type KnownPayment, readKnownPayments } from '../../db/knownPayments.ts';
import type { Listing } from '../../db/listings.ts';
import { ProviderRefused, ProviderUnreachable } from '../errors.ts';
import type { DisputePage, PaymentProvider } from '../providers/provider.ts';
import { newsOfDisputes } from './compare.ts';
import { fingerprintOf, type Heard, hearPayments, type ReconcileDeps, TOLD_AT_ONCE, tell } from './hearPayments.ts';
import { type Disputed, learnedDisputes } from './learned.ts';
import type { Place } from './listingPlace.ts';

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;
/**
 * How far back the deep run reads disputes, in ms. They are listed by when they were opened, up to 120 days after the
 * payment, and decided months later, appeals later still: within a year of its opening the last word has been said. A year
 * of them is some pages, for few payments are disputed.
 */
export const DISPUTES_LOOK_BACK_MS = 365 * DAY_MS;

/**
 * How long a recent run waits for a list of disputes that does not answer, in ms, counted from its start: by then the next
 * one is due, which would find payments. The deep run reads these disputes again, and waits.
 */
const PATIENCE_MS = 15 * MINUTE_MS;

type Run = Listing & { since: Date; startedAt: Date };

/** Since when disputes are listed: all that were opened since the run before, or, in a deep run, all that may still change. */
export function disputesSince({ depth, since, startedAt }: Run): Date {
  if (depth === 'recent') return since;
  return new Date(Math.min(since.getTime(), startedAt.getTime() - DISPUTES_LOOK_BACK_MS));
}

/**
 * Reads and hears one page; `next` is the page to read then, null at the end. A provider that says no to the whole list
 * holds nothing else up: that is a finding, and the list is over.
 * @throws ProviderRefused for a page further on, ProviderUnreachable, DatabaseUnavailable, Overloaded: the same page is to
 *   be read again
 */
export async function readDisputes(
  deps: ReconcileDeps,
  provider: PaymentProvider,
  { listing, place, callsLeft }: { listing: Run; place: DisputesPlace; callsLeft: number },
): Promise<Heard & { next: DisputesPlace | null }> {
  const page = await listedFrom(deps, provider, listing, place.cursor);
  if (page === null) return { next: null, news: 0, asked: 0 };
  if (place.cursor === null) await settleRefusal(deps, provider, page);
  if (page instanceof ProviderRefused) return { next: null, news: 0, asked: 0 };
  const { isWhole, ...heard } = await hearDisputes(deps, provider, page.disputes, callsLeft - 1);
  // What was heard now is known when the page is read again, so it grows shorter; where nothing was, it would not.
  if (!isWhole && heard.news > 0) return { ...heard, next: place };
  return { ...heard, next: page.cursor === null ? null : { at: 'disputes', cursor: page.cursor } };
}

type DisputesPlace = Extract<Place, { at: 'disputes' }>;

/** Null where there is no list, or its time is over. */
async function listedFrom(
  { clock, log }: ReconcileDeps,
  provider: PaymentProvider,
  listing: Run,
  cursor: string | null,
): Promise<DisputePage | ProviderRefused | null> {
  try {
    return (await provider.listDisputes?.(disputesSince(listing), cursor)) ?? null;
  } catch (error) {
    if (cursor === null && error instanceof ProviderRefused) return error;
    const isLate = listing.depth === 'recent' && clock().getTime() - listing.startedAt.getTime() >= PATIENCE_MS;
    if (!isLate || !(error instanceof ProviderUnreachable)) throw error;
    log.warn({ provider: provider.name, err: error }, 'disputes are left to the next deep run');
    return null;
  }
}

/**
 * Compares and tells. Nothing is written when everything is as we know it. Not whole when more payments would have had to
 * be asked for than `callsLeft`.
 */
async function hearDisputes(
  deps: ReconcileDeps,
  provider: PaymentProvider,
  listed: DisputePage['disputes'],
  callsLeft: number,
): Promise<Heard & { isWhole: boolean }> {
  const disputed = byPayment(listed);
  const known = await know(deps, provider, disputed);
  const unheard = disputed
    .map((one, n) => ({ one, before: known[n] as KnownPayment }))
    .map(({ one, before }) => ({ one, before, news: newsOfDisputes(provider.name, one, before) }))
    .filter(({ news }) => news.length > 0);
  const ours = unheard.filter(({ before }) => before.orderId !== null);
  const heard: Heard = { news: 0, asked: 0 };
  for (let from = 0; from < ours.length; from += TOLD_AT_ONCE) {
    const some = ours.slice(from, from + TOLD_AT_ONCE).map(async ({ news }) => {
      if (await tell(deps, news)) heard.news += 1;
    });
    for (const end of await Promise.allSettled(some)) if (end.status === 'rejected') throw end.reason;
  }
  // One after the other: each is a call, and none is urgent.
  for (const { one, news } of unheard.filter(({ before }) => before.orderId === null)) {
    if (heard.asked >= callsLeft) return { ...heard, isWhole: false };
    const isHeard = await hearWithPayment(deps, provider, one, heard);
    if (!isHeard && (await tell(deps, news))) heard.news += 1;
  }
  return { ...heard, isWhole: true };
}

/**
 * Of a payment we never heard of the dispute alone says too little: it is asked for. False where it is not there, or took
 * no money: then the dispute is kept by itself.
 */
async function hearWithPayment(
  deps: ReconcileDeps,
  provider: PaymentProvider,
  { paymentId, disputes }: Required<Disputed>,
  heard: Heard,
): Promise<boolean> {
  heard.asked += 1;
  try {
    const payment = await provider.fetchPayment(paymentId);
    if (payment.state !== 'captured') return false;
    const { news, asked } = await hearPayments(deps, provider, [{ ...payment, disputes }]);
    heard.news += news;
    heard.asked += asked;
    return true;
  } catch (error) {
    if (error instanceof ProviderRefused) return false;
    throw error;
  }
}

function byPayment(listed: DisputePage['disputes']): Required<Disputed>[] {
  const byId = new Map<string, Required<Disputed>>();
  for (const { paymentId, dispute } of listed) {
    const before = byId.get(paymentId)?.disputes ?? [];
    byId.set(paymentId, { paymentId, disputes: [...before, dispute] });
  }
  return [...byId.values()];
}

function know({ db }: ReconcileDeps, { name }: PaymentProvider, disputed: readonly Disputed[]) {
  const asks = disputed.map(one => ({
    paymentId: one.paymentId,
    orderId: null,
    providerOrderId: null,
    fingerprint: fingerprintOf(name, one.paymentId),
    eventKeys: learnedDisputes(name, one).map(({ eventKey }) => eventKey),
  }));
  return readKnownPayments(db, name, asks);
}

/** Somebody has to give the key its right; until then a dispute that its webhooks lose is not found, and that is told once. */
async function settleRefusal(
  { db, clock, newId, log }: ReconcileDeps,
  { name }: PaymentProvider,
  answer: DisputePage | ProviderRefused,
): Promise<void> {
  const fingerprint = `disputes:${name}`;
  if (!(answer instanceof ProviderRefused)) return resolveFindings(db, [fingerprint], clock());
  const detail = `${name} does not list its disputes to us: ${answer.message}`;
  const finding = {
    id: newId('fnd'),
    fingerprint,
    kind: 'disputes_not_listed',
    severity: 'warning' as const,
    orderId: null,
    detail,
    alertId: newId('eff'),
    alertPayload: { cause: 'disputes_not_listed', provider: name, detail },
  };
  const opened = await openFindings(db, [finding], clock());
  if (opened.length > 0) log.error({ fingerprint, err: answer }, 'finding opened');
}
