// What goes into dispatch and what comes out: an event with its address and its key, and what became of it.
import type { UnstampedOrderEvent } from '../../machines/orderEvents.ts';
import type { MachineVerdict } from '../../machines/orderSetup.ts';

export type Source = 'checkout' | 'callback' | 'webhook' | 'worker' | 'sweeper' | 'reconcile' | 'operator' | 'fix';

/** What arrived, as it arrived: kept in the inbox with the verdict, whatever that is. */
export type Received = {
  eventType: string;
  raw: Uint8Array;
  bodyHash: string;
  headers: Record<string, string>;
};

export type Envelope = {
  source: Source;
  /** The order by our id, or by the provider's. */
  orderId: string | null;
  provider: string | null;
  providerOrderId: string | null;
  /** The user whose stored card was charged, where no order and no subscription is named. */
  payerId?: string;
  /** What makes two deliveries the same event. */
  eventKey: string;
  /** Null when there is nothing for the machine; `because` then says why it is only kept. */
  event: UnstampedOrderEvent | null;
  because?: 'ignored' | 'undecodable';
  detail?: string;
  /** Present on what providers sent or told; it becomes a row of the inbox. */
  received: Received | null;
  /** Decide only if the order stands at this version. */
  ifMatch?: number;
  /**
   * Set on a stored event that is decided again, which is no new delivery. `ours`: something in it says that it belongs
   * to us.
   */
  stored?: { ours: boolean };
};

export type Verdict = MachineVerdict | 'unmatched' | 'foreign' | 'ignored';

/** What became of one event. The order's id, state and version are null when no order is known. */
export type Outcome = {
  verdict: Verdict;
  detail: string | null;
  orderId: string | null;
  state: string | null;
  version: number | null;
  /** The order has learned a name from the event, and events that were kept under that name can be decided now. */
  early?: true;
};

/** One call's event on its way through the queue, the batch and the commit. */
export type Item = {
  envelope: Envelope;
  /** On the monotonic clock, in ms. */
  enqueuedAt: number;
  /** On the clock: when this delivery came. */
  receivedAt: Date;
  /** A commit with this event was sent and its answer was lost: a row that is found under its key may be our own. */
  answerLost: boolean;
  /** Its inbox row counts this delivery already. */
  counted: boolean;
  /** How often a commit with it lost a unique key to a faster one. */
  taken: number;
  settle(outcome: Outcome): void;
  fail(error: unknown): void;
};
