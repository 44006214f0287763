// What every request under /inspector passes. Deny by default: only what is named here is open, everything else needs a
// session, and whatever is not a plain read needs our own origin, the session's token and an operator.
import { createHash, timingSafeEqual } from 'node:crypto';
import type { Context, MiddlewareHandler } from 'hono';
import { PaylatchError } from '../errors.ts';
import { readBody } from '../http/body.ts';
import { wantsPage } from '../http/wantsPage.ts';
import { type InspectorEnv, VIEWER_SENTENCE } from './page.ts';
import type { Sessions } from './session.ts';

/** Of a form, in bytes: the longest reason and metadata fit in it several times. */
const FORM_LIMIT = 64 * 1_024;
const FORM = 'application/x-www-form-urlencoded';
const SAFE_METHODS = new Set(['GET', 'HEAD']);
/** Without a session: the way in, and what its page looks like. */
const OPEN = /^\/inspector\/(sign-in$|assets\/)/;
const SIGN_OUT = '/inspector/sign-out';

const HEADERS: Readonly<Record<string, string>> = {
  'content-security-policy':
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
  // Nothing leaves for elsewhere, as with no-referrer; but that one makes browsers send `Origin: null` with our own forms,
  // and then a forged one could not be told from them over plain http.
  'referrer-policy': 'same-origin',
  'x-content-type-options': 'nosniff',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
};

/** Sets what every answer carries; what the route itself has set stays. */
export const pageHeaders: MiddlewareHandler<InspectorEnv> = async (c, next) => {
  await next();
  for (const [name, value] of Object.entries(HEADERS)) c.res.headers.set(name, value);
  if (!c.res.headers.has('cache-control')) c.res.headers.set('cache-control', 'no-store');
};

/**
 * Refuses posts that another site made a browser send. Browsers tell where a post comes from; one that tells nothing is no
 * browser, and whoever writes a program has the API.
 * @throws PaylatchError forbidden
 */
export function sameOrigin(publicUrl: string): MiddlewareHandler<InspectorEnv> {
  return async (c, next) => {
    if (!SAFE_METHODS.has(c.req.method) && !isOurs(c, publicUrl)) {
      throw new PaylatchError(
        'forbidden',
        'This form was sent from another site. Nothing was changed. If it was sent from this very page, PUBLIC_URL does not say the address under which you reach the service.',
      );
    }
    await next();
  };
}

/** Both must say so where both are there: `Sec-Fetch-Site` is told over https and on this machine only, `Origin` always. */
function isOurs(c: Context<InspectorEnv>, publicUrl: string): boolean {
  const site = c.req.header('sec-fetch-site');
  const origin = c.req.header('origin');
  if (site !== undefined && site !== 'same-origin') return false;
  if (origin === undefined) return site === 'same-origin';
  if (origin === publicUrl) return true;
  // Reached under another name than the public one: by its address, or through a tunnel. Never less safe than that one.
  if (!URL.canParse(origin) || (publicUrl.startsWith('https:') && !origin.startsWith('https:'))) return false;
  return new URL(origin).host === c.req.header('host');
}

/** Lets only those through who are signed in; pages lead to the sign-in and back, everything else is told. */
export function needsSession(sessions: Sessions): MiddlewareHandler<InspectorEnv> {
  return async (c, next) => {
    const session = sessions.read(c);
    if (session) {
      c.set('viewer', session.viewer);
      c.set('sessionEndsAt', session.endsAt);
    } else if (!OPEN.test(c.req.path)) {
      if (SAFE_METHODS.has(c.req.method) && wantsWholePage(c)) return c.redirect(signInPath(c), 303);
      throw new PaylatchError('unauthorized', 'You are not signed in, or your session is over. Nothing was changed.');
    }
    await next();
  };
}

/** Whatever is not a read: an operator, with the token of the session. Signing in and out is for everybody. */
export const needsToken: MiddlewareHandler<InspectorEnv> = async (c, next) => {
  if (!SAFE_METHODS.has(c.req.method)) {
    const form = await readForm(c);
    const { viewer } = c.var;
    if (viewer && !isOpen(c) && !isSame(form.get('csrf') ?? '', viewer.csrf)) {
      throw new PaylatchError('forbidden', 'This form belongs to another session. Reload the page and send it again.');
    }
    if (viewer?.role === 'viewer' && !isOpen(c) && c.req.path !== SIGN_OUT) {
      throw new PaylatchError('forbidden', VIEWER_SENTENCE);
    }
  }
  await next();
};

const isOpen = (c: Context<InspectorEnv>): boolean => OPEN.test(c.req.path);

/** The form, with a limit; the handler behind reads it again with `c.req.parseBody()`. */
async function readForm(c: Context<InspectorEnv>): Promise<URLSearchParams> {
  const mediaType = (c.req.header('content-type') ?? '').split(';')[0]?.trim().toLowerCase();
  if (mediaType !== FORM) throw new PaylatchError('unsupported_media_type', `A form is sent as ${FORM}.`);
  const bytes = await readBody(c, FORM_LIMIT);
  const { url, method, headers } = c.req.raw;
  c.req.raw = new Request(url, { method, headers, body: Buffer.from(bytes) });
  return new URLSearchParams(Buffer.from(bytes).toString());
}

/** A browser going somewhere, and not a script fetching part of a page. */
export function wantsWholePage(c: Context<InspectorEnv>): boolean {
  return c.req.header('x-fragment') === undefined && wantsPage(c);
}

function signInPath(c: Context<InspectorEnv>): string {
  const { pathname, search } = new URL(c.req.url);
  const back = pathname + search;
  return back === '/inspector' ? '/inspector/sign-in' : `/inspector/sign-in?returnTo=${encodeURIComponent(back)}`;
}

/** A path to go on to, if it lies within the inspector; else its first page. Whatever a browser would read as another site is not. */
export function safeReturn(returnTo: string | undefined): string {
  const home = '/inspector';
  const base = 'http://inside.invalid';
  if (!returnTo?.startsWith('/') || !URL.canParse(returnTo, base)) return home;
  const { origin, pathname, search } = new URL(returnTo, base);
  const isInside = origin === base && (pathname === home || pathname.startsWith(`${home}/`));
  return isInside && !/^\/inspector\/sign-(in|out)/.test(pathname) ? pathname + search : home;
}

/** In a time that tells nothing of where they differ. */
function isSame(given: string, expected: string): boolean {
  const sha256 = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(sha256(given), sha256(expected));
}
