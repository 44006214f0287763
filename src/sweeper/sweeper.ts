// What nobody calls for and must happen all the same: deadlines, events that wait for their order, paid orders without a
// grant, and telling somebody of what stands still. Any number of replicas run this side by side: dispatch takes each event once.
import { resolveMatched } from '../../db/inbox.ts';
import { resolveMended } from './deadEffects.ts';
import { passDeadlines } from './deadlines.ts';
import { driveCaptured } from './driveCaptured.ts';
import { createHoldOff } from './holdOff.ts';
import { type Job, type Jobs, startJobs } from './jobs.ts';
import { endMootEffects } from './mootEffects.ts';
import { standstillJob } from './standstill.ts';
import { decideReadable, retryUnmatched, type UnmatchedDeps } from './unmatchedEvents.ts';
import { untoldJob } from './untold.ts';

/** Pause between looks for orders and events that are due, in ms. Deadlines are minutes; seconds of delay do not matter. */
const DUE_PAUSE_MS = 5_000;
/** Pause between looks for what nobody waits for by the second, in ms: orders that can be read again come with a release. */
const SLOW_PAUSE_MS = 60_000;

/** `dispatch` is the Core's, with company. */
export type SweeperDeps = Omit<UnmatchedDeps, 'holdOff'> & {
  /** More jobs beside its own. */
  jobs?: readonly Job[];
};

/** Starts the sweeper's own jobs, all at once, and those given. */
export function startSweeper({ jobs = [], ...deps }: SweeperDeps): Jobs {
  return startJobs([...sweeperJobs(deps), ...jobs], deps.log);
}

/** The sweeper's own jobs, for whoever runs them one by one. */
export function sweeperJobs(deps: Omit<UnmatchedDeps, 'holdOff'>): Job[] {
  const { clock } = deps;
  const orders = { ...deps, holdOff: createHoldOff(clock) };
  const events = { ...deps, holdOff: createHoldOff(clock) };
  return [
    { name: 'captured orders', everyMs: DUE_PAUSE_MS, once: true, run: stop => driveCaptured(deps, stop) },
    { name: 'deadlines', everyMs: DUE_PAUSE_MS, run: stop => passDeadlines(orders, stop) },
    { name: 'unmatched events', everyMs: DUE_PAUSE_MS, run: stop => retryUnmatched(events, stop) },
    { name: 'events of unreadable orders', everyMs: SLOW_PAUSE_MS, run: stop => decideReadable(events, stop) },
    { name: 'effects nobody needs', everyMs: SLOW_PAUSE_MS, run: () => endMootEffects(deps) },
    { name: 'findings of mended effects', everyMs: SLOW_PAUSE_MS, run: () => resolveMended(deps) },
    { name: 'findings of matched events', everyMs: SLOW_PAUSE_MS, run: () => resolveMatched(deps.db, clock()) },
    untoldJob(deps),
    standstillJob(deps, [
      {
        kind: 'deadline_refused',
        holdOff: orders.holdOff,
        says: count =>
          `${count === 1 ? '1 order cannot' : `${count} orders cannot`} be told that their time is over; the first is`,
      },
      {
        kind: 'event_refused',
        holdOff: events.holdOff,
        says: count => `${count === 1 ? '1 kept event' : `${count} kept events`} cannot be decided; the first is`,
      },
    ]),
  ];
}
