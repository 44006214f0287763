// What the outer layers (HTTP, pages) are given: plain functions over orders, plans and access. `main.ts` builds them;
// nothing outside dispatch, checkout and the plan editor writes.
import type { EventRef } from '../db/inbox.ts';
import type { StuckCause } from '../db/orders.ts';
import type { AccessReason } from '../machines/access.ts';
import type { UnstampedOrderEvent } from '../machines/orderEvents.ts';
import type { CancelAtEndWish } from './cancelAtEnd.ts';
import type { Outcome, Verdict } from './dispatch/envelope.ts';
import type { Dispatch } from './dispatch.ts';
import type { KeptEventFilter, KeptEventPage } from './keptEvents.ts';
import type { NotificationsApi } from './notifications/notification.ts';
import type { OrderLookup, PayableOrder, PaymentProvider } from './providers/provider.ts';
import type { Reconciliation } from './reconcile/progress.ts';
import type { BulkRetryPlanView, BulkRetryRequest, BulkRetryView } from './retry/bulk.ts';
import type { EventRetryPlan, EventRetryRequest } from './retry/event.ts';
import type { RetryPlanView, RetryRequest, RetryView } from './retry.ts';
import type { TrialView, TrialWish } from './trials.ts';

export type Stuck = {
  cause: StuckCause;
  /** ISO 8601. */
  since: string;
  detail: string | null;
};

/** The order as every call answers it. Instants are ISO 8601 UTC. */
export type OrderView = {
  id: string;
  kind: string;
  userId: string;
  planId: string;
  product: string;
  provider: string | null;
  providerOrderId: string | null;
  amountMinor: number;
  currency: string;
  state: string;
  version: number;
  stuck: Stuck | null;
  legalEvents: string[];
  createdAt: string;
  updatedAt: string;
};

export type OrderFilter = {
  state?: string;
  stuck?: true;
  /** Stuck for this cause, though a graver one may be shown. */
  cause?: Stuck['cause'];
  userId?: string;
  provider?: string;
  /** The last id of the page before. */
  cursor?: string;
  limit: number;
};

export type TimelineView = {
  order: OrderView;
  transitions: {
    version: number;
    type: string;
    from: string | null;
    to: string;
    source: string;
    eventKey: string | null;
    at: string;
    /** Why, and who asked, where the event says so. */
    reason?: string;
    by?: string;
  }[];
  received: {
    provider: string;
    eventKey: string;
    type: string;
    verdict: string;
    detail: string | null;
    appliedVersion: number | null;
    deliveries: number;
    receivedAt: string;
  }[];
  effects: {
    id: string;
    effect: string;
    status: string;
    attempts: number;
    lastError: string | null;
    availableAt: string;
    orderVersion: number;
    dedupKey: string;
  }[];
  payments: {
    paymentId: string;
    provider: string;
    state: string;
    currency: string;
    capturedMinor: number;
    refundedMinor: number;
    lostMinor: number;
    counts: boolean;
    asOf: string | null;
  }[];
  refunds: { refundId: string; paymentId: string; state: string; amountMinor: number; asOf: string | null }[];
  disputes: { disputeId: string; paymentId: string; state: string; amountMinor: number; asOf: string | null }[];
  grant: GrantView | null;
};

export type GrantView = {
  orderId: string;
  product: string;
  seq: number;
  paymentId: string | null;
  baseAt: string;
  months: number;
  days: number;
  graceDays: number;
  startsAt: string;
  endsAt: string;
  grantedAt: string;
  revokedAt: string | null;
  revokeReason: string | null;
};

/** What an event would do, nothing of it written. */
export type PreviewView = {
  /** Where it would be decided: another order than the named one, where that one owns the payment. */
  orderId: string;
  verdict: Verdict;
  detail: string | null;
  from: string;
  to: string;
  version: number;
  diff: { path: string; before: unknown; after: unknown }[];
  effects: { effect: string; payload: Record<string, unknown>; dedupKey: string }[];
  wakeAt: string | null;
  legalEvents: string[];
};

export type AccessView = {
  access: boolean;
  product: string;
  until: string | null;
  graceUntil: string | null;
  reason: AccessReason;
  grants: GrantView[];
};

