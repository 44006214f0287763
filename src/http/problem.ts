// The one place where errors become answers: application/problem+json as RFC 9457 has it, with our `code` and the
// request's id. What went wrong inside is logged under that id and never part of the answer.
import type { Context } from 'hono';
import { HTTPException } from 'hono/http-exception';
import type { ContentfulStatusCode } from 'hono/utils/http-status';
import type { Logger } from 'pino';
import { asDatabaseUnavailable } from '../databaseTrouble.ts';
import { type ErrorCode, InvalidRequest, NotFound, PaylatchError } from '../errors.ts';
import type { AppEnv } from './appTypes.ts';
import { isCustomersPage, problemPage } from './problemPage.ts';

const TITLES: Record<ErrorCode, string> = {
  invalid_request: 'The request is not valid',
  unauthorized: 'A key is needed',
  bad_signature: 'The signature does not hold',
  forbidden: 'This key may not do that',
  not_found: 'There is no such thing',
  illegal_event: 'The order cannot do that now',
  nothing_to_retry: 'There is nothing to retry',
  version_conflict: 'The order has moved on',
  body_too_large: 'The body is too large',
  unsupported_media_type: 'The body has the wrong media type',
  idempotency_key_reused: 'The idempotency key was used for something else',
  internal_error: 'Something went wrong here',
  provider_refused: 'The payment provider said no',
  overloaded: 'Too much at once',
  provider_unreachable: 'The payment provider did not answer',
  database_unavailable: 'The database did not answer',
};

/** Sentences for what went wrong inside: their own messages may hold SQL, addresses or paths, which are nobody's business. */
const INSIDE: Partial<Record<ErrorCode, string>> = {
  internal_error: 'Something went wrong on our side; it is logged under the request id.',
  database_unavailable: 'The database does not answer. Try again: what was done already is not done twice.',
};

/** Renders any error; for `app.onError`. A customer's browser gets a page. */
export function problemFor(log: Logger): (error: Error, c: Context<AppEnv>) => Response | Promise<Response> {
  return (error, c) => {
    const known = asPaylatchError(error);
    const requestId = c.get('requestId');
    if (known.status >= 500) {
      const level = known.code === 'internal_error' ? 'error' : 'warn';
      log[level]({ err: known.cause ?? known, code: known.code, requestId }, 'request failed');
    }
    const answer = problemResponse(known, requestId);
    if (!isCustomersPage(c)) return answer;
    const problem = { title: TITLES[known.code], detail: detailOf(known), status: known.status, requestId };
    return problemPage(c, problem, answer.headers);
  };
}

/** For `app.notFound`, which also hears of paths that answer another method. */
export function noSuchPath(c: Context<AppEnv>): Response {
  return problemResponse(
    new NotFound(`Nothing answers ${c.req.method} at this path; /openapi.json lists what there is.`),
    c.get('requestId'),
  );
}

const detailOf = ({ code, message }: PaylatchError): string => INSIDE[code] ?? message;

/** The problem document of an error as a response. */
export function problemResponse(error: PaylatchError, requestId: string | undefined): Response {
  const { code, status, fields, retryAfterS } = error;
  const body = {
    type: `urn:paylatch:problem:${code}`,
    title: TITLES[code],
    status,
    detail: detailOf(error),
    code,
    ...(requestId !== undefined && { requestId }),
    ...fields,
  };
  const headers = new Headers({ 'content-type': 'application/problem+json' });
  if (retryAfterS !== null) headers.set('retry-after', String(retryAfterS));
  if (code === 'unauthorized') headers.set('www-authenticate', 'Bearer realm="paylatch"');
  // The rest of a body that nobody will read must not be taken for the next request.
  if (code === 'body_too_large') headers.set('connection', 'close');
  return new Response(JSON.stringify(body), { status: status as ContentfulStatusCode, headers });
}

function asPaylatchError(error: Error): PaylatchError {
  if (error instanceof PaylatchError) return error;
  if (error instanceof HTTPException) {
    if (error.status === 415)
      return new PaylatchError('unsupported_media_type', 'The body has a media type that is not read here.');
    if (error.status < 500) return new InvalidRequest(error.message);
  }
  return asDatabaseUnavailable(error) ?? new PaylatchError('internal_error', error.message, {}, error);
}
