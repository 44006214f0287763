// The rows of the inbox that a batch leaves: what arrived, as it arrived, and what became of it.
import { createHash } from 'node:crypto';
import { isOpen } from '../../db/commit.ts';
import type { InboxWrite } from '../../db/writes.ts';
import { isRequestType, type RequestType, type UnstampedOrderEvent } from '../../machines/orderEvents.ts';
import type { Item, Received } from './envelope.ts';

/** The part of an inbox row that says what arrived. */
export function arrival(item: Item) {
  if (!item.envelope.received) throw new Error('only what was received goes into the inbox');
  return arrivalAt(item, null);
}

/** The same, also for an operator's event, which came without a provider: then the order's provider stands for it. */
export function arrivalAt(item: Item, orderProvider: string | null) {
  const { envelope } = item;
  const received = envelope.received ?? operatorsWords(item);
  return {
    eventKey: envelope.eventKey,
    provider: envelope.provider ?? orderProvider ?? 'none',
    eventType: received.eventType,
    providerOrderId: envelope.providerOrderId,
    source: envelope.source,
    raw: received.raw,
    bodyHash: received.bodyHash,
    headers: received.headers,
    receivedAt: item.receivedAt,
    deliveries: item.counted ? 0 : 1,
  };
}

/** An operator's event has no bytes of a provider. The event itself is kept in their place. */
function operatorsWords({ envelope }: Item): Received {
  const raw = Buffer.from(JSON.stringify(envelope.event));
  return {
    eventType: envelope.event?.type ?? '',
    raw,
    bodyHash: createHash('sha256').update(raw).digest('hex'),
    headers: {},
  };
}

export type VerdictPart = Pick<
  InboxWrite,
  | 'verdict'
  | 'detail'
  | 'orderId'
  | 'mark'
  | 'payerId'
  | 'event'
  | 'decidedVersion'
  | 'appliedVersion'
  | 'nextAttemptAt'
>;

/** The part of an inbox row that says what became of it. */
export function verdictPart(verdict: string): VerdictPart {
  return {
    verdict,
    detail: null,
    orderId: null,
    mark: null,
    payerId: null,
    event: null,
    decidedVersion: null,
    appliedVersion: null,
    nextAttemptAt: null,
  };
}

/**
 * The row of an operator's event that changed nothing, with who asked and why. It stands under a key of its own: the caller's
 * key is unique only within the order, and the next event under it is to be decided as if this one had not been.
 */
export function asked(
  item: Item,
  order: { id: string; provider: string | null },
  { verdict, detail }: { verdict: string; detail: string | null },
): InboxWrite {
  const { event, eventKey } = item.envelope;
  const why = event && isRequest(event) ? `${event.by ?? 'somebody'} asked: “${event.reason}”` : null;
  return {
    ...arrivalAt(item, order.provider),
    ...verdictPart(verdict),
    eventKey: `asked:${order.id}:${eventKey}`,
    detail: [detail, why].filter(part => part !== null).join('; ') || null,
    orderId: order.id,
    event: isOpen(verdict) ? event : null,
  };
}

const isRequest = (event: UnstampedOrderEvent): event is Extract<UnstampedOrderEvent, { type: RequestType }> =>
  isRequestType(event.type);

/** Keeps one row for each key: of a second delivery in the same batch only the count is kept. */
export function mergeRow(rows: Map<string, InboxWrite>, row: InboxWrite): void {
  const name = `${row.provider} ${row.eventKey}`;
  const known = rows.get(name);
  if (known) known.deliveries += row.deliveries;
  else rows.set(name, row);
}
