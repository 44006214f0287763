// How long an effect waits before it is tried again, as tables.
import { describe, expect, test } from 'vitest';
import { type Backoff, longestPauseMs, pauseMs } from '../src/effects/backoff.ts';
import { EFFECT_POLICIES, laneOf } from '../src/effects/policies.ts';
import { EFFECT_NAMES } from './support/outboxRig.ts';

const DOUBLING: Backoff = { firstPauseMs: 1_000, growth: 2, maxPauseMs: 10_000 };

describe('a pause', () => {
  test.each([
    [1, 1_000],
    [2, 2_000],
    [3, 4_000],
    [4, 8_000],
    [5, 10_000],
    [6, 10_000],
    [2_000, 10_000],
  ])('after try %i is at most %i ms', (tries, longest) => {
    expect(longestPauseMs(DOUBLING, tries)).toBe(longest);
  });

  test.each([
    [1, 0, 1],
    [1, 0.5, 500],
    [3, 0, 1],
    [3, 0.25, 1_000],
    [3, 0.9999, 3_999],
    [9, 0.5, 5_000],
  ])('after try %i, where chance says %f, is %i ms: anything from nothing to the longest', (tries, fraction, pause) => {
    expect(pauseMs(DOUBLING, tries, fraction)).toBe(pause);
  });
});

/** The longest time from the first try to the last. */
function longestInAll(effect: (typeof EFFECT_NAMES)[number]): number {
  const policy = EFFECT_POLICIES[effect];
  return Array.from({ length: policy.maxAttempts - 1 }, (_, i) => longestPauseMs(policy, i + 1)).reduce(
    (sum, pause) => sum + pause,
    0,
  );
}

describe('the policies', () => {
  test.each([
    ['capture', 1, 1.2],
    ['void', 1, 1.2],
    ['close', 24, 48],
    ['open', 1, 1.2],
    ['refund', 3, 5],
    ['notify', 40, 55],
    ['alert', 2, 6],
  ] as const)('%s is kept up for %f to %f hours at most', (effect, least, most) => {
    const hours = longestInAll(effect) / 3_600_000;
    expect(hours).toBeGreaterThanOrEqual(least);
    expect(hours).toBeLessThanOrEqual(most);
  });

  test('every effect has a lease longer than two provider calls with their second tries, and a lane', () => {
    for (const effect of EFFECT_NAMES) {
      expect(EFFECT_POLICIES[effect].leaseMs).toBeGreaterThan(4 * 7_000);
      expect(laneOf(effect)).toBeTypeOf('string');
    }
  });
});
