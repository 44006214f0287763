// What the replicas said in their logs, counted: which tries of effects never told how they ended, what died, what broke.
import type { LogLine } from './replicas.ts';

export type LogCounts = {
  said(line: LogLine): void;
  /** Tries whose worker was killed, told by the next one that had the effect. */
  takeovers(): number;
  /** Effects, by id, whose attempts were used up or that were refused. */
  dead: Map<string, string>;
  fenced(): number;
  /** Lines nobody should ever read. */
  bugs: string[];
};

const BUGS = ['an effect failed by a bug', 'uncaughtException', 'unhandledRejection'];

export function countLogs(): LogCounts {
  const tries = new Map<string, Set<number>>();
  const dead = new Map<string, string>();
  const bugs: string[] = [];
  let fenced = 0;
  return {
    dead,
    bugs,
    takeovers() {
      // Those of an effect's former life, if it was revived, share its numbers: rather too few than too many.
      const silent = [...tries.values()].map(told => Math.max(...told) - told.size);
      return silent.reduce((sum, count) => sum + count, 0);
    },
    fenced: () => fenced,
    said(line) {
      const msg = String(line.msg);
      if (BUGS.includes(msg)) bugs.push(JSON.stringify(line));
      if (msg.startsWith('effect fenced')) fenced += 1;
      if (!['effect done', 'effect to be tried again', 'effect dead'].includes(msg)) return;
      const { id, attempt } = line as { id: string; attempt: number };
      tries.set(id, (tries.get(id) ?? new Set()).add(attempt));
      if (msg === 'effect dead') dead.set(id, `${line.effect} of ${line.orderId}: ${line.error}`);
    },
  };
}
