// Why orders are stuck, in the words of whoever has to unstick them.
import type { StuckCause } from '../../../db/orders.ts';

export type CauseWords = {
  label: string;
  /** What it means. */
  sentence: string;
  /** What to do about it. */
  advice: string;
};

export const CAUSE_WORDS: Readonly<Record<StuckCause, CauseWords>> = {
  grant_failed: {
    label: 'Grant failed',
    sentence: 'The money is in, but the subscription could not be written.',
    advice: 'It is tried again by itself. The detail is what the database said: mend that, then retry.',
  },
  parked: {
    label: 'Parked',
    sentence: 'Something about the money is in doubt, and a person must decide.',
    advice: 'Open the order: it says what does not fit, and which events would settle it.',
  },
  effect_dead: {
    label: 'Effect dead',
    sentence: 'Something to be done outside failed on every try.',
    advice: 'The detail is the last error. Mend its reason, then retry: it runs again under the same key.',
  },
  deadline_passed: {
    label: 'Deadline passed',
    sentence: 'A deadline is over and nobody has acted on it yet.',
    advice: 'The sweeper does that within seconds. If these stay, it does not run or cannot reach the provider.',
  },
  snapshot_unreadable: {
    label: 'Snapshot unreadable',
    sentence: 'This version of the service cannot read the order, so its events are kept undecided.',
    advice: 'Deploy a version that has the order’s chart: what was kept is decided then.',
  },
};
/** Gravest first: somebody has paid and has nothing. */
export const CAUSES = Object.keys(CAUSE_WORDS) as StuckCause[];
