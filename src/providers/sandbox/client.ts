// One call from the service to the sandbox, like every call to a provider: its no, or nobody knows whether it did it.
import type { z } from 'zod';
import { ProviderRefused, ProviderUnreachable } from '../../errors.ts';
import { callOut } from '../outbound.ts';

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
  // Nothing is repeated here: the sandbox stands beside the service, and who is not answered is told so at once.
  const deps = { fetch: options.fetch, jitter: () => 0 };
  return {
    async call({ method, path, body, idempotencyKey, answer }) {
      const headers = {
        authorization: `Bearer ${options.apiKey}`,
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...(idempotencyKey !== undefined && { 'idempotency-key': idempotencyKey }),
      };
      const { status, json } = await callOut(deps, {
        provider: 'The sandbox',
        method,
        url: new URL(path, options.url),
        headers,
        ...(body !== undefined && { body: JSON.stringify(body) }),
        repeatable: false,
      });
      if (status >= 400) throw new ProviderRefused(`The sandbox refused the call: ${readDetail(json, status)}`);
      if (status !== 200 && status !== 201) throw new ProviderUnreachable(`The sandbox answered ${status}.`);
      const read = answer.safeParse(json);
      // It answered, but not what happened: as good as no answer.
      if (!read.success) throw new ProviderUnreachable('The sandbox gave an answer that cannot be read.', read.error);
      return read.data;
    },
  };
}

function readDetail(problem: unknown, status: number): string {
  const detail = typeof problem === 'object' && problem !== null && 'detail' in problem ? problem.detail : undefined;
  return typeof detail === 'string' && detail !== '' ? detail.slice(0, MAX_DETAIL_LENGTH) : `status ${status}`;
}
