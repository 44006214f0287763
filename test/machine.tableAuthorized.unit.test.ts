// The order table, cell by cell: a payment is authorized and fits.
import { line } from './support/cells.ts';
import { authorized, canceled, failed, refund, standing } from './support/given.ts';

const { created, authorized: reserved, captured: stuck, subscribed, failed: lost, parked, refunded } = standing;
const ODD = { amountMinor: 100 };
const NEW = 'notify:order.subscribed';

line('payment.authorized that fits', [
  [
    'created: reserves the money and asks for its capture',
    created,
    authorized('pay_a'),
    { verdict: 'applied', path: 'created → authorized', does: ['capture:pay_a'], waits: 'captureWindow' },
  ],
  [
    'authorized: the same payment is a duplicate',
    reserved,
    authorized('pay_a'),
    { verdict: 'duplicate', path: 'authorized', waits: 'captureWindow' },
  ],
  [
    'authorized: another one is surplus and voided',
    reserved,
    authorized('pay_b'),
    { verdict: 'surplus', path: 'authorized → authorized', does: ['void:pay_b'], waits: 'captureWindow' },
  ],
  [
    'captured: of the captured payment is stale',
    stuck,
    authorized('pay_1'),
    { verdict: 'stale', path: 'captured', waits: 'grantOverdue' },
  ],
  [
    'captured: of another one is surplus and voided, and the grant is tried again',
    stuck,
    authorized('pay_b'),
    { verdict: 'surplus', path: 'captured → captured → subscribed', does: ['void:pay_b', NEW], grant: 'give' },
  ],
  [
    'subscribed: of the captured payment is stale',
    subscribed,
    authorized('pay_1'),
    { verdict: 'stale', path: 'subscribed' },
  ],
  [
    'subscribed: of another one is surplus and voided',
    subscribed,
    authorized('pay_b'),
    { verdict: 'surplus', path: 'subscribed → subscribed', does: ['void:pay_b'] },
  ],
  [
    'subscribed: told twice of another one is a duplicate',
    [...subscribed, authorized('pay_b')],
    authorized('pay_b'),
    { verdict: 'duplicate', path: 'subscribed' },
  ],
  [
    'failed: reserves the money after all',
    lost,
    authorized('pay_a'),
    { verdict: 'applied', path: 'failed → authorized', does: ['capture:pay_a'], waits: 'captureWindow' },
  ],
  [
    'failed: the same payment, tried again, reserves after all',
    [...reserved, failed('pay_a')],
    authorized('pay_a'),
    { verdict: 'applied', path: 'failed → authorized', does: ['capture:pay_a'], waits: 'captureWindow' },
  ],
  [
    'failed: a voided payment is over',
    [...reserved, canceled('pay_a')],
    authorized('pay_a'),
    { verdict: 'duplicate', path: 'failed' },
  ],
  [
    'failed: older than the failure of the same payment is stale',
    [failed('pay_a', { occurredAt: '2026-01-31T09:00:00.000Z' })],
    authorized('pay_a', { occurredAt: '2026-01-31T08:59:59.999Z' }),
    { verdict: 'stale', path: 'failed' },
  ],
  [
    'failed: reserves, where nobody but our own clock, which runs ahead, says that the failure was later',
    [failed('pay_a')],
    authorized('pay_a', { occurredAt: '2026-01-01T00:00:00.000Z' }),
    { verdict: 'applied', path: 'failed → authorized', does: ['capture:pay_a'], waits: 'captureWindow' },
  ],
  [
    'failed: newer than the failure of the same payment reserves',
    [failed('pay_a', { occurredAt: '2026-01-31T09:00:00.000Z' })],
    authorized('pay_a', { occurredAt: '2026-01-31T09:00:00.001Z' }),
    { verdict: 'applied', path: 'failed → authorized', does: ['capture:pay_a'], waits: 'captureWindow' },
  ],
  [
    'failed: at the very instant of the failure reserves',
    [failed('pay_a', { occurredAt: '2026-01-31T09:00:00.000Z' })],
    authorized('pay_a', { occurredAt: '2026-01-31T09:00:00.000Z' }),
    { verdict: 'applied', path: 'failed → authorized', does: ['capture:pay_a'], waits: 'captureWindow' },
  ],
  [
    'failed: given back already is stale',
    [failed('pay_f'), refund('pay_a')],
    authorized('pay_a'),
    { verdict: 'stale', path: 'failed' },
  ],
  [
    'created: given back already is stale',
    [refund('pay_a')],
    authorized('pay_a'),
    { verdict: 'stale', path: 'created', waits: 'paymentWindow' },
  ],
  [
    'created: given back in part still reserves',
    [refund('pay_a', 'completed', ODD)],
    authorized('pay_a'),
    { verdict: 'applied', path: 'created → authorized', does: ['capture:pay_a'], waits: 'captureWindow' },
  ],
  [
    'parked: reserves the money',
    parked,
    authorized('pay_a'),
    { verdict: 'applied', path: 'parked → authorized', does: ['capture:pay_a'], waits: 'captureWindow' },
  ],
  [
    'refunded: of another payment is surplus and voided',
    refunded,
    authorized('pay_b'),
    { verdict: 'surplus', path: 'refunded → refunded', does: ['void:pay_b'] },
  ],
  ['refunded: of the refunded payment is stale', refunded, authorized('pay_1'), { verdict: 'stale', path: 'refunded' }],
]);
