// What could not be done is left alone for a while, longer each time, so that it neither spins nor stands in the way of
// what can be done. Forgotten with the process: a fresh start tries everything once.
import type { Clock } from '../clock.ts';

/** First pause after a failure, in ms: about two rounds of a job. */
const FIRST_PAUSE_MS = 10_000;
/** Longest pause, in ms: whoever repairs the cause sees within minutes that it helped. */
const LONGEST_PAUSE_MS = 600_000;
/** How many failures are remembered; past this the oldest is tried again early. */
const REMEMBERED = 20_000;

/** How long after its pause something must have failed again, in ms: what has not been tried since is done another way. */
const TRIED_AGAIN_WITHIN_MS = 60_000;

/** What fails now, since when every try has failed, and what became of the last one. */
export type Failing = { what: string; since: Date; why: string };

export type HoldOff = {
  /** Whether this is still to be left alone. */
  holds(what: string): boolean;
  /** `why`: a sentence fit to be told; null where somebody else tells of it. */
  failed(what: string, why: string | null): void;
  succeeded(what: string): void;
  failing(): Failing[];
};

export function createHoldOff(clock: Clock): HoldOff {
  const held = new Map<string, { until: number; pause: number; since: Date; why: string | null }>();
  return {
    holds: what => (held.get(what)?.until ?? 0) > clock().getTime(),
    failed(what, why) {
      const before = held.get(what);
      const now = clock();
      const pause = before ? Math.min(LONGEST_PAUSE_MS, before.pause * 2) : FIRST_PAUSE_MS;
      held.delete(what);
      held.set(what, { until: now.getTime() + pause, pause, since: before?.since ?? now, why });
      if (held.size > REMEMBERED) held.delete(held.keys().next().value as string);
    },
    succeeded: what => void held.delete(what),
    failing() {
      const now = clock().getTime();
      return [...held].flatMap(([what, { until, since, why }]) =>
        why !== null && now < until + TRIED_AGAIN_WITHIN_MS ? [{ what, since, why }] : [],
      );
    },
  };
}
