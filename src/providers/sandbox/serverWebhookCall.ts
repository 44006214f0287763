// One attempt to bring one webhook to the service: signed afresh, under the id it has kept since it was queued.
import type { Clock } from '../../clock.ts';
import { signStandardWebhook } from '../signatures.ts';
import type { SandboxDelivery } from './serverState.ts';

/** How long one attempt waits for its answer, in milliseconds: as long as providers in the field do. */
const ATTEMPT_TIMEOUT_MS = 10_000;

/** The status as text, why there is none, or null when the server was closing and nobody knows. */
export type WebhookAnswer = string | null;

/** Where webhooks go and what signs them. */
export type WebhookTarget = { webhookUrl: string; secret: Uint8Array; clock: Clock };

/** Sends the webhook once. Never throws: whatever happens is an answer. */
export async function callWebhook(
  target: WebhookTarget,
  delivery: Pick<SandboxDelivery, 'webhookId' | 'body'>,
  closing: AbortSignal,
): Promise<WebhookAnswer> {
  if (closing.aborted) return null;
  const body = Buffer.from(delivery.body);
  const timestampS = Math.floor(target.clock().getTime() / 1_000);
  const attempt = new AbortController();
  const abort = () => attempt.abort();
  const limit = setTimeout(abort, ATTEMPT_TIMEOUT_MS);
  closing.addEventListener('abort', abort);
  try {
    const response = await fetch(target.webhookUrl, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        ...signStandardWebhook(target.secret, delivery.webhookId, timestampS, body),
      },
      body,
      // A redirect is no acceptance: the receiver has to be configured where it is.
      redirect: 'manual',
      signal: attempt.signal,
    });
    await response.body?.cancel();
    return String(response.status);
  } catch (error) {
    if (closing.aborted) return null;
    return attempt.signal.aborted ? 'no answer in time' : `not reached: ${reasonOf(error)}`;
  } finally {
    clearTimeout(limit);
    closing.removeEventListener('abort', abort);
  }
}

/** Only a 2xx says that the webhook is stored where it went. */
export function isAccepted(answer: WebhookAnswer): boolean {
  return answer !== null && /^2\d\d$/.test(answer);
}

/** fetch says "fetch failed" for everything; what failed stands in its cause. */
function reasonOf(error: unknown): string {
  const cause = error instanceof Error ? (error.cause ?? error) : error;
  return cause instanceof Error ? ((cause as NodeJS.ErrnoException).code ?? cause.message) : String(cause);
}
