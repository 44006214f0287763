// The effect `notify`: tells each endpoint that wants to hear it, and goes on until each has it.
import { type DueEndpoint, endpointsWithout } from '../../db/endpoints.ts';
import { type NotificationRow, readNotification } from '../../db/notifications.ts';
import type { EffectEnd, EffectHandler } from '../effects/effect.ts';
import { type DeliveryDeps, deliver, type Message } from './delivery.ts';
import { createEndpointShares, type EndpointShares } from './endpointShares.ts';
import type { NotificationBody } from './notification.ts';
import { isTaken } from './post.ts';

/** Pause after the message before was to be tried again, in ms, before an endpoint is looked at that has to take that one first. */
const AFTER_EARLIER_MS = 1_000;
/**
 * How long a message may wait its turn at an endpoint without that costing tries, in ms: then its tries run out as those of
 * any other, in about a day, so that somebody hears of an endpoint that never comes back however much waits for it.
 */
const WAITS_FREE_MS = 24 * 3_600_000;

/**
 * Done when every enabled endpoint that wants it has taken it, or there is none. Each is tried by itself: who has it is
 * not told again because another has not. Each hears of an order in its order: who has not taken the message before is not
 * told this one yet, and keeps nobody else waiting.
 */
export function notifyHandler(given: DeliveryDeps): EffectHandler {
  const deps = { ...given, shares: createEndpointShares(given.clock) };
  return async ({ id, payload }) => {
    const without = await endpointsWithout(deps.db, id, String(payload.type));
    if (without.length === 0) return { end: 'done' };
    if (deps.key === null) return { end: 'again', error: 'NOTIFICATION_KEY is not set, so nothing can be signed' };
    const row = await readNotification(deps.db, id);
    if (!row) return { end: 'dead', error: 'the order or the transition it tells of is not there' };
    const message = messageOf(row);
    const now = deps.clock();
    const mayWait = now.getTime() - row.at.getTime() < WAITS_FREE_MS;
    const tried = await Promise.all(without.map(endpoint => tryIfDue(deps, endpoint, { message, now, mayWait })));
    if (!tried.some(({ gone }) => gone)) return endOf(tried);
    // Who answered 410 is disabled and waits for nothing, except where it has been given another URL meanwhile.
    const left = new Set((await endpointsWithout(deps.db, id, String(payload.type))).map(endpoint => endpoint.id));
    return endOf(tried.filter(({ endpointId, taken }) => taken || left.has(endpointId)));
  };
}

type Tried = {
  endpointId: string;
  taken: boolean;
  gone: boolean;
  says: string;
  retryAt: Date | null;
  /** Not asked at all, so that this costs no try. */
  untried: boolean;
};

type TellDeps = DeliveryDeps & { shares: EndpointShares };
type Telling = { message: Message; now: Date; mayWait: boolean };

async function tryIfDue(deps: TellDeps, endpoint: DueEndpoint, { message, now, mayWait }: Telling): Promise<Tried> {
  const { id: endpointId, retryAt, waitsUntil } = endpoint;
  const not = { endpointId, taken: false, gone: false };
  if (waitsUntil) {
    const next = new Date(Math.max(waitsUntil.getTime(), now.getTime()) + AFTER_EARLIER_MS);
    return { ...not, says: 'has not taken the message before it', retryAt: next, untried: true };
  }
  if (retryAt && retryAt > now) {
    return { ...not, says: `asked to wait until ${retryAt.toISOString()}`, retryAt, untried: true };
  }
  const place = await deps.shares.take(endpointId);
  if ('release' in place) return tell(deps, endpoint, message).finally(place.release);
  const says = deps.shares.isSilent(endpointId)
    ? 'has answered nobody lately, and another message asks whether it is back'
    : 'is being told enough at once';
  return { ...not, says, retryAt: mayWait ? place.notBefore : null, untried: mayWait };
}

async function tell(deps: TellDeps, endpoint: DueEndpoint, message: Message): Promise<Tried> {
  const attempt = await deliver(deps, endpoint, message, { trigger: 'scheduled' });
  deps.shares.heard(endpoint.id, attempt.status !== null);
  return {
    endpointId: endpoint.id,
    taken: isTaken(attempt.status),
    gone: attempt.status === 410,
    says: attempt.error ?? `answered ${attempt.status}`,
    retryAt: attempt.retryAt,
    untried: false,
  };
}

/** How much longer than the worker's own pause to wait is theirs to say, if all who wait have said so. */
function endOf(tried: Tried[]): EffectEnd {
  const waiting = tried.filter(({ taken }) => !taken);
  if (waiting.length === 0) return { end: 'done' };
  const error = waiting.map(({ endpointId, says }) => `${endpointId} ${says}`).join('; ');
  const times = waiting.flatMap(({ retryAt }) => (retryAt ? [retryAt.getTime()] : []));
  if (times.length < waiting.length) return { end: 'again', error };
  const at = new Date(Math.min(...times));
  return waiting.every(({ untried }) => untried)
    ? { end: 'again', error, at, untried: true }
    : { end: 'again', error, notBefore: at };
}

/** The same bytes whenever it is made: nothing in it is of now. */
export function messageOf(row: NotificationRow): Message {
  return { id: row.id, body: JSON.stringify(bodyOf(row)) };
}

export function bodyOf(row: NotificationRow): NotificationBody {
  const { payload } = row;
  return {
    type: String(payload.type),
    timestamp: typeof payload.at === 'string' ? payload.at : row.at.toISOString(),
    data: {
      orderId: row.orderId,
      version: row.version,
      state: row.state,
      kind: row.kind,
      userId: String(payload.userId),
      product: String(payload.product),
      planId: String(payload.planId),
      provider: row.provider,
      live: row.live,
      amountMinor: row.amountMinor,
      currency: row.currency,
      ...(typeof payload.endsAt === 'string' && { endsAt: payload.endsAt }),
      ...(typeof payload.cause === 'string' && { cause: payload.cause }),
    },
  };
}
