// The place in a list of events as an opaque cursor: it names the row that a page ended with.
import type { EventRef } from '../db/inbox.ts';

export const eventCursor = ({ provider, eventKey }: EventRef): string =>
  Buffer.from(`${provider}:${eventKey}`).toString('base64url');

/** The row that a cursor names; null when no page gave it. A provider's name has no colon in it, an event key may. */
export function readEventCursor(cursor: string): EventRef | null {
  const [, provider, eventKey] = /^([a-z0-9_-]+):([^\0]+)$/s.exec(Buffer.from(cursor, 'base64url').toString()) ?? [];
  return provider && eventKey ? { provider, eventKey } : null;
}
