// Who pays twice and whose plan says `extend` gets an order for the second payment: this one passes it on, keeps nothing of
// it, and remembers only that it did.
import { describe, expect, test } from 'vitest';
import { net } from '../machines/money.ts';
import { stateName } from '../machines/snapshot.ts';
import {
  askRefund,
  authorized,
  captured,
  dispute,
  effectKeys,
  failed,
  givenOrder,
  grantFails,
  opened,
  orderFor,
  PLAN,
  PRICE,
  refund,
  type Told,
} from './support/given.ts';

const extending = orderFor({ plan: { ...PLAN, surplusPolicy: 'extend' } });
const bought = (...history: Told[]) => givenOrder(extending, opened, ...history);
const paid = captured('pay_1');
const second = captured('pay_2', { occurredAt: '2026-01-31T09:59:00.000Z' });
const PASSED_ON = 'the payment was passed on, to become an order of its own';
const contextOf = (given: ReturnType<typeof bought>) => given.world.order.state.context;

describe('a second payment of a plan that extends', () => {
  test('is surplus, and opens an order of its own', () => {
    const decision = bought(paid)
      .when(second)
      .then({
        verdict: 'surplus',
        path: 'subscribed → subscribed',
        does: ['open:surplus:pay_2', 'alert:surplus'],
        detail: 'the order is already paid by another payment',
      });
    expect(decision.steps[0]?.effects[0]).toMatchObject({
      effect: 'open',
      dedupKey: 'ord_1:open:surplus:pay_2',
      payload: {
        cause: 'surplus',
        kind: 'surplus',
        paymentId: 'pay_2',
        amountMinor: PRICE,
        currency: 'INR',
        occurredAt: '2026-01-31T09:59:00.000Z',
      },
    });
    expect(decision.steps[0]?.effects[1]?.payload.detail).toBe(
      'payment pay_2 came although the order is paid, and becomes an order of its own',
    );
  });
  test('is in no books of this order, so that its net stays the price', () => {
    const { world, decision } = bought(paid).when(second);
    expect(decision.money).toEqual([]);
    expect(net(world.order.state.context.payments)).toBe(PRICE);
    expect(world.order.state.context).toMatchObject({ passedOn: ['pay_2'], payments: [{ paymentId: 'pay_1' }] });
  });
  test('is passed on by an order that is paid and not granted yet; the grant is tried again', () => {
    bought(grantFails(paid))
      .when(second)
      .then({
        verdict: 'surplus',
        path: 'captured → captured → subscribed',
        does: ['open:surplus:pay_2', 'alert:surplus', 'notify:order.subscribed'],
        grant: 'give',
      });
  });
  test('each further one is passed on, too', () => {
    const given = bought(paid, second, captured('pay_3'));
    expect(contextOf(given)).toMatchObject({ passedOn: ['pay_2', 'pay_3'], payments: [{ paymentId: 'pay_1' }] });
  });
});

describe('once it was passed on', () => {
  test.each([
    ['told again', second],
    ['told again by whoever has it now', captured('pay_2', { ownedBy: 'ord_2' })],
    ['told as authorized, late', authorized('pay_2')],
    ['told as authorized by whoever has it now', authorized('pay_2', { ownedBy: 'ord_2' })],
  ])('%s it is a duplicate, and nobody is alarmed', (_, told) => {
    bought(paid, second).when(told).then({ verdict: 'duplicate', path: 'subscribed', detail: PASSED_ON });
  });
  test('a late failure of it is stale', () => {
    bought(paid, second).when(failed('pay_2')).then({ verdict: 'stale', path: 'subscribed' });
  });
  test.each([
    ['a refund', refund('pay_2')],
    ['a dispute', dispute('pay_2', 'opened')],
  ])('%s of it is kept for its own order, not written here', (_, told) => {
    bought(paid, second).when(told).then({ verdict: 'unmatched', path: 'subscribed', detail: PASSED_ON });
    bought(paid, second, refund('pay_1'))
      .when(told)
      .then({ verdict: 'unmatched', path: 'refunded', detail: PASSED_ON });
  });
  test('it cannot be refunded here', () => {
    bought(paid, second)
      .when(askRefund({ paymentId: 'pay_2' }))
      .then({ verdict: 'illegal', path: 'subscribed', detail: `payment pay_2: ${PASSED_ON}` });
  });
  test('it stays passed on when the own payment goes back', () => {
    bought(paid, second, refund('pay_1')).when(second).then({ verdict: 'duplicate', path: 'refunded' });
  });
});

describe('what is not passed on', () => {
  test('a payment that pays an order whose own money has gone back: it brings the grant back', () => {
    const { world } = bought(paid, refund('pay_1')).when(second);
    bought(paid, refund('pay_1'))
      .when(second)
      .then({
        verdict: 'surplus',
        path: 'refunded → subscribed',
        does: ['alert:surplus', 'notify:order.subscribed'],
        grant: 'restore',
      });
    expect(world.order.state.context.passedOn).toEqual([]);
  });
  test('a payment that is not what the order costs', () => {
    bought(paid)
      .when(captured('pay_2', { amountMinor: 100 }))
      .then({ verdict: 'mismatch', path: 'subscribed → subscribed', does: ['alert:mismatch'] });
  });
  test('a reservation: it is voided', () => {
    bought(paid)
      .when(authorized('pay_2'))
      .then({ verdict: 'surplus', path: 'subscribed → subscribed', does: ['void:pay_2'] });
  });
  test('a reservation that was captured although it was to be voided: it is in the books here, and sent back', () => {
    bought(paid, authorized('pay_2'))
      .when(second)
      .then({ verdict: 'surplus', path: 'subscribed → subscribed', does: ['refund:surplus:pay_2', 'alert:surplus'] });
  });
  test("another order's payment", () => {
    const { decision, world } = bought(paid).when(captured('pay_9', { ownedBy: 'ord_0' }));
    expect(decision.verdict).toBe('mismatch');
    expect(effectKeys(decision)).toEqual(['alert:mismatch']);
    expect(world.order.state.context.passedOn).toEqual([]);
  });
  test('the first payment, whichever it is', () => {
    const given = bought(second);
    expect(stateName(given.world.order)).toBe('subscribed');
    expect(contextOf(given)).toMatchObject({ passedOn: [], payments: [{ paymentId: 'pay_2' }] });
  });
});
