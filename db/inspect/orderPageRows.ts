// The rows of an order's page, in the shape the statement builds them. Instants are ISO 8601 UTC.
import type { Grant } from '../../machines/subscription.ts';
import type { CancellationRow, RestorationRow } from '../users.ts';
import type { MovedBackWrite, PaymentWrite, TransitionWrite } from '../writes.ts';

/** What `received` arrived and made transitions. What is `unapplied` arrived as well, and changed nothing in the order's books. */
export const ENTRY_KINDS = [
  'received',
  'unapplied',
  'transition',
  'effect',
  'notification',
  'finding',
  'cancellation',
] as const;
export type EntryKind = (typeof ENTRY_KINDS)[number];

/** Where a page of the timeline ended: the entry's own place in the order of things. */
export type EntryCursor = { instant: string; rank: number; key: string };

type Placed = { at: string; rank: number; key: string /** `at` as exactly as the database has it. */; instant: string };

export type ReceivedRow = {
  provider: string;
  eventKey: string;
  type: string;
  source: string;
  verdict: string;
  detail: string | null;
  decidedVersion: number | null;
  appliedVersion: number | null;
  deliveries: number;
  nextAttemptAt: string | null;
  receivedAt: string;
  /** The transitions it made, the first one first. */
  steps: TransitionRow[];
};

/** `event` is what was stored of it: the fields that its schema knows. */
export type TransitionRow = Omit<TransitionWrite, 'orderId' | 'eventType' | 'event'> & {
  type: string;
  event: Record<string, unknown>;
};

export type EffectRow = {
  id: string;
  effect: string;
  payload: Record<string, unknown>;
  status: 'pending' | 'done' | 'dead';
  attempts: number;
  lastError: string | null;
  availableAt: string;
  /** Somebody works on it until then, at the longest. */
  leasedUntil: string | null;
  doneAt: string | null;
  orderVersion: number;
  dedupKey: string;
};

/** One try to tell one endpoint one notification. */
export type AttemptRow = {
  notificationId: string;
  topic: string;
  endpointId: string;
  trigger: 'scheduled' | 'manual';
  reason: string | null;
  status: number | null;
  error: string | null;
  ms: number;
};

export type FindingRow = {
  id: string;
  findingKind: string;
  severity: string;
  detail: string;
  openedAt: string;
  acknowledgedAt: string | null;
  resolvedAt: string | null;
};

export type TimelineEntry = Placed &
  (
    | ({ kind: 'received' | 'unapplied' } & ReceivedRow)
    /** Of an event that did not arrive: what it made, the first one first. */
    | { kind: 'transition'; steps: TransitionRow[] }
    | ({ kind: 'effect' } & EffectRow)
    | ({ kind: 'notification' } & AttemptRow)
    | ({ kind: 'finding' } & FindingRow)
    /** Of the subscription this order has a grant of. */
    | ({ kind: 'cancellation' } & CancellationRow)
  );

export type PaymentRow = Omit<PaymentWrite, 'orderId' | 'refunds' | 'disputes'>;

type MovedBackRow = MovedBackWrite & { paymentId: string; currency: string };
export type RefundRow = MovedBackRow;
export type DisputeRow = MovedBackRow;

/** As JSON brings it: with texts for its instants. */
type InJson<T> = {
  [K in keyof T]: T[K] extends Date ? string : T[K] extends Date | null ? Exclude<T[K], Date> | string : T[K];
};

export type GrantRow = InJson<Grant> & {
  /** Of the order that gave it. */
  kind: string;
  /** Revocations that were taken back, the first one first. */
  restorations: RestorationRow[];
};

export type SubscriptionRow = {
  version: number;
  grants: number;
  endsAt: string | null;
  graceDays: number;
  cancelAtEnd: boolean;
  /** The first one first; those that were taken back, too. */
  cancellations: CancellationRow[];
};
