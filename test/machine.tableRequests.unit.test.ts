// The order table, cell by cell: what merchants and operators ask for, the only events that can be illegal.
import { MAX_ASKED } from '../machines/askSchedule.ts';
import { line } from './support/cells.ts';
import {
  askCancel,
  askRefund,
  askRetry,
  authorized,
  captured,
  deadline,
  failed,
  grantFails,
  PRICE,
  refund,
  standing,
} from './support/given.ts';

const { created, authorized: reserved, captured: stuck, subscribed, failed: lost, parked, refunded } = standing;
const ODD = { amountMinor: 100 };
const DEAD = { effect: 'close', dedupKey: 'ord_1:close', payload: { providerOrderId: 'sbo_1' } };
const REARMED = 'close';
const FAILED = 'notify:order.failed';
/** Parked because the provider never answered. */
const unanswered = [...reserved, ...Array.from({ length: MAX_ASKED + 1 }, () => deadline())];
const wait = { created: 'paymentWindow', authorized: 'captureWindow', captured: 'grantOverdue' };

line('cancel.requested', [
  [
    'created: fails and is closed at the provider',
    created,
    askCancel,
    { verdict: 'applied', path: 'created → failed', does: ['close', FAILED] },
  ],
  [
    'authorized: fails and the reservation is voided',
    reserved,
    askCancel,
    { verdict: 'applied', path: 'authorized → failed', does: ['void:pay_a', FAILED] },
  ],
  [
    'authorized: while wrong money is held, a human must decide',
    [...parked, ...reserved],
    askCancel,
    { verdict: 'applied', path: 'authorized → parked', does: ['void:pay_a', 'notify:order.stuck'] },
  ],
  [
    'captured: is illegal',
    stuck,
    askCancel,
    {
      verdict: 'illegal',
      path: 'captured',
      waits: wait.captured,
      detail: 'the money has arrived; request a refund instead',
    },
  ],
  [
    'subscribed: is illegal',
    subscribed,
    askCancel,
    { verdict: 'illegal', path: 'subscribed', detail: 'the money has arrived; request a refund instead' },
  ],
  ['failed: closes once', lost, askCancel, { verdict: 'applied', path: 'failed → failed', does: ['close'] }],
  ['failed: closed by hand is a duplicate', [...lost, askCancel], askCancel, { verdict: 'duplicate', path: 'failed' }],
  ['failed: canceled before is a duplicate', [askCancel], askCancel, { verdict: 'duplicate', path: 'failed' }],
  [
    'parked: while money is held is illegal',
    parked,
    askCancel,
    { verdict: 'illegal', path: 'parked', detail: 'money is held; refund it first' },
  ],
  [
    'parked: only reserved money is voided',
    [authorized('pay_w', ODD)],
    askCancel,
    { verdict: 'applied', path: 'parked → failed', does: ['close', 'void:pay_w', FAILED] },
  ],
  [
    'parked: each of several reservations is voided',
    [authorized('pay_w', ODD), authorized('pay_v', ODD)],
    askCancel,
    { verdict: 'applied', path: 'parked → failed', does: ['close', 'void:pay_v', 'void:pay_w', FAILED] },
  ],
  [
    'authorized: each of several reservations is voided',
    [...reserved, authorized('pay_b')],
    askCancel,
    { verdict: 'applied', path: 'authorized → failed', does: ['void:pay_a', 'void:pay_b', FAILED] },
  ],
  [
    'parked: with nothing held fails',
    [authorized('pay_w', ODD), failed('pay_w')],
    askCancel,
    { verdict: 'applied', path: 'parked → failed', does: ['close', 'void:pay_w', FAILED] },
  ],
  [
    'refunded: is illegal',
    refunded,
    askCancel,
    { verdict: 'illegal', path: 'refunded', detail: 'the money has gone back already' },
  ],
]);

line('refund.requested', [
  [
    'created: is illegal',
    created,
    askRefund(),
    { verdict: 'illegal', path: 'created', waits: wait.created, detail: 'nothing was captured; cancel instead' },
  ],
  [
    'authorized: is illegal',
    reserved,
    askRefund(),
    { verdict: 'illegal', path: 'authorized', waits: wait.authorized, detail: 'nothing was captured; cancel instead' },
  ],
  [
    'captured: is asked for, and the grant is tried again',
    stuck,
    askRefund(),
    {
      verdict: 'applied',
      path: 'captured → captured → subscribed',
      does: ['refund', 'notify:order.subscribed'],
      grant: 'give',
    },
  ],
  [
    'subscribed: is asked for; the grant stays until the money has gone',
    subscribed,
    askRefund(),
    { verdict: 'applied', path: 'subscribed → subscribed', does: ['refund'] },
  ],
  [
    'subscribed: more than is held is illegal',
    subscribed,
    askRefund({ amountMinor: PRICE + 1 }),
    {
      verdict: 'illegal',
      path: 'subscribed',
      detail: '499.00 INR of payment pay_1 can be refunded: 499.00 INR are held, 0.00 INR of them on their way back',
    },
  ],
  [
    'subscribed: of an unknown payment is illegal',
    subscribed,
    askRefund({ paymentId: 'pay_9' }),
    { verdict: 'illegal', path: 'subscribed', detail: 'payment pay_9 holds no captured money of this order' },
  ],
  [
    'subscribed: what is already on its way is not sent twice',
    [...subscribed, refund('pay_1', 'pending')],
    askRefund(),
    {
      verdict: 'illegal',
      path: 'subscribed',
      detail: '0.00 INR of payment pay_1 can be refunded: 499.00 INR are held, 499.00 INR of them on their way back',
    },
  ],
  [
    'subscribed: what was asked for and is not answered yet is not asked for twice',
    [...subscribed, askRefund({ amountMinor: PRICE - 100 })],
    askRefund({ amountMinor: 101 }),
    {
      verdict: 'illegal',
      path: 'subscribed',
      detail: '1.00 INR of payment pay_1 can be refunded: 499.00 INR are held, 498.00 INR of them on their way back',
    },
  ],
  [
    'subscribed: the rest of what was asked for can be asked for',
    [...subscribed, askRefund({ amountMinor: PRICE - 100 })],
    askRefund(),
    { verdict: 'applied', path: 'subscribed → subscribed', does: ['refund'] },
  ],
  [
    'failed: is illegal',
    lost,
    askRefund(),
    { verdict: 'illegal', path: 'failed', detail: 'the order holds no captured money' },
  ],
  [
    'parked: the wrong payment is sent back',
    parked,
    askRefund(),
    { verdict: 'applied', path: 'parked → parked', does: ['refund'] },
  ],
  [
    'parked: reserved money cannot be refunded',
    [authorized('pay_w', ODD)],
    askRefund(),
    { verdict: 'illegal', path: 'parked', detail: 'no captured payment holds money' },
  ],
  [
    'refunded: is illegal',
    refunded,
    askRefund(),
    { verdict: 'illegal', path: 'refunded', detail: 'the money has gone back already' },
  ],
  [
    'refunded: a wrong payment still held is sent back',
    [...refunded, captured('pay_w', ODD)],
    askRefund(),
    { verdict: 'applied', path: 'refunded → refunded', does: ['refund'] },
  ],
]);

