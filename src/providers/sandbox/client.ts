// One HTTP call from the service to the sandbox, with the only distinction its callers need: the sandbox said no, or
// nobody knows whether it did it.
import type { z } from 'zod';
import { ProviderRefused, ProviderUnreachable } from '../../errors.ts';

/** How long one call may take, in milliseconds, answer included. Below the 8 s our own callers are given. */
export const SANDBOX_TIMEOUT_MS = 5_000;
/** Answers of the 400s that are no "no": the sandbox asks us to come again. */
const TRY_AGAIN_STATUSES = new Set([408, 425, 429]);
/** Longest sentence of the sandbox passed on in our own, in characters. */
const MAX_DETAIL_LENGTH = 200;

export type SandboxClient = {
  call<T>(request: {
    method: 'GET' | 'POST';
    path: string;
    body?: unknown;
    idempotencyKey?: string;
    answer: z.ZodType<T>;
  }): Promise<T>;
};

/** Makes the client of one sandbox. `fetch` is a parameter so that tests can break the network. */
export function createSandboxClient(options: { url: string; apiKey: string; fetch: typeof fetch }): SandboxClient {
  return {
    async call({ method, path, body, idempotencyKey, answer }) {
      const { status, text } = await send();
      if (status >= 400 && status < 500 && !TRY_AGAIN_STATUSES.has(status)) {
        throw new ProviderRefused(`The sandbox refused the call: ${readDetail(text, status)}`);
      }
      if (status !== 200 && status !== 201) throw new ProviderUnreachable(`The sandbox answered ${status}.`);
      const read = answer.safeParse(parseJson(text));
      // It answered, but not what happened: as good as no answer.
      if (!read.success) throw new ProviderUnreachable('The sandbox gave an answer that cannot be read.', read.error);
      return read.data;

      async function send(): Promise<{ status: number; text: string }> {
        try {
          const response = await options.fetch(new URL(path, options.url), {
            method,
            headers: {
              authorization: `Bearer ${options.apiKey}`,
              ...(body !== undefined && { 'content-type': 'application/json' }),
              ...(idempotencyKey !== undefined && { 'idempotency-key': idempotencyKey }),
            },
            ...(body !== undefined && { body: JSON.stringify(body) }),
            // A redirect would carry the key to somewhere else.
            redirect: 'manual',
            signal: AbortSignal.timeout(SANDBOX_TIMEOUT_MS),
          });
          return { status: response.status, text: await response.text() };
        } catch (error) {
          throw new ProviderUnreachable('The sandbox could not be reached.', error);
        }
      }
    },
  };
}

function readDetail(text: string, status: number): string {
  const problem = parseJson(text);
  const detail = typeof problem === 'object' && problem !== null && 'detail' in problem ? problem.detail : undefined;
  return typeof detail === 'string' && detail !== '' ? detail.slice(0, MAX_DETAIL_LENGTH) : `status ${status}`;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
