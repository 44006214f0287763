// What goes into dispatch and what comes out: an event with its address and its key, and the verdict it met.

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
  /** A stored event decided again, not another delivery; `ours` when something says that it is no other business's. */
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
  /** The event gave its order a name, and something told before may be kept under it that can be decided now. */
  early?: true;
};

/** One call's event on its way through the queue, the batch and the commit. */
export type Item = {
  envelope: Envelope;
  /** On the monotonic clock, in ms. */
  enqueuedAt: number;
  /** On the clock: when this delivery came. */
  receivedAt: Date;
  /** A commit with it was sent and nobody told what became of it, so a row found later may be our own. */
  answerLost: boolean;
  /** Its inbox row counts this delivery already. */
  counted: boolean;
  /** How often a unique key was taken under it. */
  taken: number;
  settle(outcome: Outcome): void;
  fail(error: unknown): void;
};
