// Runs one leased effect: calls its handler, decides what its end means, and writes the line about it in the log.
import type { Logger } from 'pino';
import type { OutboxLease, Settlement } from '../../db/outbox.ts';
import type { Clock, RandomSource } from '../clock.ts';
import { asDatabaseUnavailable } from '../databaseTrouble.ts';
import { PaylatchError, ProviderRefused } from '../errors.ts';
import type { NewId } from '../ids.ts';
import { pauseMs } from './backoff.ts';
import type { EffectEnd, EffectHandlers } from './effect.ts';
import { type EffectPolicy, laneOf } from './policies.ts';

/** What is left of a lease when its handler is given up, in ms: time to write that down before somebody else takes over. */
const LEASE_REST_MS = 5_000;

export type RunDeps = {
  handlers: EffectHandlers;
  policies: Readonly<Record<OutboxLease['effect'], EffectPolicy>>;
  clock: Clock;
  random: RandomSource;
  newId: NewId;
  log: Logger;
};

/** An effect whose run is over and how it ended, with how long it took in ms. */
export type EndedEffect = { lease: OutboxLease; settlement: Settlement; ms: number };

/** Runs the handler and never rejects: whatever it throws is an end, too. */
export async function runEffect(deps: RunDeps, lease: OutboxLease): Promise<EndedEffect> {
  const startedAt = performance.now();
  const policy = deps.policies[lease.effect];
  const end =
    lease.attempt > policy.maxAttempts
      ? // Each try was counted when it began, and the last one never told how it ended.
        dead(`none of ${policy.maxAttempts} tries came to an end`)
      : await withinLease(deps, lease, policy.leaseMs);
  const ms = Math.round(performance.now() - startedAt);
  return { lease, settlement: settlementOf(deps, lease, end), ms };
}

const dead = (error: string): EffectEnd => ({ end: 'dead', error });

/**
 * A handler that outlives its lease could run beside the next one. It is given up before that, and how it ended is
 * unknown.
 */
function withinLease(deps: RunDeps, lease: OutboxLease, leaseMs: number): Promise<EffectEnd> {
  const limitMs = Math.max(leaseMs - LEASE_REST_MS, leaseMs / 2);
  return new Promise(resolve => {
    const timer = setTimeout(() => resolve({ end: 'again', error: `no end within ${limitMs} ms` }), limitMs);
    handled(deps, lease)
      .then(resolve)
      .finally(() => clearTimeout(timer));
  });
}

async function handled({ handlers, log }: RunDeps, lease: OutboxLease): Promise<EffectEnd> {
  const { lease: _, ...effect } = lease;
  try {
    return await handlers[lease.effect](effect);
  } catch (error) {
    const sentence = error instanceof Error ? error.message : String(error);
    if (error instanceof ProviderRefused) return dead(sentence);
    const isExpected = error instanceof PaylatchError || asDatabaseUnavailable(error) !== null;
    if (!isExpected) log.error({ err: error, ...about(lease) }, 'an effect failed by a bug');
    return { end: 'again', error: sentence };
  }
}

function settlementOf({ policies, clock, random, newId }: RunDeps, lease: OutboxLease, end: EffectEnd): Settlement {
  const at = clock();
  const own = { id: lease.id, lease: lease.lease, attempt: lease.attempt, at };
  const policy = policies[lease.effect];
  if (end.end === 'done') return { ...own, end: 'done', note: end.note ?? null };
  const untried = 'untried' in end;
  if (end.end === 'again' && (untried || lease.attempt < policy.maxAttempts)) {
    const earliest = 'notBefore' in end ? end.notBefore.getTime() : at.getTime() + 1;
    const named = 'at' in end ? end.at?.getTime() : undefined;
    const next = named ?? at.getTime() + pauseMs(policy, lease.attempt, fraction(random));
    return { ...own, end: 'again', error: end.error, availableAt: new Date(Math.max(earliest, next)), untried };
  }
  const lane = laneOf(lease.effect);
  return {
    ...own,
    end: 'dead',
    error: end.error,
    // No alert tells of an alert that died: the second would die like the first, and so on for ever.
    alertId: lane === 'operator' ? null : newId('eff'),
    noticeId: lease.orderId === null || lane === 'operator' || lane === 'merchant' ? null : newId('eff'),
  };
}

/** In [0, 1). */
function fraction(random: RandomSource): number {
  const [a = 0, b = 0, c = 0, d = 0] = random(4);
  return (a + (b + (c + d / 256) / 256) / 256) / 256;
}

const about = ({ id, orderId, effect, dedupKey, attempt }: OutboxLease) => ({ id, orderId, effect, dedupKey, attempt });

/** One line an effect: done is news, again a warning, dead an error. */
export function logEnd(log: Logger, { lease, settlement, ms }: EndedEffect): void {
  const line = { ...about(lease), end: settlement.end, ms };
  switch (settlement.end) {
    case 'done':
      log.info(settlement.note === null ? line : { ...line, note: settlement.note }, 'effect done');
      break;
    case 'again':
      // An effect that only waits its turn is no trouble, and there may be thousands of them.
      log[settlement.untried ? 'debug' : 'warn'](
        { ...line, error: settlement.error, availableAt: settlement.availableAt },
        'effect to be tried again',
      );
      break;
    case 'dead':
      log.error({ ...line, error: settlement.error }, 'effect dead');
      break;
    case 'released':
      log.info(line, 'effect given back');
  }
}

/** The row had been taken by somebody else when this end was to be written. */
export function logFenced(log: Logger, { lease, settlement, ms }: EndedEffect): void {
  log.warn(
    { ...about(lease), end: settlement.end, ms },
    'effect fenced: its lease was over and taken by another worker',
  );
}
