// What people are told: each alert with its cause, the fact and a sentence; each notification with whom it is about.
import { describe, expect, test } from 'vitest';
import { MAX_ASKED } from '../machines/askSchedule.ts';
import {
  askRefund,
  authorized,
  begin,
  canceled,
  captured,
  deadline,
  dispute,
  effectKeys,
  given,
  givenOrder,
  grantFails,
  opened,
  orderFor,
  PLAN,
  PRICE,
  refund,
  standing,
  type Told,
  tell,
} from './support/given.ts';

const ODD = { amountMinor: 100 };
const rows = (history: Told[], told: Told, effect: 'alert' | 'notify') =>
  given(...history)
    .when(told)
    .decision.steps.flatMap(step => step.effects)
    .filter(row => row.effect === effect)
    .map(row => row.payload);
const askedOut = [...standing.authorized, ...Array.from({ length: MAX_ASKED }, () => deadline())];

describe('an alert', () => {
  test.each<[string, Told[], Told, Record<string, unknown>]>([
    [
      'a payment that is not what the order costs',
      [],
      captured('pay_1', ODD),
      {
        cause: 'mismatch',
        eventType: 'payment.captured',
        paymentId: 'pay_1',
        ...ODD,
        currency: 'INR',
        detail: '1.00 INR (account acc_1, test) where the order costs 499.00 INR (account acc_1, test)',
      },
    ],
    [
      'a payment that belongs elsewhere',
      [],
      captured('pay_1', { ownedBy: 'ord_0' }),
      {
        cause: 'mismatch',
        eventType: 'payment.captured',
        paymentId: 'pay_1',
        amountMinor: PRICE,
        currency: 'INR',
        ownedBy: 'ord_0',
        detail: 'the payment belongs to order ord_0',
      },
    ],
    [
      'a payment too many',
      [captured('pay_1')],
      captured('pay_2'),
      {
        cause: 'surplus',
        eventType: 'payment.captured',
        paymentId: 'pay_2',
        amountMinor: PRICE,
        currency: 'INR',
        detail: 'payment pay_2 came although the order is paid already, and is to be refunded',
      },
    ],
    [
      'a dispute',
      [captured('pay_1')],
      dispute('pay_1', 'opened', ODD),
      {
        cause: 'dispute',
        eventType: 'dispute.updated',
        paymentId: 'pay_1',
        disputeId: 'dp_1',
        state: 'opened',
        ...ODD,
        currency: 'INR',
        detail: 'dispute dp_1 about 1.00 INR of payment pay_1 is opened',
      },
    ],
    [
      'a provider that never answers',
      askedOut,
      deadline(),
      {
        cause: 'unanswered',
        eventType: 'deadline.passed',
        paymentId: 'pay_a',
        detail: `payment pay_a is reserved and not captured, and after ${MAX_ASKED} questions the provider has not settled it`,
      },
    ],
    [
      'a grant that cannot be written',
      [grantFails(captured('pay_1'))],
      grantFails(deadline()),
      {
        cause: 'grant_overdue',
        eventType: 'deadline.passed',
        detail: 'the order is paid and still not granted; this is try 1',
      },
    ],
    [
      'a refund that failed',
      [captured('pay_1')],
      { ...refund('pay_1', 'failed', ODD), reason: 'the account is closed' } as Told,
      {
        cause: 'refund_failed',
        eventType: 'refund.updated',
        paymentId: 'pay_1',
        refundId: 'rf_1',
        state: 'failed',
        ...ODD,
        currency: 'INR',
        reason: 'the account is closed',
        detail: 'refund rf_1 of 1.00 INR from payment pay_1 failed, the money has not gone back: the account is closed',
      },
    ],
  ])('%s', (_, history, told, payload) => {
    expect(rows(history, told, 'alert')).toEqual([payload]);
  });

  test('a reservation that is not captured after a day is told once, days before its provider gives it back', () => {
    const causes = [0, 1, 2, 3, 4, 5].map(asked => {
      const history = [authorized('pay_a'), ...Array.from({ length: asked }, () => deadline())];
      return rows(history, deadline(), 'alert').map(({ cause }) => cause);
    });
    expect(causes).toEqual([[], [], ['capture_late'], [], [], []]);
  });
  test('a payment too many that is held for somebody to decide', () => {
    const held = orderFor({ plan: { ...PLAN, surplusPolicy: 'hold' } });
    const { decision } = givenOrder(held, opened, captured('pay_1')).when(captured('pay_2'));
    expect(effectKeys(decision)).toEqual(['alert:surplus_held:pay_2']);
    expect(decision.steps[0]?.effects[0]?.payload).toMatchObject({
      cause: 'surplus_held',
      detail: 'payment pay_2 came although the order is paid already, and is held until somebody decides',
    });
  });
  test('a payment too many that is needed after all', () => {
    expect(rows(standing.refunded, captured('pay_2'), 'alert')[0]?.detail).toBe(
      'payment pay_2 came although the order had been paid before; nothing of it is left over',
    );
  });
  test('wrong money that is held again', () => {
    const back = refund('pay_w', 'completed', ODD);
    const details = rows([...standing.parked, back], refund('pay_w', 'failed', ODD), 'alert').map(row => row.detail);
    expect(details).toEqual([
      'refund rf_1 of 1.00 INR from payment pay_w failed, the money has not gone back',
      'money of payment pay_w is held again that is not what the order costs',
    ]);
  });
  test.each(Object.entries(standing))('a refund that failed is told in %s, once', (_, history) => {
    const causes = rows(history, refund('pay_z', 'failed', { id: 'rf_z' }), 'alert').map(row => row.cause);
    expect(causes).toEqual(['refund_failed']);
    const again = { ...refund('pay_z', 'failed', { id: 'rf_z' }), requestKey: 'ord_1:refund:9' } as Told;
    expect(rows([...history, refund('pay_z', 'failed', { id: 'rf_z' })], again, 'alert')).toEqual([]);
  });
  test('a refund of ours that was never sent because nobody waits for it is no failure to be told', () => {
    const unsent = { ...refund('pay_1', 'failed'), requestKey: 'ord_1:refund:5', unwanted: true } as Told;
    expect(rows([captured('pay_1'), askRefund()], unsent, 'alert')).toEqual([]);
  });
  test('a refund of ours that failed is told once, whoever tells it first', () => {
    const failure = refund('pay_1', 'failed');
    const answer = { ...failure, requestKey: 'ord_1:refund:5' } as Told;
    for (const [first, second] of [[failure, answer] as const, [answer, failure] as const]) {
      const history = [captured('pay_1'), askRefund()];
      expect(rows(history, first, 'alert').map(row => row.cause)).toEqual(['refund_failed']);
      expect(rows([...history, first], second, 'alert')).toEqual([]);
    }
  });
  test.each(['opened', 'won', 'lost'] as const)('a dispute that is %s is told in every state', state => {
    for (const history of Object.values(standing))
      expect(rows(history, dispute('pay_z', state), 'alert').map(row => row.cause)).toEqual(['dispute']);
  });
});

