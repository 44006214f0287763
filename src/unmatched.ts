// Webhooks can be faster than our own commit of the order they name. They wait in the inbox as `unmatched` and are
// decided again, as what they were, once the order is known.
import type { Logger } from 'pino';
import type { Database } from '../db/client.ts';
import { type KeptEvent, readUnmatched, type UnmatchedBy } from '../db/inbox.ts';
import type { Source } from './dispatch/envelope.ts';
import type { Dispatch } from './dispatch.ts';

export type UnmatchedDeps = { db: Database; dispatch: Dispatch; log: Logger };

/** Decides again what was kept for this provider order. What fails stays kept, and is tried again later. */
export function decideUnmatched(deps: UnmatchedDeps, provider: string, providerOrderId: string): Promise<void> {
  return decideAgain(deps, provider, 'order', providerOrderId);
}

/** The same for what named only a payment: refunds and disputes can be told before the payment they take back. */
export function decideUnmatchedPayment(deps: UnmatchedDeps, provider: string, paymentId: string): Promise<void> {
  return decideAgain(deps, provider, 'payment', paymentId);
}

async function decideAgain(
  { db, dispatch, log }: UnmatchedDeps,
  provider: string,
  by: UnmatchedBy,
  id: string,
): Promise<void> {
  try {
    for (const kept of await readUnmatched(db, provider, by, id)) await dispatch(envelopeOf(kept));
  } catch (error) {
    log.warn({ err: error, provider, by, id }, 'events that came too early could not be decided yet');
  }
}

function envelopeOf(kept: KeptEvent) {
  const { eventKey, provider, providerOrderId, event, eventType, raw, bodyHash, headers } = kept;
  return {
    source: kept.source as Source,
    orderId: null,
    provider,
    providerOrderId,
    eventKey,
    event,
    received: { eventType, raw, bodyHash, headers },
    stored: true as const,
  };
}
