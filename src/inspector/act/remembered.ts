// What the browser keeps for whoever acts: their name, so that it is typed once, and what came of what they just sent, so
// that the next page can say so. Both are cookies: nothing of it is worth a table.
import type { Context } from 'hono';
import { deleteCookie, getCookie, setCookie } from 'hono/cookie';
import { html } from 'hono/html';
import { MAX_BY_LENGTH } from '../../../machines/orderEvents.ts';
import type { Html, InspectorEnv } from '../page.ts';
import { notice } from '../parts.ts';

const BY = 'paylatch_by';
/** How long a name is remembered, in s: from one night's watch to the next ones. */
const BY_S = 90 * 24 * 60 * 60;
const TOLD = 'paylatch_told';
/** How long what came of a form waits for its page, in s: a redirect takes less, a page closed meanwhile must not say it tomorrow. */
const TOLD_S = 60;
/** Longest sentence kept, in characters: with the rest it must fit into one cookie. */
const MAX_SENTENCE = 600;

type Ctx = Context<InspectorEnv>;
const attributes = (c: Ctx) =>
  ({
    httpOnly: true,
    sameSite: 'Strict',
    path: '/inspector',
    secure: new URL(c.req.url).protocol === 'https:',
  }) as const;

export const rememberedName = (c: Ctx): string => (getCookie(c, BY) ?? '').slice(0, MAX_BY_LENGTH);

export function rememberName(c: Ctx, by: string): void {
  setCookie(c, BY, by, { ...attributes(c), maxAge: BY_S });
}

export type Told = { tone: 'good' | 'held' | 'bad'; sentence: string };

/** Has the next page of this order say what happened. */
export function tellNext(c: Ctx, orderId: string, { tone, sentence }: Told): void {
  const text = JSON.stringify([orderId, tone, sentence.slice(0, MAX_SENTENCE)]);
  setCookie(c, TOLD, Buffer.from(text).toString('base64url'), { ...attributes(c), maxAge: TOLD_S });
}

/** What came of what was just sent to this order, once; for its page. */
export function toldHere(c: Ctx, orderId: string): Html | '' {
  const kept = getCookie(c, TOLD);
  // A page that fetches itself shows only its live parts: the sentence is for the page somebody looks at.
  if (kept === undefined || c.req.header('x-fragment') !== undefined) return '';
  const told = readTold(kept);
  if (told?.orderId !== orderId) return '';
  deleteCookie(c, TOLD, attributes(c));
  return html`<div role="status" class="just-told">${notice(told.tone, told.sentence)}</div>`;
}

function readTold(kept: string): (Told & { orderId: string }) | null {
  try {
    const [orderId, tone, sentence] = JSON.parse(Buffer.from(kept, 'base64url').toString()) as unknown[];
    if (typeof orderId !== 'string' || typeof sentence !== 'string') return null;
    return { orderId, sentence, tone: tone === 'good' || tone === 'held' ? tone : 'bad' };
  } catch {
    return null;
  }
}
