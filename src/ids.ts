// Our ids: a prefix and 26 characters, 48 bits of milliseconds and 80 random ones. Time-ordered, because random keys cost
// two thirds of the write speed once the tables have outgrown memory; the random tail makes them unguessable.
import { createHash } from 'node:crypto';
import type { Clock, RandomSource } from './clock.ts';

const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz';
const TIME_CHARACTERS = 10;
const RANDOM_BYTES = 10;
/** Ids whose random bytes are asked for together, because asking takes longer than making an id. */
const IDS_AT_ONCE = 100;

export type IdPrefix = 'ord' | 'evt' | 'eff' | 'fnd' | 'req' | 'ept' | 'att' | 'tst' | 'wrk';
export type NewId = (prefix: IdPrefix) => string;

export function idsFrom(clock: Clock, random: RandomSource): NewId {
  let bytes: Uint8Array = new Uint8Array();
  return prefix => {
    if (bytes.length === 0) bytes = random(RANDOM_BYTES * IDS_AT_ONCE);
    const own = bytes.subarray(0, RANDOM_BYTES);
    bytes = bytes.subarray(RANDOM_BYTES);
    return `${prefix}_${timePart(clock().getTime())}${randomPart(own)}`;
  };
}

/** Sorts before every id of this prefix that is made at this instant or later. */
export const idFloor = (prefix: IdPrefix, instant: Date): string => `${prefix}_${timePart(instant.getTime())}`;

function timePart(ms: number): string {
  let text = '';
  for (let i = 0, rest = ms; i < TIME_CHARACTERS; i++, rest = Math.floor(rest / 32)) text = ALPHABET[rest % 32] + text;
  return text;
}

function randomPart(bytes: Uint8Array): string {
  let text = '';
  let bits = 0;
  let held = 0;
  for (const byte of bytes) {
    held = (held << 8) | byte;
    for (bits += 8; bits >= 5; bits -= 5) text += ALPHABET[(held >> (bits - 5)) & 31];
    held &= (1 << bits) - 1;
  }
  return text;
}

/** The order id that belongs to a provider's payment: the same payment always gives the same one. */
export function derivedOrderId(provider: string, paymentId: string): string {
  const hash = createHash('sha256').update(`${provider} ${paymentId}`).digest();
  return `ord_${(randomPart(hash.subarray(0, 20))).slice(0, TIME_CHARACTERS + 16)}`;
}
