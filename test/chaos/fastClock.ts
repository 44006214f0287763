// A wall clock that runs faster than the real one and can be set ahead, the same for every process of a run: an hour of
// pauses and deadlines passes in a minute, and nothing of the product has to know.

export type FastTime = {
  /** When the run began, in ms since the epoch. */
  startedAt: number;
  /** How many seconds pass in one. */
  speed: number;
  /** How far it was set ahead since, in ms. */
  aheadMs: number;
};

/** What it shows, in ms since the epoch, when a real clock shows `realMs`. */
export function fastMs({ startedAt, speed, aheadMs }: FastTime, realMs: number): number {
  return Math.floor(startedAt + aheadMs + (realMs - startedAt) * speed);
}
