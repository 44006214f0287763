// The order table, cell by cell: a dispute is opened, lost or won.
import { line } from './support/cells.ts';
import { captured, dispute, standing } from './support/given.ts';

const { created, authorized: reserved, captured: stuck, subscribed, failed: lost, parked, refunded } = standing;
const ODD = { amountMinor: 100 };
const NEW = 'notify:order.subscribed';
const BACK = 'notify:order.refunded';

line('dispute.updated', [
  [
    'created: is recorded before its payment, and told',
    created,
    dispute('pay_1', 'lost'),
    { verdict: 'applied', path: 'created → created', does: ['alert:dispute'], waits: 'paymentWindow' },
  ],
  [
    'created: lost before its payment leaves nothing to grant',
    [dispute('pay_1', 'lost')],
    captured('pay_1'),
    { verdict: 'applied', path: 'created → refunded', does: [BACK] },
  ],
  [
    'authorized: is recorded and told',
    reserved,
    dispute('pay_a', 'opened'),
    { verdict: 'applied', path: 'authorized → authorized', does: ['alert:dispute'], waits: 'captureWindow' },
  ],
  [
    'captured: lost before it was granted',
    stuck,
    dispute('pay_1', 'lost'),
    { verdict: 'applied', path: 'captured → refunded', does: ['alert:dispute', BACK] },
  ],
  [
    'captured: only open, and the grant is tried again',
    stuck,
    dispute('pay_1', 'opened'),
    { verdict: 'applied', path: 'captured → captured → subscribed', does: ['alert:dispute', NEW], grant: 'give' },
  ],
  [
    'subscribed: only open changes nothing but is told',
    subscribed,
    dispute('pay_1', 'opened'),
    { verdict: 'applied', path: 'subscribed → subscribed', does: ['alert:dispute'] },
  ],
  [
    'subscribed: lost revokes the grant',
    [...subscribed, dispute('pay_1', 'opened')],
    dispute('pay_1', 'lost'),
    { verdict: 'applied', path: 'subscribed → refunded', does: ['alert:dispute', BACK], grant: 'revoke' },
  ],
  [
    'subscribed: lost in part leaves access as it is',
    subscribed,
    dispute('pay_1', 'lost', ODD),
    { verdict: 'applied', path: 'subscribed → subscribed', does: ['alert:dispute'] },
  ],
  [
    'subscribed: opened after won is stale',
    [...subscribed, dispute('pay_1', 'won')],
    dispute('pay_1', 'opened'),
    { verdict: 'stale', path: 'subscribed' },
  ],
  [
    'subscribed: the same again is a duplicate',
    [...subscribed, dispute('pay_1', 'opened')],
    dispute('pay_1', 'opened'),
    { verdict: 'duplicate', path: 'subscribed' },
  ],
  [
    'failed: is recorded and told',
    lost,
    dispute('pay_1', 'opened'),
    { verdict: 'applied', path: 'failed → failed', does: ['alert:dispute'] },
  ],
  [
    'failed: wrong money won back is parked',
    [...parked, dispute('pay_w', 'lost', ODD)],
    dispute('pay_w', 'won', ODD),
    { verdict: 'applied', path: 'failed → parked', does: ['alert:dispute', 'notify:order.stuck'] },
  ],
  [
    'parked: all that was held is lost and the order has failed',
    parked,
    dispute('pay_w', 'lost', ODD),
    { verdict: 'applied', path: 'parked → failed', does: ['alert:dispute', 'notify:order.failed'] },
  ],
  [
    'parked: the wrong one is lost and the reserved payment is waited for again',
    [...reserved, captured('pay_w', ODD)],
    dispute('pay_w', 'lost', ODD),
    {
      verdict: 'applied',
      path: 'parked → authorized',
      does: ['alert:dispute', 'capture:pay_a'],
      waits: 'captureWindow',
    },
  ],
  [
    'parked: only open is told',
    parked,
    dispute('pay_w', 'opened', ODD),
    { verdict: 'applied', path: 'parked → parked', does: ['alert:dispute'] },
  ],
  [
    'refunded: a lost dispute that is won brings the same grant back',
    [...subscribed, dispute('pay_1', 'lost')],
    dispute('pay_1', 'won'),
    { verdict: 'applied', path: 'refunded → subscribed', does: ['alert:dispute', NEW], grant: 'restore' },
  ],
  [
    'refunded before it was ever granted: won after all is granted',
    [dispute('pay_1', 'lost'), captured('pay_1')],
    dispute('pay_1', 'won'),
    { verdict: 'applied', path: 'refunded → captured → subscribed', does: ['alert:dispute', NEW], grant: 'give' },
  ],
  [
    'refunded: a further one is recorded and told',
    refunded,
    dispute('pay_1', 'opened'),
    { verdict: 'applied', path: 'refunded → refunded', does: ['alert:dispute'] },
  ],
]);