line('retry.requested with nothing dead', [
  [
    'created: is illegal',
    created,
    askRetry(),
    {
      verdict: 'illegal',
      path: 'created',
      waits: wait.created,
      detail: 'nothing has failed that could be tried again',
    },
  ],
  [
    'created: an empty list of dead effects is nothing',
    created,
    askRetry([]),
    { verdict: 'illegal', path: 'created', waits: wait.created },
  ],
  ['authorized: is illegal', reserved, askRetry(), { verdict: 'illegal', path: 'authorized', waits: wait.authorized }],
  [
    'captured: the grant is tried again',
    stuck,
    askRetry(),
    { verdict: 'applied', path: 'captured → captured → subscribed', does: ['notify:order.subscribed'], grant: 'give' },
  ],
  [
    'captured: the grant fails again and the deadline is set anew',
    stuck,
    grantFails(askRetry()),
    { verdict: 'applied', path: 'captured → captured', waits: wait.captured },
  ],
  ['subscribed: is illegal', subscribed, askRetry(), { verdict: 'illegal', path: 'subscribed' }],
  ['failed: is illegal', lost, askRetry(), { verdict: 'illegal', path: 'failed' }],
  [
    'parked: while the wrong payment is held is illegal',
    parked,
    askRetry(),
    {
      verdict: 'illegal',
      path: 'parked',
      detail: 'a payment that is not what the order costs is still held; refund it first',
    },
  ],
  [
    'parked: with the reservation standing it is captured after all',
    unanswered,
    askRetry(),
    { verdict: 'applied', path: 'parked → authorized', does: ['capture:pay_a'], waits: wait.authorized },
  ],
  [
    'parked: with the reservation standing, what died is sent again, too',
    unanswered,
    askRetry([DEAD]),
    {
      verdict: 'applied',
      path: 'parked → authorized',
      does: ['capture:pay_a', REARMED],
      waits: wait.authorized,
    },
  ],
  [
    'captured: the grant is tried again, and what died is sent again, too',
    stuck,
    askRetry([DEAD]),
    {
      verdict: 'applied',
      path: 'captured → captured → subscribed',
      does: [REARMED, 'notify:order.subscribed'],
      grant: 'give',
    },
  ],
  [
    'parked: with a wrong payment beside the reservation is illegal',
    [...reserved, captured('pay_w', ODD)],
    askRetry(),
    { verdict: 'illegal', path: 'parked' },
  ],
  [
    'parked: with the wrong reservation given back the right one is captured after all',
    [...reserved, authorized('pay_w', ODD), refund('pay_w', 'completed', ODD)],
    askRetry(),
    { verdict: 'applied', path: 'parked → authorized', does: ['capture:pay_a'], waits: wait.authorized },
  ],
  [
    'parked: with a wrong reservation beside the right one is illegal',
    [...reserved, authorized('pay_w', ODD)],
    askRetry(),
    { verdict: 'illegal', path: 'parked' },
  ],
  ['refunded: is illegal', refunded, askRetry(), { verdict: 'illegal', path: 'refunded' }],
]);

line('retry.requested with a dead effect re-arms it', [
  [
    'created',
    created,
    askRetry([DEAD]),
    { verdict: 'applied', path: 'created → created', does: [REARMED], waits: wait.created },
  ],
  [
    'authorized',
    reserved,
    askRetry([DEAD]),
    { verdict: 'applied', path: 'authorized → authorized', does: [REARMED], waits: wait.authorized },
  ],
  [
    'subscribed',
    subscribed,
    askRetry([DEAD]),
    { verdict: 'applied', path: 'subscribed → subscribed', does: [REARMED] },
  ],
  ['failed', lost, askRetry([DEAD]), { verdict: 'applied', path: 'failed → failed', does: [REARMED] }],
  ['parked', parked, askRetry([DEAD]), { verdict: 'applied', path: 'parked → parked', does: [REARMED] }],
  ['refunded', refunded, askRetry([DEAD]), { verdict: 'applied', path: 'refunded → refunded', does: [REARMED] }],
]);
