// One HTTP call from the service to a payment provider: a deadline, a bounded retry where the protocol makes it safe, and
// the one distinction that matters about its end: the provider answered, or nobody knows.
import { setTimeout as sleep } from 'node:timers/promises';
import { ProviderUnreachable } from '../errors.ts';

/** How long one try may take, in ms, answer included; two tries and a pause stay below the 8 s our own callers are given. */
export const OUTBOUND_TIMEOUT_MS = 3_500;
/** Tries in all of a call that may safely be repeated. */
const MAX_TRIES = 2;
/** Longest pause between tries, in ms, times a random factor. */
const RETRY_PAUSE_MS = 300;
/** Largest answer read, in bytes: a page of a hundred payments is a tenth of it. */
const MAX_ANSWER_BYTES = 4 * 1_024 * 1_024;
/** Statuses that are no answer about what was asked: come again, or broken on the way. */
const NO_ANSWER = (status: number) =>
  status === 408 || status === 425 || status === 429 || status >= 500 || (status >= 300 && status < 400);

export type OutboundCall = {
  /** For the sentence of an error: `Razorpay`. */
  provider: string;
  method: 'GET' | 'POST' | 'PUT';
  url: URL;
  headers: Record<string, string>;
  body?: string;
  /** The call may be sent again when no answer came: reads, and writes under an idempotency key the provider honours. */
  repeatable: boolean;
};

export type OutboundDeps = {
  fetch: typeof fetch;
  /** Between 0 and 1, for the pause. */
  jitter: () => number;
};

/** The provider's answer, 2xx or 4xx, with its JSON (undefined when it is none). */
export type OutboundAnswer = { status: number; json: unknown };

/** @throws ProviderUnreachable when no answer came that tells: network, time-out, 5xx, 429, redirects */
export async function callOut(deps: OutboundDeps, call: OutboundCall): Promise<OutboundAnswer> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await tryOnce(deps, call);
    } catch (error) {
      if (!call.repeatable || attempt >= MAX_TRIES) throw error;
      await sleep(RETRY_PAUSE_MS * (0.5 + deps.jitter() / 2));
    }
  }
}

async function tryOnce({ fetch }: OutboundDeps, call: OutboundCall): Promise<OutboundAnswer> {
  const { provider, method, url, headers, body } = call;
  let status: number;
  let text: string;
  try {
    // A redirect would carry the key to somewhere else.
    const signal = AbortSignal.timeout(OUTBOUND_TIMEOUT_MS);
    const response = await fetch(url, {
      method,
      headers,
      redirect: 'manual',
      signal,
      ...(body !== undefined && { body }),
    });
    status = response.status;
    text = await readLimited(response);
  } catch (error) {
    throw new ProviderUnreachable(`${provider} could not be reached.`, error);
  }
  if (NO_ANSWER(status)) throw new ProviderUnreachable(`${provider} answered ${status}.`);
  return { status, json: parseJson(text) };
}

async function readLimited(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body ?? []) {
    size += chunk.byteLength;
    if (size > MAX_ANSWER_BYTES) throw new Error('the answer is too large');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
