// The order machine's further cases: what fits, surplus by policy, money of other orders, orders that cost nothing, when
// paid time begins, how many attempts are kept, and what the effects tell the world.
import { describe, expect, test } from 'vitest';
import { ATTEMPTS_KEPT, MAX_ATTEMPTS, MAX_PAYMENTS } from '../machines/orderContext.ts';
import { MAX_BY_LENGTH, MAX_REQUEST_KEY_LENGTH, orderEventSchema, sendableEvents } from '../machines/orderEvents.ts';
import { stateName } from '../machines/snapshot.ts';
import {
  AT,
  askCancel,
  askRefund,
  askRetry,
  authorized,
  begin,
  captured,
  effectKeys,
  failed,
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
  trial,
} from './support/given.ts';

const effectsOf = (when: ReturnType<ReturnType<typeof given>['when']>) => when.decision.steps.flatMap(s => s.effects);
const minutesBefore = (minutes: number, ms = 0) => new Date(Date.parse(AT) - minutes * 60_000 - ms).toISOString();

describe('a payment fits', () => {
  test.each([
    ['another amount', { amountMinor: PRICE - 1 }],
    ['another currency', { currency: 'USD' }],
    ['another merchant account', { account: 'acc_2' }],
    ['live money for a test order', { live: true }],
  ])('not with %s', (_, more) => {
    given()
      .when(captured('pay_1', more))
      .then({ verdict: 'mismatch', path: 'created → parked', does: ['alert:mismatch', 'notify:order.stuck'] });
  });
  test.each([
    ["account and mode untold are the adapter's own", {}],
    ["account and mode told are the order's", { account: 'acc_1', live: false }],
  ])('%s', (_, more) => {
    expect(stateName(given(captured('pay_1', more)).world.order)).toBe('subscribed');
  });
  test('the answer says what was told and what the order costs', () => {
    const { decision } = given().when(captured('pay_1', { amountMinor: 100, currency: 'USD', live: true }));
    expect(decision.detail).toBe(
      '1.00 USD (account acc_1, live) where the order costs 499.00 INR (account acc_1, test)',
    );
  });
});

describe('surplus by the policy of the plan as it was bought', () => {
  const bought = (surplusPolicy: 'refund' | 'extend' | 'hold') =>
    givenOrder(orderFor({ plan: { ...PLAN, surplusPolicy } }), opened, captured('pay_1')).when(captured('pay_2'));
  const about = { cause: 'surplus', paymentId: 'pay_2', amountMinor: PRICE };
  const held = { ...about, cause: 'surplus_held', currency: 'INR' };
  test.each([
    ['refund', { effect: 'refund', dedupKey: 'ord_1:refund:surplus:pay_2', payload: about }],
    ['extend', { effect: 'open', dedupKey: 'ord_1:open:surplus:pay_2', payload: { ...about, kind: 'surplus' } }],
    ['hold', { effect: 'alert', dedupKey: 'ord_1:alert:surplus_held:pay_2', payload: held }],
  ] as const)('%s', (policy, effect) => {
    const when = bought(policy);
    expect(when.decision).toMatchObject({ verdict: 'surplus', grant: null, steps: [{ to: 'subscribed' }] });
    expect(effectsOf(when)[0]).toMatchObject(effect);
    // What is held is told once, by the words that say so.
    const told = { effect: 'alert', payload: { cause: 'surplus', paymentId: 'pay_2' } };
    expect(effectsOf(when).slice(1)).toMatchObject(policy === 'hold' ? [] : [told]);
  });
});

