// How long an event waits for an order that is not known yet. It is tried again after growing pauses, becomes foreign when
// nothing in it says that it is ours, and is given up in the end. Even then it is kept, and decided as soon as its order
// appears.
import type { Envelope } from './envelope.ts';

/**
 * First pause before an unmatched event is tried again, in ms: an order is usually committed within seconds of its
 * webhook.
 */
const UNMATCHED_FIRST_PAUSE_MS = 10_000;
/** Longest pause, in ms: whoever repairs something by hand sees within the hour that it helped. */
const UNMATCHED_LONGEST_PAUSE_MS = 3_600_000;
/**
 * How long it is tried, in ms: as long as providers deliver a webhook again. After that only its order, when it
 * appears, can call for it.
 */
export const UNMATCHED_TRIED_FOR_MS = 3 * 86_400_000;
/**
 * After this time without a sign that it is ours, in ms, it is taken for another business's: merchants sell other
 * things too.
 */
export const FOREIGN_AFTER_MS = 600_000;
/**
 * After this time, in ms, an alert tells of an event that is ours and has no order: no commit of an order takes ten
 * minutes.
 */
export const UNMATCHED_ALERT_AFTER_MS = 600_000;

export type Unplaced = { verdict: 'unmatched' | 'foreign'; nextAttemptAt: Date | null };

/**
 * The verdict on an event without an order, decided at `at`, and when it is tried next. `before` is the verdict of its row, if
 * it has one. Only the sweeper, by `stored`, knows whether the event is ours; a new delivery leaves that as it was.
 */
export function unplaced(
  at: Date,
  receivedAt: Date,
  before: string | null,
  stored: NonNullable<Envelope['stored']> | null,
): Unplaced {
  const age = at.getTime() - receivedAt.getTime();
  const foreign = stored ? !stored.ours && age >= FOREIGN_AFTER_MS : before === 'foreign';
  if (foreign) return { verdict: 'foreign', nextAttemptAt: null };
  if (age >= UNMATCHED_TRIED_FOR_MS) return { verdict: 'unmatched', nextAttemptAt: null };
  // It waits as long again as it has waited so far: the pauses double, however often it is delivered in between.
  const pause = Math.max(UNMATCHED_FIRST_PAUSE_MS, Math.min(UNMATCHED_LONGEST_PAUSE_MS, age));
  return { verdict: 'unmatched', nextAttemptAt: new Date(at.getTime() + pause) };
}
