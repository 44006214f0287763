// The secret of an endpoint and the signatures made with it, by the Standard Webhooks spec. A secret is derived from our
// key whenever it is needed: what is not stored cannot be read out of a backup.
import { createHmac } from 'node:crypto';
import { Webhook } from 'standardwebhooks';

/** An endpoint as far as its secret depends on it. */
export type Signer = { id: string; generation: number; previousUntil: Date | null };

/** `whsec_` and 32 bytes in base64. The same key, endpoint and generation always give the same one. */
export function endpointSecret(key: string, endpointId: string, generation: number): string {
  return `whsec_${createHmac('sha256', key).update(`${endpointId}:${generation}`).digest('base64')}`;
}

/**
 * The three headers of one try at `at`. While the secret before may still be the one the receiver knows, both sign: the
 * receiver takes whichever matches.
 */
export function signedHeaders(
  key: string,
  endpoint: Signer,
  message: { id: string; body: string; at: Date },
): Record<'webhook-id' | 'webhook-timestamp' | 'webhook-signature', string> {
  const { id, body, at } = message;
  const generations = [endpoint.generation];
  if (endpoint.previousUntil && endpoint.generation > 1 && at < endpoint.previousUntil) {
    generations.push(endpoint.generation - 1);
  }
  const sign = (generation: number) => new Webhook(endpointSecret(key, endpoint.id, generation)).sign(id, at, body);
  return {
    'webhook-id': id,
    'webhook-timestamp': String(Math.floor(at.getTime() / 1_000)),
    'webhook-signature': generations.map(sign).join(' '),
  };
}