describe('a payment that belongs to another order', () => {
  const elsewhere = { ownedBy: 'ord_0' };
  test.each(Object.entries(standing))('%s: is told and not kept', (state, history) => {
    for (const fact of [captured('pay_x', elsewhere), authorized('pay_x', elsewhere)]) {
      const before = given(...history);
      const { decision, world } = before.when(fact);
      expect(decision).toMatchObject({ verdict: 'mismatch', detail: 'the payment belongs to order ord_0', money: [] });
      expect(world.order.state.context.payments).toEqual(before.world.order.state.context.payments);
      expect(effectKeys(decision)).toContain('alert:mismatch');
      // A captured order tries its grant again whatever it hears; all others stay where they are.
      expect(stateName(world.order)).toBe(state === 'captured' ? 'subscribed' : state);
    }
  });
});

describe('an order that costs nothing', () => {
  test('is subscribed when it is made, in two transitions', () => {
    const { decision, world } = begin(trial);
    expect(decision.steps.map(({ from, to, version }) => [version, from, to])).toEqual([
      [1, null, 'captured'],
      [2, 'captured', 'subscribed'],
    ]);
    expect(decision.grant).toMatchObject({ change: 'give', grants: [{ seq: 1, paymentId: null, provider: null }] });
    expect(world.order.deadline).toBeNull();
  });
  test('waits for its grant when that cannot be written', () => {
    expect(begin(trial).decision.steps[0]?.snapshot.deadline).toMatchObject({ id: 'grantOverdue', setAtVersion: 1 });
  });
  test('does not take money', () => {
    givenOrder(trial)
      .when(captured('pay_1'))
      .then({ verdict: 'mismatch', path: 'subscribed → subscribed', does: ['alert:mismatch'] });
  });
});

describe('paid time begins', () => {
  const begins = (occurredAt?: string) =>
    given()
      .when(captured('pay_1', { ...(occurredAt && { occurredAt }) }))
      .decision.grant?.grants[0]?.startsAt.toISOString();
  test.each([
    ['with the decision when the provider tells no time', undefined, AT],
    ['with the payment when we learned of it within the hour', minutesBefore(59), minutesBefore(59)],
    ['with the payment when we learned of it exactly an hour later', minutesBefore(60), minutesBefore(60)],
    ['with the decision when we learned of it later still', minutesBefore(60, 1), AT],
    ["with the decision when the provider's clock is ahead", minutesBefore(-5), AT],
  ])('%s', (_, occurredAt, expected) => expect(begins(occurredAt)).toBe(expected));

  test('and the same grant with the same dates comes back after a refund that failed', () => {
    const bought = given(captured('pay_1'));
    const { world } = given(captured('pay_1'), refund('pay_1')).when(refund('pay_1', 'failed'));
    expect(world.subscription.fold).toEqual(bought.world.subscription.fold);
    expect(world.subscription.all).toEqual(bought.world.subscription.all);
  });
  test('and the payment that still holds its money is the one that buys it', () => {
    const stuck = [grantFails(captured('pay_1')), grantFails(refund('pay_2'))];
    expect(given(...stuck).when(captured('pay_2')).decision.grant?.grants[0]?.paymentId).toBe('pay_1');
  });
  test('and a revoked grant says when and why', () => {
    const { decision } = given(captured('pay_1')).when(refund('pay_1'));
    expect(decision.grant).toMatchObject({
      change: 'revoke',
      subscription: { fold: null },
      grants: [{ revokedAt: new Date(AT), revokeReason: 'refunded' }],
    });
  });
});

describe('failed attempts', () => {
  const attempts = (count: number) => Array.from({ length: count }, (_, i) => failed(`pay_${i}`));
  test('the newest are kept and all are counted', () => {
    const { context } = given(...attempts(ATTEMPTS_KEPT + 5)).world.order.state;
    expect(context.attemptCount).toBe(ATTEMPTS_KEPT + 5);
    expect(context.attempts.map(attempt => attempt.paymentId)).toEqual(
      attempts(ATTEMPTS_KEPT + 5)
        .slice(5)
        .map(event => ('paymentId' in event ? event.paymentId : null)),
    );
  });
  test('the last that is noted, and the first that is stale', () => {
    given(...attempts(MAX_ATTEMPTS - 1))
      .when(failed('pay_z'))
      .then({ verdict: 'applied', path: 'failed → failed' });
    given(...attempts(MAX_ATTEMPTS))
      .when(failed('pay_z'))
      .then({ verdict: 'stale', path: 'failed', detail: 'too many failed attempts on this order' });
  });
  test('however many there were, money still counts', () => {
    expect(stateName(given(...attempts(MAX_ATTEMPTS), captured('pay_ok')).world.order)).toBe('subscribed');
  });
});

