// Limits how many places of a lane one other side (a provider, an endpoint) may hold at once, so that a slow one leaves places
// for the others.
import type { Clock } from '../clock.ts';

/**
 * Shortest time, in ms, for which an effect beyond the share is put off: the effects that are in its way take about
 * that long.
 */
export const PUT_OFF_MS = 1_000;
/** Effects that are put off come back this far apart, in ms: at most a hundred a second, however many wait. */
const APART_MS = 10;
/** Longest time an effect is put off, in ms: that the other side has room again is noticed this late at most. */
export const LONGEST_PUT_OFF_MS = 30_000;
/**
 * A side that keeps a place longer than this, in ms, is slow. A place at a prompt side is waited for; at a slow one it
 * is not.
 */
const PROMPT_MS = 500;

/** Either a place, to be given back exactly once, or when to ask for one again. */
export type Place = { release: () => void } | { notBefore: Date };

export type Shares = {
  /**
   * A place for `name` as soon as it holds fewer than `share` of them. When it is slow, or `patient` is false, nothing
   * is waited for.
   */
  take(name: string, share: number, patient?: boolean): Promise<Place>;
  /** Forgets how many effects were put off for `name`: those that are put off from now on come back soon. */
  clearLine(name: string): void;
};

type Side = {
  held: number;
  slow: boolean;
  endOfLine: number;
  waiting: { share: number; go: (place: Place) => void }[];
};

/** Counts in this process alone, because each process has lanes of its own. `promptMs` in ms. */
export function createShares(clock: Clock, promptMs = PROMPT_MS): Shares {
  const sides = new Map<string, Side>();

  function sideOf(name: string): Side {
    const side = sides.get(name) ?? { held: 0, slow: false, endOfLine: 0, waiting: [] };
    sides.set(name, side);
    return side;
  }

  function putOff(side: Side): Place {
    const now = clock().getTime();
    const at = Math.min(Math.max(now + PUT_OFF_MS, side.endOfLine + APART_MS), now + LONGEST_PUT_OFF_MS);
    side.endOfLine = at;
    return { notBefore: new Date(at) };
  }

  function place(side: Side): Place {
    side.held += 1;
    let tooLong = false;
    const timer = setTimeout(() => {
      tooLong = true;
      side.slow = true;
      for (const { go } of side.waiting.splice(0)) go(putOff(side));
    }, promptMs);
    const release = () => {
      clearTimeout(timer);
      side.held -= 1;
      if (!tooLong) side.slow = false;
      const next = side.waiting[0];
      if (!next || side.held >= next.share) return;
      side.waiting.shift();
      next.go(place(side));
    };
    return { release };
  }

  return {
    async take(name, share, patient = true) {
      const side = sideOf(name);
      if (side.held < share) return place(side);
      if (side.slow || !patient) return putOff(side);
      return new Promise(go => side.waiting.push({ share, go }));
    },
    clearLine(name) {
      sideOf(name).endOfLine = 0;
    },
  };
}
