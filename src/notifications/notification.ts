// What merchants are told: the topics, and the endpoints, notifications and attempts as the API answers them.

/** What an endpoint can ask to hear; one that names none hears all of them. */
export const TOPICS = [
  'order.subscribed',
  'order.failed',
  'order.refunded',
  'subscription.extended',
  'order.stuck',
] as const;
export type Topic = (typeof TOPICS)[number];

/** Sent by `POST /v1/endpoints/{id}/test` only; no topic, so nobody can leave it out. */
export const TEST_TYPE = 'paylatch.test';

/** Endpoints of one deployment: each is called for every notification, and a merchant has a handful of systems. */
export const MAX_ENDPOINTS = 20;
/** Longest address of an endpoint, in characters: what all servers and proxies carry. */
export const MAX_ENDPOINT_URL_LENGTH = 2_048;
/** How long the secret before the present one signs too, in ms: a day to put the new one everywhere. */
export const PREVIOUS_SECRET_MS = 24 * 60 * 60 * 1_000;

/** Instants are ISO 8601 UTC. */
export type EndpointView = {
  id: string;
  url: string;
  /** Null means all. */
  topics: Topic[] | null;
  enabled: boolean;
  disabledAt: string | null;
  disabledReason: string | null;
  /** Which of its secrets is the present one; grows with each rotation. */
  generation: number;
  /** Until then messages carry a signature by the secret before, too. */
  previousUntil: string | null;
  createdAt: string;
  updatedAt: string;
};

/** The secret is shown when it is made and never again. */
export type EndpointWithSecret = { endpoint: EndpointView; secret: string };

export type EndpointChange = { url?: string; topics?: Topic[] | null; enabled?: boolean };

export type NotificationStatus = 'pending' | 'done' | 'dead';

export type NotificationView = {
  /** The `webhook-id` the receiver sees, the same over all tries. */
  id: string;
  type: string;
  orderId: string;
  status: NotificationStatus;
  /** Rounds the worker made, each over all endpoints that do not have it yet. */
  attempts: number;
  createdAt: string;
  doneAt: string | null;
  lastError: string | null;
  nextAttemptAt: string | null;
};

export type AttemptView = {
  id: string;
  endpointId: string;
  trigger: 'scheduled' | 'manual';
  reason: string | null;
  at: string;
  /** Null when no answer came; then `error` says why. */
  status: number | null;
  /** The beginning of what was answered, as text. */
  answer: string | null;
  error: string | null;
  /** The endpoint asked not to be tried again before. */
  retryAt: string | null;
  ms: number;
};

export type NotificationDetail = { notification: NotificationView; body: NotificationBody; attempts: AttemptView[] };

export type NotificationFilter = {
  endpointId?: string;
  orderId?: string;
  status?: NotificationStatus;
  /** The `nextCursor` of the page before. */
  cursor?: string;
  limit: number;
};

/**
 * What is sent. All of it is as it was at the transition that it tells of, so that every try sends the same bytes: it is
 * a reason to fetch the order, not a copy of it. `version` orders the notifications of one order.
 */
export type NotificationBody = {
  type: string;
  /** When it happened. */
  timestamp: string;
  data: {
    orderId: string;
    version: number;
    state: string;
    kind: string;
    userId: string;
    product: string;
    planId: string;
    provider: string | null;
    live: boolean;
    amountMinor: number;
    currency: string;
    /** With subscription.extended: the end of the period now paid for. */
    endsAt?: string;
    /** With order.stuck, where it is not the state that says it. */
    cause?: string;
  };
};

/** What the HTTP layer may do with endpoints and notifications. */
export type NotificationsApi = {
  endpoints: {
    /** @throws InvalidRequest for an address that may not be called, too many endpoints, or without NOTIFICATION_KEY */
    create(input: { url: string; topics: Topic[] | null }): Promise<EndpointWithSecret>;
    list(): Promise<EndpointView[]>;
    /** @throws NotFound */
    get(id: string): Promise<EndpointView>;
    /** @throws NotFound, InvalidRequest */
    change(id: string, change: EndpointChange): Promise<EndpointView>;
    /** What was tried at it stays readable. @throws NotFound */
    remove(id: string): Promise<void>;
    /** @throws NotFound, InvalidRequest without NOTIFICATION_KEY */
    rotate(id: string): Promise<EndpointWithSecret>;
    /** Sends a `paylatch.test` now, also to one that is disabled. @throws NotFound, InvalidRequest without NOTIFICATION_KEY */
    test(id: string): Promise<AttemptView>;
  };
  list(filter: NotificationFilter): Promise<{ notifications: NotificationView[]; nextCursor: string | null }>;
  /** @throws NotFound */
  get(id: string): Promise<NotificationDetail>;
  /**
   * Sends it now, whatever became of it: to the endpoint named, or to all that want it and do not have it.
   * @throws NotFound, InvalidRequest when the endpoint is disabled or NOTIFICATION_KEY is missing
   */
  redeliver(id: string, wish: { endpointId?: string; reason: string }): Promise<AttemptView[]>;
};
