// Dispatch with what must happen around an event: a recurring charge first gets the order that it pays for, and when an order
// becomes known by a new name, the events that were kept under that name are decided.
import type { Logger } from 'pino';
import type { Database } from '../db/client.ts';
import type { Clock } from './clock.ts';
import type { Envelope, Outcome } from './dispatch/envelope.ts';
import type { Dispatch } from './dispatch.ts';
import { addressRenewal } from './renewals.ts';
import { decideEarly } from './unmatched.ts';

export type CompanyDeps = { db: Database; dispatch: Dispatch; clock: Clock; log: Logger };

/** The dispatch that everybody is given, however an order comes about: by checkout, renewal, surplus or reconciliation. */
export function withCompany(deps: CompanyDeps): Dispatch {
  const dispatch = async (told: Envelope): Promise<Outcome> => {
    const envelope = await addressRenewal(deps, told);
    const outcome = await deps.dispatch(envelope);
    if (outcome.early && outcome.orderId) await decideEarly({ ...deps, dispatch }, outcome.orderId);
    return outcome;
  };
  return dispatch;
}
