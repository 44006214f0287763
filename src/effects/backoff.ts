// How long to wait before an effect is tried again: exponential, with full jitter, so that a thousand effects that failed
// together do not come back together.

/** Shortest pause, in ms, so that nothing is due again in the instant in which it failed. */
const SHORTEST_PAUSE_MS = 1;

export type Backoff = {
  /** Longest pause after the first try, in ms. */
  firstPauseMs: number;
  /** The factor by which each longest pause exceeds the one before. */
  growth: number;
  /** No pause is longer, in ms. */
  maxPauseMs: number;
};

/** The longest pause after this many tries, in ms. */
export function longestPauseMs({ firstPauseMs, growth, maxPauseMs }: Backoff, tries: number): number {
  return Math.min(maxPauseMs, firstPauseMs * growth ** Math.max(0, tries - 1));
}

/** The pause after this many tries, in whole ms, anywhere between nothing and the longest. `fraction` is in [0, 1). */
export function pauseMs(backoff: Backoff, tries: number, fraction: number): number {
  return Math.max(SHORTEST_PAUSE_MS, Math.floor(longestPauseMs(backoff, tries) * fraction));
}
