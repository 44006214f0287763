// What the sandbox's one secret is used for besides signing webhooks: the key of its API and the signature of a callback.
// Adapter and server both take these from here, so that they cannot disagree.
import { hexHmac } from '../signatures.ts';

/** The bearer key of the sandbox's API. Derived, so that one secret configures both sides and the webhook key itself never travels. */
export function sandboxApiKey(secret: Uint8Array): string {
  return hexHmac(secret, 'api');
}

/** What the callback's signature covers. Neither id may hold a `|`, or the text could be cut in two places. */
export function callbackText(providerOrderId: string, paymentId: string): string {
  return `${providerOrderId}|${paymentId}`;
}
