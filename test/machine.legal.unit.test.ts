// Which events a person may send now: facts always, requests where trying them would not be illegal.
import { expect, test } from 'vitest';
import { decide } from '../machines/decide.ts';
import { legalEvents } from '../machines/legal.ts';
import { type OrderEvent, REQUEST_TYPES, sendableEvents } from '../machines/orderEvents.ts';
import { storedForm } from '../machines/snapshot.ts';
import {
  AT,
  askCancel,
  authorized,
  begin,
  captured,
  deadline,
  given,
  refund,
  standing,
  type Told,
  trial,
} from './support/given.ts';

const FACTS = Object.keys(sendableEvents).filter(type => !type.endsWith('.requested'));
const DEAD = [{ effect: 'close', dedupKey: 'ord_1:close', payload: {} }];
const requestsOf = (order: Parameters<typeof legalEvents>[0], dead: typeof DEAD = []) =>
  legalEvents(order, dead)
    .filter(type => type.endsWith('.requested'))
    .map(type => type.split('.')[0]);

const ODD = { amountMinor: 100 };
const PLACES: [string, Told[], string[]][] = [
  ['created', standing.created, ['cancel']],
  ['authorized', standing.authorized, ['cancel']],
  ['captured', standing.captured, ['refund', 'retry']],
  ['subscribed', standing.subscribed, ['refund']],
  ['subscribed with the refund on its way', [captured('pay_1'), refund('pay_1', 'pending')], []],
  ['failed', standing.failed, ['cancel']],
  ['failed and closed: canceling once more is a duplicate, not illegal', [...standing.failed, askCancel], ['cancel']],
  ['parked with wrong money', standing.parked, ['refund']],
  ['parked with a wrong reservation', [authorized('pay_w', ODD)], ['cancel']],
  [
    'parked for a provider that never answered',
    [...standing.authorized, ...Array.from({ length: 8 }, () => deadline())],
    ['cancel', 'retry'],
  ],
  ['refunded', standing.refunded, []],
  ['refunded with wrong money', [...standing.refunded, captured('pay_w', ODD)], ['refund']],
];

test.each(PLACES)('%s', (_, history, requests) => {
  const { order } = given(...history).world;
  expect(requestsOf(order).sort()).toEqual(requests);
  expect(legalEvents(order, [])).toEqual(expect.arrayContaining(FACTS));
  expect(requestsOf(order, DEAD).sort()).toEqual([...new Set([...requests, 'retry'])].sort());
});

test('a trial has nothing to cancel or refund', () => {
  expect(requestsOf(begin(trial).world.order)).toEqual([]);
});

test('what is legal is what decide does not call illegal, in every state', () => {
  for (const [, history] of PLACES) {
    const { order, subscription } = given(...history).world;
    for (const type of REQUEST_TYPES) {
      const { verdict } = decide(order, { type, at: AT, reason: 'x' } as OrderEvent, subscription);
      expect(legalEvents(order, []).includes(type), `${type} ${verdict}`).toBe(verdict !== 'illegal');
    }
  }
});

test('asking changes nothing', () => {
  const { order } = given(captured('pay_1')).world;
  const before = JSON.stringify(storedForm(order));
  legalEvents(order, DEAD);
  expect(JSON.stringify(storedForm(order))).toBe(before);
});

test('a page of 200 orders is asked in a fraction of a second', () => {
  const orders = Array.from({ length: 200 }, (_, i) => given(...(PLACES[i % PLACES.length]?.[1] ?? [])).world.order);
  const start = performance.now();
  for (const order of orders) legalEvents(order, []);
  const took = performance.now() - start;
  expect(took, 'ms').toBeLessThan(500);
});
