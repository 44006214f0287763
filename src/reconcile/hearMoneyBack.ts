// The provider's lists of disputes and of refunds, for providers whose list of payments does not tell them of old ones: a
// page, compared with our books. What is news goes through dispatch like any other event.
import { openFindings, resolveFindings } from '../../db/findings.ts';
import { type KnownPayment, readKnownPayments } from '../../db/knownPayments.ts';
import type { Listing } from '../../db/listings.ts';
import { ProviderRefused, ProviderUnreachable } from '../errors.ts';
import {
  MONEY_BACK_KINDS,
  type MoneyBack,
  type MoneyBackKind,
  type MoneyBackPage,
  type PaymentProvider,
} from '../providers/provider.ts';
import { newsOfMoneyBack } from './compare.ts';
import { fingerprintOf, type Heard, hearPayments, type ReconcileDeps, TOLD_AT_ONCE, tell } from './hearPayments.ts';
import { learnedMoneyBack } from './learned.ts';
import type { Place } from './listingPlace.ts';

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;
/**
 * How far back the deep run reads disputes and refunds, in ms. They are listed by when they began and change afterwards:
 * a dispute is decided months later, appeals later still; a refund that was told as done may come back from the customer's
 * bank weeks later. And it reads what no recent run could: what a key without the right to it, or a list that did not
 * answer, kept back for months, and what was made before the lists were read at all, while a plan paid for a year is still
 * used. A year of them is less than a month of payments, of which few are disputed and some sent back.
 */
export const MONEY_BACK_LOOK_BACK_MS = 365 * DAY_MS;

/**
 * How long a recent run waits for such a list that does not answer, in ms, counted from its start: by then the next one is
 * due, which would find payments. The deep run reads the same again, and waits.
 */
const PATIENCE_MS = 15 * MINUTE_MS;

type Run = Listing & { since: Date; startedAt: Date };
type ListPlace = Extract<Place, { at: MoneyBackKind }>;

/** Since when they are listed: all that began since the run before, or, in a deep run, all that may still change. */
export function moneyBackSince({ depth, since, startedAt }: Run): Date {
  if (depth === 'recent') return since;
  return new Date(Math.min(since.getTime(), startedAt.getTime() - MONEY_BACK_LOOK_BACK_MS));
}

/** The next of these lists that the provider has, at its beginning; `after` null asks for the first. Null at the end. */
export function listAfter({ listMoneyBack }: PaymentProvider, after: MoneyBackKind | null): ListPlace | null {
  const rest = after === null ? MONEY_BACK_KINDS : MONEY_BACK_KINDS.slice(MONEY_BACK_KINDS.indexOf(after) + 1);
  const at = rest.find(kind => listMoneyBack?.[kind]);
  return at === undefined ? null : { at, cursor: null };
}

/**
 * Reads and hears one page; `next` is where to read on in these lists, null at the end of the last. A provider that says no
 * to a whole list holds nothing else up: that is a finding, and the list is over.
 * @throws ProviderRefused for a page further on, ProviderUnreachable, DatabaseUnavailable, Overloaded: the same page is to
 *   be read again
 */
export async function readMoneyBack(
  deps: ReconcileDeps,
  provider: PaymentProvider,
  { listing, place, callsLeft }: { listing: Run; place: ListPlace; callsLeft: number },
): Promise<Heard & { next: ListPlace | null }> {
  const { at, cursor } = place;
  const over = listAfter(provider, at);
  const page = await listedFrom(deps, provider, listing, place);
  if (page === null) return { next: over, news: 0, asked: 0 };
  if (cursor === null) await settleRefusal(deps, provider, at, page);
  if (page instanceof ProviderRefused) return { next: over, news: 0, asked: 0 };
  const { isWhole, ...heard } = await hearMoneyBack(deps, provider, page.found, callsLeft - 1);
  // What was heard now is known when the page is read again, so it grows shorter; where nothing was, it would not.
  if (!isWhole && heard.news > 0) return { ...heard, next: place };
  return { ...heard, next: page.cursor === null ? over : { at, cursor: page.cursor } };
}

