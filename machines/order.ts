// The order chart, in the order an order lives: created → authorized → captured → subscribed, and failed; beside them
// parked (a human must decide) and refunded (the money went back). No state is final: an order can always hear more.
// A cell that answers without moving says so with `answer`; a cell that says nothing else answers `applied`.
import {
  alert,
  alertOfLateCapture,
  capture,
  close,
  followRefund,
  notify,
  notifyStuck,
  reconcile,
  tellOfMissingGrant,
  voidReservations,
} from './orderEffects.ts';
import {
  anotherReserved,
  elsewhere,
  grant,
  heard,
  known,
  lateAttempts,
  mismatch,
  moneyReturns,
  NOTHING_TO_REFUND,
  NOTHING_TO_RETRY,
  noDeadline,
  noGrantYet,
  noRefund,
  oddPayment,
  openedLate,
  opening,
  paid,
  paidAgain,
  paidWhileReserved,
  REFUND_INSTEAD,
  rearmOr,
  recorded,
  refundOr,
  says,
  toldBefore,
  tooManyPayments,
} from './orderPhrases.ts';
import { orderContextOf, orderSetup } from './orderSetup.ts';

export const ORDER_MACHINE_ID = 'order.v1';

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
          tooManyPayments,
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
          {
            guard: 'mayAskAgain',
            target: 'authorized',
            reenter: true,
            actions: [alertOfLateCapture, 'noteAsked', reconcile],
          },
          { target: 'parked', actions: [alert('unanswered')] },
        ],
      },
      on: {
        'checkout.opened': opening,
        'checkout.refused': says('stale'),
        'payment.authorized': [
          elsewhere,
          known,
          tooManyPayments,
          anotherReserved,
          { target: 'parked', actions: mismatch },
        ],
        'payment.captured': [
          ...paidWhileReserved,
          { guard: 'oddMoneyIsBackWhileReserved', actions: mismatch },
          ...oddPayment,
        ],
        // A payment may fail and then be authorised after all: told late, its failure is not the last word. An attempt that
        // ends while a wrong payment is held leaves a human to decide about that one.
        'payment.failed': [
          { guard: 'failedBefore', ...says('stale') },
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
          { guard: 'moneyHeld', target: 'parked', actions: [voidReservations, 'voidReservations', 'noteClosed'] },
          { target: 'failed', actions: [voidReservations, 'voidReservations', 'noteClosed'] },
        ],
        ...noRefund('nothing was captured; cancel instead'),
        'retry.requested': rearmOr(NOTHING_TO_RETRY),
        ...noGrantYet,
        ...noDeadline,
      },
    },
    captured: {
      after: { grantOverdue: { target: 'captured', reenter: true, actions: ['noteGrantTry', tellOfMissingGrant] } },
      on: {
        'grant.recorded': { target: 'subscribed', actions: ['noteGranted', grant('give')] },
        'checkout.opened': opening,
        ...lateAttempts,
        ...paidAgain,
        'cancel.requested': says('illegal', REFUND_INSTEAD),
        'refund.requested': refundOr(NOTHING_TO_REFUND),
        'retry.requested': { target: 'captured', reenter: true, actions: ['rearmDead'] },
        ...noDeadline,
      },
    },
    subscribed: {
      entry: [notify('order.subscribed')],
      on: {
        'grant.recorded': says('duplicate'),
        'checkout.opened': opening,
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
          tooManyPayments,
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
          { guard: 'moneyHeld', target: 'parked', actions: [followRefund, 'hear', alert('mismatch')] },
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
      entry: [notifyStuck],
      on: {
        'checkout.opened': opening,
        ...lateAttempts,
        'payment.authorized': [
          elsewhere,
          known,
          tooManyPayments,
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
          {
            guard: 'onlyReserves',
            target: 'failed',
            actions: [voidReservations, 'voidReservations', 'noteClosed', close],
          },
          { guard: 'holdsNothing', target: 'failed', actions: ['noteClosed', close] },
          says('illegal', 'money is held; refund it first'),
        ],
        'refund.requested': refundOr(NOTHING_TO_REFUND),
        'retry.requested': [
          { guard: 'authorizationStands', target: 'authorized', actions: ['rearmDead', 'awaitCapture'] },
          { guard: 'causeIsGone', target: 'failed', actions: ['rearmDead'] },
          { guard: 'effectIsDead', actions: ['rearmDead'] },
          says('illegal', 'a payment that is not what the order costs is still held; refund it first'),
        ],
        ...noGrantYet,
        ...noDeadline,
      },
    },
    refunded: {
      entry: [grant('revoke'), notify('order.refunded')],
      on: {
        'checkout.opened': opening,
        ...lateAttempts,
        ...moneyReturns,
        'cancel.requested': says('illegal', 'the money has gone back already'),
        'refund.requested': refundOr('the money has gone back already'),
        'retry.requested': rearmOr(NOTHING_TO_RETRY),
        ...noGrantYet,
        ...noDeadline,
      },
    },
  },
});
