// The order table, cell by cell: money goes back or returns by a refund, and what the net rule makes of it.
import { MAX_ASKED } from '../machines/askSchedule.ts';
import { line } from './support/cells.ts';
import { authorized, captured, deadline, PRICE, refund, standing } from './support/given.ts';

const ASKS = 'reconcile:refund:rf_1';
const { created, authorized: reserved, captured: stuck, subscribed, failed: lost, parked, refunded } = standing;
const ODD = { amountMinor: 100 };
const NEW = 'notify:order.subscribed';
const BACK = 'notify:order.refunded';
const REST = { amountMinor: PRICE - 100, id: 'rf_2' };
const seen = (minute: number) => ({ occurredAt: `2026-01-31T09:${minute}:00.000Z` });

line('refund.updated', [
  [
    'created: is recorded before its payment',
    created,
    refund('pay_1'),
    { verdict: 'applied', path: 'created → created', waits: 'paymentWindow' },
  ],
  [
    'authorized: of another payment is recorded',
    reserved,
    refund('pay_b'),
    { verdict: 'applied', path: 'authorized → authorized', waits: 'captureWindow' },
  ],
  [
    'authorized: the reserved money given back by itself fails',
    reserved,
    refund('pay_a'),
    { verdict: 'applied', path: 'authorized → failed', does: ['notify:order.failed'] },
  ],
  [
    'authorized: the reserved money given back while wrong money is held leaves it to a human',
    [...parked, ...reserved],
    refund('pay_a'),
    { verdict: 'applied', path: 'authorized → parked', does: ['notify:order.stuck'] },
  ],
  [
    'authorized: the reserved money only about to go back is recorded',
    reserved,
    refund('pay_a', 'pending'),
    { verdict: 'applied', path: 'authorized → authorized', does: [ASKS], waits: 'captureWindow' },
  ],
  [
    'authorized: a part of the reserved money given back is recorded',
    reserved,
    refund('pay_a', 'completed', ODD),
    { verdict: 'applied', path: 'authorized → authorized', waits: 'captureWindow' },
  ],
  [
    'captured: all of it goes back before it was granted',
    stuck,
    refund('pay_1'),
    { verdict: 'applied', path: 'captured → refunded', does: [BACK] },
  ],
  [
    'captured: a part of it goes back and the rest is granted',
    stuck,
    refund('pay_1', 'completed', ODD),
    { verdict: 'applied', path: 'captured → captured → subscribed', does: [NEW], grant: 'give' },
  ],
  [
    'subscribed: all of it revokes the grant',
    subscribed,
    refund('pay_1'),
    { verdict: 'applied', path: 'subscribed → refunded', does: [BACK], grant: 'revoke' },
  ],
  [
    'subscribed: a part of it leaves access as it is',
    subscribed,
    refund('pay_1', 'completed', ODD),
    { verdict: 'applied', path: 'subscribed → subscribed' },
  ],
  [
    'subscribed: the last part revokes the grant',
    [...subscribed, refund('pay_1', 'completed', ODD)],
    refund('pay_1', 'completed', REST),
    { verdict: 'applied', path: 'subscribed → refunded', does: [BACK], grant: 'revoke' },
  ],
  [
    'subscribed: pending changes nothing yet',
    subscribed,
    refund('pay_1', 'pending'),
    { verdict: 'applied', path: 'subscribed → subscribed', does: [ASKS] },
  ],
  [
    'subscribed: pending, then completed revokes',
    [...subscribed, refund('pay_1', 'pending')],
    refund('pay_1'),
    { verdict: 'applied', path: 'subscribed → refunded', does: [BACK], grant: 'revoke' },
  ],
  [
    'subscribed: pending after failed is stale',
    [...subscribed, refund('pay_1', 'failed')],
    refund('pay_1', 'pending'),
    { verdict: 'stale', path: 'subscribed' },
  ],
  [
    'subscribed: the same again is a duplicate',
    [...subscribed, refund('pay_1', 'pending')],
    refund('pay_1', 'pending'),
    { verdict: 'duplicate', path: 'subscribed' },
  ],
  [
    'subscribed: of one of two payments leaves access as it is',
    [...subscribed, captured('pay_2')],
    refund('pay_1'),
    { verdict: 'applied', path: 'subscribed → subscribed' },
  ],
  [
    'subscribed: of the wrong payment beside leaves access as it is',
    [...subscribed, captured('pay_w', ODD)],
    refund('pay_w', 'completed', ODD),
    { verdict: 'applied', path: 'subscribed → subscribed' },
  ],
  ['failed: is recorded', lost, refund('pay_1'), { verdict: 'applied', path: 'failed → failed' }],
  [
    'failed: wrong money that is ours again is parked',
    [...parked, refund('pay_w', 'completed', ODD)],
    refund('pay_w', 'failed', ODD),
    {
      verdict: 'applied',
      path: 'failed → parked',
      does: ['alert:mismatch', 'alert:refund_failed', 'notify:order.stuck'],
    },
  ],
  [
    'parked: all that was held goes back and the order has failed',
    parked,
    refund('pay_w', 'completed', ODD),
    { verdict: 'applied', path: 'parked → failed', does: ['notify:order.failed'] },
  ],
  [
    'parked: a part of what is held is recorded',
    parked,
    refund('pay_w', 'completed', { amountMinor: 99 }),
    { verdict: 'applied', path: 'parked → parked' },
  ],
  [
    'parked: pending is recorded',
    parked,
    refund('pay_w', 'pending', ODD),
    { verdict: 'applied', path: 'parked → parked', does: [ASKS] },
  ],
  [
    'parked: one of two wrong payments is recorded',
    [...parked, captured('pay_v', ODD)],
    refund('pay_w', 'completed', ODD),
    { verdict: 'applied', path: 'parked → parked' },
  ],
  [
    'parked: the wrong one goes back and the reserved payment is waited for again',
    [...reserved, captured('pay_w', ODD)],
    refund('pay_w', 'completed', ODD),
    { verdict: 'applied', path: 'parked → authorized', does: ['capture:pay_a'], waits: 'captureWindow' },
  ],
  [
    'parked: the wrong one goes back after the reserved one did, and the order has failed',
    [...reserved, captured('pay_w', ODD), refund('pay_a', 'completed', { id: 'rf_a' })],
    refund('pay_w', 'completed', ODD),
    { verdict: 'applied', path: 'parked → failed', does: ['notify:order.failed'] },
  ],
  [
    'parked: a part of a reservation nobody answered for leaves the rest to a human',
    [...reserved, ...Array.from({ length: MAX_ASKED + 1 }, () => deadline())],
    refund('pay_a', 'completed', ODD),
    { verdict: 'applied', path: 'parked → parked' },
  ],
  [
    'parked: all of a wrong reservation goes back and the order has failed',
    [authorized('pay_w', ODD)],
    refund('pay_w', 'completed', ODD),
    { verdict: 'applied', path: 'parked → failed', does: ['notify:order.failed'] },
  ],
  [
    'parked: what goes back of another payment leaves a wrong reservation standing',
    [authorized('pay_w', ODD)],
    refund('pay_x'),
    { verdict: 'applied', path: 'parked → parked' },
  ],
  [
    'refunded: a refund that failed brings the same grant back',
    refunded,
    refund('pay_1', 'failed'),
    { verdict: 'applied', path: 'refunded → subscribed', does: ['alert:refund_failed', NEW], grant: 'restore' },
  ],
  [
    'refunded before it was ever granted: a refund that failed is granted',
    [refund('pay_1'), captured('pay_1')],
    refund('pay_1', 'failed'),
    { verdict: 'applied', path: 'refunded → captured → subscribed', does: ['alert:refund_failed', NEW], grant: 'give' },
  ],
  [
    'refunded: more of another payment is recorded',
    refunded,
    refund('pay_2', 'completed', { id: 'rf_2' }),
    { verdict: 'applied', path: 'refunded → refunded' },
  ],
  ['refunded: the same again is a duplicate', refunded, refund('pay_1'), { verdict: 'duplicate', path: 'refunded' }],
  [
    'refunded: pending after completed is stale',
    refunded,
    refund('pay_1', 'pending'),
    { verdict: 'stale', path: 'refunded' },
  ],
]);

line("refund.updated with the provider's time", [
  [
    'an older failure never overwrites a newer completion',
    [captured('pay_1'), refund('pay_1', 'completed', seen(30))],
    refund('pay_1', 'failed', seen(29)),
    { verdict: 'stale', path: 'refunded' },
  ],
  [
    'a newer completion overwrites an older failure',
    [captured('pay_1'), refund('pay_1', 'failed', seen(29))],
    refund('pay_1', 'completed', seen(30)),
    { verdict: 'applied', path: 'subscribed → refunded', does: [BACK], grant: 'revoke' },
  ],
  [
    'at the same instant the usual order of the states decides',
    [captured('pay_1'), refund('pay_1', 'completed', seen(30))],
    refund('pay_1', 'failed', seen(30)),
    { verdict: 'applied', path: 'refunded → subscribed', does: ['alert:refund_failed', NEW], grant: 'restore' },
  ],
]);
