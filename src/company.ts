// What belongs together around one event: a recurring charge first gets the order it pays for, and an order that becomes
// known by a new name brings what was told of it too early.
import type { Logger } from 'pino';
import type { Database } from '../db/client.ts';
import type { Clock } from './clock.ts';
import type { Envelope, Outcome } from './dispatch/envelope.ts';
import type { Dispatch } from './dispatch.ts';
import { addressRenewal } from './renewals.ts';
import { decideEarly } from './unmatched.ts';

export type CompanyDeps = { db: Database; dispatch: Dispatch; clock: Clock; log: Logger };

/** Dispatch as everybody outside calls it, by whatever way an order comes about: checkout, renewal, surplus, reconciliation. */
export function withCompany(deps: CompanyDeps): Dispatch {
  const dispatch = async (told: Envelope): Promise<Outcome> => {
    const envelope = await addressRenewal(deps, told);
    const outcome = await deps.dispatch(envelope);
    if (outcome.early && outcome.orderId) await decideEarly({ ...deps, dispatch }, outcome.orderId);
    return outcome;
  };
  return dispatch;
}
