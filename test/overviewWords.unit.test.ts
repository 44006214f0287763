// What the overview says of numbers: lags in words, axes that read well, counts that stopped.
import { describe, expect, test } from 'vitest';
import { roundTop } from '../src/inspector/overview/charts.ts';
import { waitingFigure } from '../src/inspector/overview/figures.ts';
import { exactWords } from '../src/inspector/overview/ordersPanels.ts';
import { lagWords } from '../src/inspector/overview/webhookPanel.ts';

describe('a lag in words', () => {
  test('names the time half of the webhooks and nearly all of them came in', () => {
    expect(
      lagWords(
        new Map([
          ['1', 60],
          ['5', 36],
          ['more', 4],
        ]),
      ),
    ).toBe('half in 1 s, 95 % in 5 s');
  });
  test('says when they took longer than the longest class', () => {
    expect(
      lagWords(
        new Map([
          ['3600', 1],
          ['more', 9],
        ]),
      ),
    ).toBe('half after more than 1 d, 95 % after more than 1 d');
  });
  test('is nothing where no provider told a time', () => {
    expect(lagWords(new Map())).toBeNull();
  });
});

test('an axis ends at an even number that is not below what it shows', () => {
  expect([0, 1, 2, 3, 7, 9, 13, 97, 1_234].map(roundTop)).toEqual([2, 2, 2, 4, 8, 10, 16, 100, 1_500]);
  for (let most = 0; most < 5_000; most += 7) {
    expect(roundTop(most)).toBeGreaterThanOrEqual(most);
    expect(roundTop(most) % 2).toBe(0);
  }
});

test('a count that stopped says so', () => {
  expect(waitingFigure({ count: 10_000, more: true })).toBe('10,000+');
  expect(waitingFigure({ count: 3, more: false })).toBe('3');
});

test('only the states that were counted one by one are called exact', () => {
  const of = (state: string, exact: boolean) => ({ state, provider: 'sandbox', count: 1, exact });
  expect(exactWords([of('subscribed', false), of('parked', true)])).toBe(
    'Authorized, captured and parked orders are counted exactly; the others ',
  );
  expect(exactWords([of('parked', false), of('captured', true)])).toBe(
    'Authorized and captured orders are counted exactly; the others ',
  );
  expect(exactWords([of('parked', false), of('captured', false), of('authorized', false)])).toBe('All ');
});