export type SubscriptionView = {
  userId: string;
  product: string;
  version: number;
  grants: number;
  endsAt: string | null;
  graceUntil: string | null;
  cancelAtEnd: boolean;
  cancelledAt: string | null;
};

export type PlanInput = {
  product: string;
  amountMinor: number;
  currency: string;
  period: { months: number } | { days: number };
  graceDays: number;
  trialDays: number;
  surplusPolicy: 'refund' | 'extend' | 'hold';
};
export type PlanView = PlanInput & { id: string; createdAt: string; updatedAt: string };

export type CheckoutInput = {
  userId: string;
  planId: string;
  provider: string;
  another: boolean;
  returnUrl: string | null;
  metadata: Record<string, string> | null;
};
export type CheckoutView = {
  order: OrderView;
  checkout: { provider: string; providerOrderId: string; url?: string; params: Record<string, unknown> };
};

export type Core = {
  dispatch: Dispatch;
  providers: ReadonlyMap<string, PaymentProvider>;
  /** `idempotencyKey` is the merchant's; the same key with another body is refused with idempotency_key_reused. */
  checkout(input: CheckoutInput, idempotencyKey: string): Promise<CheckoutView>;
  /** What the adapter of this provider may ask about our orders. */
  lookup(provider: string): OrderLookup;
  orders: {
    /** @throws NotFound */
    get(id: string): Promise<OrderView>;
    list(filter: OrderFilter): Promise<{ orders: OrderView[]; nextCursor: string | null }>;
    /** @throws NotFound */
    timeline(id: string): Promise<TimelineView>;
    /** Where the customer's browser goes after paying; null when the merchant named no address. */
    returnUrl(id: string): Promise<string | null>;
    /** The provider's page where the order is paid, if it has one. */
    payUrl(id: string): Promise<string | null>;
    /** The order as a served payment page needs it. @throws NotFound when it is unknown or was never opened */
    payable(id: string): Promise<{ provider: string; order: PayableOrder }>;
    /** Decides without writing. @throws NotFound, version_conflict */
    preview(id: string, event: UnstampedOrderEvent, ifMatch?: number): Promise<PreviewView>;
  };
  retry: {
    /** Runs whatever failed last. @throws NotFound; nothing_to_retry, version_conflict, idempotency_key_reused */
    order(id: string, request: RetryRequest): Promise<RetryView>;
    /** What that would run, or why nothing. Writes nothing. @throws NotFound; version_conflict */
    preview(id: string, request: RetryRequest): Promise<RetryPlanView>;
    /** One page of the orders that are stuck for one cause, each with its result. */
    stuck(request: BulkRetryRequest): Promise<BulkRetryView>;
    previewStuck(request: BulkRetryRequest): Promise<BulkRetryPlanView>;
  };
  events: {
    /** What was received and could not be decided, newest first. */
    list(filter: KeptEventFilter): Promise<KeptEventPage>;
    /** Where an event would go if it were decided again now, or why it is not. Writes nothing. @throws NotFound */
    planRetry(ref: EventRef): Promise<EventRetryPlan>;
    /** Decides a kept event again. @throws NotFound; nothing_to_retry, version_conflict */
    retry(ref: EventRef, request: EventRetryRequest): Promise<Outcome>;
  };
  users: {
    /** At `at`, or now: then the provider may be asked once before access is refused. */
    access(userId: string, product: string, at?: Date): Promise<AccessView>;
    subscriptions(userId: string): Promise<SubscriptionView[]>;
    /** @throws InvalidRequest; PaylatchError illegal_event */
    trial(wish: TrialWish): Promise<TrialView>;
    /** @throws NotFound when there is no subscription */
    cancelAtEnd(wish: CancelAtEndWish): Promise<SubscriptionView>;
  };
  plans: {
    /** @throws InvalidRequest for an unknown currency */
    put(id: string, plan: PlanInput): Promise<PlanView>;
    list(): Promise<PlanView[]>;
  };
  reconciliation: Reconciliation;
  /** Where merchants are told what happened, and what they were told. */
  notifications: NotificationsApi;
  /** What readiness rests on, by name; true is well. */
  readiness(): Promise<Record<string, boolean>>;
};
