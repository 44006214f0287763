// What an order knows about money: one record for each payment, which holds the provider's state of it and never a running
// sum. So a fact may come twice, late, or before the payment it belongs to, and every order of arrival ends in the same
// record (decision 0004).
import { z } from 'zod';
import type { DisputeFact, PaymentFact, RefundFact } from './orderEvents.ts';

const minor = z.int().min(0);

const movedBackSchema = z.object({
  id: z.string(),
  state: z.enum(['pending', 'completed', 'failed', 'opened', 'won', 'lost']),
  amountMinor: minor,
  /** The provider's time of this state; null where it told none. */
  asOf: z.string().nullable(),
  /** The key of our own effect that asked for it, known once the provider's answer has told it. */
  requestKey: z.string().optional(),
});
/** The state of one refund or dispute. */
export type MovedBack = z.infer<typeof movedBackSchema>;

const askedRefundSchema = z.object({ key: z.string(), amountMinor: minor });
type AskedRefund = z.infer<typeof askedRefundSchema>;

export const paymentRecordSchema = z.object({
  paymentId: z.string(),
  /** `unseen`: only a refund or dispute has told of it so far. */
  state: z.enum(['unseen', 'authorized', 'captured', 'voided', 'failed']),
  /** What was captured or, before that, authorised. */
  amountMinor: minor,
  currency: z.string(),
  /** True when amount, currency, account and mode are exactly the order's: only then it pays for the order. */
  fits: z.boolean(),
  asOf: z.string().nullable(),
  refunds: z.array(movedBackSchema),
  disputes: z.array(movedBackSchema),
  /** Refunds we have asked for and know no answer to, by the key of their effect: their money is set aside. */
  asked: z.array(askedRefundSchema).default([]),
});
export type PaymentRecord = z.infer<typeof paymentRecordSchema>;

/** What a payment must match, fixed when the order was made. */
export type Terms = { amountMinor: number; currency: string; account: string | null; live: boolean };

export type MoneyFact = PaymentFact | RefundFact | DisputeFact;

/**
 * True when amount, currency, account and mode are the order's. What the event does not say of account and mode is
 * taken as fitting: the adapter that sent it is bound to one of each.
 */
export function fits(terms: Terms, fact: PaymentFact): boolean {
  return (
    fact.amountMinor === terms.amountMinor &&
    fact.currency === terms.currency &&
    (fact.account === undefined || fact.account === terms.account) &&
    (fact.live === undefined || fact.live === terms.live)
  );
}

/** The records after this fact. The same array comes back when the fact adds nothing. */
export function hear(terms: Terms, payments: PaymentRecord[], fact: MoneyFact): PaymentRecord[] {
  const index = payments.findIndex(payment => payment.paymentId === fact.paymentId);
  const before = payments[index] ?? unseen(fact.paymentId, terms.currency);
  const after = hearOne(terms, before, fact);
  if (after === before) return payments;
  return index < 0 ? [...payments, after] : payments.with(index, after);
}

function unseen(paymentId: string, currency: string): PaymentRecord {
  return {
    paymentId,
    state: 'unseen',
    amountMinor: 0,
    currency,
    fits: false,
    asOf: null,
    refunds: [],
    disputes: [],
    asked: [],
  };
}

function hearOne(terms: Terms, payment: PaymentRecord, fact: MoneyFact): PaymentRecord {
  if (fact.type === 'refund.updated') {
    const refunds = hearMovedBack(payment.refunds, {
      id: fact.refundId,
      state: fact.state,
      amountMinor: fact.amountMinor,
      asOf: fact.occurredAt ?? null,
      ...(fact.requestKey !== undefined && { requestKey: fact.requestKey }),
    });
    const asked = answered(payment.asked, fact.requestKey);
    return refunds === payment.refunds && asked === payment.asked ? payment : { ...payment, refunds, asked };
  }
  if (fact.type === 'dispute.updated') {
    const disputes = hearMovedBack(payment.disputes, {
      id: fact.disputeId,
      state: fact.state,
      amountMinor: fact.amountMinor,
      asOf: fact.occurredAt ?? null,
    });
    return disputes === payment.disputes ? payment : { ...payment, disputes };
  }
  return fact.type === 'payment.captured' ? hearCaptured(terms, payment, fact) : hearAuthorized(terms, payment, fact);
}

function hearCaptured(terms: Terms, payment: PaymentRecord, fact: PaymentFact): PaymentRecord {
  const fitting = fits(terms, fact);
  const heard = { state: 'captured' as const, currency: fact.currency, asOf: fact.occurredAt ?? null };
  if (payment.state !== 'captured') return { ...payment, ...heard, amountMinor: fact.amountMinor, fits: fitting };
  // Captured amounts only grow. A payment that fitted once pays for the order for good: an odd amount that is told later
  // raises an alert, but takes nothing away from the customer.
  const sameMoney = payment.currency === fact.currency;
  const grown = sameMoney ? Math.max(payment.amountMinor, fact.amountMinor) : payment.amountMinor;
  if (fitting && !payment.fits)
    return { ...payment, ...heard, amountMinor: sameMoney ? grown : fact.amountMinor, fits: true };
  return grown === payment.amountMinor ? payment : { ...payment, amountMinor: grown };
}

