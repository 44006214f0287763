// What one commit writes, as plain rows: dispatch fills them from decisions, commit.ts turns them into arrays.
import type { Grant } from '../machines/subscription.ts';

export type TransitionWrite = {
  orderId: string;
  version: number;
  eventType: string;
  event: unknown;
  from: string | null;
  to: string;
  source: string;
  eventKey: string | null;
  at: string;
};

export type OrderWrite = {
  id: string;
  expectedVersion: number;
  /** As many as the version grows; none means the order is only held at its version while its events are written down. */
  transitions: TransitionWrite[];
  state: string;
  snapshot: unknown;
  wakeAt: Date | null;
  providerOrderId: string | null;
  providerSubscriptionId: string | null;
  grantError: string | null;
};

export type SubscriptionWrite = {
  userId: string;
  product: string;
  expectedVersion: number;
  grants: number;
  anchorAt: Date | null;
  anchorMonths: number;
  endsAt: Date | null;
  graceDays: number;
  cancelAtEnd: boolean;
};

/** A refund or a dispute of the payment it is written with. */
export type MovedBackWrite = { id: string; state: string; amountMinor: number; asOf: string | null };

export type PaymentWrite = {
  paymentId: string;
  provider: string;
  orderId: string;
  state: string;
  currency: string;
  capturedMinor: number;
  refundedMinor: number;
  lostMinor: number;
  counts: boolean;
  asOf: string | null;
  refunds: MovedBackWrite[];
  disputes: MovedBackWrite[];
};

export type EffectWrite = {
  id: string;
  orderId: string;
  orderVersion: number;
  effect: string;
  payload: unknown;
  dedupKey: string;
  /** Not before then; ISO 8601. */
  availableAt: string;
};

export type InboxWrite = {
  eventKey: string;
  provider: string;
  eventType: string;
  orderId: string | null;
  providerOrderId: string | null;
  source: string;
  raw: Uint8Array;
  bodyHash: string;
  headers: Record<string, string>;
  /** By the service's clock, which also says how long it has waited. */
  receivedAt: Date;
  /** Our own id of the order as the provider carries it. */
  mark: string | null;
  /** Whose stored card was charged, where nothing else is named. */
  payerId: string | null;
  /** Kept only while the event may have to be decided again. */
  event: unknown | null;
  verdict: string;
  detail: string | null;
  decidedVersion: number | null;
  appliedVersion: number | null;
  /** How many deliveries of this key this write stands for. */
  deliveries: number;
  nextAttemptAt: Date | null;
};

export type FindingWrite = {
  id: string;
  fingerprint: string;
  kind: string;
  severity: string;
  orderId: string | null;
  detail: string;
};

/** Orders of one subscription, written together or not at all. */
export type CommitGroup = {
  orders: OrderWrite[];
  subscription: SubscriptionWrite | null;
  grants: Grant[];
  payments: PaymentWrite[];
  effects: EffectWrite[];
  inbox: InboxWrite[];
};

export type Commit = {
  groups: CommitGroup[];
  /** Rows that depend on no order: unmatched and ignored events, repetitions of a key whose verdict is final. */
  looseInbox: InboxWrite[];
  findings: FindingWrite[];
};
