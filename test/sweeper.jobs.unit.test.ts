// The sweeper's jobs beside each other: none meets itself, none pays for another's failure, all stop when told.
import { pino } from 'pino';
import { afterEach, expect, test } from 'vitest';
import { createHoldOff } from '../src/sweeper/holdOff.ts';
import { type Job, type Jobs, startJobs } from '../src/sweeper/jobs.ts';
import { until } from './support/databaseChecks.ts';
import { heldClock } from './support/world.ts';

let running: Jobs | undefined;
afterEach(() => running?.close());

function start(...jobs: Job[]): { lines: string[] } {
  const lines: string[] = [];
  running = startJobs(jobs, pino({ level: 'warn' }, { write: line => void lines.push(line) }));
  return { lines };
}

test('a job begins again only when its round is over, while the others go on', async () => {
  let inside = 0;
  let most = 0;
  let slowRounds = 0;
  let quickRounds = 0;
  let release = () => {};
  const slow: Job = {
    name: 'slow',
    everyMs: 0,
    async run() {
      slowRounds += 1;
      most = Math.max(most, ++inside);
      await new Promise<void>(resolve => {
        release = resolve;
      });
      inside -= 1;
    },
  };
  const quick: Job = { name: 'quick', everyMs: 0, run: async () => void quickRounds++ };
  start(slow, quick);
  await until('the quick job has run a hundred times', () => quickRounds >= 100);
  expect(slowRounds).toBe(1);
  release();
  await until('the slow job runs again', () => slowRounds === 2);
  expect(most).toBe(1);
  const closed = running?.close();
  release();
  await closed;
});

test('a round that fails is logged by name and followed by the next', async () => {
  let rounds = 0;
  const run = async () => {
    rounds += 1;
    if (rounds < 3) throw new Error('the list is torn');
  };
  const { lines } = start({ name: 'listing', everyMs: 0, run });
  await until('it has run five times', () => rounds >= 5);
  expect(lines.map(line => JSON.parse(line))).toMatchObject([
    { job: 'listing', err: { message: 'the list is torn' } },
    { job: 'listing', err: { message: 'the list is torn' } },
  ]);
});

test('a job that is done once it succeeds is not run again', async () => {
  let starts = 0;
  let others = 0;
  const first: Job = {
    name: 'at start',
    everyMs: 0,
    once: true,
    run: async () => {
      starts += 1;
      if (starts < 2) throw new Error('not yet');
    },
  };
  start(first, { name: 'other', everyMs: 0, run: async () => void others++ });
  await until('the other one has run often', () => others >= 100);
  expect(starts).toBe(2);
});

test('closing waits for the page at hand, tells it to stop, and lets no round follow', async () => {
  let rounds = 0;
  let told = false;
  let finish = () => {};
  const run = async (stop: AbortSignal) => {
    rounds += 1;
    await new Promise<void>(resolve => {
      finish = resolve;
    });
    told = stop.aborted;
  };
  start({ name: 'pages', everyMs: 0, run });
  let closed = false;
  const closing = running!.close().then(() => {
    closed = true;
  });
  await Promise.resolve();
  expect(closed).toBe(false);
  finish();
  await closing;
  expect([rounds, told]).toEqual([1, true]);
});

test('what failed is left alone for 10 s, then twice as long each time up to ten minutes, and freshly after a success', () => {
  const clock = heldClock('2026-01-31T10:00:00.000Z');
  const holdOff = createHoldOff(clock);
  const pauses = Array.from({ length: 8 }, () => {
    holdOff.failed('ord_1', 'no');
    const from = clock().getTime();
    let pause = 0;
    while (holdOff.holds('ord_1')) clock.set(new Date(from + ++pause * 1_000).toISOString());
    return pause;
  });
  expect(pauses).toEqual([10, 20, 40, 80, 160, 320, 600, 600]);
  expect(holdOff.holds('ord_2')).toBe(false);
  holdOff.succeeded('ord_1');
  holdOff.failed('ord_1', 'no');
  clock.set(new Date(clock().getTime() + 10_000).toISOString());
  expect(holdOff.holds('ord_1')).toBe(false);
});

test('what is failing is told with its beginning and its last reason, until it succeeds or is not tried any more', () => {
  const clock = heldClock('2026-01-31T10:00:00.000Z');
  const holdOff = createHoldOff(clock);
  const since = clock();
  holdOff.failed('ord_1', 'no');
  clock.set('2026-01-31T10:00:10.000Z');
  holdOff.failed('ord_1', 'no again');
  expect(holdOff.failing()).toEqual([{ what: 'ord_1', since, why: 'no again' }]);
  holdOff.succeeded('ord_1');
  expect(holdOff.failing()).toEqual([]);
  holdOff.failed('ord_2', 'no');
  clock.set('2026-01-31T10:01:19.999Z');
  expect(holdOff.failing()).toHaveLength(1);
  clock.set('2026-01-31T10:01:20.000Z');
  expect(holdOff.failing()).toEqual([]);
});
