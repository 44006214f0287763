// The order chart, in the order an order lives: created → authorized → captured → subscribed, and failed; beside them
// parked (a human must decide) and refunded (the money went back). No state is final: an order can always hear more.
// A cell that answers without moving says so with `answer`; a cell that says nothing else answers `applied`.
import {
  alert,
  capture,
  close,
  elsewhere,
  grant,
  heard,
  known,
  lateAttempts,
  mismatch,
  NOTHING_TO_REFUND,
  NOTHING_TO_RETRY,
  noDeadline,
  noGrantYet,
  noRefund,
  notify,
  openedLate,
  openedWhilePaid,
  opening,
  REFUND_INSTEAD,
  rearmOr,
  reconcile,
  recorded,
  refundOr,
  says,
  surplus,
  surplusReserved,
  toldBefore,
  voidAuthorized,
  voidReserved,
} from './orderPhrases.ts';
import { orderContextOf, orderSetup } from './orderSetup.ts';

export const ORDER_MACHINE_ID = 'order.v1';
export const ORDER_STATES = [
  'created',
  'authorized',
  'captured',
  'subscribed',
  'failed',
  'parked',
  'refunded',
] as const;
export type OrderStateName = (typeof ORDER_STATES)[number];

/** An unpaid order is paid: it moves on, or, if the money has gone back before we heard of it, straight to refunded. */
const paid = [
  elsewhere,
  known,
  { guard: 'fitsAndPays', target: 'captured', actions: ['hear'] },
  { guard: 'fits', target: 'refunded', actions: ['hear'] },
] as const;
/** The same while another payment is reserved: that one is let go. */
const paidWhileReserved = [
  elsewhere,
  known,
  { guard: 'anotherPays', target: 'captured', actions: ['hear', voidAuthorized, 'voidAuthorization'] },
  { guard: 'anotherFits', target: 'refunded', actions: ['hear', voidAuthorized, 'voidAuthorization'] },
  ...paid,
] as const;
const oddPayment = [
  { guard: 'oddMoneyIsBack', target: 'failed', actions: mismatch },
  { target: 'parked', actions: mismatch },
] as const;
/** A granted order hears of money again: more of it is surplus, and what is odd stays odd. */
const paidAgain = {
  'payment.authorized': [
    elsewhere,
    { guard: 'isCapturedPayment', ...says('stale') },
    known,
    { guard: 'fits', actions: surplusReserved },
    { actions: mismatch },
  ],
  'payment.captured': [elsewhere, known, { guard: 'fits', actions: surplus }, { actions: mismatch }],
  'refund.updated': [...toldBefore, { guard: 'moneyGone', target: 'refunded', actions: ['hear'] }, heard],
  'dispute.updated': [
    ...toldBefore,
    { guard: 'moneyGone', target: 'refunded', actions: ['hear', alert('dispute')] },
    { actions: ['hear', alert('dispute')] },
  ],
} as const;
const moneyReturns = [
  { guard: 'moneyBackAgain', target: 'subscribed', actions: ['hear', grant('restore')] },
  { guard: 'moneyLeft', target: 'captured', actions: ['hear'] },
] as const;

