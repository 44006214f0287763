// Carries out what the outbox holds. A wake-up after each commit makes it prompt, and the poll makes it sure. Leases let any
// number of workers run side by side: a worker that has lost its lease can no longer change the row.
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import type { Database } from '../../db/client.ts';
import { LANE_NAMES, type Lane, leaseDue, type OutboxLease } from '../../db/outbox.ts';
import type { EffectName } from '../../machines/orderSetup.ts';
import { EFFECT_POLICIES, LANE_WIDTH, laneOf } from './policies.ts';
import { type EndedEffect, type RunDeps, runEffect } from './runEffect.ts';
import { settleEnded } from './settle.ts';

/** Pause between looks, in ms, when nobody wakes the worker: for what is due by time and for what other processes wrote. */
const POLL_MS = 1_000;
/** Pause before an end is written again because its row was held, in ms: about as long as a statement takes. */
const HELD_PAUSE_MS = 20;
/**
 * How long closing waits for handlers that run, in ms: longer than a provider call with its second try (7 s), and well below
 * the 25 s that the service has to stop. What is not over by then is run again elsewhere when its lease ends.
 */
const DRAIN_MS = 10_000;

export type WorkerDeps = Omit<RunDeps, 'policies'> & {
  db: Database;
  /** Names this worker in `leased_by`: no other one, in any process, may have it. */
  workerId: string;
  policies?: RunDeps['policies'];
  width?: Readonly<Record<Lane, number>>;
  pollMs?: number;
  drainMs?: number;
};

export type Worker = {
  /** Something may be due: look now. Cheap, and coalesced. */
  wake(): void;
  /** Takes nothing more, waits for what runs, gives back what was not begun. */
  close(): Promise<void>;
  /** Effects that were taken and whose end is not written yet. */
  running(): number;
};

/** Starts working, at once. */
export function startWorker(deps: WorkerDeps): Worker {
  const worker = new OutboxWorker(deps);
  worker.start();
  return worker;
}

/** Works until nothing is due and answers how each effect ended, for callers that must know when it is done. */
export async function workOff(deps: WorkerDeps): Promise<EndedEffect[]> {
  const run = { ...deps, policies: deps.policies ?? EFFECT_POLICIES };
  const lease = leasing(deps);
  const all: EndedEffect[] = [];
  for (;;) {
    const leases = await lease(deps.width ?? LANE_WIDTH);
    if (leases.length === 0) return all;
    const ended = await Promise.all(leases.map(taken => runEffect(run, taken)));
    all.push(...ended);
    let left = await settleEnded(deps, ended);
    while (left.length > 0) {
      await sleep(HELD_PAUSE_MS);
      left = await settleEnded(deps, left);
    }
  }
}

/** Leases under a new name each time. After a lost answer it uses the same name again, and so finds what it had taken. */
function leasing({ db, clock, workerId, policies = EFFECT_POLICIES }: WorkerDeps) {
  const leaseMs = Object.fromEntries(
    Object.entries(policies).map(([effect, policy]) => [effect, policy.leaseMs]),
  ) as Record<EffectName, number>;
  let round = 1;
  return async (room: Readonly<Record<Lane, number>>): Promise<OutboxLease[]> => {
    const leases = await leaseDue(db, { lease: `${workerId}#${round}`, at: clock(), room, leaseMs });
    round += 1;
    return leases;
  };
}

class OutboxWorker implements Worker {
  private readonly deps: WorkerDeps;
  private readonly run: RunDeps;
  private readonly lease: ReturnType<typeof leasing>;
  private readonly taken: Record<Lane, number> = { provider: 0, closing: 0, question: 0, merchant: 0, operator: 0 };
  private readonly ended: EndedEffect[] = [];
  private readonly giveUp = new AbortController();
  private settling = false;
  private closing = false;
  private woken = false;
  private endRest: (() => void) | null = null;
  private whenIdle: (() => void) | null = null;
  private looping: Promise<void> = Promise.resolve();

  constructor(deps: WorkerDeps) {
    this.deps = deps;
    this.run = { ...deps, policies: deps.policies ?? EFFECT_POLICIES };
    this.lease = leasing(deps);
  }

  start(): void {
    this.looping = this.loop();
  }

  wake(): void {
    this.woken = true;
    this.endRest?.();
  }

  running(): number {
    return LANE_NAMES.reduce((sum, lane) => sum + this.taken[lane], 0);
  }

  async close(): Promise<void> {
    this.closing = true;
    this.endRest?.();
    await this.looping;
    const drained = new Promise<void>(resolve => {
      this.whenIdle = resolve;
    });
    const tooLong = new AbortController();
    const wait = sleep(this.deps.drainMs ?? DRAIN_MS, undefined, { signal: tooLong.signal }).catch(() => {});
    if (this.running() > 0) await Promise.race([drained, wait]);
    tooLong.abort();
    this.giveUp.abort();
    const left = this.running();
    if (left > 0)
      this.deps.log.warn({ left }, 'effects were not over in time; they are run again when their leases end');
  }

  private async loop(): Promise<void> {
    while (!this.closing) {
      this.woken = false;
      const room = this.room();
      if (LANE_NAMES.some(lane => room[lane] > 0)) {
        try {
          for (const lease of await this.lease(room)) this.carryOut(lease);
        } catch (error) {
          this.deps.log.warn({ err: error }, 'effects could not be leased; trying again');
          this.woken = false;
        }
      }
      if (!this.woken && !this.closing) await this.rest();
    }
  }

  private room(): Record<Lane, number> {
    const width = this.deps.width ?? LANE_WIDTH;
    const left = (lane: Lane) => Math.max(0, width[lane] - this.taken[lane]);
    return {
      provider: left('provider'),
      closing: left('closing'),
      question: left('question'),
      merchant: left('merchant'),
      operator: left('operator'),
    };
  }

  /** Until somebody wakes the worker, or the poll is due. */
  private async rest(): Promise<void> {
    await new Promise<void>(resolve => {
      const timer = setTimeout(resolve, this.deps.pollMs ?? POLL_MS);
      this.endRest = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.endRest = null;
  }

  private carryOut(lease: OutboxLease): void {
    this.taken[laneOf(lease.effect)] += 1;
    // Leased while closing began: nothing was sent, so this try does not count.
    if (this.closing) this.end(givenBack(lease, this.deps.clock()));
    else void runEffect(this.run, lease).then(ended => this.end(ended));
  }

  private end(effect: EndedEffect): void {
    this.ended.push(effect);
    if (!this.settling) void this.settleAll();
  }

  /** While one statement is on its way the next ends gather, and go together. */
  private async settleAll(): Promise<void> {
    this.settling = true;
    while (this.ended.length > 0) {
      // Effects that end in the same turn go in one statement: one for each would be a hundred times the work.
      await nextTurn();
      const batch = this.ended.splice(0);
      const held = await settleEnded(this.deps, batch, this.giveUp.signal);
      for (const effect of held) setTimeout(() => this.end(effect), HELD_PAUSE_MS);
      for (const effect of batch) if (!held.includes(effect)) this.taken[laneOf(effect.lease.effect)] -= 1;
      // There is room again, and what waited behind these may run.
      this.wake();
      if (this.running() === 0) this.whenIdle?.();
    }
    this.settling = false;
  }
}

const givenBack = (lease: OutboxLease, at: Date): EndedEffect => ({
  lease,
  settlement: { id: lease.id, lease: lease.lease, attempt: lease.attempt, at, end: 'released' },
  ms: 0,
});
