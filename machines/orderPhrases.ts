// The phrases of the order chart: what it answers, and the cells that several states share.
import { amountText } from './amountText.ts';
import { heldMinor, refundableMinor, underWayMinor } from './money.ts';
import { MAX_PAYMENTS } from './orderContext.ts';
import {
  alert,
  askLater,
  close,
  followRefund,
  mismatchSentence,
  openSurplus,
  refund,
  settleSurplus,
  voidReservations,
  voidThis,
} from './orderEffects.ts';
import type { Answer, Asked, GrantParams } from './orderSetup.ts';

const answer = (verdict: Answer['verdict'], detail?: string) =>
  ({ type: 'answer', params: { verdict, detail } }) as const;
const answerWith = (verdict: Answer['verdict'], detail: (asked: Asked) => string) =>
  ({ type: 'answer', params: (asked: Asked): Answer => ({ verdict, detail: detail(asked) }) }) as const;
export const says = (verdict: Answer['verdict'], detail?: string) => ({ actions: [answer(verdict, detail)] }) as const;
export const grant = (change: GrantParams['change']) => ({ type: 'grant', params: { change } }) as const;

export const mismatch = ['hear', answerWith('mismatch', mismatchSentence), alert('mismatch')] as const;
const PAID_BY_ANOTHER = 'the order is already paid by another payment';
export const surplus = ['hear', answer('surplus', PAID_BY_ANOTHER), settleSurplus] as const;
const surplusReserved = ['hear', answer('surplus', PAID_BY_ANOTHER), voidThis] as const;
/** Without `hear`: the payment will belong to another order, and a payment stands in one order's books only. */
const surplusPassedOn = ['passOn', answer('surplus', PAID_BY_ANOTHER), openSurplus, alert('surplus')] as const;
const PASSED_ON = 'the payment was passed on, to become an order of its own';

/** The payment belongs to another order. This one neither books it nor waits for it, but somebody has to look at it. */
export const elsewhere = {
  guard: 'belongsElsewhere',
  actions: [answerWith('mismatch', mismatchSentence), alert('mismatch')],
} as const;

// Cells that several states share.
export const known = { guard: 'nothingNew', ...says('duplicate') } as const;
/** A payment that was passed on is known, whoever it belongs to by now. */
const passedOn = { guard: 'passedOn', ...says('duplicate', PASSED_ON) } as const;
/** News of a payment that was passed on is kept for the payment's own order, which may not be open yet. */
const keptForItsOrder = { guard: 'passedOn', ...says('unmatched', PASSED_ON) } as const;
export const tooManyPayments = {
  guard: 'tooManyPayments',
  ...says('stale', `the order has heard of ${MAX_PAYMENTS} payments and takes no further authorisation`),
} as const;
export const toldBefore = [{ guard: 'olderFact', ...says('stale') }, known] as const;
export const heard = { actions: [followRefund, 'hear'] } as const;
const heardDispute = { actions: ['hear', alert('dispute')] } as const;
export const recorded = {
  'refund.updated': [...toldBefore, heard],
  'dispute.updated': [...toldBefore, heardDispute],
} as const;
const opened = ['open', askLater] as const;
const openedAgain = { guard: 'openedAsThis', ...says('duplicate') } as const;
export const opening = [openedAgain, { guard: 'notOpened', actions: opened }, says('stale')] as const;
/** Opened only after the order had ended: recorded, and closed again so that nobody pays for nothing. */
export const openedLate = [
  openedAgain,
  { guard: 'notOpened', actions: [...opened, 'noteClosed', close] },
  says('stale'),
] as const;
export const noGrantYet = { 'grant.recorded': says('stale') } as const;
export const noDeadline = { 'deadline.passed': says('stale') } as const;
export const lateAttempts = {
  'payment.failed': says('stale'),
  'payment.canceled': says('stale'),
  'checkout.refused': says('stale'),
} as const;
export const noRefund = (detail: string) => ({ 'refund.requested': says('illegal', detail) }) as const;
export const rearmOr = (detail: string) =>
  [{ guard: 'effectIsDead', actions: ['rearmDead'] }, says('illegal', detail)] as const;
/**
 * Refunds, or says why not: with the sentence `nothingHeld` where no captured money is left at all, otherwise with the
 * amounts.
 */
export const refundOr = (nothingHeld: string) =>
  [
    { guard: 'refundable', actions: [refund] },
    { actions: [answerWith('illegal', asked => refundRefused(asked, nothingHeld))] },
  ] as const;
