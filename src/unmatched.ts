// Webhooks can be faster than our own commit of the order they name. They wait in the inbox, unmatched or taken for
// foreign, and are decided again, as what they were, once the order is known by any of its names.
import type { Logger } from 'pino';
import type { Database } from '../db/client.ts';
import { type KeptEvent, readEarly } from '../db/inbox.ts';
import type { Envelope, Source } from './dispatch/envelope.ts';
import type { Dispatch } from './dispatch.ts';

export type UnmatchedDeps = { db: Database; dispatch: Dispatch; log: Logger };

/** Decides again what was told of this order before it was known. What fails stays kept, and the sweeper tries it again. */
export async function decideEarly({ db, dispatch, log }: UnmatchedDeps, orderId: string): Promise<void> {
  const failed = (error: unknown, eventKey?: string) =>
    log.warn({ err: error, orderId, eventKey }, 'an event that came too early could not be decided yet');
  const early = await readEarly(db, orderId).catch((error: unknown) => {
    failed(error);
    return [];
  });
  for (const kept of early) {
    await dispatch(keptEnvelope(kept, { ours: true })).catch((error: unknown) => failed(error, kept.eventKey));
  }
}

/** The event as it was told, for dispatch; `ours` as in `Envelope.stored`. */
export function keptEnvelope(kept: KeptEvent, stored: { ours: boolean }): Envelope {
  const { eventKey, provider, providerOrderId, event, eventType, raw, bodyHash, headers } = kept;
  return {
    source: kept.source as Source,
    orderId: kept.orderId ?? kept.mark,
    // Told by a person about an order without a provider.
    provider: provider === 'none' ? null : provider,
    providerOrderId,
    ...(kept.payerId !== null && { payerId: kept.payerId }),
    eventKey,
    event,
    received: { eventType, raw, bodyHash, headers },
    stored,
  };
}
