// What a customer's browser is shown where a program gets a problem document: whoever comes back from paying while the
// database is away must read that the payment is not lost, and not a piece of JSON.
import { createHash } from 'node:crypto';
import type { Context } from 'hono';
import { html, raw } from 'hono/html';
import { BASE_STYLE } from '../pages/baseStyle.ts';
import { htmlDocument } from '../pages/htmlDocument.ts';
import { wantsPage } from './wantsPage.ts';

/** How soon the page asks again, in s: seldom enough for a service in trouble, soon enough for somebody who looks at it. */
const RETRY_S = 5;

const HEADERS = {
  'content-type': 'text/html; charset=utf-8',
  'content-security-policy': `default-src 'none'; style-src 'sha256-${createHash('sha256').update(BASE_STYLE).digest('base64')}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
  'referrer-policy': 'no-referrer',
};

export type Problem = { title: string; detail: string; status: number; requestId: string | undefined };

/** Callbacks, payment pages and the shop: what customers open. The API answers problem documents whoever asks. */
export function isCustomersPage(c: Context): boolean {
  const isApi = c.req.path.startsWith('/v1/') && !c.req.path.startsWith('/v1/callbacks/');
  return !isApi && wantsPage(c);
}

/** The problem as a page, with the headers of its problem document but for the type. */
export async function problemPage(c: Context, problem: Problem, headers: Headers): Promise<Response> {
  const isOurs = problem.status >= 500;
  // Asked again by itself only what may be: a form would be sent again, and browsers ask the customer about that.
  const again = isOurs && c.req.method === 'GET';
  const title = isOurs ? 'One moment, please' : problem.title;
  const sentence = isOurs
    ? `We cannot answer right now. If you have just paid, your payment is not lost, and it is not taken twice. ${again ? 'This page tries again by itself.' : 'It counts as soon as it reaches us: you may close this page.'}`
    : problem.detail;
  const page = await htmlDocument({
    title,
    head: html`${again ? html`<meta http-equiv="refresh" content="${RETRY_S}" />` : ''}
        <style>${raw(BASE_STYLE)}</style>`,
    body: html`<main>
          <h1 class="message">${title}</h1>
          <p class="quiet">${sentence}${problem.requestId ? html`<br /><code>${problem.requestId}</code>` : ''}</p>
        </main>`,
  });
  for (const [name, value] of Object.entries(HEADERS)) headers.set(name, value);
  return new Response(String(page), { status: problem.status, headers });
}