describe('how many payments one order hears of', () => {
  const reservations = Array.from({ length: MAX_PAYMENTS }, (_, i) => authorized(`pay_${i}`));
  const sentence = `the order has heard of ${MAX_PAYMENTS} payments and takes no further authorisation`;
  const full: [string, Told[]][] = [
    ['authorized', reservations],
    ['subscribed', [captured('pay_0'), ...reservations.slice(1)]],
    ['parked', [captured('pay_0', { amountMinor: 100 }), ...reservations.slice(1)]],
    ['failed', [...reservations, askCancel]],
    ['created', Array.from({ length: MAX_PAYMENTS }, (_, i) => refund(`pay_${i}`, 'completed', { amountMinor: 1 }))],
    ['refunded', [captured('pay_0'), refund('pay_0'), ...reservations.slice(1)]],
  ];
  test.each(full)('%s: one authorisation too many is stale, and nothing is asked for', (_, history) => {
    const { decision } = given(...history).when(authorized('pay_z'));
    expect(decision).toMatchObject({ verdict: 'stale', detail: sentence, steps: [] });
    expect(given(...history).world.order.state.context.payments).toHaveLength(MAX_PAYMENTS);
  });
  test('the last that is heard', () => {
    given(...reservations.slice(1))
      .when(authorized('pay_z'))
      .then({ verdict: 'surplus', path: 'authorized → authorized', does: ['void:pay_z'], waits: 'captureWindow' });
  });
  test.each(full)('%s: captured money is always heard, and so is more of a payment that is known', (_, history) => {
    expect(['applied', 'surplus', 'mismatch']).toContain(given(...history).when(captured('pay_z')).decision.verdict);
    expect(given(...history).when(authorized('pay_1')).decision.verdict).not.toBe('illegal');
  });
});

describe('who asked', () => {
  test.each([askCancel, askRefund(), askRetry()])('$type is remembered with its name', event => {
    const parsed = orderEventSchema.parse({ ...event, at: AT, by: ' grace@example.org ' });
    expect(parsed).toMatchObject({ by: 'grace@example.org' });
    for (const by of ['', '   ', 'x'.repeat(MAX_BY_LENGTH + 1)])
      expect(orderEventSchema.safeParse({ ...event, at: AT, by }).success, `by ${by.length}`).toBe(false);
    expect(sendableEvents[event.type as 'retry.requested'].parse({ ...event, at: AT, by: 'grace' })).toMatchObject({
      by: 'grace',
    });
  });
  test('and it is in the transition', () => {
    const { decision } = given(captured('pay_1')).when({ ...askRefund(), by: 'grace' } as Told);
    expect(decision.steps[0]?.event).toMatchObject({ by: 'grace', reason: 'the customer asked' });
  });
  test('the key of what is answered comes from the worker alone', () => {
    const event = { ...refund('pay_1'), at: AT, requestKey: 'ord_1:refund:5' };
    expect(orderEventSchema.parse(event)).toMatchObject({ requestKey: 'ord_1:refund:5' });
    expect(sendableEvents['refund.updated'].parse(event)).not.toHaveProperty('requestKey');
    const long = { ...event, requestKey: 'x'.repeat(MAX_REQUEST_KEY_LENGTH + 1) };
    expect(orderEventSchema.safeParse(long).success).toBe(false);
  });
  test('the key of a surplus refund of the longest payment id there may be is not too long to be answered', () => {
    const longest = 'p'.repeat(255);
    const [sent] = effectsOf(given(captured('pay_1')).when(captured(longest))).filter(
      ({ effect }) => effect === 'refund',
    );
    const ofRealOrder = sent!.dedupKey.replace('ord_1', `ord_${'0'.repeat(26)}`);
    const answer = { ...refund(longest), at: AT, requestKey: ofRealOrder };
    expect(orderEventSchema.safeParse(answer).success).toBe(true);
  });
});

