// A place in a lane: how many one other side may have, when to ask again, and who asks whether a silent endpoint is back.
import { expect, test } from 'vitest';
import { createShares, LONGEST_PUT_OFF_MS, type Place, PUT_OFF_MS } from '../src/effects/shares.ts';
import { createEndpointShares, DELIVERIES_PER_ENDPOINT, SILENT_AFTER } from '../src/notifications/endpointShares.ts';
import { heldClock } from './support/world.ts';

const clock = heldClock();
/** Nobody is slow within a test, or everybody at once. */
const NEVER_MS = 3_600_000;
const AT_ONCE_MS = 1;
const hasPlace = (place: Place) => 'release' in place;
const giveBack = (place: Place) => 'release' in place && place.release();
const waitOf = (place: Place) => ('release' in place ? 0 : place.notBefore.getTime() - clock().getTime());
const times = (count: number) => Array.from({ length: count });

test('one has no more than its share, the other all of its own, and who waits at a prompt one has the next place', async () => {
  const shares = createShares(clock, NEVER_MS);
  const first = await shares.take('a', 2);
  const second = await shares.take('a', 2);
  expect(hasPlace(await shares.take('a', 2, false))).toBe(false);
  const b = await shares.take('b', 2);
  expect(hasPlace(b)).toBe(true);
  const waits = shares.take('a', 2);
  giveBack(first);
  const third = await waits;
  expect(hasPlace(third)).toBe(true);
  expect(hasPlace(await shares.take('a', 2, false))).toBe(false);
  for (const place of [second, third, b]) giveBack(place);
});

test('nobody waits at a slow one: who waits is sent away, who comes is put off at once, until it is prompt again', async () => {
  const shares = createShares(clock, AT_ONCE_MS);
  const first = await shares.take('a', 1);
  expect(hasPlace(await shares.take('a', 1))).toBe(false);
  giveBack(first);
  expect(hasPlace(await shares.take('a', 1))).toBe(true);
});

test('whoever gets no place comes back one after the other, none at once and none too late', async () => {
  const shares = createShares(clock, NEVER_MS);
  const first = await shares.take('a', 1);
  const waits = (await Promise.all(times(10_000).map(() => shares.take('a', 1, false)))).map(waitOf);
  expect(waits[0]).toBe(PUT_OFF_MS);
  expect(new Set(waits.slice(0, 1_000)).size).toBe(1_000);
  expect(waits.at(-1)).toBe(LONGEST_PUT_OFF_MS);
  shares.clearLine('a');
  expect(waitOf(await shares.take('a', 1, false))).toBe(PUT_OFF_MS);
  giveBack(first);
});

test('an endpoint that answered nobody several times in a row is asked by one delivery at a time, until it answers one', async () => {
  const shares = createEndpointShares(clock, AT_ONCE_MS);
  const places = async () => {
    const taken = (await Promise.all(times(20).map(() => shares.take('end_1')))).filter(hasPlace);
    for (const place of taken) giveBack(place);
    return taken.length;
  };
  for (let i = 1; i < SILENT_AFTER; i++) shares.heard('end_1', false);
  shares.heard('end_1', true);
  for (let i = 1; i < SILENT_AFTER; i++) shares.heard('end_1', false);
  expect(await places(), 'not in a row').toBe(DELIVERIES_PER_ENDPOINT);
  shares.heard('end_1', false);
  expect(await places()).toBe(1);
  shares.heard('end_1', false);
  expect(await places()).toBe(1);
  shares.heard('end_1', true);
  expect(await places()).toBe(DELIVERIES_PER_ENDPOINT);
});
