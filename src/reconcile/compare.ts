// One payment as its provider knows it beside what we know of it: what is news to us, what contradicts us, and what no
// event could explain. Pure: the same two sides always give the same answer.
import type { KnownPayment } from '../../db/knownPayments.ts';
import type { MovedBackWrite } from '../../db/writes.ts';
import { isNewer, type MovedBack } from '../../machines/money.ts';
import type { UnstampedOrderEvent } from '../../machines/orderEvents.ts';
import type { Envelope } from '../dispatch/envelope.ts';
import type { MoneyBack, PaymentProvider, ProviderPayment } from '../providers/provider.ts';
import { learned, learnedMoneyBack } from './learned.ts';

/**
 * What the provider's list can find and no event explains:
 * `payment_without_order`: money with our mark, and no such order; `payment_not_counted`: money of an order of ours that
 * the order's books do not show, or that does not pay for it while nobody is asked; `payment_not_at_provider`: money in our
 * books that the provider does not have.
 */
export type FindingKind = 'payment_without_order' | 'payment_not_counted' | 'payment_not_at_provider';

/** Verdicts that an event keeps for ever; telling it again would only be counted. */
const FINAL = new Set(['applied', 'duplicate', 'stale', 'mismatch', 'surplus', 'ignored']);

/** The facts of this payment that dispatch has not heard yet. Empty when all is as we know it. */
export function newsOf(provider: string, payment: ProviderPayment, known: KnownPayment): Envelope[] {
  const isMoney = payment.state === 'captured' || payment.state === 'authorized';
  return known.orderId === null && !isMoney ? [] : unheard(learned(provider, payment), known);
}

/** The same of what was told apart from its payment. */
export const newsOfMoneyBack = (provider: string, told: MoneyBack, known: KnownPayment): Envelope[] =>
  unheard(learnedMoneyBack(provider, told), known);

function unheard(facts: Envelope[], known: KnownPayment): Envelope[] {
  return facts.filter(({ event, eventKey }) => {
    const verdict = known.verdicts[eventKey];
    if (verdict !== undefined && FINAL.has(verdict)) return false;
    // What is kept is the sweeper's to try again; once its order is here, it is decided at once.
    if (verdict !== undefined && (verdict === 'parked' || known.orderId === null)) return false;
    return event !== null && !isKnown(event, known);
  });
}

/** The fact changes nothing in what we know. */
function isKnown(event: UnstampedOrderEvent, { payment, refunds, disputes, attempted }: KnownPayment): boolean {
  switch (event.type) {
    case 'payment.captured':
      return (
        payment?.state === 'captured' &&
        payment.currency === event.currency &&
        payment.capturedMinor >= event.amountMinor
      );
    case 'payment.authorized':
      return payment !== null && ['authorized', 'captured', 'voided'].includes(payment.state);
    case 'payment.failed':
    case 'payment.canceled':
      return attempted || (payment !== null && ['captured', 'voided', 'failed'].includes(payment.state));
    case 'refund.updated':
      return !goesBeyond(refunds, { ...event, id: event.refundId });
    case 'dispute.updated':
      return !goesBeyond(disputes, { ...event, id: event.disputeId });
    default:
      return true;
  }
}

function goesBeyond(
  known: MovedBackWrite[],
  told: { id: string; state: MovedBack['state']; amountMinor: number; occurredAt?: string | undefined },
): boolean {
  const { id, state, amountMinor, occurredAt = null } = told;
  const before = known.find(entry => entry.id === id) as MovedBack | undefined;
  return isNewer({ id, state, amountMinor, asOf: occurredAt }, before);
}

/**
 * We hold money of this payment that the provider says it never took. Facts cannot undo a capture: it is asked for
 * again.
 */
export function contradicts(payment: ProviderPayment, known: KnownPayment): boolean {
  return payment.state !== 'captured' && heldByUs(known) > 0;
}

/** What stays unexplained once the events are decided; null when both sides agree, or an event or order says why not. */
export function findingOf(
  provider: PaymentProvider,
  payment: ProviderPayment,
  known: KnownPayment,
): FindingKind | null {
  if (contradicts(payment, known)) return 'payment_not_at_provider';
  if (heldByProvider(payment) <= 0) return null;
  if (known.orderId === null) return payment.orderId !== null || provider.onlyOurs ? 'payment_without_order' : null;
  const facts = learned(provider.name, payment).flatMap(({ event }) => (event ? [event] : []));
  if (facts.some(event => movesMoney(event) && !isKnown(event, known))) return 'payment_not_counted';
  // A parked order waits for a person already; its money is what it is parked for.
  return !known.payment?.counts && known.orderState !== 'parked' && heldByUs(known) > 0 ? 'payment_not_counted' : null;
}

function movesMoney(event: UnstampedOrderEvent): boolean {
  if (event.type === 'refund.updated') return event.state === 'completed';
  if (event.type === 'dispute.updated') return event.state === 'lost';
  return event.type === 'payment.captured';
}

const heldByUs = ({ payment }: KnownPayment) =>
  payment ? payment.capturedMinor - payment.refundedMinor - payment.lostMinor : 0;

function heldByProvider({ state, amountMinor, refunds = [] }: ProviderPayment): number {
  if (state !== 'captured') return 0;
  const back = refunds.filter(refund => refund.state === 'completed');
  return back.reduce((left, refund) => left - refund.amountMinor, amountMinor);
}
