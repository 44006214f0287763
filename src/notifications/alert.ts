// The effect `alert`: one line in the log, and a message to the operator's own address where one is set.
import type { Logger } from 'pino';
import type { Database } from '../../db/client.ts';
import { closeCount, tellDeadEffect } from '../../db/deadEffectAlerts.ts';
import { readOrderRow } from '../../db/orders.ts';
import type { Clock } from '../clock.ts';
import type { EffectEnd, EffectHandler, LeasedEffect } from '../effects/effect.ts';
import type { NewId } from '../ids.ts';
import { alertText } from './alertText.ts';
import { isTaken, post, retryAtOf } from './post.ts';

/** How long the operator's address may take, in ms: chat services answer within one second. */
const ALERT_TIMEOUT_MS = 10_000;
/** Those of one kind after the first that are told in one alert, in s: soon enough to see that it goes on, and bearable for a day. */
export const TOGETHER_S = 60 * 60;
/** Pause before it is asked again how an alert is told, in ms: by then the hour has turned on this process's clock, too. */
const UNDECIDED_MS = 1_000;
/** Longest text that is logged, in characters. */
const MAX_LOGGED = 500;
/** What of an alert may stand in the log; whatever else it carries stays in the database. */
const LOGGED = [
  'cause',
  'severity',
  'effect',
  'eventType',
  'provider',
  'paymentId',
  'refundId',
  'disputeId',
  'providerOrderId',
  'subscriptionId',
  'endpointId',
  'eventKey',
  'state',
  'count',
  'amountMinor',
  'currency',
  'detail',
  'error',
] as const;

export type AlertDeps = {
  db: Database;
  clock: Clock;
  newId: NewId;
  log: Logger;
  /** ALERT_WEBHOOK_URL: of the operator's own choosing, so it may be anywhere, and secret, because it is a key in itself. */
  webhookUrl: string | null;
  publicUrl: string;
  /** In ms. */
  timeoutMs?: number;
};

/**
 * Done when the log has it and, where there is one, the operator's address has taken it. Only alerts that an effect died are
 * told together: an outage has one for each order, while each of the others is about one order's money.
 */
export function alertHandler(deps: AlertDeps): EffectHandler {
  const { log, webhookUrl, clock, timeoutMs = ALERT_TIMEOUT_MS } = deps;
  const url = webhookUrl === null ? null : new URL(webhookUrl);
  return async leased => {
    if (leased.attempt === 1) log.warn(lineOf(leased), 'alert');
    if (!url) return { end: 'done' };
    const effect = await toTell(deps, leased);
    if ('end' in effect) return effect;
    try {
      const headers = { 'content-type': 'application/json' };
      const signal = AbortSignal.timeout(timeoutMs);
      const { status, retryAfter } = await post({ url, headers, body: await bodyOf(deps, effect), signal });
      if (isTaken(status)) return { end: 'done' };
      const error = `the alert address answered ${status}`;
      const notBefore = retryAtOf(retryAfter, clock());
      return notBefore ? { end: 'again', error, notBefore } : { end: 'again', error };
    } catch (error) {
      return {
        end: 'again',
        error: `the alert address ${error instanceof Error ? error.message : 'could not be reached'}`,
      };
    }
  };
}

/** The alert as it is to be posted now, or how it ends without. */
async function toTell({ db, clock, newId }: AlertDeps, effect: LeasedEffect): Promise<LeasedEffect | EffectEnd> {
  const { id, payload } = effect;
  if (payload.cause === 'effects_dead') return { ...effect, payload: (await closeCount(db, id)) ?? payload };
  if (payload.cause !== 'effect_dead' || payload.tells !== undefined) return effect;
  if (payload.toldWith !== undefined) return withOthers(payload.toldWith);
  const at = clock();
  const ids = { alertId: id, findingId: newId('fnd'), togetherId: newId('eff') };
  const told = await tellDeadEffect(db, { ...ids, at, windowS: TOGETHER_S });
  if (told === null) {
    const error = 'which alert tells it is not decided yet';
    return { end: 'again', error, at: new Date(at.getTime() + UNDECIDED_MS), untried: true };
  }
  return told.how === 'at once' ? effect : withOthers(told.alertId);
}

const withOthers = (alertId: unknown): EffectEnd => ({ end: 'done', note: `told with others: ${alertId}` });

/** `text` is what Slack, Mattermost and their like show; the rest is for programs. `id` is the same over all tries. */
async function bodyOf({ db, publicUrl }: AlertDeps, { id, orderId, payload }: LeasedEffect): Promise<string> {
  const about = orderId ?? (typeof payload.orderId === 'string' ? payload.orderId : null);
  const order = about === null ? null : await readOrderRow(db, about);
  const text = alertText({ payload, orderId: about, order, publicUrl });
  return JSON.stringify({ text, id, cause: String(payload.cause), orderId: about });
}

function lineOf({ id, orderId, payload }: LeasedEffect): Record<string, unknown> {
  const line: Record<string, unknown> = { alertId: id, orderId: orderId ?? payload.orderId ?? null };
  for (const name of LOGGED) {
    const value = payload[name];
    if (typeof value === 'string') line[name] = value.slice(0, MAX_LOGGED);
    else if (typeof value === 'number') line[name] = value;
  }
  return line;
}
