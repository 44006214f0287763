// Stripe's API through the official SDK, with what the SDK leaves open: one deadline for a whole answer, a bounded one,
// our own retry, and the distinction between a no of Stripe's and no answer at all.
import { setTimeout as sleep } from 'node:timers/promises';
import Stripe from 'stripe';
import type { z } from 'zod';
import { ProviderRefused, ProviderUnreachable } from '../../errors.ts';
import { OUTBOUND_TIMEOUT_MS } from '../outbound.ts';
import { readableText } from '../readableText.ts';
import type { StripeSettings } from '../settings.ts';

/** The version answers are shaped by; the webhook endpoint should be created with the same one. */
export const STRIPE_API_VERSION = '2026-10-28.endive';
/** Tries in all: every call is a read or carries an idempotency key, so each may be sent again. */
const MAX_TRIES = 2;
/** Longest pause between tries, in ms, times a random factor. */
const RETRY_PAUSE_MS = 300;
/** Largest answer read, in bytes: a page of a hundred payments is a tenth of it. */
const MAX_ANSWER_BYTES = 4 * 1_024 * 1_024;
/** Longest words of Stripe's repeated in an error, in characters. */
const MAX_DETAIL_LENGTH = 200;
/** Codes that say "not now" whatever the status: another call holds the object or the key. */
const BUSY_CODES = new Set(['idempotency_key_in_use', 'lock_timeout', 'rate_limit']);

export type StripeApiDeps = { settings: StripeSettings; fetch: typeof fetch; jitter: () => number };

export type StripeApi = {
  /**
   * One call, its answer read by `schema`.
   * @throws StripeSaidNo when the answer is a no, ProviderUnreachable when nobody knows
   */
  ask<T>(schema: z.ZodType<T>, call: (stripe: Stripe) => Promise<unknown>): Promise<T>;
};

/** A no of Stripe's with its code, so that "done already" can be told from the others. */
export class StripeSaidNo extends ProviderRefused {
  readonly stripeCode: string | undefined;
  /** The parameter it is about, such as `line_items[0][price_data][currency]`. */
  readonly param: string | undefined;
  constructor(detail: string, cause: InstanceType<typeof Stripe.errors.StripeError>) {
    super(detail, cause);
    this.stripeCode = cause.code;
    this.param = cause.param;
  }
}

export function createStripeApi({ settings, fetch, jitter }: StripeApiDeps): StripeApi {
  const { hostname, port, protocol } = new URL(settings.apiUrl);
  const scheme = protocol === 'http:' ? 'http' : 'https';
  const stripe = new Stripe(settings.secretKey, {
    host: hostname,
    port: port || (scheme === 'http' ? '80' : '443'),
    protocol: scheme,
    apiVersion: STRIPE_API_VERSION,
    // Ours, below: the SDK's own would not try again after a 429 and waits half a second and more.
    maxNetworkRetries: 0,
    timeout: OUTBOUND_TIMEOUT_MS,
    telemetry: false,
    // The SDK's Node client counts silence between bytes; this one counts the whole call.
    httpClient: Stripe.createFetchHttpClient(boundedFetch(fetch)),
  });
  return {
    async ask(schema, call) {
      for (let attempt = 1; ; attempt++) {
        try {
          const answer = schema.safeParse(await call(stripe));
          if (!answer.success)
            throw new ProviderUnreachable('Stripe answered something that cannot be read.', answer.error);
          return answer.data;
        } catch (error) {
          const told = errorFrom(error);
          if (!(told instanceof ProviderUnreachable) || attempt >= MAX_TRIES || saysDoNotRetry(error)) throw told;
          await sleep(RETRY_PAUSE_MS * (0.5 + jitter() / 2));
        }
      }
    },
  };
}

/** A no is final; everything else, also what is no answer of Stripe's at all, is "nobody knows". */
function errorFrom(error: unknown): Error {
  if (error instanceof ProviderRefused || error instanceof ProviderUnreachable) return error;
  if (!(error instanceof Stripe.errors.StripeError))
    return new ProviderUnreachable('Stripe could not be reached.', error);
  const { statusCode: status, code } = error;
  if (status === undefined) return new ProviderUnreachable('Stripe could not be reached.', error);
  const isNo = status >= 400 && status < 500 && ![408, 409, 425, 429].includes(status) && !BUSY_CODES.has(code ?? '');
  if (!isNo) return new ProviderUnreachable(`Stripe answered ${status}.`, error);
  // Its words about a wrong key repeat a part of the key.
  if (status === 401 || status === 403) return new StripeSaidNo('Stripe does not accept the key for this.', error);
  const words = readableText(error.message)?.slice(0, MAX_DETAIL_LENGTH) ?? `status ${status}`;
  return new StripeSaidNo(`Stripe refused: ${words}`, error);
}

const saysDoNotRetry = (error: unknown) =>
  error instanceof Stripe.errors.StripeError && error.headers?.['stripe-should-retry'] === 'false';

/** Follows no redirect, which would carry the key elsewhere, and stops reading an answer that does not end. */
function boundedFetch(fetch: typeof globalThis.fetch): typeof globalThis.fetch {
  return async (input, init) => {
    const response = await fetch(input, { ...init, redirect: 'manual' });
    if (response.status >= 300 && response.status < 400) {
      await response.body?.cancel();
      throw new ProviderUnreachable(`Stripe answered ${response.status}.`);
    }
    let size = 0;
    const limit = new TransformStream<Uint8Array, Uint8Array>({
      transform(chunk, controller) {
        size += chunk.byteLength;
        if (size > MAX_ANSWER_BYTES) controller.error(new Error('the answer is too large'));
        else controller.enqueue(chunk);
      },
    });
    const { status, headers } = response;
    return new Response(response.body?.pipeThrough(limit) ?? null, { status, headers });
  };
}
