// What is said beforehand about each event: read from the chart, in words, and never at odds with what is then decided.
import { describe, expect, test } from 'vitest';
import { decide } from '../machines/decide.ts';
import { explainEvent, explainEvents, SENDABLE_TYPES } from '../machines/explain.ts';
import { orderChart } from '../machines/order.ts';
import { type OrderEvent, sendableEvents } from '../machines/orderEvents.ts';
import { EVENT_WORDS, FACTS, REQUESTS } from '../src/inspector/act/eventWords.ts';
import { outcomeSentence } from '../src/inspector/act/explanation.ts';
import { fieldsOf, readEvent } from '../src/inspector/act/fields.ts';
import { GUARD_WORDS, guardVerdict } from '../src/inspector/act/guardWords.ts';
import {
  AT,
  askCancel,
  askRefund,
  askRetry,
  authorized,
  canceled,
  captured,
  dispute,
  failed,
  given,
  refund,
  standing,
} from './support/given.ts';

const DEAD = [{ effect: 'close', dedupKey: 'ord_1:close', payload: {} }];
const PLACES = Object.entries(standing);
const TOLD = [
  askCancel,
  askRefund(),
  askRefund({ amountMinor: 10_000_000 }),
  askRetry(),
  askRetry(DEAD),
  authorized('pay_1'),
  authorized('pay_2', { amountMinor: 100 }),
  captured('pay_1'),
  captured('pay_2', { amountMinor: 100 }),
  captured('pay_3', { ownedBy: 'ord_2' }),
  failed('pay_1'),
  failed(),
  canceled('pay_1'),
  failed('pay_a'),
  canceled('pay_a'),
  refund('pay_1'),
  refund('pay_1', 'pending', { amountMinor: 100 }),
  dispute('pay_1', 'lost'),
  dispute('pay_2', 'opened'),
];
const stamp = (told: object) => ({ at: AT, ...told }) as OrderEvent;

describe('the table of words', () => {
  test('has a sentence for each condition of the chart, and none that the chart has not', () => {
    expect(Object.keys(GUARD_WORDS).sort()).toEqual(Object.keys(orderChart.implementations.guards).sort());
  });

  test('has a title and a button for each event that can be sent, and each is offered once', () => {
    expect(Object.keys(EVENT_WORDS).sort()).toEqual([...SENDABLE_TYPES].sort());
    expect([...REQUESTS, ...FACTS].sort()).toEqual([...SENDABLE_TYPES].sort());
  });

  test('finds something to say about every condition in every state, whatever comes', () => {
    for (const [, history] of PLACES) {
      const { order } = given(...history).world;
      for (const told of TOLD.map(stamp)) {
        const explained = explainEvent(order, told);
        for (const { guard, holds } of explained.candidates) {
          if (guard === null) continue;
          const said = guardVerdict(guard, holds, { context: order.state.context, event: told }, told.type);
          expect(said.answer).toBe(holds ? 'yes' : 'no');
          expect(`${said.asks} ${said.found}`).not.toMatch(/undefined|null|NaN|\[object/);
        }
      }
    }
  });
});

describe('what is explained', () => {
  test('is what is decided, in every state: the way that would be taken has its verdict and its state', () => {
    for (const [place, history] of PLACES) {
      const { order, subscription } = given(...history).world;
      for (const event of TOLD.map(stamp)) {
        const { candidates, taken } = explainEvent(order, event);
        const way = candidates[taken ?? -1];
        const decision = decide(order, event, subscription);
        const name = `${place}: ${event.type}`;
        expect([name, way?.verdict, way?.detail ?? null]).toEqual([name, decision.verdict, decision.detail]);
        if (decision.steps[0]) expect([name, way?.to]).toEqual([name, decision.steps[0].to]);
      }
    }
  });

  test('before anybody fills in the event never claims what a filled in one could contradict', () => {
    for (const [place, history] of PLACES) {
      const { order } = given(...history).world;
      const beforehand = explainEvents(order, []);
      for (const event of TOLD.map(stamp)) {
        if (event.type === 'retry.requested' && event.dead) continue;
        const before = beforehand.find(({ type }) => type === event.type);
        explainEvent(order, event).candidates.forEach(({ guard, holds }, n) => {
          const claimed = before?.candidates[n]?.holds ?? null;
          // A refund without an amount means all there is; asking for more is another request.
          if (claimed === null || guard === 'refundable') return;
          expect([place, event.type, guard, claimed]).toEqual([place, event.type, guard, holds]);
        });
      }
    }
  });

  test('says what an order that waits for its payment would do with each event', () => {
    const { order } = given(...standing.created).world;
    const said = Object.fromEntries(
      explainEvents(order, []).map(each => [each.type, outcomeSentence(each, order.state.context)]),
    );
    expect(said).toMatchObject({
      'cancel.requested': 'Leads to failed.',
      'refund.requested': 'Refused now: nothing was captured; cancel instead.',
      'retry.requested': 'Refused now: nothing has failed that could be tried again.',
      'payment.failed': 'Leads to failed.',
      'payment.captured': expect.stringMatching(
        /^Depends on the payment: it leads to subscribed or refunded or failed/,
      ),
    });
  });

  test('names what a wrong payment is and what the order costs', () => {
    const { order } = given(...standing.created).world;
    const event = stamp(captured('pay_9', { amountMinor: 50_000 }));
    const { candidates } = explainEvent(order, event);
    const fits = candidates.find(({ guard }) => guard === 'fits');
    expect(guardVerdict('fits', fits?.holds ?? null, { context: order.state.context, event }, event.type)).toEqual({
      asks: 'the payment is what the order costs',
      answer: 'no',
      found: 'it is ₹500.00 where the order costs ₹499.00',
    });
  });
});

describe('the form of an event', () => {
  const { context } = given(...standing.subscribed).world.order.state;

  test('has each field of the schema but what dispatch stamps and what everybody who asks must say', () => {
    for (const type of SENDABLE_TYPES) {
      const left = Object.keys(sendableEvents[type].shape).filter(
        name =>
          !['type', 'at', 'by'].includes(name) &&
          !(['reason', 'occurredAt'].includes(name) && type.endsWith('.requested')),
      );
      const fields = fieldsOf(type, context);
      expect(fields.map(({ name }) => name).sort()).toEqual(left.sort());
      for (const { name, label } of fields) expect([type, name, label]).not.toEqual([type, name, name]);
    }
  });

  test.each([
    ['499.00', 'INR', 49_900],
    ['499', 'INR', 49_900],
    ['0.5', 'INR', 50],
    ['500', 'JPY', 500],
    ['1.234', 'KWD', 1_234],
    ['8.29', 'USD', 829],
  ])('reads %s %s as %d of the smallest unit', (amountMinor, currency, expected) => {
    const typed: Record<string, string> = { paymentId: 'pay_1', amountMinor, currency };
    expect(readEvent('payment.captured', context, name => typed[name] ?? '').event).toEqual({
      type: 'payment.captured',
      paymentId: 'pay_1',
      amountMinor: expected,
      currency,
    });
  });

  test.each(['', '-1', '1e3', '4,99', '0', '0.001', '49900000000000000', 'NaN', '499.00 INR'])(
    'refuses %j as an amount with a sentence at its field',
    amountMinor => {
      const typed: Record<string, string> = { paymentId: 'pay_1', amountMinor, currency: 'INR' };
      const { event, errors } = readEvent('payment.captured', context, name => typed[name] ?? '');
      expect(event).toBeNull();
      expect(errors?.amountMinor).toMatch(/\w+.*\.$/);
    },
  );
});
