// Writes down how effects ended, and repeats that until the database has it. An end that cannot be written at all does not
// keep its neighbours from being written.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { Database } from '../../db/client.ts';
import { settleLeases } from '../../db/outbox.ts';
import { classOf } from '../../db/sqlstate.ts';
import { type EndedEffect, logEnd, logFenced } from './runEffect.ts';

/** First and longest pause while the database does not answer, in ms: it is back in a moment, or in minutes. */
const TROUBLE_PAUSE_MS = 50;
const TROUBLE_PAUSE_MAX_MS = 1_000;

export type SettleDeps = { db: Database; log: Logger };

/**
 * Settles these effects and answers those whose row another statement held, to be settled again soon. What cannot be written
 * at all, or not before `giveUp`, is left to its lease: when that ends, the effect is run again under its key.
 */
export async function settleEnded(
  deps: SettleDeps,
  ended: readonly EndedEffect[],
  giveUp?: AbortSignal,
): Promise<EndedEffect[]> {
  for (let pause = TROUBLE_PAUSE_MS; ; pause = Math.min(pause * 2, TROUBLE_PAUSE_MAX_MS)) {
    try {
      return await settleOnce(deps, ended);
    } catch (error) {
      const kind = classOf(error);
      if (kind !== 'again' && kind !== 'unavailable') return settleByHalves(deps, ended, error, giveUp);
      const orderIds = ended.map(({ lease }) => lease.orderId);
      deps.log.warn({ err: error, orderIds }, 'how effects ended could not be written yet');
      if (giveUp?.aborted) return [];
      await sleep(pause);
    }
  }
}

async function settleOnce({ db, log }: SettleDeps, ended: readonly EndedEffect[]): Promise<EndedEffect[]> {
  const settled = await settleLeases(
    db,
    ended.map(({ settlement }) => settlement),
  );
  const held: EndedEffect[] = [];
  for (const effect of ended) {
    const answer = settled.get(effect.lease.id) ?? 'fenced';
    if (answer === 'settled') logEnd(log, effect);
    else if (answer === 'fenced') logFenced(log, effect);
    else held.push(effect);
  }
  return held;
}

async function settleByHalves(
  deps: SettleDeps,
  ended: readonly EndedEffect[],
  error: unknown,
  giveUp?: AbortSignal,
): Promise<EndedEffect[]> {
  const [first] = ended;
  if (ended.length <= 1) {
    const { id, orderId, effect } = first?.lease ?? {};
    deps.log.error({ err: error, id, orderId, effect }, 'how an effect ended cannot be written');
    return [];
  }
  const middle = ended.length >> 1;
  return [
    ...(await settleEnded(deps, ended.slice(0, middle), giveUp)),
    ...(await settleEnded(deps, ended.slice(middle), giveUp)),
  ];
}
