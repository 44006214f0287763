// What the inspector says to somebody with a customer on the phone: whether anybody is needed, what to do about an order,
// and what may be told.
import { describe, expect, test } from 'vitest';
import type { Overview } from '../db/inspect/overview.ts';
import type { PaymentRecord } from '../machines/money.ts';
import type { OrderContext } from '../machines/orderContext.ts';
import { guidanceFor } from '../src/inspector/order/guidance.ts';
import type { WaitingOrder } from '../src/inspector/order/waitsFor.ts';
import { headline } from '../src/inspector/overview/headline.ts';
import { words } from './support/inspectorForms.ts';

const NOW = new Date('2026-01-31T10:00:00.000Z');
const ago = (ms: number) => new Date(NOW.getTime() - ms);

const payment = (more: Partial<PaymentRecord>): PaymentRecord => ({
  paymentId: 'pay_1',
  state: 'captured',
  amountMinor: 199_900,
  currency: 'INR',
  fits: false,
  asOf: null,
  refunds: [],
  disputes: [],
  asked: [],
  ...more,
});

function about(
  state: string,
  more: { stuck?: string; payments?: PaymentRecord[]; opened?: boolean } = {},
): WaitingOrder {
  const { stuck, payments = [], opened = true } = more;
  const context = { payments } as unknown as OrderContext;
  return {
    order: {
      id: 'ord_1',
      state,
      provider: 'sandbox',
      providerOrderId: opened ? 'sbo_1' : null,
      amountMinor: 249_900,
      currency: 'INR',
      machine: 'order.v1',
    },
    openEffects: [],
    grants: [],
    live: { state: { context } },
    stuck: stuck ? { cause: stuck, since: NOW.toISOString(), detail: null } : null,
    now: NOW,
  } as unknown as WaitingOrder;
}
const told = (order: WaitingOrder) => guidanceFor(order).tell?.join('') ?? null;
const steps = (order: WaitingOrder) =>
  guidanceFor(order).steps.map(({ does, isFirst }) => (isFirst ? `${does}!` : does));

describe('an order’s page', () => {
  test('begins with the retry where the grant or an effect failed, and says that it moves no money twice', () => {
    for (const stuck of ['grant_failed', 'effect_dead', 'deadline_passed'])
      expect([stuck, steps(about('captured', { stuck }))]).toEqual([stuck, ['retry.requested!', 'ask']]);
    expect(guidanceFor(about('captured', { stuck: 'grant_failed' })).todo).toContain('moves no money');
  });

  test('sends money back that does not fit, and otherwise asks the provider', () => {
    const odd = about('parked', { stuck: 'parked', payments: [payment({})] });
    expect(steps(odd)).toEqual(['refund.requested!', 'ask']);
    expect(told(odd)).toBe(
      'We have your payment of ₹1,999.00, which does not match the price of ₹2,499.00. It is safe. Please do not pay again until you hear from us.',
    );
    const unknown = about('parked', { stuck: 'parked', payments: [payment({ state: 'authorized' })] });
    expect(steps(unknown)).toEqual(['ask!', 'retry.requested']);
    expect(told(unknown)).toContain('finding out what became of your payment');
  });

  test('offers the question to the provider where somebody says that they paid, and not before it was opened there', () => {
    expect(steps(about('created'))).toEqual(['ask']);
    expect(steps(about('failed'))).toEqual(['ask']);
    expect(steps(about('created', { opened: false }))).toEqual([]);
    expect(steps(about('refunded'))).toEqual([]);
  });

  test('never tells a customer to pay again while money may be on its way', () => {
    for (const state of ['created', 'authorized', 'captured', 'parked'])
      expect([state, told(about(state))]).toEqual([state, expect.stringMatching(/not pay again|no need to pay again/)]);
    expect(told(about('failed'))).toContain('You can pay again');
    const unreadable = about('failed', { stuck: 'snapshot_unreadable' });
    expect(told(unreadable)).toContain('do not pay again');
    expect(told(about('of a chart that is gone'))).toBeNull();
  });
});

describe('the overview', () => {
  const waiting = (count: number, oldestAt: Date | null) => ({ count, more: false, oldestAt });
  const overview = (more: object = {}): Overview =>
    ({
      now: NOW,
      talliedAt: ago(5_000),
      stuck: [],
      webhooks: [{ provider: 'stripe', signatureFailures: 3, lastFailureAt: ago(2 * 3_600_000) }],
      outbox: { lanes: [{ lane: 'merchant', due: waiting(2, ago(30_000)), leased: 0 }] },
      ...more,
    }) as unknown as Overview;
  const said = (more: object = {}) => words(String(headline(overview(more)))).trim();

  test('says that nobody is needed, although something has been due for a moment', () => {
    expect(said()).toMatch(/^Nobody is needed\./);
    expect(said({ stuck: [{ cause: 'deadline_passed', ...waiting(3, ago(2_000)) }] })).toMatch(/^Nobody is needed\./);
  });

  test('names first who has paid and has nothing, then everything else that waits for a person', () => {
    const stuck = [
      { cause: 'parked', ...waiting(5, ago(7_200_000)) },
      { cause: 'grant_failed', ...waiting(1, ago(600_000)) },
      { cause: 'deadline_passed', ...waiting(2, ago(120_000)) },
    ];
    expect(said({ stuck })).toBe(
      'Somebody is needed. 1 order is paid, without access , the oldest from 10 min ago 7 orders wait for a decision or a retry , the oldest from 2 h ago',
    );
  });

  test('says when a part of the service stands still, or somebody signs with another secret', () => {
    expect(said({ talliedAt: ago(61_000) })).toContain('The sweeper does not run : its last round was 1 min ago');
    expect(said({ talliedAt: null })).toContain('it has not made a round yet');
    const lanes = [{ lane: 'merchant', due: waiting(2, ago(61_000)), leased: 0 }];
    expect(said({ outbox: { lanes } })).toContain('Effects are late');
    const webhooks = [{ provider: 'stripe', signatureFailures: 3, lastFailureAt: ago(60_000) }];
    expect(said({ webhooks })).toContain('3 webhooks in the name of stripe had a wrong signature');
  });
});
