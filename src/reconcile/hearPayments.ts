// Compares some payments, as their provider has them now, with our books. What is news goes through dispatch like any other
// event. What no event can explain becomes a finding, which is resolved as soon as it is explained.
import type { Logger } from 'pino';
import type { Database } from '../../db/client.ts';
import { openFindings, resolveFindings } from '../../db/findings.ts';
import { type KnownPayment, readKnownPayments } from '../../db/knownPayments.ts';
import { amountText } from '../../machines/amountText.ts';
import type { Clock } from '../clock.ts';
import type { Envelope, Outcome } from '../dispatch/envelope.ts';
import type { Dispatch } from '../dispatch.ts';
import { DatabaseUnavailable, Overloaded, ProviderRefused } from '../errors.ts';
import type { NewId } from '../ids.ts';
import type { PaymentProvider, ProviderPayment } from '../providers/provider.ts';
import { contradicts, type FindingKind, findingOf, newsOf } from './compare.ts';
import { learned } from './learned.ts';

/** Payments sent to dispatch at the same time: it takes them together, and live traffic waits behind no more than these. */
export const TOLD_AT_ONCE = 20;

export type ReconcileDeps = {
  db: Database;
  /** The core's, so that renewals find their order and events that were told too early are decided, too. */
  dispatch: Dispatch;
  clock: Clock;
  newId: NewId;
  log: Logger;
};

/** How many of the payments told us something, and how often the provider had to be asked once more. */
export type Heard = { news: number; asked: number };

/**
 * Compares and tells. Nothing is written when everything is as we know it.
 * @throws ProviderUnreachable, DatabaseUnavailable, Overloaded: nothing is lost, the same payments are to be heard again
 */
export async function hearPayments(
  deps: ReconcileDeps,
  provider: PaymentProvider,
  payments: readonly ProviderPayment[],
): Promise<Heard> {
  const distinct = [...new Map(payments.map(payment => [payment.paymentId, payment])).values()];
  const known = await know(deps, provider, distinct);
  const heard: Heard = { news: 0, asked: 0 };
  const touched: ProviderPayment[] = [];
  for (let from = 0; from < distinct.length; from += TOLD_AT_ONCE) {
    const some = distinct.slice(from, from + TOLD_AT_ONCE).map(async (listed, index) => {
      const before = known[from + index] as KnownPayment;
      const asked = contradicts(listed, before) ? await askAgain(provider, listed, heard) : listed;
      const payment = await marked(provider, asked, before, heard);
      const news = newsOf(provider.name, payment, before);
      if (await tell(deps, news)) heard.news += 1;
      const isOdd = findingOf(provider, payment, before) !== before.finding;
      if (news.length > 0 || isOdd) touched.push(payment);
    });
    for (const end of await Promise.allSettled(some)) if (end.status === 'rejected') throw end.reason;
  }
  await settleFindings(deps, provider, touched);
  return heard;
}

/** What a list says may be a moment old, so the payment itself is asked for before anybody is alarmed. */
async function askAgain(provider: PaymentProvider, listed: ProviderPayment, heard: Heard): Promise<ProviderPayment> {
  heard.asked += 1;
  try {
    const { orderId, providerOrderId } = listed;
    const payment = await provider.fetchPayment(listed.paymentId);
    // A list may name the order where the payment alone does not.
    return {
      ...payment,
      orderId: payment.orderId ?? orderId,
      providerOrderId: payment.providerOrderId ?? providerOrderId,
    };
  } catch (error) {
    if (error instanceof ProviderRefused) return listed;
    throw error;
  }
}

/**
 * The payment with our mark on it. With some providers only their order carries the mark: it is asked for once, and
 * only for a payment that is new to us.
 */
async function marked(
  provider: PaymentProvider,
  payment: ProviderPayment,
  known: KnownPayment,
  heard: Heard,
): Promise<ProviderPayment> {
  const { orderId, providerOrderId, state } = payment;
  if (orderId !== null || known.orderId !== null) return payment;
  if (known.mark !== null) return { ...payment, orderId: known.mark };
  const isNew = Object.keys(known.verdicts).length === 0 && (state === 'captured' || state === 'authorized');
  if (!isNew || providerOrderId === null || !provider.orderMark) return payment;
  heard.asked += 1;
  try {
    return { ...payment, orderId: await provider.orderMark(providerOrderId) };
  } catch (error) {
    if (error instanceof ProviderRefused) return payment;
    throw error;
  }
}

