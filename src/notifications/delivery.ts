// One try to tell one endpoint one notification, and the row that keeps how it ended.
import type { Logger } from 'pino';
import type { Database } from '../../db/client.ts';
import { disableEndpoint, type EndpointRow } from '../../db/endpoints.ts';
import { type AttemptRow, insertAttempt } from '../../db/notifications.ts';
import type { Clock } from '../clock.ts';
import { InvalidRequest } from '../errors.ts';
import type { NewId } from '../ids.ts';
import { AddressRefused, allowedAddresses, endpointUrl, type Resolve } from './address.ts';
import { isTaken, type PostAnswer, post, retryAtOf } from './post.ts';
import { signedHeaders } from './secrets.ts';

/** How long the worker waits for an endpoint, in ms, looking up its name included: the spec advises 15 to 30 s. */
export const DELIVERY_TIMEOUT_MS = 15_000;
/** The same where a caller of our own waits for the answer, who is given 8 s. */
const MANUAL_DELIVERY_TIMEOUT_MS = 5_000;

export type DeliveryDeps = {
  db: Database;
  clock: Clock;
  newId: NewId;
  log: Logger;
  /** NOTIFICATION_KEY; null: nothing can be signed, so nothing is sent. */
  key: string | null;
  /** NOTIFICATION_PRIVATE_ADDRESSES */
  privateAddresses: boolean;
  resolve: Resolve;
  /** In ms; how long the worker waits for one endpoint. */
  timeoutMs: number;
};

export type Message = { id: string; body: string };
/** Who wants it sent: the schedule, or somebody with a reason. */
export type Occasion = { trigger: 'scheduled' } | { trigger: 'manual'; reason: string };

/** The key that endpoints' secrets are made of. @throws InvalidRequest when there is none */
export function signingKey({ key }: Pick<DeliveryDeps, 'key'>): string {
  if (key !== null) return key;
  throw new InvalidRequest(
    'NOTIFICATION_KEY is not set, and without it no notification can be signed: set it to at least 24 random bytes.',
  );
}

/** Sends and writes down how that ended; a failure is in the row, never thrown. Who answers 410 is not asked again. */
export async function deliver(
  deps: DeliveryDeps,
  endpoint: EndpointRow,
  message: Message,
  occasion: Occasion,
): Promise<AttemptRow> {
  const { db, clock, newId, log } = deps;
  const key = signingKey(deps);
  const at = clock();
  const begin = performance.now();
  const ending = await send(deps, key, endpoint, message, at, occasion.trigger);
  const attempt: AttemptRow = {
    id: newId('att'),
    notificationId: message.id,
    endpointId: endpoint.id,
    trigger: occasion.trigger,
    reason: occasion.trigger === 'manual' ? occasion.reason : null,
    at,
    ...ending,
    ms: Math.round(performance.now() - begin),
  };
  await insertAttempt(db, attempt);
  const { status, error, ms } = attempt;
  if (!isTaken(status)) {
    const line = { notificationId: message.id, endpointId: endpoint.id, status, error, ms };
    log.warn(line, 'an endpoint did not take a notification');
  }
  if (status === 410) await disable(deps, endpoint);
  return attempt;
}

/** A finding that stands as long as the endpoint is disabled for this. */
export const disabledFinding = (endpointId: string): string => `endpoint_disabled:${endpointId}`;

/** Whoever believes to be told must hear that nobody tells them any more. */
async function disable({ db, clock, newId, log }: DeliveryDeps, endpoint: EndpointRow): Promise<void> {
  const endpointId = endpoint.id;
  const finding = {
    id: newId('fnd'),
    fingerprint: disabledFinding(endpointId),
    kind: 'endpoint_disabled',
    severity: 'warning' as const,
    orderId: null,
    detail: `Endpoint ${endpointId} answered 410 Gone and is not called any more.`,
    alertId: newId('eff'),
    alertPayload: { cause: 'endpoint_disabled', endpointId },
  };
  if (await disableEndpoint(db, endpoint, 'It answered 410 Gone.', finding, clock()))
    log.warn({ endpointId }, 'an endpoint is disabled: it answered 410');
}

type Ending = Pick<AttemptRow, 'status' | 'answer' | 'error' | 'retryAt'>;

async function send(
  deps: DeliveryDeps,
  key: string,
  endpoint: EndpointRow,
  message: Message,
  at: Date,
  trigger: Occasion['trigger'],
): Promise<Ending> {
  const { clock, timeoutMs } = deps;
  const signal = AbortSignal.timeout(
    trigger === 'manual' ? Math.min(timeoutMs, MANUAL_DELIVERY_TIMEOUT_MS) : timeoutMs,
  );
  try {
    const url = endpointUrl(endpoint.url, deps);
    const addresses = await beforeAbort(signal, allowedAddresses(url, deps, deps.resolve));
    const headers = { 'content-type': 'application/json', ...signedHeaders(key, endpoint, { ...message, at }) };
    const answer = await post({ url, addresses, headers, body: message.body, signal });
    return endingOf(answer, clock());
  } catch (error) {
    return { status: null, answer: null, error: sentenceOf(error), retryAt: null };
  }
}

function endingOf({ status, text, retryAfter }: PostAnswer, now: Date): Ending {
  if (isTaken(status)) return { status, answer: text, error: null, retryAt: null };
  const isRedirect = status >= 300 && status < 400;
  const error = isRedirect ? `answered ${status}, and redirects are not followed` : null;
  return { status, answer: text, error, retryAt: retryAtOf(retryAfter, now) };
}

function sentenceOf(error: unknown): string {
  if (error instanceof AddressRefused) return `is not called: its address ${error.message}`;
  const code = (error as { code?: unknown }).code;
  // From the look-up of its name; its message would repeat the name.
  if (typeof code === 'string') return `could not be reached (${code})`;
  return error instanceof Error ? error.message : String(error);
}

/** A look-up cannot be called back, but nobody has to wait for it. */
function beforeAbort<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const late = () => reject(new Error('did not answer in time'));
    signal.addEventListener('abort', late, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', late));
  });
}
