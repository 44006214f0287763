// The order table, cell by cell: a payment is captured and fits.
import { line } from './support/cells.ts';
import { authorized, captured, deadline, refund, standing } from './support/given.ts';

const { created, authorized: reserved, captured: stuck, subscribed, failed: lost, parked, refunded } = standing;
const ODD = { amountMinor: 100 };
const NEW = 'notify:order.subscribed';

line('payment.captured that fits', [
  [
    'created: is granted in the same commit',
    created,
    captured('pay_1'),
    { verdict: 'applied', path: 'created → captured → subscribed', does: [NEW], grant: 'give' },
  ],
  [
    'authorized: the reserved payment is granted',
    reserved,
    captured('pay_a'),
    { verdict: 'applied', path: 'authorized → captured → subscribed', does: [NEW], grant: 'give' },
  ],
  [
    'authorized: another payment is granted and the reserved one voided',
    reserved,
    captured('pay_b'),
    { verdict: 'applied', path: 'authorized → captured → subscribed', does: ['void:pay_a', NEW], grant: 'give' },
  ],
  [
    'captured: the same payment is a duplicate',
    stuck,
    captured('pay_1'),
    { verdict: 'duplicate', path: 'captured', waits: 'grantOverdue' },
  ],
  [
    'captured: another one is surplus, and the grant is tried again',
    stuck,
    captured('pay_2'),
    {
      verdict: 'surplus',
      path: 'captured → captured → subscribed',
      does: ['alert:surplus', 'refund:surplus:pay_2', NEW],
      grant: 'give',
    },
  ],
  [
    'subscribed: the same payment is a duplicate',
    subscribed,
    captured('pay_1'),
    { verdict: 'duplicate', path: 'subscribed' },
  ],
  [
    'subscribed: another one is surplus',
    subscribed,
    captured('pay_2'),
    { verdict: 'surplus', path: 'subscribed → subscribed', does: ['alert:surplus', 'refund:surplus:pay_2'] },
  ],
  [
    'subscribed: a surplus told twice is a duplicate',
    [...subscribed, captured('pay_2')],
    captured('pay_2'),
    { verdict: 'duplicate', path: 'subscribed' },
  ],
  [
    'failed: late money still counts',
    lost,
    captured('pay_1'),
    { verdict: 'applied', path: 'failed → captured → subscribed', does: [NEW], grant: 'give' },
  ],
  [
    'failed: money after the payment window still counts',
    [deadline()],
    captured('pay_1'),
    { verdict: 'applied', path: 'failed → captured → subscribed', does: [NEW], grant: 'give' },
  ],
  [
    'parked: is granted',
    parked,
    captured('pay_1'),
    { verdict: 'applied', path: 'parked → captured → subscribed', does: [NEW], grant: 'give' },
  ],
  [
    'parked: the wrong payment itself turns out right',
    parked,
    captured('pay_w'),
    { verdict: 'applied', path: 'parked → captured → subscribed', does: [NEW], grant: 'give' },
  ],
  [
    'parked: is granted and the wrong reservation voided',
    [authorized('pay_w', ODD)],
    captured('pay_1'),
    { verdict: 'applied', path: 'parked → captured → subscribed', does: ['void:pay_w', NEW], grant: 'give' },
  ],
  [
    'authorized: another payment is granted and each reservation voided, the surplus one once more',
    [...reserved, authorized('pay_b')],
    captured('pay_c'),
    {
      verdict: 'applied',
      path: 'authorized → captured → subscribed',
      does: ['void:pay_a', 'void:pay_b', NEW],
      grant: 'give',
    },
  ],
  [
    'authorized: the reserved payment is granted, and the surplus reservation voided once more',
    [...reserved, authorized('pay_b')],
    captured('pay_a'),
    { verdict: 'applied', path: 'authorized → captured → subscribed', does: ['void:pay_b', NEW], grant: 'give' },
  ],
  [
    'parked: is granted and the payment reserved meanwhile voided',
    [...reserved, captured('pay_w', ODD)],
    captured('pay_1'),
    { verdict: 'applied', path: 'parked → captured → subscribed', does: ['void:pay_a', NEW], grant: 'give' },
  ],
  [
    'refunded: the refunded payment is a duplicate',
    refunded,
    captured('pay_1'),
    { verdict: 'duplicate', path: 'refunded' },
  ],
  [
    'refunded: another one is surplus and, by the net rule, brings the same grant back; nothing is left over',
    refunded,
    captured('pay_2'),
    {
      verdict: 'surplus',
      path: 'refunded → subscribed',
      does: ['alert:surplus', NEW],
      grant: 'restore',
    },
  ],
  [
    'refunded before it was ever granted: another one is granted',
    [refund('pay_1'), captured('pay_1')],
    captured('pay_2'),
    {
      verdict: 'surplus',
      path: 'refunded → captured → subscribed',
      does: ['alert:surplus', NEW],
      grant: 'give',
    },
  ],
  [
    'refunded: another one that went back before is surplus and changes nothing',
    [...refunded, refund('pay_2', 'completed', { id: 'rf_2' })],
    captured('pay_2'),
    { verdict: 'surplus', path: 'refunded → refunded', does: ['alert:surplus'] },
  ],
  [
    'created: whose money is already back goes straight to refunded',
    [refund('pay_1')],
    captured('pay_1'),
    { verdict: 'applied', path: 'created → refunded', does: ['notify:order.refunded'] },
  ],
  [
    'authorized: another one whose money is already back lets the reserved one go',
    [...reserved, refund('pay_1')],
    captured('pay_1'),
    { verdict: 'applied', path: 'authorized → refunded', does: ['notify:order.refunded', 'void:pay_a'] },
  ],
]);