export const NOTHING_TO_RETRY = 'nothing has failed that could be tried again';
export const NOTHING_TO_REFUND = 'no captured payment holds money';
export const REFUND_INSTEAD = 'the money has arrived; request a refund instead';

function refundRefused({ context, event }: Asked, nothingHeld: string): string {
  const holding = context.payments.filter(payment => heldMinor(payment) > 0);
  const named = event.type === 'refund.requested' ? event.paymentId : undefined;
  if (named !== undefined && context.passedOn.includes(named)) return `payment ${named}: ${PASSED_ON}`;
  const payment = named === undefined ? holding.at(-1) : holding.find(({ paymentId }) => paymentId === named);
  if (payment) {
    const { paymentId, currency } = payment;
    const [can, held, underWay] = [refundableMinor, heldMinor, underWayMinor].map(of =>
      amountText(of(payment), currency),
    );
    return `${can} of payment ${paymentId} can be refunded: ${held} are held, ${underWay} of them on their way back`;
  }
  return named === undefined || holding.length === 0
    ? nothingHeld
    : `payment ${named} holds no captured money of this order`;
}

/** An unpaid order is paid: it moves on, or, if the money has gone back before we heard of it, straight to refunded. */
export const paid = [
  elsewhere,
  known,
  { guard: 'fitsAndPays', target: 'captured', actions: ['hear'] },
  { guard: 'fits', target: 'refunded', actions: ['hear'] },
] as const;
/** As `paid`, while other payments are reserved: those are let go. */
export const paidWhileReserved = [
  elsewhere,
  known,
  { guard: 'paysBesideReservations', target: 'captured', actions: ['hear', voidReservations, 'voidReservations'] },
  { guard: 'fitsBesideReservations', target: 'refunded', actions: ['hear', voidReservations, 'voidReservations'] },
  ...paid,
] as const;
export const anotherReserved = { guard: 'fits', actions: surplusReserved } as const;
export const oddPayment = [
  { guard: 'oddMoneyIsBack', target: 'failed', actions: mismatch },
  { target: 'parked', actions: mismatch },
] as const;
/** A granted order hears of money again: more of it is surplus, and what is odd stays odd. */
export const paidAgain = {
  'payment.authorized': [
    passedOn,
    elsewhere,
    { guard: 'isCapturedPayment', ...says('stale') },
    known,
    tooManyPayments,
    anotherReserved,
    { actions: mismatch },
  ],
  'payment.captured': [
    passedOn,
    elsewhere,
    known,
    { guard: 'passesOn', actions: surplusPassedOn },
    { guard: 'fits', actions: surplus },
    { actions: mismatch },
  ],
  'refund.updated': [
    keptForItsOrder,
    ...toldBefore,
    { guard: 'moneyGone', target: 'refunded', actions: ['hear'] },
    heard,
  ],
  'dispute.updated': [
    keptForItsOrder,
    ...toldBefore,
    { guard: 'moneyGone', target: 'refunded', actions: ['hear', alert('dispute')] },
    heardDispute,
  ],
} as const;
/** The money has gone back; the net rule alone decides whether any of it is ours again. */
export const moneyReturns = {
  'payment.authorized': paidAgain['payment.authorized'],
  'payment.captured': [
    passedOn,
    elsewhere,
    known,
    { guard: 'fitsMoneyBackAgain', target: 'subscribed', actions: [...surplus, grant('restore')] },
    { guard: 'fitsAndPays', target: 'captured', actions: surplus },
    { guard: 'fits', actions: surplus },
    // More of a payment that counts was captured than was known when it went back: some of its money is ours again.
    { guard: 'moneyBackAgain', target: 'subscribed', actions: [...mismatch, grant('restore')] },
    { guard: 'moneyLeft', target: 'captured', actions: mismatch },
    { actions: mismatch },
  ],
  'refund.updated': [
    keptForItsOrder,
    ...toldBefore,
    { guard: 'moneyBackAgain', target: 'subscribed', actions: [...heard.actions, grant('restore')] },
    { guard: 'moneyLeft', target: 'captured', actions: heard.actions },
    heard,
  ],
  'dispute.updated': [
    keptForItsOrder,
    ...toldBefore,
    { guard: 'moneyBackAgain', target: 'subscribed', actions: [...heardDispute.actions, grant('restore')] },
    { guard: 'moneyLeft', target: 'captured', actions: heardDispute.actions },
    heardDispute,
  ],
} as const;
