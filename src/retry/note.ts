// The note of a retry: kept events and deadlines have no field for who asked and why, so that is written into the inbox beside
// them, before they are decided.
import { createHash } from 'node:crypto';
import type { Envelope } from '../dispatch/envelope.ts';

export type RetryAsker = { reason: string; by: string };

export type RetryNote = {
  orderId: string | null;
  provider: string | null;
  /** The note's own key in the inbox. */
  eventKey: string;
  /** What is being retried, in words. */
  what: string;
};

export function retryNote({ what, ...address }: RetryNote, asker: RetryAsker): Envelope {
  return {
    ...address,
    source: 'operator',
    providerOrderId: null,
    event: null,
    because: 'ignored',
    detail: `${asker.by}: ${asker.reason} (${what})`,
    received: { eventType: 'retry.requested', raw: words(asker), bodyHash: askerHash(asker), headers: {} },
  };
}

/** Tells whether two retries under one key were asked for in the same words. */
export const askerHash = (asker: RetryAsker): string => createHash('sha256').update(words(asker)).digest('hex');

const words = ({ reason, by }: RetryAsker): Uint8Array => Buffer.from(JSON.stringify({ reason, by }));
