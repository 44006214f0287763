// The order table, cell by cell: an attempt to pay failed or was canceled.
import { line } from './support/cells.ts';
import { authorized, canceled, failed, standing } from './support/given.ts';

const { created, authorized: reserved, captured: stuck, subscribed, failed: lost, parked, refunded } = standing;
const FAILED = 'notify:order.failed';

line('payment.failed', [
  ['created: fails', created, failed('pay_f'), { verdict: 'applied', path: 'created → failed', does: [FAILED] }],
  [
    'created: fails without a payment id too',
    created,
    failed(),
    { verdict: 'applied', path: 'created → failed', does: [FAILED] },
  ],
  [
    'authorized: of the reserved payment fails',
    reserved,
    failed('pay_a'),
    { verdict: 'applied', path: 'authorized → failed', does: [FAILED] },
  ],
  [
    'authorized: of the reserved payment, from before it was reserved, is stale',
    [authorized('pay_a', { occurredAt: '2026-01-31T09:00:00.000Z' })],
    failed('pay_a', { occurredAt: '2026-01-31T08:59:59.999Z' }),
    { verdict: 'stale', path: 'authorized', waits: 'captureWindow' },
  ],
  [
    'authorized: of the reserved payment, at the instant it was reserved, fails',
    [authorized('pay_a', { occurredAt: '2026-01-31T09:00:00.000Z' })],
    failed('pay_a', { occurredAt: '2026-01-31T09:00:00.000Z' }),
    { verdict: 'applied', path: 'authorized → failed', does: [FAILED] },
  ],
  [
    'authorized: of another payment is stale',
    reserved,
    failed('pay_b'),
    { verdict: 'stale', path: 'authorized', waits: 'captureWindow' },
  ],
  [
    'authorized: of nobody knows which payment is stale',
    reserved,
    failed(),
    { verdict: 'stale', path: 'authorized', waits: 'captureWindow' },
  ],
  [
    'authorized: while wrong money is held, a human must decide',
    [...parked, ...reserved],
    failed('pay_a'),
    { verdict: 'applied', path: 'authorized → parked', does: ['notify:order.stuck'] },
  ],
  [
    'captured: a late failure is stale',
    stuck,
    failed('pay_1'),
    { verdict: 'stale', path: 'captured', waits: 'grantOverdue' },
  ],
  [
    'subscribed: a late failure never undoes a success',
    subscribed,
    failed('pay_1'),
    { verdict: 'stale', path: 'subscribed' },
  ],
  ['failed: a known attempt is a duplicate', lost, failed('pay_f'), { verdict: 'duplicate', path: 'failed' }],
  ['failed: a new attempt is noted', lost, failed('pay_g'), { verdict: 'applied', path: 'failed → failed' }],
  ['parked: is stale', parked, failed('pay_w'), { verdict: 'stale', path: 'parked' }],
  ['refunded: is stale', refunded, failed('pay_1'), { verdict: 'stale', path: 'refunded' }],
]);

line('payment.canceled', [
  ['created: fails', created, canceled(), { verdict: 'applied', path: 'created → failed', does: [FAILED] }],
  [
    'authorized: of the reserved payment fails',
    reserved,
    canceled('pay_a'),
    { verdict: 'applied', path: 'authorized → failed', does: [FAILED] },
  ],
  [
    'authorized: of another payment is stale',
    reserved,
    canceled('pay_b'),
    { verdict: 'stale', path: 'authorized', waits: 'captureWindow' },
  ],
  [
    'authorized: while wrong money is held, a human must decide',
    [...parked, ...reserved],
    canceled('pay_a'),
    { verdict: 'applied', path: 'authorized → parked', does: ['notify:order.stuck'] },
  ],
  ['captured: is stale', stuck, canceled('pay_1'), { verdict: 'stale', path: 'captured', waits: 'grantOverdue' }],
  ['subscribed: is stale', subscribed, canceled('pay_1'), { verdict: 'stale', path: 'subscribed' }],
  ['failed: is stale', lost, canceled('pay_f'), { verdict: 'stale', path: 'failed' }],
  ['parked: is stale', parked, canceled('pay_w'), { verdict: 'stale', path: 'parked' }],
  ['refunded: is stale', refunded, canceled('pay_1'), { verdict: 'stale', path: 'refunded' }],
]);
