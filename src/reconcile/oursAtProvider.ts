// Reconciles the other way round: asks the provider about each payment in our books that its list did not hold. The answer is
// an event, or a finding.
import { type OurPayment, readOurPayments } from '../../db/knownPayments.ts';
import type { Listing } from '../../db/listings.ts';
import { ProviderRefused } from '../errors.ts';
import { idFloor } from '../ids.ts';
import type { PaymentProvider } from '../providers/provider.ts';
import { hearPayments, openPaymentFindings, type ReconcileDeps } from './hearPayments.ts';
import type { Place } from './listingPlace.ts';

/** Effects looked at in one step. Each names an order, and several often name the same one. */
const EFFECTS_PER_STEP = 200;
/**
 * Most payments asked about in one run. A list that this process has read from its beginning leaves a handful. One whose first
 * pages another process has read leaves all of theirs; those beyond the limit are left to the next run.
 */
const MAX_ASKED_PER_RUN = 2_000;

/** The payments a run has met in the provider's list. */
export type Seen = {
  startedAt: number;
  ids: Set<string>;
  /** True when this process has read the list from its first page on. */
  isWhole: boolean;
};

type Ask = {
  listing: Listing & { since: Date; startedAt: Date };
  seen: Seen;
  place: Extract<Place, { at: 'ours' }>;
  callsLeft: number;
};

/**
 * Asks about the next of our payments that were not seen, at most `callsLeft` of them.
 * @throws ProviderUnreachable, DatabaseUnavailable, Overloaded: then the same ones are asked about again
 */
export async function askAboutOurs(deps: ReconcileDeps, provider: PaymentProvider, ask: Ask) {
  const { listing, seen, place, callsLeft } = ask;
  const { since, startedAt } = listing;
  const from = idFloor('eff', since);
  // Payments that came after the run began may be newer than the list.
  const before = idFloor('eff', startedAt);
  const range = { from, after: place.after ?? from, before, since, limit: EFFECTS_PER_STEP };
  const rows = await readOurPayments(deps.db, { provider: provider.name, ...range });
  const done = { next: null as Place | null, calls: 0, news: 0 };
  let { after: last, asked } = place;
  for (const [index, row] of rows.entries()) {
    if (row.paymentId !== null && !seen.ids.has(row.paymentId)) {
      if (asked >= MAX_ASKED_PER_RUN) return done;
      // The next step begins with this effect once more, because not every payment that it names was asked about.
      if (done.calls >= callsLeft) return { ...done, next: { ...place, after: last, asked } };
      const { calls, news } = await askAboutOne(deps, provider, row as AskedPayment);
      asked += 1;
      done.calls += calls;
      done.news += news;
      seen.ids.add(row.paymentId);
    }
    if (rows[index + 1]?.effectId !== row.effectId) last = row.effectId;
  }
  if (rows.length > 0) done.next = { ...place, after: last, asked };
  return done;
}

type AskedPayment = OurPayment & { paymentId: string; orderId: string };

async function askAboutOne(
  deps: ReconcileDeps,
  provider: PaymentProvider,
  ours: AskedPayment,
): Promise<{ calls: number; news: number }> {
  const { paymentId, orderId, providerOrderId } = ours;
  try {
    const payment = await provider.fetchPayment(paymentId);
    const named = {
      ...payment,
      orderId: payment.orderId ?? orderId,
      providerOrderId: payment.providerOrderId ?? providerOrderId,
    };
    const heard = await hearPayments(deps, provider, [named]);
    return { calls: 1 + heard.asked, news: heard.news };
  } catch (error) {
    if (!(error instanceof ProviderRefused)) throw error;
    // The refusal may mean our key and not the payment. If the provider still lists payments for us, it meant the payment.
    await provider.listPayments(deps.clock(), null);
    const odd = { paymentId, state: 'unknown' as const, orderId };
    await openPaymentFindings(deps, provider, [{ kind: 'payment_not_at_provider', payment: odd, orderId }]);
    return { calls: 2, news: 0 };
  }
}
