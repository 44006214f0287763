// Kills replicas at moments nobody chose, while they are at work, and starts them again.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Replica } from './replicas.ts';

export type KillPlan = {
  /** Rounds of killing; after the last one the replicas are left alone. */
  rounds: number;
  /** How often both are killed at once, as a share of one. */
  both: number;
  /** Longest pause between one round and the next, in real ms; each is drawn. */
  pauseMs: number;
  /** How many calls to the provider, at most, are waited for between being ready and being killed; drawn, too. */
  calls: number;
};
/** If nothing calls the provider it is killed all the same, after this many real ms. */
const IDLE_MS = 2_000;
/** Longest time dead, in real ms. */
const DEAD_MS = 500;

type Deps = {
  replicas: readonly Replica[];
  plan: KillPlan;
  random: () => number;
  /** Calls the provider has seen so far. */
  seen: () => number;
  stop: AbortSignal;
};

/** Kills until it is told to stop or all rounds are over, and leaves all of them ready. `killed` hears of each. */
export async function killReplicas({ replicas, plan, random, seen, stop }: Deps, killed: () => void): Promise<void> {
  for (let round = 0; round < plan.rounds && !stop.aborted; round++) {
    const one = replicas[Math.floor(random() * replicas.length)];
    const victims = random() < plan.both ? replicas : replicas.filter(replica => replica === one);
    await Promise.all(victims.map(victim => victim.ready()));
    const moment = seen() + 1 + Math.floor(random() * plan.calls);
    const giveUp = performance.now() + IDLE_MS;
    while (seen() < moment && performance.now() < giveUp && !stop.aborted) await sleep(1);
    if (stop.aborted) break;
    await Promise.all(victims.map(victim => victim.kill()));
    for (const _ of victims) killed();
    await sleep(random() * DEAD_MS);
    for (const victim of victims) victim.start();
    await sleep(random() * plan.pauseMs, undefined, { signal: stop }).catch(() => {});
  }
  await Promise.all(replicas.map(replica => replica.ready()));
}
