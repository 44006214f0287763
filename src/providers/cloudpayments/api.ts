// One call to the API of CloudPayments: Basic authentication, JSON both ways, and the outcome read from the body, because
// business failures come as HTTP 200. Only 401 is a no by status; every other status tells nothing about what was asked.
import { z } from 'zod';
import { ProviderRefused, ProviderUnreachable } from '../../errors.ts';
import { callOut, type OutboundDeps } from '../outbound.ts';
import type { Terminal } from './terminal.ts';

const PROVIDER = 'CloudPayments';
/** Longest sentence of theirs passed on in our own, in characters. */
const MAX_MESSAGE_LENGTH = 200;
/** The sentence of a find that found nothing, in the two languages a terminal can be set to. */
const NOT_FOUND = /not found|не найден/i;

/** A number as the text it is sent as, so that no amount and no id passes through floating point. */
export class Exact {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

export type ApiAnswer = {
  success: boolean;
  /** Their sentence, cut; empty when there is none. */
  message: string;
  /** There even where `success` is false: a declined payment is told so. Null when nothing is told. */
  model: unknown;
};

export type Api = {
  /**
   * `requestId` is what makes a write safe to repeat: their X-Request-ID, kept for an hour. Without it the call only reads.
   * `once` is for what must not even be under way twice: whether an id holds before the first call has ended is not said.
   */
  call(path: string, body: Record<string, unknown>, requestId?: string, tries?: 'once'): Promise<ApiAnswer>;
};

const answerSchema = z.object({ Success: z.boolean(), Message: z.unknown().optional(), Model: z.unknown().optional() });

export function createApi(deps: OutboundDeps, { apiUrl, terminal }: { apiUrl: string; terminal: Terminal }): Api {
  const credentials = Buffer.from(`${terminal.publicId}:${terminal.secrets[0]}`).toString('base64');
  return {
    async call(path, body, requestId, tries) {
      const { status, json } = await callOut(deps, {
        provider: PROVIDER,
        method: 'POST',
        url: new URL(path, apiUrl),
        headers: {
          authorization: `Basic ${credentials}`,
          'content-type': 'application/json',
          ...(requestId !== undefined && { 'x-request-id': requestId }),
        },
        body: toJson(body),
        repeatable: tries !== 'once',
      });
      if (status === 401) throw new ProviderRefused(`${PROVIDER} does not accept the Public ID and API secret.`);
      const answer = answerSchema.safeParse(json);
      if (status !== 200 || !answer.success) {
        throw new ProviderUnreachable(`${PROVIDER} answered ${status}, which does not tell what became of the call.`);
      }
      const { Success, Message, Model } = answer.data;
      const message = typeof Message === 'string' ? Message.slice(0, MAX_MESSAGE_LENGTH) : '';
      return { success: Success, message, model: Model ?? null };
    },
  };
}

export const foundNothing = ({ success, message, model }: ApiAnswer) =>
  !success && model === null && NOT_FOUND.test(message);

export function refusal({ message }: ApiAnswer): ProviderRefused {
  return new ProviderRefused(`${PROVIDER} refused the call${message === '' ? '.' : `: ${message}`}`);
}

export function unreadable(what: string): ProviderUnreachable {
  return new ProviderUnreachable(`${PROVIDER} gave ${what} that cannot be read.`);
}

function toJson(body: Record<string, unknown>): string {
  const members = Object.entries(body).map(
    ([name, value]) => `${JSON.stringify(name)}:${value instanceof Exact ? value.text : JSON.stringify(value)}`,
  );
  return `{${members.join(',')}}`;
}
