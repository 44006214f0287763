// The only place that reads the time and makes randomness. Everything else is given a clock and a source, so that tests can
// replace them.
import { randomBytes } from 'node:crypto';

export type Clock = () => Date;
export const systemClock: Clock = () => new Date();

/** Answers `size` bytes that nobody can guess. */
export type RandomSource = (size: number) => Uint8Array;
export const systemRandom: RandomSource = size => randomBytes(size);
