// Calls to Razorpay's API. Its errors are sorted here, once, into what the service knows: it said no, or nobody knows.
import { ProviderRefused, ProviderUnreachable } from '../../errors.ts';
import { callOut, type OutboundAnswer, type OutboundDeps } from '../outbound.ts';
import { readableText } from '../readableText.ts';
import type { RazorpaySettings } from '../settings.ts';
import { fieldOf, Unreadable } from './entities.ts';

const PROVIDER = 'Razorpay';
/** Longest sentence of Razorpay passed on in our own, in characters. */
const MAX_DETAIL_LENGTH = 200;
/** Ids Razorpay gives. Others are not asked for: `..` as an id would address another resource. */
const RAZORPAY_ID = /^[A-Za-z0-9_-]{1,128}$/;
/** Codes of errors that are no answer about what was asked (api/understand.md), whatever the HTTP status. */
const TRY_AGAIN_CODES = ['GATEWAY_ERROR', 'SERVER_ERROR'];
/**
 * A 409 means another call with the same key is under way; but a key used for another request is answered 409 too by one
 * of two pages (api/refunds), and then only the sentence tells.
 */
const OTHER_REQUEST = /different request/i;

/** Razorpay's no, with its own sentence, which sometimes alone tells what the no is about. */
export class RazorpayRefusal extends ProviderRefused {
  readonly description: string;

  constructor(description: string) {
    super(`Razorpay refused the call: ${description}`);
    this.description = description;
  }
}

/** `read` makes something of the answer and throws Unreadable where it cannot. */
export type RazorpayApi = {
  /** Asked again when no answer came, as reading changes nothing; `once` where another call must follow in the caller's time. @throws ProviderRefused, ProviderUnreachable */
  get<T>(path: string, read: (json: unknown) => T, query?: Record<string, string>, tries?: 'two' | 'once'): Promise<T>;
  /** Sent once: Razorpay keeps no idempotency key that could be relied on. @throws ProviderRefused, ProviderUnreachable */
  post<T>(path: string, body: unknown, read: (json: unknown) => T, headers?: Record<string, string>): Promise<T>;
};

export function razorpayApi(settings: RazorpaySettings, deps: OutboundDeps): RazorpayApi {
  const basic = Buffer.from(`${settings.keyId}:${settings.keySecret}`, 'utf8').toString('base64');
  const authorization = { authorization: `Basic ${basic}`, accept: 'application/json' };
  const urlOf = (path: string) => new URL(`/v1${path}`, settings.apiUrl);

  return {
    async get(path, read, query = {}, tries = 'two') {
      const url = urlOf(path);
      url.search = new URLSearchParams(query).toString();
      const repeatable = tries === 'two';
      const call = { provider: PROVIDER, method: 'GET' as const, url, headers: authorization, repeatable };
      return readAnswer(await callOut(deps, call), read);
    },
    async post(path, body, read, headers = {}) {
      const call = {
        provider: PROVIDER,
        method: 'POST' as const,
        url: urlOf(path),
        headers: { ...authorization, 'content-type': 'application/json', ...headers },
        body: JSON.stringify(body),
        repeatable: false,
      };
      return readAnswer(await callOut(deps, call), read);
    },
  };
}

/** An id fit to stand in a path. @throws ProviderRefused */
export function idInPath(id: string): string {
  if (!RAZORPAY_ID.test(id)) throw new ProviderRefused('Razorpay never gave anything this id.');
  return id;
}

/** The items of one of Razorpay's collections. @throws Unreadable */
export function itemsOf(json: unknown): unknown[] {
  const items = fieldOf(json, 'items');
  if (!Array.isArray(items)) throw new Unreadable('The collection has no items.');
  return items;
}

function readAnswer<T>({ status, json }: OutboundAnswer, read: (json: unknown) => T): T {
  if (status >= 400) throw refusalOf(status, json);
  try {
    return read(json);
  } catch (error) {
    if (!(error instanceof Unreadable)) throw error;
    // It answered, but not what happened: as good as no answer.
    throw new ProviderUnreachable('Razorpay gave an answer that cannot be read.', error);
  }
}

function refusalOf(status: number, json: unknown): ProviderRefused | ProviderUnreachable {
  const error = fieldOf(json, 'error');
  const description = readableText(fieldOf(error, 'description'))?.slice(0, MAX_DETAIL_LENGTH) ?? `status ${status}`;
  // Wrong keys say nothing about what was asked, and it must not be given up because of them.
  if (status === 401) return new ProviderUnreachable('Razorpay does not accept the API key it was called with.');
  if (status === 409 && !OTHER_REQUEST.test(description)) {
    return new ProviderUnreachable('Razorpay is still busy with the same call.');
  }
  if (TRY_AGAIN_CODES.includes(String(fieldOf(error, 'code')))) {
    return new ProviderUnreachable(`Razorpay answered that it could not: ${description}`);
  }
  return new RazorpayRefusal(description);
}
