// What could not be done is left alone for a while, longer each time, so that it neither spins nor stands in the way of
// what can be done. Forgotten with the process: a fresh start tries everything once.
import type { Clock } from '../clock.ts';

/** First pause after a failure, in ms: about two rounds of a job. */
const FIRST_PAUSE_MS = 10_000;
/** Longest pause, in ms: whoever repairs the cause sees within minutes that it helped. */
const LONGEST_PAUSE_MS = 600_000;
/** How many failures are remembered; past this the oldest is tried again early. */
const REMEMBERED = 20_000;

export type HoldOff = {
  /** Whether this is still to be left alone. */
  holds(what: string): boolean;
  failed(what: string): void;
  succeeded(what: string): void;
};

export function createHoldOff(clock: Clock): HoldOff {
  const held = new Map<string, { until: number; pause: number }>();
  return {
    holds: what => (held.get(what)?.until ?? 0) > clock().getTime(),
    failed(what) {
      const before = held.get(what);
      const pause = before ? Math.min(LONGEST_PAUSE_MS, before.pause * 2) : FIRST_PAUSE_MS;
      held.delete(what);
      held.set(what, { until: clock().getTime() + pause, pause });
      if (held.size > REMEMBERED) held.delete(held.keys().next().value as string);
    },
    succeeded: what => void held.delete(what),
  };
}
