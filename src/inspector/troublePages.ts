// What went wrong, as a page that says what to do next; or as a sentence, where a script asked for part of a page.
import type { Context } from 'hono';
import { html } from 'hono/html';
import { HTTPException } from 'hono/http-exception';
import type { ContentfulStatusCode } from 'hono/utils/http-status';
import type { Logger } from 'pino';
import { asDatabaseUnavailable } from '../databaseTrouble.ts';
import { type ErrorCode, InvalidRequest, PaylatchError } from '../errors.ts';
import { wantsWholePage } from './guard.ts';
import { type Html, type InspectorEnv, renderBare, renderPage } from './page.ts';
import { copyable, emptyState } from './parts.ts';

/** Renders any error of the inspector; for `onError`. */
export function troublePage(log: Logger): (error: Error, c: Context<InspectorEnv>) => Promise<Response> {
  return async (error, c) => {
    const known = asKnown(error);
    if (known.status >= 500) {
      const level = known.code === 'internal_error' ? 'error' : 'warn';
      log[level](
        { err: known.cause ?? known, code: known.code, requestId: c.var.requestId },
        'an inspector page failed',
      );
    }
    if (known.retryAfterS !== null) c.header('retry-after', String(known.retryAfterS));
    // The rest of a body that nobody will read must not be taken for the next request.
    if (known.code === 'body_too_large') c.header('connection', 'close');
    const status = known.status as ContentfulStatusCode;
    if (!wantsWholePage(c)) return c.text(sentenceOf(known), status);
    const { title, main } = contentOf(known, c);
    return c.var.viewer ? renderPage(c, { title, nav: null, main, status }) : renderBare(c, { title, main, status });
  };
}

function asKnown(error: Error): PaylatchError {
  if (error instanceof PaylatchError) return error;
  if (error instanceof HTTPException && error.status < 500) return new InvalidRequest(error.message);
  return asDatabaseUnavailable(error) ?? new PaylatchError('internal_error', error.message, {}, error);
}

/** What went wrong inside holds SQL, addresses or paths: it is in the log, not on the page. */
function sentenceOf({ code, message }: PaylatchError): string {
  if (code === 'internal_error') return 'Something went wrong here. It is in the log under the id of this request.';
  if (code === 'database_unavailable') return 'The database does not answer.';
  return message;
}

const TITLES: Partial<Record<ErrorCode, string>> = {
  not_found: 'Not found',
  forbidden: 'You may not do that',
  unauthorized: 'You are signed out',
  invalid_request: 'That cannot be read',
  version_conflict: 'The order has moved on',
  illegal_event: 'The order cannot do that now',
  nothing_to_retry: 'There is nothing to retry',
  overloaded: 'Too much at once',
  provider_refused: 'The payment provider said no',
  provider_unreachable: 'The payment provider did not answer',
};

function contentOf(error: PaylatchError, c: Context<InspectorEnv>): { title: string; main: Html } {
  if (error.code === 'database_unavailable') return { title: 'The database does not answer', main: databasePage(c) };
  const title = TITLES[error.code] ?? 'Something went wrong';
  const main = html`<h1 class="hidden">${title}</h1>
    ${emptyState(title, sentenceOf(error), wayOn(error, c))}
    ${error.status >= 500 ? requestNote(c) : ''}`;
  return { title, main };
}

/** What to press next: what may work a second time is tried again, what was asked wrongly is asked without its question. */
function wayOn({ code, status }: PaylatchError, c: Context<InspectorEnv>): { href: string; label: string } {
  const isRead = c.req.method === 'GET';
  if (code === 'unauthorized') return { href: '/inspector/sign-in', label: 'Sign in' };
  if (isRead && status >= 500) return { href: pathOf(c), label: 'Load this page again' };
  if (isRead && code === 'invalid_request' && c.req.path !== '/inspector')
    return { href: c.req.path, label: 'Show it without these filters' };
  return { href: '/inspector', label: 'Go to the overview' };
}

function databasePage(c: Context<InspectorEnv>): Html {
  const isRead = c.req.method === 'GET';
  return html`<h1>The database does not answer</h1>
    <p>Nothing half done is left behind: each step is written whole or not at all. Providers deliver their webhooks again
      by themselves${isRead ? '' : ', and you may send the form again: what was done already is not done twice'}.</p>
    <ol class="prose">
      <li>See what the service knows: <a href="/health/ready">/health/ready</a>.</li>
      <li>See whether PostgreSQL runs, takes connections, and has room on its disk. The log of this service has the exact error.</li>
      <li>${isRead ? html`<a href="${pathOf(c)}">Load this page again</a>` : 'Go back and send the form again'} once it does.</li>
    </ol>
    ${requestNote(c)}`;
}

const pathOf = (c: Context<InspectorEnv>): string => {
  const { pathname, search } = new URL(c.req.url);
  return pathname + search;
};

const requestNote = (c: Context<InspectorEnv>): Html =>
  html`<p class="note request">Request ${copyable(c.var.requestId)}</p>`;
