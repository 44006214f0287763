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

/** Verdicts under which an order has taken an event in, and with it perhaps a payment or a name it did not have. */
const TAKEN_IN = new Set(['applied', 'surplus', 'mismatch']);
/** Events that give an order a name of the provider's: its order there, a payment, a subscription. */
const NAMING = new Set(['checkout.opened', 'payment.authorized', 'payment.captured']);

/** Dispatch as everybody outside calls it, by whatever way an order comes about: checkout, renewal, surplus, reconciliation. */
export function withCompany(deps: CompanyDeps): Dispatch {
  const dispatch = async (told: Envelope): Promise<Outcome> => {
    const envelope = await addressRenewal(deps, told);
    const outcome = await deps.dispatch(envelope);
    const named = TAKEN_IN.has(outcome.verdict) && NAMING.has(envelope.event?.type ?? '');
    if (named && outcome.orderId) await decideEarly({ ...deps, dispatch }, outcome.orderId);
    return outcome;
  };
  return dispatch;
}
