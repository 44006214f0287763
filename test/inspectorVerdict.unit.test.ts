// What the inspector's bench thinks of what it measured: a quiet machine decides, a busy one only where the work itself says.
import { describe, expect, test } from 'vitest';
import type { CheckedPlan } from '../bench/inspectorPlans.ts';
import { EXIT_CODES, judge, type Timed } from '../bench/inspectorVerdict.ts';

const LOOKS = 40;
const timed = (name: string, ms: number, busyMs: number | null): Timed => ({
  group: 'orders',
  name,
  ms: Array.from({ length: LOOKS }, () => ms),
  busyMs: busyMs === null ? [] : Array.from({ length: LOOKS }, () => busyMs),
  bytes: 0,
});
const quiet = [timed('a row by its key', 1, null), timed('a page without the database', 4.9, null)];
const noisy = [timed('a row by its key', 1, null), timed('a page without the database', 5.1, null)];
const plan = (problems: string[]) => ({ text: 'select 1', problems }) as CheckedPlan;
const exitOf = (pages: Timed[], yardsticks: Timed[], plans: CheckedPlan[] = [plan([])]) =>
  EXIT_CODES[judge({ pages, yardsticks, plans }).verdict];

const fast = timed('fast', 99.9, 99.9);
const late = timed('late', 100, 20);
const lateUnseen = timed('late, and nobody tells of its work', 100, null);
const heavy = timed('heavy', 250, 100);

describe('the bench ends', () => {
  test('well when every page was under the limit by the clock, on a quiet machine and on a busy one', () => {
    expect(exitOf([fast], quiet)).toBe(0);
    expect(exitOf([fast], noisy)).toBe(0);
  });

  test('badly when a page was slow by the clock on a quiet machine, however little it worked', () => {
    expect(exitOf([fast, late], quiet)).toBe(1);
    expect(exitOf([fast, lateUnseen], quiet)).toBe(1);
  });

  test('undecided when a page was slow by the clock alone while others worked too', () => {
    expect(exitOf([fast, late], noisy)).toBe(2);
    expect(judge({ pages: [fast, late], yardsticks: noisy, plans: [] })).toMatchObject({
      noisy: true,
      slow: [],
      undecided: [late],
    });
  });

  test('undecided, and never well, when it was late and nobody could tell how much it worked', () => {
    expect(exitOf([lateUnseen], noisy)).toBe(2);
  });

  test('badly when a page worked too much, whoever else did', () => {
    expect(exitOf([heavy], noisy)).toBe(1);
    expect(exitOf([timed('heavy, side by side', 60, 100)], quiet)).toBe(1);
    expect(judge({ pages: [heavy, late], yardsticks: noisy, plans: [] })).toMatchObject({
      verdict: 'bad',
      slow: [heavy],
      undecided: [late],
    });
  });

  test('badly when a plan is bad, though every page was fast, and though others are undecided', () => {
    expect(exitOf([fast], quiet, [plan(['reads all of orders'])])).toBe(1);
    expect(exitOf([late], noisy, [plan(['reads all of orders'])])).toBe(1);
  });

  test('by the 95th percentile: two slow looks of a hundred are forgiven, six are not', () => {
    const some = (slow: number) => ({ ...fast, ms: Array.from({ length: 100 }, (_, i) => (i < slow ? 500 : 10)) });
    expect(exitOf([some(2)], quiet)).toBe(0);
    expect(exitOf([some(6)], quiet)).toBe(1);
  });
});
