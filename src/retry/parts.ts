// What a retry consists of and how each part ended, as callers are told.
import { isOpen } from '../../db/commit.ts';
import { asDatabaseUnavailable } from '../databaseTrouble.ts';
import type { Outcome, Verdict } from '../dispatch/envelope.ts';
import { PaylatchError } from '../errors.ts';

export type RetryPart = {
  /**
   * What failed or was left waiting: `grant` of a captured order; `parked`, an order that is parked although its cause is gone;
   * a dead `effect`; a kept `event`; a `deadline` that is due and was not delivered.
   */
  what: 'event' | 'deadline' | 'grant' | 'parked' | 'effect';
  /** The effect, the event's type or the deadline's name. */
  name: string | null;
  /** An effect's idempotency key, which stays the same, an event's key, or the deadline's. */
  key: string | null;
};

/** How a part ended. `done` is false where it is as stuck as before; `detail` or `error` then says why. */
export type RetryEnd = RetryPart & {
  done: boolean;
  verdict: Verdict | null;
  detail: string | null;
  error: RetryError | null;
};
export type RetryError = { code: string; detail: string };

export function endOf(part: RetryPart, { verdict, detail }: Pick<Outcome, 'verdict' | 'detail'>): RetryEnd {
  return { ...part, done: !isOpen(verdict), verdict, detail, error: null };
}

/** The end of a part that somebody else has done meanwhile. */
export function doneMeanwhile(part: RetryPart): RetryEnd {
  return { ...part, done: true, verdict: 'duplicate', detail: 'done meanwhile', error: null };
}

export function failed(part: RetryPart, error: unknown): RetryEnd {
  return { ...part, done: false, verdict: null, detail: null, error: retryErrorOf(error) };
}

/**
 * An error as callers may see it. Of an unexpected one only the class is told: messages of the database may hold SQL or
 * addresses.
 */
export function retryErrorOf(error: unknown): RetryError {
  const known = error instanceof PaylatchError ? error : asDatabaseUnavailable(error);
  if (known?.code === 'database_unavailable') return { code: known.code, detail: 'the database does not answer' };
  if (known) return { code: known.code, detail: known.message };
  return { code: 'internal_error', detail: 'it could not be written; the log of the service says why' };
}

export const nameOfPart = ({ what, key }: RetryPart): string => `${what} ${key ?? ''}`;

/** The weightiest first: one part that was applied makes the whole retry `applied`. */
const BY_WEIGHT: readonly Verdict[] = [
  'applied',
  'surplus',
  'mismatch',
  'parked',
  'unmatched',
  'illegal',
  'stale',
  'duplicate',
  'ignored',
  'foreign',
];

/** The verdict of the whole retry; null when no part came to one. */
export function verdictOf(ends: readonly RetryEnd[]): Verdict | null {
  return BY_WEIGHT.find(verdict => ends.some(end => end.verdict === verdict)) ?? null;
}
