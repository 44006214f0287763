// What fails again and again is told to somebody: an order whose deadline cannot be delivered, or a kept event that cannot
// be decided, stands still, and its log lines wake nobody. One finding for all of a kind: their cause is mostly the same.
import type { Logger } from 'pino';
import type { Database } from '../../db/client.ts';
import { openFindings, resolveFindings } from '../../db/findings.ts';
import type { Clock } from '../clock.ts';
import type { NewId } from '../ids.ts';
import type { Failing, HoldOff } from './holdOff.ts';
import type { Job } from './jobs.ts';

/** Pause between two looks, in ms. */
const LOOK_PAUSE_MS = 60_000;
/** How long each try must have failed, in ms: a row that somebody holds or a database that restarts is over before. */
const FAILS_FOR_MS = 600_000;

export type StandstillDeps = { db: Database; clock: Clock; newId: NewId; log: Logger };
/** `says` ends in what the first of them is. */
export type Standing = { kind: string; holdOff: HoldOff; says: (count: number) => string };

/** The job; any number of replicas may have it, and each tells of what it could not do itself. */
export function standstillJob(deps: StandstillDeps, standing: readonly Standing[]): Job {
  return {
    name: 'what fails again and again',
    everyMs: LOOK_PAUSE_MS,
    async run() {
      for (const one of standing) await look(deps, one);
    },
  };
}

async function look({ db, clock, newId, log }: StandstillDeps, { kind, holdOff, says }: Standing): Promise<void> {
  const at = clock();
  const failing = holdOff.failing();
  const long = failing.filter(({ since }) => at.getTime() - since.getTime() >= FAILS_FOR_MS);
  // What has only begun to fail neither opens nor closes anything: another replica may have seen it for longer.
  if (failing.length === 0) return resolveFindings(db, [kind], at);
  const [first] = long.toSorted((a, b) => a.since.getTime() - b.since.getTime());
  if (!first) return;
  const detail = `${says(long.length)} ${sentenceOf(first)}`;
  const alertPayload = { cause: kind, severity: 'critical', detail };
  const finding = { id: newId('fnd'), fingerprint: kind, kind, severity: 'critical' as const, orderId: null, detail };
  const opened = await openFindings(db, [{ ...finding, alertId: newId('eff'), alertPayload }], at);
  if (opened.length > 0) log.error({ kind, count: long.length }, 'finding opened');
}

const sentenceOf = ({ what, why, since }: Failing) => `${what}, since ${since.toISOString()}: ${why}`;
