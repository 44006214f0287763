// The only places that read the time and make randomness; everything else is given one of these, so that tests can hold them.
import { randomBytes } from 'node:crypto';

export type Clock = () => Date;
export const systemClock: Clock = () => new Date();

/** Returns `size` bytes nobody can guess. */
export type RandomSource = (size: number) => Uint8Array;
export const systemRandom: RandomSource = size => randomBytes(size);
