// Orders whose money is in and whose grant could not be written are driven again: all of them at start, later each when
// its time has come. They are found by state and wake_at, so nothing has to be remembered in memory.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import { type CapturedOrder, readCaptured } from '../../db/captured.ts';
import type { Database } from '../../db/client.ts';
import type { Clock } from '../clock.ts';
import type { Dispatch } from '../dispatch.ts';

/** Orders read at once; the next page follows when these are answered, so that live traffic is not starved. */
const PAGE_SIZE = 100;
/** Pause between looks, in ms. Deadlines are minutes; seconds of delay do not matter. */
const SWEEP_PAUSE_MS = 5_000;

export type SweeperDeps = { db: Database; dispatch: Dispatch; clock: Clock; log: Logger };

export type Sweeper = {
  /** Stops after the page it is at. */
  close(): Promise<void>;
};

/** Drives all captured orders now and the due ones from then on. */
export function startSweeper(deps: SweeperDeps): Sweeper {
  const stop = new AbortController();
  const running = sweep(deps, stop.signal);
  return {
    close() {
      stop.abort();
      return running;
    },
  };
}

async function sweep(deps: SweeperDeps, stop: AbortSignal): Promise<void> {
  let atStart = true;
  while (!stop.aborted) {
    try {
      await driveCaptured(deps, atStart ? 'all' : 'due', stop);
      atStart = false;
    } catch (error) {
      deps.log.warn({ err: error }, 'captured orders could not be driven; trying again');
    }
    await sleep(SWEEP_PAUSE_MS, undefined, { signal: stop }).catch(() => {});
  }
}

/** One round over the captured orders. One that fails again stays captured, with the new reason, and the round goes on. */
export async function driveCaptured(deps: SweeperDeps, which: 'all' | 'due', stop?: AbortSignal): Promise<void> {
  let after = '';
  for (;;) {
    const page = await readCaptured(deps.db, after, PAGE_SIZE, which === 'due' ? deps.clock() : null);
    await Promise.allSettled(page.map(order => driveOne(deps, order, which)));
    const last = page.at(-1);
    if (!last || page.length < PAGE_SIZE || stop?.aborted) return;
    after = last.id;
  }
}

async function driveOne(
  { dispatch, log }: SweeperDeps,
  { id, version, deadline }: CapturedOrder,
  which: 'all' | 'due',
): Promise<void> {
  const event =
    which === 'due' && deadline
      ? { type: 'deadline.passed' as const, deadline: deadline.id, setAtVersion: deadline.setAtVersion }
      : { type: 'retry.requested' as const, reason: 'captured orders are tried again when the service starts' };
  try {
    // The key names the version: two replicas that sweep at once try once.
    const eventKey = `drive:${version}`;
    await dispatch({
      source: 'sweeper',
      orderId: id,
      provider: null,
      providerOrderId: null,
      eventKey,
      event,
      received: null,
    });
  } catch (error) {
    log.warn({ err: error, orderId: id }, 'a captured order could not be driven');
  }
}