function hearAuthorized(terms: Terms, payment: PaymentRecord, fact: PaymentFact): PaymentRecord {
  if (payment.state === 'captured' || payment.state === 'voided') return payment;
  if (payment.state === 'authorized' && payment.amountMinor === fact.amountMinor) return payment;
  return {
    ...payment,
    state: 'authorized',
    amountMinor: fact.amountMinor,
    currency: fact.currency,
    fits: fits(terms, fact),
    asOf: fact.occurredAt ?? null,
  };
}

/**
 * What is still set aside once this request was answered. The answer counts even when the refund itself was heard of
 * before.
 */
function answered(asked: AskedRefund[], key: string | undefined): AskedRefund[] {
  return asked.some(entry => entry.key === key) ? asked.filter(entry => entry.key !== key) : asked;
}

/** In which order one refund or dispute passes through its states, for providers that tell no time with them. */
const RANK = { pending: 0, completed: 1, failed: 2, opened: 0, lost: 1, won: 2 } as const;

/**
 * True when `told` is newer than what is `known`. The provider's times decide; without them, the order in which states
 * usually follow.
 */
export function isNewer(told: MovedBack, known: MovedBack | undefined): boolean {
  if (!known) return true;
  if (told.asOf !== null && known.asOf !== null && told.asOf !== known.asOf) return told.asOf > known.asOf;
  return RANK[told.state] > RANK[known.state];
}

function hearMovedBack(list: MovedBack[], told: MovedBack): MovedBack[] {
  const index = list.findIndex(entry => entry.id === told.id);
  const known = list[index];
  if (!known) return [...list, told];
  // Only the answer to our own request says who asked for it. That stays true whatever is heard before or after.
  const requestKey = told.requestKey ?? known.requestKey;
  const isNews = isNewer(told, known);
  if (!isNews && requestKey === known.requestKey) return list;
  return list.with(index, { ...(isNews ? told : known), ...(requestKey !== undefined && { requestKey }) });
}

/** The state of this very refund or dispute as known, to tell a repetition from something older. */
export function knownState(payments: PaymentRecord[], fact: RefundFact | DisputeFact): string | undefined {
  const payment = payments.find(entry => entry.paymentId === fact.paymentId);
  const [list, id] =
    fact.type === 'refund.updated' ? [payment?.refunds, fact.refundId] : [payment?.disputes, fact.disputeId];
  return list?.find(entry => entry.id === id)?.state;
}

const sum = (list: MovedBack[], state: MovedBack['state']) =>
  list.reduce((total, entry) => (entry.state === state ? total + entry.amountMinor : total), 0);

export const refundedMinor = (payment: PaymentRecord) => sum(payment.refunds, 'completed');
export const lostMinor = (payment: PaymentRecord) => sum(payment.disputes, 'lost');

/** It pays for this order: captured, and exactly what the order costs. */
export const counts = (payment: PaymentRecord) => payment.state === 'captured' && payment.fits;

/**
 * captured − refunded − disputes lost, over the payments that count. A payment of which more went back than came (refunded
 * and charged back) brings nothing, not less: it must not unpay the order that another payment still pays for, and what is
 * heard of a payment before its capture must not turn the capture into a loss.
 */
export function net(payments: PaymentRecord[]): number {
  return payments.filter(counts).reduce((total, payment) => total + heldMinor(payment), 0);
}

/** Captured money of this payment that has not gone back, whether it fits or not. */
export function heldMinor(payment: PaymentRecord): number {
  if (payment.state !== 'captured') return 0;
  return Math.max(0, payment.amountMinor - refundedMinor(payment) - lostMinor(payment));
}

/** Money that is on its way back, or was asked to go: it has not left us yet, and must not be sent twice. */
export function underWayMinor(payment: PaymentRecord): number {
  return sum(payment.refunds, 'pending') + payment.asked.reduce((total, { amountMinor }) => total + amountMinor, 0);
}

/** Captured money that may still be sent back: what is under way already is taken off. */
export function refundableMinor(payment: PaymentRecord): number {
  return Math.max(0, heldMinor(payment) - underWayMinor(payment));
}

/**
 * True when nothing captured is left with us: such an order may be cancelled, and one that was parked for its money
 * need not wait any longer.
 */
export const holdsNothing = (payments: PaymentRecord[]) => payments.every(payment => heldMinor(payment) === 0);

/** An authorisation that was given back without ever being captured: the provider's auto-refund. */
export function wasReturned(payments: PaymentRecord[], paymentId: string, amountMinor: number): boolean {
  const payment = payments.find(entry => entry.paymentId === paymentId);
  return payment !== undefined && payment.state !== 'captured' && refundedMinor(payment) >= amountMinor;
}
