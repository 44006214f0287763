// The order table, cell by cell: a payment is authorized or captured that is not what the order costs.
import { line } from './support/cells.ts';
import { authorized, captured, PRICE, refund, standing } from './support/given.ts';

const { created, authorized: reserved, captured: stuck, subscribed, failed: lost, parked, refunded } = standing;
const ODD = { amountMinor: 100 };
const NEW = 'notify:order.subscribed';

line('payment.authorized or payment.captured that does not fit', [
  [
    'created: captured is parked',
    created,
    captured('pay_w', ODD),
    { verdict: 'mismatch', path: 'created → parked', does: ['alert:mismatch', 'notify:order.stuck'] },
  ],
  [
    'created: authorized is parked',
    created,
    authorized('pay_w', ODD),
    { verdict: 'mismatch', path: 'created → parked', does: ['alert:mismatch', 'notify:order.stuck'] },
  ],
  [
    'authorized: captured is parked',
    reserved,
    captured('pay_w', ODD),
    { verdict: 'mismatch', path: 'authorized → parked', does: ['alert:mismatch', 'notify:order.stuck'] },
  ],
  [
    'authorized: the reserved payment captured in part is parked',
    reserved,
    captured('pay_a', ODD),
    { verdict: 'mismatch', path: 'authorized → parked', does: ['alert:mismatch', 'notify:order.stuck'] },
  ],
  [
    'authorized: authorized is parked',
    reserved,
    authorized('pay_w', ODD),
    { verdict: 'mismatch', path: 'authorized → parked', does: ['alert:mismatch', 'notify:order.stuck'] },
  ],
  [
    'captured: is told, and the grant is tried again',
    stuck,
    captured('pay_w', ODD),
    { verdict: 'mismatch', path: 'captured → captured → subscribed', does: ['alert:mismatch', NEW], grant: 'give' },
  ],
  [
    'subscribed: captured is told',
    subscribed,
    captured('pay_w', ODD),
    { verdict: 'mismatch', path: 'subscribed → subscribed', does: ['alert:mismatch'] },
  ],
  [
    'subscribed: authorized is told',
    subscribed,
    authorized('pay_w', ODD),
    { verdict: 'mismatch', path: 'subscribed → subscribed', does: ['alert:mismatch'] },
  ],
  [
    'failed: captured is parked',
    lost,
    captured('pay_w', ODD),
    { verdict: 'mismatch', path: 'failed → parked', does: ['alert:mismatch', 'notify:order.stuck'] },
  ],
  [
    'failed: authorized is parked',
    lost,
    authorized('pay_w', ODD),
    { verdict: 'mismatch', path: 'failed → parked', does: ['alert:mismatch', 'notify:order.stuck'] },
  ],
  [
    'parked: another is told',
    parked,
    captured('pay_v', ODD),
    { verdict: 'mismatch', path: 'parked → parked', does: ['alert:mismatch'] },
  ],
  [
    'parked: another authorized is told',
    parked,
    authorized('pay_v', ODD),
    { verdict: 'mismatch', path: 'parked → parked', does: ['alert:mismatch'] },
  ],
  ['parked: the same again is a duplicate', parked, captured('pay_w', ODD), { verdict: 'duplicate', path: 'parked' }],
  [
    'refunded: captured is told',
    refunded,
    captured('pay_w', ODD),
    { verdict: 'mismatch', path: 'refunded → refunded', does: ['alert:mismatch'] },
  ],
  [
    'refunded: authorized is told',
    refunded,
    authorized('pay_w', ODD),
    { verdict: 'mismatch', path: 'refunded → refunded', does: ['alert:mismatch'] },
  ],
  [
    'refunded: the payment itself turns out larger than what went back',
    refunded,
    captured('pay_1', { amountMinor: PRICE + 1 }),
    { verdict: 'mismatch', path: 'refunded → subscribed', does: ['alert:mismatch', NEW], grant: 'restore' },
  ],
  [
    'created: whose money is already back fails',
    [refund('pay_w', 'completed', ODD)],
    captured('pay_w', ODD),
    { verdict: 'mismatch', path: 'created → failed', does: ['alert:mismatch', 'notify:order.failed'] },
  ],
  [
    'authorized: whose money is already back leaves the reservation alone',
    [...reserved, refund('pay_w', 'completed', ODD)],
    captured('pay_w', ODD),
    { verdict: 'mismatch', path: 'authorized → authorized', does: ['alert:mismatch'], waits: 'captureWindow' },
  ],
  [
    'authorized: the reserved payment captured in part and already back fails',
    [...reserved, refund('pay_a', 'completed', ODD)],
    captured('pay_a', ODD),
    { verdict: 'mismatch', path: 'authorized → failed', does: ['alert:mismatch', 'notify:order.failed'] },
  ],
]);
