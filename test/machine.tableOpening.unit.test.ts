// The order table, cell by cell: opening at the provider, the grant's own record, and deadlines.
import { describe, expect, test } from 'vitest';
import { ASK_SCHEDULE_MS, MAX_ASKED } from '../machines/askSchedule.ts';
import { GRANT_OVERDUE_MAX_MS, GRANT_OVERDUE_MS, PAYMENT_WINDOW_MS } from '../machines/orderSetup.ts';
import { line } from './support/cells.ts';
import {
  AT,
  authorized,
  captured,
  deadline,
  failed,
  given,
  givenOrder,
  grantFails,
  opened,
  openedAs,
  orderFor,
  recorded,
  refused,
  standing,
} from './support/given.ts';

const { created, authorized: reserved, captured: stuck, subscribed, failed: lost, parked, refunded } = standing;
const FAILED = 'notify:order.failed';
const wait = { created: 'paymentWindow', authorized: 'captureWindow', captured: 'grantOverdue' };
const unopened = (...history: Parameters<typeof given>) => givenOrder(orderFor(), ...history);

line('checkout.opened again', [
  ['created: the same is a duplicate', created, opened, { verdict: 'duplicate', path: 'created', waits: wait.created }],
  [
    'created: another one is stale',
    created,
    openedAs('sbo_2'),
    { verdict: 'stale', path: 'created', waits: wait.created },
  ],
  [
    'authorized: the same is a duplicate',
    reserved,
    opened,
    { verdict: 'duplicate', path: 'authorized', waits: wait.authorized },
  ],
  ['subscribed: another one is stale', subscribed, openedAs('sbo_2'), { verdict: 'stale', path: 'subscribed' }],
  ['failed: the same is a duplicate', lost, opened, { verdict: 'duplicate', path: 'failed' }],
  ['failed: another one is stale', lost, openedAs('sbo_2'), { verdict: 'stale', path: 'failed' }],
]);

line('checkout.refused once it was opened is stale', [
  ['created', created, refused, { verdict: 'stale', path: 'created', waits: wait.created }],
  ['authorized', reserved, refused, { verdict: 'stale', path: 'authorized', waits: wait.authorized }],
  ['captured', stuck, refused, { verdict: 'stale', path: 'captured', waits: wait.captured }],
  ['subscribed', subscribed, refused, { verdict: 'stale', path: 'subscribed' }],
  ['failed', lost, refused, { verdict: 'stale', path: 'failed' }],
  ['parked', parked, refused, { verdict: 'stale', path: 'parked' }],
  ['refunded', refunded, refused, { verdict: 'stale', path: 'refunded' }],
]);

line('grant.recorded', [
  ['created: is stale', created, recorded, { verdict: 'stale', path: 'created', waits: wait.created }],
  ['authorized: is stale', reserved, recorded, { verdict: 'stale', path: 'authorized', waits: wait.authorized }],
  [
    'captured: subscribes',
    stuck,
    recorded,
    { verdict: 'applied', path: 'captured → subscribed', does: ['notify:order.subscribed'], grant: 'give' },
  ],
  ['subscribed: is a duplicate', subscribed, recorded, { verdict: 'duplicate', path: 'subscribed' }],
  ['failed: is stale', lost, recorded, { verdict: 'stale', path: 'failed' }],
  ['parked: is stale', parked, recorded, { verdict: 'stale', path: 'parked' }],
  ['refunded: is stale', refunded, recorded, { verdict: 'stale', path: 'refunded' }],
]);

const askedOut = Array.from({ length: MAX_ASKED }, () => deadline());
line('deadline.passed', [
  [
    'created: fails and is closed at the provider',
    created,
    deadline(),
    { verdict: 'applied', path: 'created → failed', does: ['close', FAILED] },
  ],
  [
    'created: a moment early is stale',
    created,
    deadline({ afterMs: -1 }),
    { verdict: 'stale', path: 'created', waits: wait.created },
  ],
  [
    'created: set by another transition is stale',
    created,
    deadline({ setAtVersion: 2 }),
    { verdict: 'stale', path: 'created', waits: wait.created },
  ],
  [
    'authorized: the provider is asked and the deadline set anew',
    reserved,
    deadline(),
    {
      verdict: 'applied',
      path: 'authorized → authorized',
      does: ['capture:pay_a', 'reconcile'],
      waits: wait.authorized,
    },
  ],
  [
    'authorized: the deadline of before is stale',
    [...reserved, deadline()],
    deadline({ setAtVersion: 3 }),
    { verdict: 'stale', path: 'authorized', waits: wait.authorized },
  ],
  [
    'authorized: at the end a human must decide',
    [...reserved, ...askedOut],
    deadline(),
    { verdict: 'applied', path: 'authorized → parked', does: ['alert:unanswered', 'notify:order.stuck'] },
  ],
  [
    'captured: the grant is tried again',
    stuck,
    deadline(),
    {
      verdict: 'applied',
      path: 'captured → captured → subscribed',
      does: ['notify:order.subscribed'],
      grant: 'give',
    },
  ],
  [
    'captured: fails again and the deadline is set anew',
    stuck,
    grantFails(deadline()),
    {
      verdict: 'applied',
      path: 'captured → captured',
      does: ['alert:grant_overdue', 'notify:order.stuck:grant'],
      waits: wait.captured,
    },
  ],
  ['subscribed: is stale', subscribed, deadline(), { verdict: 'stale', path: 'subscribed' }],
  ['failed: is stale', lost, deadline(), { verdict: 'stale', path: 'failed' }],
  ['parked: is stale', parked, deadline(), { verdict: 'stale', path: 'parked' }],
  ['refunded: is stale', refunded, deadline(), { verdict: 'stale', path: 'refunded' }],
]);