describe('what effects tell', () => {
  test("capture names the payment and the order's own price", () => {
    expect(effectsOf(given().when(authorized('pay_a')))).toEqual([
      {
        effect: 'capture',
        dedupKey: 'ord_1:capture:pay_a',
        orderVersion: 3,
        availableAt: AT,
        payload: { paymentId: 'pay_a', amountMinor: PRICE, currency: 'INR' },
      },
    ]);
  });
  test('the merchant is told who has what', () => {
    expect(effectsOf(given().when(captured('pay_1')))).toEqual([
      {
        effect: 'notify',
        dedupKey: 'ord_1:notify:order.subscribed:4',
        orderVersion: 4,
        availableAt: AT,
        payload: { type: 'order.subscribed', userId: 'ada', product: 'pro', planId: 'pro-monthly' },
      },
    ]);
  });
  test('a period that continues another is told with its new end', () => {
    const first = given(captured('pay_1')).world.subscription;
    const second = { ...begin(orderFor()).world, subscription: { ...first, version: 1 } };
    const { decision } = tell(second, captured('pay_2'));
    const notice = decision.steps
      .flatMap(step => step.effects)
      .find(({ payload }) => payload.type === 'subscription.extended');
    expect(notice?.payload).toMatchObject({ endsAt: '2026-03-31T10:00:00.000Z' });
    expect(decision.grant).toMatchObject({ extended: true, grants: [{ seq: 2 }] });
  });
  test('an alert carries the cause and the fact itself', () => {
    const alert = effectsOf(given().when(captured('pay_1', { amountMinor: 1 }))).find(
      effect => effect.effect === 'alert',
    );
    expect(alert?.payload).toEqual({
      cause: 'mismatch',
      eventType: 'payment.captured',
      paymentId: 'pay_1',
      amountMinor: 1,
      currency: 'INR',
      detail: '0.01 INR (account acc_1, test) where the order costs 499.00 INR (account acc_1, test)',
    });
  });
  test('the same thing said twice by one order has two keys, the same thing done twice has one', () => {
    const keys = [
      given().when(authorized('pay_a')),
      given(authorized('pay_a'), failed('pay_a')).when(authorized('pay_a')),
    ].map(when => effectsOf(when).map(effect => effect.dedupKey));
    expect(keys[0]).toEqual(keys[1]);
    const told = [given().when(failed('a')), given(failed('a'), authorized('b')).when(failed('b'))].map(when =>
      effectsOf(when).map(effect => effect.dedupKey),
    );
    expect(told[0]).not.toEqual(told[1]);
  });
});

test('a commit may stop after any step, and the order goes on from there', () => {
  const { decision } = given().when(captured('pay_1'));
  expect(
    decision.steps.map(step => [step.version, step.to, step.snapshot.value, step.snapshot.context.granted]),
  ).toEqual([
    [3, 'captured', 'captured', false],
    [4, 'subscribed', 'subscribed', true],
  ]);
  expect(decision.steps[0]?.wakeAt).toEqual(new Date('2026-01-31T10:02:00.000Z'));
  expect(given(...standing.captured).when(captured('pay_1')).decision.verdict).toBe('duplicate');
});

test('only the payments that changed are to be written', () => {
  const { decision } = given(captured('pay_1'), captured('pay_2')).when(refund('pay_2', 'pending'));
  expect(decision.money.map(payment => payment.paymentId)).toEqual(['pay_2']);
});