/** Sends the facts of one payment in their order; true when one of them has changed what we know. */
export async function tell({ dispatch, log }: ReconcileDeps, news: readonly Envelope[]): Promise<boolean> {
  let learnt = false;
  for (const envelope of news) {
    try {
      if (CHANGED.has((await dispatch(envelope)).verdict)) learnt = true;
    } catch (error) {
      if (error instanceof Overloaded || error instanceof DatabaseUnavailable) throw error;
      // One payment that cannot be decided must not hide those behind it. If its money stays uncounted, that becomes a
      // finding.
      log.error({ err: error, eventKey: envelope.eventKey }, 'what a provider listed could not be decided');
    }
  }
  return learnt;
}

const CHANGED: ReadonlySet<Outcome['verdict']> = new Set(['applied', 'surplus', 'mismatch', 'unmatched', 'parked']);

function know(deps: ReconcileDeps, { name }: PaymentProvider, payments: readonly ProviderPayment[]) {
  const asks = payments.map(payment => ({
    ...payment,
    fingerprint: fingerprintOf(name, payment.paymentId),
    eventKeys: learned(name, payment).map(envelope => envelope.eventKey),
  }));
  return readKnownPayments(deps.db, name, asks);
}

export const fingerprintOf = (provider: string, paymentId: string) => `payment:${provider}:${paymentId}`;

async function settleFindings(
  deps: ReconcileDeps,
  provider: PaymentProvider,
  payments: ProviderPayment[],
): Promise<void> {
  if (payments.length === 0) return;
  const now = await know(deps, provider, payments);
  const kinds = payments.map((payment, index) => findingOf(provider, payment, now[index] as KnownPayment));
  const odd = payments.flatMap((payment, index) => {
    const kind = kinds[index];
    return kind ? [{ kind, payment, orderId: now[index]?.orderId ?? null }] : [];
  });
  await openPaymentFindings(deps, provider, odd);
  const explained = payments.filter((_, index) => kinds[index] === null && now[index]?.finding);
  await resolveFindings(
    deps.db,
    explained.map(({ paymentId }) => fingerprintOf(provider.name, paymentId)),
    deps.clock(),
  );
}

export type OddPayment = {
  kind: FindingKind;
  payment: {
    paymentId: string;
    /** At the provider; `unknown` when it knows no such payment. */
    state: string;
    amountMinor?: number;
    currency?: string;
    /** Our mark at the provider. */
    orderId: string | null;
  };
  /** The order it belongs to in our books. */
  orderId: string | null;
};

/** Opens a finding for each of them, with one alert. */
export async function openPaymentFindings(
  { db, clock, newId, log }: ReconcileDeps,
  { name }: PaymentProvider,
  odd: readonly OddPayment[],
): Promise<void> {
  const findings = odd.map(({ kind, payment, orderId }) => {
    const detail = sentence(kind, name, payment, orderId);
    const { paymentId, amountMinor, currency } = payment;
    return {
      id: newId('fnd'),
      fingerprint: fingerprintOf(name, paymentId),
      kind,
      severity: kind === 'payment_not_counted' ? ('warning' as const) : ('critical' as const),
      orderId,
      detail,
      alertId: newId('eff'),
      alertPayload: { cause: kind, provider: name, paymentId, amountMinor, currency, orderId, detail },
    };
  });
  for (const fingerprint of await openFindings(db, findings, clock())) log.error({ fingerprint }, 'finding opened');
}

function sentence(kind: FindingKind, provider: string, payment: OddPayment['payment'], orderId: string | null): string {
  const { paymentId, state, amountMinor, currency, orderId: mark } = payment;
  const amount = amountMinor === undefined || currency === undefined ? '' : ` of ${amountText(amountMinor, currency)}`;
  const money = `payment ${paymentId}${amount}`;
  switch (kind) {
    case 'payment_without_order':
      return `${provider} has captured ${money}, marked as ours${mark ? ` (${mark})` : ''}, and there is no such order`;
    case 'payment_not_counted':
      return `${provider} has captured ${money}, and order ${orderId} does not count it`;
    case 'payment_not_at_provider':
      return `order ${orderId} counts payment ${paymentId} as captured, and at ${provider} it is ${state}`;
  }
}
