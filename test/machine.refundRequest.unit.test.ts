// What a refund request asks of the world: which payment, how much, under which key; and what re-arming sends again.
import { describe, expect, test } from 'vitest';
import {
  AT,
  askRefund,
  askRetry,
  captured,
  given,
  givenOrder,
  opened,
  orderFor,
  PLAN,
  PRICE,
  refund,
} from './support/given.ts';

const DEAD = { effect: 'close', dedupKey: 'ord_1:close', payload: { providerOrderId: 'sbo_1' } };

describe('what a refund request asks for', () => {
  const asked = (...[history, more]: [Parameters<typeof given>, Parameters<typeof askRefund>[0]?]) =>
    given(...history).when(askRefund(more)).decision.steps[0]?.effects[0];

  test('the newest payment that holds money, all of it, when nothing is named', () => {
    const held = orderFor({ plan: { ...PLAN, surplusPolicy: 'hold' } });
    const { decision } = givenOrder(held, opened, captured('pay_1'), captured('pay_2')).when(askRefund());
    expect(decision.steps[0]?.effects[0]).toMatchObject({
      effect: 'refund',
      payload: { paymentId: 'pay_2', amountMinor: PRICE },
    });
  });
  test('the payment that pays, when the surplus one is on its way back already', () => {
    expect(asked([captured('pay_1'), captured('pay_2')])?.payload).toEqual({ paymentId: 'pay_1', amountMinor: PRICE });
  });
  test('the named payment and amount', () => {
    expect(asked([captured('pay_1'), captured('pay_2')], { paymentId: 'pay_1', amountMinor: 5 })?.payload).toEqual({
      paymentId: 'pay_1',
      amountMinor: 5,
    });
  });
  test('only what has not gone back and is not on its way', () => {
    const history = [
      captured('pay_1'),
      refund('pay_1', 'completed', { amountMinor: 100 }),
      refund('pay_1', 'pending', { amountMinor: 50, id: 'rf_2' }),
    ];
    expect(asked(history)?.payload).toEqual({ paymentId: 'pay_1', amountMinor: PRICE - 150 });
  });
  test('two requests are two refunds, each with a key of its own', () => {
    const keys = [askRefund({ amountMinor: 1 })].flatMap(first => {
      const once = given(captured('pay_1')).when(first).decision;
      const twice = given(captured('pay_1'), first).when(first).decision;
      return [once, twice].map(decision => decision.steps[0]?.effects[0]?.dedupKey);
    });
    expect(new Set(keys).size).toBe(2);
  });
  test('a re-armed effect keeps its key, so that the outside world sees one', () => {
    const [effect] = given(captured('pay_1')).when(askRetry([DEAD])).decision.steps[0]?.effects ?? [];
    expect(effect).toEqual({ ...DEAD, orderVersion: 5, availableAt: AT });
  });
});