export const orderChart = orderSetup.createMachine({
  id: ORDER_MACHINE_ID,
  context: orderContextOf,
  initial: 'created',
  states: {
    created: {
      always: { guard: 'costsNothing', target: 'captured' },
      after: { paymentWindow: { target: 'failed', actions: ['noteClosed', close] } },
      on: {
        'checkout.opened': opening,
        'checkout.refused': [{ guard: 'notOpened', target: 'failed' }, says('stale')],
        'payment.authorized': [
          elsewhere,
          { guard: 'givenBackAlready', ...says('stale') },
          { guard: 'fits', target: 'authorized', actions: ['hear', 'awaitCapture'] },
          { target: 'parked', actions: mismatch },
        ],
        'payment.captured': [...paid, ...oddPayment],
        'payment.failed': { target: 'failed', actions: ['noteAttempt'] },
        'payment.canceled': { target: 'failed', actions: ['noteAttempt'] },
        ...recorded,
        'cancel.requested': { target: 'failed', actions: ['noteClosed', close] },
        ...noRefund('nothing was captured; cancel instead'),
        'retry.requested': rearmOr(NOTHING_TO_RETRY),
        ...noGrantYet,
        ...noDeadline,
      },
    },
    authorized: {
      entry: [capture],
      after: {
        captureWindow: [
          { guard: 'mayAskAgain', target: 'authorized', reenter: true, actions: ['noteAsked', reconcile] },
          { target: 'parked', actions: [alert('unanswered')] },
        ],
      },
      on: {
        'checkout.opened': openedWhilePaid,
        'checkout.refused': says('stale'),
        'payment.authorized': [
          elsewhere,
          known,
          { guard: 'fits', actions: surplusReserved },
          { target: 'parked', actions: mismatch },
        ],
        'payment.captured': [
          ...paidWhileReserved,
          { guard: 'oddMoneyIsBackWhileReserved', actions: mismatch },
          ...oddPayment,
        ],
        // An attempt that ends while a wrong payment is held leaves a human to decide about that one.
        'payment.failed': [
          { guard: 'isTheAuthorizationMoneyHeld', target: 'parked', actions: ['noteAttempt', 'dropAuthorization'] },
          { guard: 'isTheAuthorization', target: 'failed', actions: ['noteAttempt', 'dropAuthorization'] },
          says('stale'),
        ],
        'payment.canceled': [
          { guard: 'isTheAuthorizationMoneyHeld', target: 'parked', actions: ['noteAttempt', 'voidAuthorization'] },
          { guard: 'isTheAuthorization', target: 'failed', actions: ['noteAttempt', 'voidAuthorization'] },
          says('stale'),
        ],
        'refund.updated': [
          ...toldBefore,
          { guard: 'authorizationGivenBackMoneyHeld', target: 'parked', actions: ['hear', 'voidAuthorization'] },
          { guard: 'authorizationGivenBack', target: 'failed', actions: ['hear', 'voidAuthorization'] },
          heard,
        ],
        'dispute.updated': recorded['dispute.updated'],
        'cancel.requested': [
          { guard: 'moneyHeld', target: 'parked', actions: [voidAuthorized, 'voidAuthorization', 'noteClosed'] },
          { target: 'failed', actions: [voidAuthorized, 'voidAuthorization', 'noteClosed'] },
        ],
        ...noRefund('nothing was captured; cancel instead'),
        'retry.requested': rearmOr(NOTHING_TO_RETRY),
        ...noGrantYet,
        ...noDeadline,
      },
    },
    captured: {
      after: { grantOverdue: { target: 'captured', reenter: true, actions: ['noteGrantTry', alert('grant_overdue')] } },
      on: {
        'grant.recorded': { target: 'subscribed', actions: ['noteGranted', grant('give')] },
        'checkout.opened': openedWhilePaid,
        ...lateAttempts,
        ...paidAgain,
        'cancel.requested': says('illegal', REFUND_INSTEAD),
        'refund.requested': refundOr(NOTHING_TO_REFUND),
        'retry.requested': { target: 'captured', reenter: true },
        ...noDeadline,
      },
    },
    subscribed: {
      entry: [notify('order.subscribed')],
      on: {
        'grant.recorded': says('duplicate'),
        'checkout.opened': openedWhilePaid,
        ...lateAttempts,
        ...paidAgain,
        'cancel.requested': says('illegal', REFUND_INSTEAD),
        'refund.requested': refundOr(NOTHING_TO_REFUND),
        'retry.requested': rearmOr(NOTHING_TO_RETRY),
        ...noDeadline,
      },
    },
    failed: {
      entry: [notify('order.failed')],
      on: {
        'checkout.opened': openedLate,
        'checkout.refused': says('stale'),
        'payment.authorized': [
          elsewhere,
          known,
          { guard: 'givenBackAlready', ...says('stale') },
          { guard: 'olderThanItsFailure', ...says('stale') },
          { guard: 'fits', target: 'authorized', actions: ['hear', 'awaitCapture'] },
          { target: 'parked', actions: mismatch },
        ],
        'payment.captured': [...paid, ...oddPayment],
        'payment.failed': [
          { guard: 'attemptKnown', ...says('duplicate') },
          { guard: 'tooManyAttempts', ...says('stale', 'too many failed attempts on this order') },
          { actions: ['noteAttempt'] },
        ],
        'payment.canceled': says('stale'),
        // What a wrong payment had given back is ours again: somebody must decide about it after all.
        'refund.updated': [
          ...toldBefore,
          { guard: 'moneyHeld', target: 'parked', actions: ['hear', alert('mismatch')] },
          heard,
        ],
        'dispute.updated': [
          ...toldBefore,
          { guard: 'moneyHeld', target: 'parked', actions: ['hear', alert('dispute')] },
          { actions: ['hear', alert('dispute')] },
        ],
        'cancel.requested': [{ guard: 'closedAlready', ...says('duplicate') }, { actions: ['noteClosed', close] }],
        ...noRefund('the order holds no captured money'),
        'retry.requested': rearmOr(NOTHING_TO_RETRY),
        ...noGrantYet,
        ...noDeadline,
      },
    },
    parked: {
      entry: [notify('order.stuck')],
      on: {
        'checkout.opened': openedWhilePaid,
        ...lateAttempts,
        'payment.authorized': [
          elsewhere,
          known,
          { guard: 'fits', target: 'authorized', actions: ['hear', 'awaitCapture'] },
          { actions: mismatch },
        ],
        'payment.captured': [...paidWhileReserved, { actions: mismatch }],
        'refund.updated': [
          ...toldBefore,
          { guard: 'onlyTheReservationStands', target: 'authorized', actions: ['hear'] },
          { guard: 'allMoneyIsBack', target: 'failed', actions: ['hear'] },
          heard,
        ],
        'dispute.updated': [
          ...toldBefore,
          { guard: 'onlyTheReservationStands', target: 'authorized', actions: ['hear', alert('dispute')] },
          { guard: 'allMoneyIsBack', target: 'failed', actions: ['hear', alert('dispute')] },
          { actions: ['hear', alert('dispute')] },
        ],
        'cancel.requested': [
          { guard: 'onlyReserves', target: 'failed', actions: [voidReserved, 'noteClosed', close] },
          { guard: 'holdsNothing', target: 'failed', actions: ['noteClosed', close] },
          says('illegal', 'money is held; refund it first'),
        ],
        'refund.requested': refundOr(NOTHING_TO_REFUND),
        'retry.requested': [
          { guard: 'effectIsDead', actions: ['rearmDead'] },
          { guard: 'authorizationStands', target: 'authorized', actions: ['awaitCapture'] },
          { guard: 'causeIsGone', target: 'failed' },
          says('illegal', 'a payment that is not what the order costs is still held; refund it first'),
        ],
        ...noGrantYet,
        ...noDeadline,
      },
    },
    refunded: {
      entry: [grant('revoke'), notify('order.refunded')],
      on: {
        'checkout.opened': openedWhilePaid,
        ...lateAttempts,
        'payment.authorized': paidAgain['payment.authorized'],
        'payment.captured': [
          elsewhere,
          known,
          { guard: 'fitsMoneyBackAgain', target: 'subscribed', actions: [...surplus, grant('restore')] },
          { guard: 'fitsAndPays', target: 'captured', actions: surplus },
          { guard: 'fits', actions: surplus },
          // More of a payment that counts than was known when it went back: the net rule asks for all of it.
          { guard: 'moneyBackAgain', target: 'subscribed', actions: [...mismatch, grant('restore')] },
          { guard: 'moneyLeft', target: 'captured', actions: mismatch },
          { actions: mismatch },
        ],
        'refund.updated': [...toldBefore, ...moneyReturns, heard],
        'dispute.updated': [...toldBefore, ...moneyReturns, { actions: ['hear', alert('dispute')] }],
        'cancel.requested': says('illegal', 'the money has gone back already'),
        'refund.requested': refundOr('the money has gone back already'),
        'retry.requested': rearmOr(NOTHING_TO_RETRY),
        ...noGrantYet,
        ...noDeadline,
      },
    },
  },
});
