// Named jobs, each on its own pause. A job never meets itself, and a failure costs only its round.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';

export type Job = {
  /** For the log, as a noun: "deadlines". */
  name: string;
  /** Pause between two rounds, in ms. */
  everyMs: number;
  /** Ends with its first round that succeeds. */
  once?: true;
  /** One round; returns after the page at hand once `stop` is aborted. */
  run(stop: AbortSignal): Promise<void>;
};

export type Jobs = {
  /** Stops each job after the page it is at. */
  close(): Promise<void>;
};

/** Runs each job in a loop of its own. */
export function startJobs(jobs: readonly Job[], log: Logger): Jobs {
  const stop = new AbortController();
  const loops = jobs.map(job => loop(job, log, stop.signal));
  return {
    async close() {
      stop.abort();
      await Promise.all(loops);
    },
  };
}

async function loop(job: Job, log: Logger, stop: AbortSignal): Promise<void> {
  while (!stop.aborted) {
    try {
      await job.run(stop);
      if (job.once) return;
    } catch (error) {
      log.warn({ err: error, job: job.name }, 'a round of the sweeper failed; the next one follows');
    }
    await sleep(job.everyMs, undefined, { signal: stop }).catch(() => {});
  }
}