describe('checkout.opened of an order that was never opened', () => {
  test('created: is remembered and the payment window goes on', () => {
    const before = unopened();
    const { decision, world } = before.when(opened);
    expect(decision.steps).toHaveLength(1);
    expect(decision.steps[0]?.effects).toEqual([
      {
        effect: 'reconcile',
        dedupKey: 'ord_1:reconcile',
        orderVersion: 2,
        availableAt: new Date(Date.parse(AT) + (ASK_SCHEDULE_MS[0] ?? 0)).toISOString(),
        payload: {},
      },
    ]);
    expect(world.order.state.context).toMatchObject({ providerOrderId: 'sbo_1', checkoutUrl: 'https://pay.example/1' });
    expect(world.order.deadline).toEqual(before.world.order.deadline);
  });
  test('created: refused instead, the order has failed', () => {
    unopened()
      .when(refused)
      .then({ verdict: 'applied', path: 'created → failed', does: [FAILED] });
  });
  test('failed: is remembered and closed again, so that nobody pays for nothing', () => {
    const { world } = unopened(refused).when(opened);
    unopened(refused)
      .when(opened)
      .then({ verdict: 'applied', path: 'failed → failed', does: ['close', 'reconcile'] });
    expect(world.order.state.context).toMatchObject({ providerOrderId: 'sbo_1', closed: true });
  });
  test.each([
    ['authorized', [authorized('pay_a')], wait.authorized],
    ['subscribed', [captured('pay_1')], undefined],
    ['parked', [captured('pay_w', { amountMinor: 1 })], undefined],
  ])('%s: is remembered', (state, history, waits) => {
    unopened(...history)
      .when(opened)
      .then({ verdict: 'applied', path: `${state} → ${state}`, does: ['reconcile'], ...(waits && { waits }) });
  });
});

describe('when a deadline is due', () => {
  const dueAfterMs = (...history: Parameters<typeof given>) => {
    const { world } = given(...history);
    return Date.parse(world.order.deadline?.dueAt ?? '') - Date.parse(AT);
  };
  test('a purchase may take the payment window', () => expect(dueAfterMs()).toBe(PAYMENT_WINDOW_MS));
  test('nothing but leaving the state moves it', () =>
    expect(dueAfterMs(failed('f'), authorized('a'))).toBe(ASK_SCHEDULE_MS[0]));
  test('the questions about an authorisation follow the schedule, and after the last one is time for its answer', () => {
    const dueAt = Array.from({ length: MAX_ASKED + 1 }, (_, asked) =>
      dueAfterMs(...reserved, ...Array.from({ length: asked }, () => deadline())),
    );
    const waits = dueAt.map((ms, asked) => ms - (dueAt[asked - 1] ?? 0));
    expect(waits).toEqual([...ASK_SCHEDULE_MS, ASK_SCHEDULE_MS.at(-1)]);
    expect(waits.map(ms => ms / 60_000)).toEqual([5, 60, 1440, 1440, 1440, 1440, 1440, 1440]);
  });
  test('a grant that fails is tried again after twice the time, up to a longest', () => {
    const waits = [];
    for (let tries = 0; tries < 7; tries++) {
      const { world } = given(...stuck, ...Array.from({ length: tries }, () => grantFails(deadline())));
      const { world: before } = given(
        ...stuck,
        ...Array.from({ length: Math.max(0, tries - 1) }, () => grantFails(deadline())),
      );
      waits.push(
        Date.parse(world.order.deadline?.dueAt ?? '') - Date.parse(tries ? (before.order.deadline?.dueAt ?? '') : AT),
      );
    }
    const minutes = GRANT_OVERDUE_MS;
    expect(waits).toEqual([1, 2, 4, 8, 16].map(n => n * minutes).concat(GRANT_OVERDUE_MAX_MS, GRANT_OVERDUE_MAX_MS));
  });
});
