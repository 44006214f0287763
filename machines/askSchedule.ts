// When a provider is asked about an order that is silent: soon, because most lost answers are minutes old; once more within
// the hour, because banks and webhooks catch up by then; then daily, because what is still open changes by the day.

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/**
 * The waits before each question, in ms, one after the other. They reach over five days: providers return money that was
 * reserved and never captured after three to seven, so whoever still does not know by then will not learn it by asking.
 */
export const ASK_SCHEDULE_MS: readonly number[] = [5 * MINUTE_MS, HOUR_MS, DAY_MS, DAY_MS, DAY_MS, DAY_MS, DAY_MS];

/** The question, counted from 0, with which somebody is told that a capture is late: a day after the money was reserved. */
export const LATE_CAPTURE_QUESTION = 2;

/** How often a provider is asked before a human must decide. */
export const MAX_ASKED = ASK_SCHEDULE_MS.length;

/**
 * The wait after so many questions, in ms. After the last question it is as long as before it: its answer needs time,
 * too.
 */
export function askAgainAfterMs(asked: number): number {
  return ASK_SCHEDULE_MS[Math.min(asked, MAX_ASKED - 1)] ?? DAY_MS;
}
