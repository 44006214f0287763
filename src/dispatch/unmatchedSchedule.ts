// How long an event waits for an order nobody knows yet: tried again at growing pauses, called foreign when nothing says
// that it is ours, given up in the end. Given up is not gone: it is decided at once when its order appears.
import type { Envelope } from './envelope.ts';

/** First pause before an unmatched event is tried again, in ms: an order is usually committed within seconds of its webhook. */
export const UNMATCHED_FIRST_PAUSE_MS = 10_000;
/** Longest pause, in ms: whoever repairs something by hand sees within the hour that it helped. */
export const UNMATCHED_LONGEST_PAUSE_MS = 3_600_000;
/** How long it is tried at all, in ms: as long as providers deliver again; the order itself calls for it after that. */
export const UNMATCHED_TRIED_FOR_MS = 3 * 86_400_000;
/** After this long without a sign that it is ours, in ms, it is somebody else's: merchants sell other things too. */
export const FOREIGN_AFTER_MS = 600_000;
/** After this long, in ms, somebody is told about an event that is ours: no commit of an order takes ten minutes. */
export const UNMATCHED_ALERT_AFTER_MS = 600_000;

export type Unplaced = { verdict: 'unmatched' | 'foreign'; nextAttemptAt: Date | null };

/**
 * What an event without an order is, decided at `at`. `before` is its row as it stands; a delivery cannot tell whether it
 * is ours, so it changes neither that nor, sooner than the sweeper would, the row's fate.
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
  // As long again as it has waited already: the pauses double, however often it was delivered in between.
  const pause = Math.max(UNMATCHED_FIRST_PAUSE_MS, Math.min(UNMATCHED_LONGEST_PAUSE_MS, age));
  return { verdict: 'unmatched', nextAttemptAt: new Date(at.getTime() + pause) };
}
