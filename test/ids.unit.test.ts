// Ids sort by their time, and never share what makes them unguessable.
import { expect, test } from 'vitest';
import { systemRandom } from '../src/clock.ts';
import { idFloor, idsFrom } from '../src/ids.ts';

const AT = new Date('2026-01-31T10:00:00.000Z');

test('ten thousand ids of one millisecond are all different, also where their randomness is asked for anew', () => {
  const newId = idsFrom(() => AT, systemRandom);
  const ids = Array.from({ length: 10_000 }, () => newId('ord'));
  expect(new Set(ids.map(id => id.slice(-16))).size).toBe(ids.length);
  for (const id of ids) expect(id).toMatch(/^ord_[0-9a-hjkmnp-tv-z]{26}$/);
});

test('each random byte goes into one id, and into all of it', () => {
  let next = 0;
  const counting = (size: number) => Uint8Array.from({ length: size }, () => next++ % 251);
  const newId = idsFrom(() => AT, counting);
  const tails = Array.from({ length: 251 }, () => newId('evt').slice(-16));
  const bits = (tail: string) =>
    [...tail]
      .map(character => '0123456789abcdefghjkmnpqrstvwxyz'.indexOf(character).toString(2).padStart(5, '0'))
      .join('');
  const bytes = tails.flatMap(tail =>
    bits(tail)
      .match(/.{8}/g)!
      .map(byte => Number.parseInt(byte, 2)),
  );
  expect(bytes).toEqual(bytes.map((_, n) => n % 251));
});

test('an id sorts after everything of an earlier millisecond', () => {
  const earlier = idsFrom(() => AT, systemRandom)('ord');
  const later = new Date(AT.getTime() + 1);
  expect(idFloor('ord', AT) <= earlier).toBe(true);
  expect(earlier < idFloor('ord', later)).toBe(true);
});