/** Null where there is no list, or its time is over. */
async function listedFrom(
  { clock, log }: ReconcileDeps,
  provider: PaymentProvider,
  listing: Run,
  { at, cursor }: ListPlace,
): Promise<MoneyBackPage | ProviderRefused | null> {
  try {
    return (await provider.listMoneyBack?.[at]?.(moneyBackSince(listing), cursor)) ?? null;
  } catch (error) {
    if (cursor === null && error instanceof ProviderRefused) return error;
    const isLate = listing.depth === 'recent' && clock().getTime() - listing.startedAt.getTime() >= PATIENCE_MS;
    if (!isLate || !(error instanceof ProviderUnreachable)) throw error;
    log.warn({ provider: provider.name, list: at, err: error }, 'a list is left to the next deep run');
    return null;
  }
}

/**
 * Compares and tells. Nothing is written when everything is as we know it. Not whole when more payments would have had to
 * be asked for than `callsLeft`.
 */
async function hearMoneyBack(
  deps: ReconcileDeps,
  provider: PaymentProvider,
  found: readonly MoneyBack[],
  callsLeft: number,
): Promise<Heard & { isWhole: boolean }> {
  const told = byPayment(found);
  const known = await know(deps, provider, told);
  const unheard = told
    .map((one, n) => ({ one, before: known[n] as KnownPayment }))
    .map(({ one, before }) => ({ one, before, news: newsOfMoneyBack(provider.name, one, before) }))
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
 * Of a payment we never heard of what went back alone says too little: it is asked for. False where it is not there, or
 * took no money: then what was told is kept by itself.
 */
async function hearWithPayment(
  deps: ReconcileDeps,
  provider: PaymentProvider,
  told: MoneyBack,
  heard: Heard,
): Promise<boolean> {
  heard.asked += 1;
  try {
    const payment = await provider.fetchPayment(told.paymentId);
    if (payment.state !== 'captured') return false;
    const { news, asked } = await hearPayments(deps, provider, [together(told, payment)]);
    heard.news += news;
    heard.asked += asked;
    return true;
  } catch (error) {
    if (error instanceof ProviderRefused) return false;
    throw error;
  }
}

function byPayment(found: readonly MoneyBack[]): MoneyBack[] {
  const byId = new Map<string, MoneyBack>();
  for (const one of found) byId.set(one.paymentId, together(byId.get(one.paymentId), one));
  return [...byId.values()];
}

/** What two answers tell of one payment. Of the same dispute or refund the second is the younger one. */
function together<T extends MoneyBack>(before: MoneyBack | undefined, now: T): T {
  const disputes = youngest(before?.disputes, now.disputes, ({ disputeId }) => disputeId);
  const refunds = youngest(before?.refunds, now.refunds, ({ refundId }) => refundId);
  return { ...now, ...(disputes && { disputes }), ...(refunds && { refunds }) };
}

function youngest<T>(before: T[] | undefined, now: T[] | undefined, idOf: (entry: T) => string): T[] | undefined {
  if (!before || !now) return now ?? before;
  return [...new Map([...before, ...now].map(entry => [idOf(entry), entry])).values()];
}

function know({ db }: ReconcileDeps, { name }: PaymentProvider, told: readonly MoneyBack[]) {
  const asks = told.map(one => ({
    paymentId: one.paymentId,
    orderId: null,
    providerOrderId: null,
    fingerprint: fingerprintOf(name, one.paymentId),
    eventKeys: learnedMoneyBack(name, one).map(({ eventKey }) => eventKey),
  }));
  return readKnownPayments(db, name, asks);
}

/** Somebody has to give the key its right; until then what its webhooks lose is not found, and that is told once. */
async function settleRefusal(
  { db, clock, newId, log }: ReconcileDeps,
  { name }: PaymentProvider,
  list: MoneyBackKind,
  answer: MoneyBackPage | ProviderRefused,
): Promise<void> {
  const fingerprint = `${list}:${name}`;
  if (!(answer instanceof ProviderRefused)) return resolveFindings(db, [fingerprint], clock());
  const kind = `${list}_not_listed` as const;
  const detail = `${name} does not list its ${list} to us: ${answer.message}`;
  const finding = {
    id: newId('fnd'),
    fingerprint,
    kind,
    severity: 'warning' as const,
    orderId: null,
    detail,
    alertId: newId('eff'),
    alertPayload: { cause: kind, provider: name, detail },
  };
  const opened = await openFindings(db, [finding], clock());
  if (opened.length > 0) log.error({ fingerprint, err: answer }, 'finding opened');
}
