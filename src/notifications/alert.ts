// The effect `alert`: one line in the log, and a message to the operator's own address where one is set.
import type { Logger } from 'pino';
import type { Database } from '../../db/client.ts';
import { readOrderRow } from '../../db/orders.ts';
import type { Clock } from '../clock.ts';
import type { EffectHandler, LeasedEffect } from '../effects/effect.ts';
import { alertText } from './alertText.ts';
import { isTaken, post, retryAtOf } from './post.ts';

/** How long the operator's address may take, in ms: chat services answer within one second. */
const ALERT_TIMEOUT_MS = 10_000;
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
  'amountMinor',
  'currency',
  'detail',
  'error',
] as const;

export type AlertDeps = {
  db: Database;
  clock: Clock;
  log: Logger;
  /** ALERT_WEBHOOK_URL: of the operator's own choosing, so it may be anywhere, and secret, because it is a key in itself. */
  webhookUrl: string | null;
  publicUrl: string;
  /** In ms. */
  timeoutMs?: number;
};

/** Done when the log has it and, where there is one, the operator's address has taken it. */
export function alertHandler(deps: AlertDeps): EffectHandler {
  const { log, webhookUrl, clock, timeoutMs = ALERT_TIMEOUT_MS } = deps;
  const url = webhookUrl === null ? null : new URL(webhookUrl);
  return async effect => {
    if (effect.attempt === 1) log.warn(lineOf(effect), 'alert');
    if (!url) return { end: 'done' };
    try {
      const headers = { 'content-type': 'application/json' };
      const signal = AbortSignal.timeout(timeoutMs);
      const { status, retryAfter } = await post({ url, headers, body: await bodyOf(deps, effect), signal });
      if (isTaken(status)) return { end: 'done' };
      const at = retryAtOf(retryAfter, clock());
      return { end: 'again', error: `the alert address answered ${status}`, ...(at && { at }) };
    } catch (error) {
      return {
        end: 'again',
        error: `the alert address ${error instanceof Error ? error.message : 'could not be reached'}`,
      };
    }
  };
}

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
