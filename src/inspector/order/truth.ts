// Our books beside the provider's, payment by payment: what both know, what only one knows, and where they differ. Pure.
import type { OrderPageRow } from '../../../db/inspect/orderPage.ts';
import { isUnsentRefund } from '../../effects/unsentRefund.ts';
import type { ProviderPayment } from '../../providers/provider.ts';

/** What one side knows of one payment, refund or dispute. */
export type Side = { state: string; amountMinor: number; currency: string; asOf: string | null };

export type TruthRow = {
  what: 'payment' | 'refund' | 'dispute';
  id: string;
  /** Of refunds and disputes: the payment they belong to. */
  paymentId: string;
  ours: Side | null;
  theirs: Side | null;
  /** What differs, in words; empty where both sides agree. */
  differs: string[];
};

type Books = Pick<OrderPageRow, 'payments' | 'refunds' | 'disputes'>;

/** Names of one thing on both sides. A session that was closed unpaid is `canceled` there and no payment here. */
const SAME_STATE: Readonly<Record<string, string>> = { canceled: 'voided' };

export function compareTruth(
  ours: Books,
  theirs: readonly ProviderPayment[],
  known: ReadonlyMap<string, number>,
): TruthRow[] {
  const ids = new Set([
    ...ours.payments.map(payment => payment.paymentId),
    ...theirs.map(payment => payment.paymentId),
  ]);
  return [...ids].flatMap(paymentId => {
    const payment = theirs.find(entry => entry.paymentId === paymentId);
    return [
      paymentRow(paymentId, ours, payment, known),
      ...movedBackRows('refund', paymentId, ours.refunds, payment && refundsOf(payment)),
      ...movedBackRows('dispute', paymentId, ours.disputes, payment && disputesOf(payment)),
    ];
  });
}

function paymentRow(
  paymentId: string,
  books: Books,
  payment: ProviderPayment | undefined,
  known: ReadonlyMap<string, number>,
): TruthRow {
  const row = books.payments.find(entry => entry.paymentId === paymentId);
  const ours: Side | null = row
    ? {
        state: row.state,
        amountMinor: row.state === 'captured' ? row.capturedMinor : (known.get(paymentId) ?? row.capturedMinor),
        currency: row.currency,
        asOf: row.asOf,
      }
    : null;
  const theirs: Side | null = payment
    ? {
        state: payment.state,
        amountMinor: payment.amountMinor,
        currency: payment.currency,
        asOf: payment.occurredAt ?? null,
      }
    : null;
  const own = { what: 'payment' as const, id: paymentId, paymentId, ours, theirs };
  if (!theirs) return { ...own, differs: ['the provider did not tell of it'] };
  // An attempt that came to nothing moves no money: we keep it as an attempt, not as a payment.
  if (!ours)
    return {
      ...own,
      differs: theirs.state === 'captured' || theirs.state === 'authorized' ? ['it is not in our books'] : [],
    };
  return { ...own, differs: differences(ours, theirs) };
}

function differences(ours: Side, theirs: Side): string[] {
  const state = SAME_STATE[theirs.state] ?? theirs.state;
  const knowsAmount = ours.state !== 'unseen' && ours.amountMinor > 0;
  return [
    ours.state === state ? '' : `state: ${ours.state} here, ${theirs.state} there`,
    knowsAmount && ours.amountMinor !== theirs.amountMinor ? 'amount' : '',
    ours.currency === theirs.currency ? '' : 'currency',
  ].filter(entry => entry !== '');
}

type Back = { id: string; state: string; amountMinor: number; asOf: string | null; currency: string };

const refundsOf = ({ refunds, currency }: ProviderPayment): Back[] | undefined =>
  refunds?.map(({ refundId, state, amountMinor, occurredAt = null }) => ({
    id: refundId,
    state,
    amountMinor,
    currency,
    asOf: occurredAt,
  }));
const disputesOf = ({ disputes, currency }: ProviderPayment): Back[] | undefined =>
  disputes?.map(({ disputeId, state, amountMinor, occurredAt = null }) => ({
    id: disputeId,
    state,
    amountMinor,
    currency,
    asOf: occurredAt,
  }));

/** `theirs` is undefined where the provider tells none with its payments: then there is nothing to compare with. */
function movedBackRows(
  what: 'refund' | 'dispute',
  paymentId: string,
  books: Books['refunds'],
  theirs: Back[] | undefined,
): TruthRow[] {
  const ours = books.filter(entry => entry.paymentId === paymentId);
  const ids = new Set([...ours.map(({ id }) => id), ...(theirs ?? []).map(({ id }) => id)]);
  return [...ids].map(id => {
    const here = ours.find(entry => entry.id === id) ?? null;
    const there = theirs?.find(entry => entry.id === id) ?? null;
    const own = { what, id, paymentId, ours: here, theirs: there };
    if (theirs === undefined) return { ...own, differs: [] };
    // Refunds of ours that were never sent have a name of ours, which no provider knows.
    if (!there) return { ...own, differs: isUnsentRefund(id) ? [] : ['the provider did not tell of it'] };
    if (!here) return { ...own, differs: ['it is not in our books'] };
    return { ...own, differs: differences(here, there) };
  });
}