describe('a notification', () => {
  const about = { userId: 'ada', product: 'pro', planId: 'pro-monthly' };
  test.each<[string, Told[], Told, Record<string, unknown>]>([
    ['subscribed', [], captured('pay_1'), { type: 'order.subscribed' }],
    ['failed', [], deadline(), { type: 'order.failed' }],
    ['refunded', [captured('pay_1')], refund('pay_1'), { type: 'order.refunded' }],
    ['stuck with wrong money', [], captured('pay_w', ODD), { type: 'order.stuck', cause: 'mismatch' }],
    [
      'stuck with wrong money, when the attempt beside it ended',
      [...standing.parked, authorized('pay_a')],
      canceled('pay_a'),
      { type: 'order.stuck', cause: 'mismatch' },
    ],
    ['stuck because nobody answered', askedOut, deadline(), { type: 'order.stuck', cause: 'unanswered' }],
  ])('%s', (_, history, told, payload) => {
    expect(rows(history, told, 'notify')).toEqual([{ ...about, ...payload }]);
  });
  test('a trial, as it is made', () => {
    const trial = orderFor({ kind: 'trial', provider: null, account: null, amountMinor: 0 });
    const notices = begin(trial).decision.steps.flatMap(step => step.effects);
    expect(notices.map(({ payload }) => payload)).toEqual([{ type: 'order.subscribed', ...about }]);
  });
});

describe('a renewal of what was cancelled at its end', () => {
  const renewal = orderFor({ kind: 'renewal' });
  const cancelled = () => {
    const { subscription } = given(captured('pay_1')).world;
    return { ...begin(renewal).world, subscription: { ...subscription, cancelAtEnd: true } };
  };
  test('is granted, because it was paid, stays cancelled, and somebody is told', () => {
    const { decision, world } = tell(cancelled(), captured('pay_2', { occurredAt: '2026-01-31T09:59:00.000Z' }));
    expect(decision.grant).toMatchObject({ change: 'give', extended: true });
    expect(world.subscription.cancelAtEnd).toBe(true);
    const [alert, ...more] = decision.steps.flatMap(step => step.effects).filter(({ effect }) => effect === 'alert');
    expect(more).toEqual([]);
    expect(alert?.dedupKey).toBe('ord_1:alert:renewed_after_cancel:3');
    expect(alert?.payload).toEqual({
      cause: 'renewed_after_cancel',
      eventType: 'grant.recorded',
      userId: 'ada',
      product: 'pro',
      planId: 'pro-monthly',
      amountMinor: PRICE,
      currency: 'INR',
      endsAt: '2026-03-31T10:00:00.000Z',
      detail: '499.00 INR were charged to renew pro for ada although it was cancelled at its end',
    });
  });
  test('not told of a renewal of what goes on', () => {
    const { decision } = tell(
      { ...cancelled(), subscription: given(captured('pay_1')).world.subscription },
      captured('pay_2'),
    );
    expect(effectKeys(decision)).toEqual(['notify:order.subscribed', 'notify:subscription.extended']);
  });
});
