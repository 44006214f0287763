// What every page of the inspector is built on: what it is given, who looks at it, and the shell around its content.
// `html` escapes whatever is put into it; nothing here or in any page may call `raw` on data.
import type { Context, Hono, MiddlewareHandler } from 'hono';
import { html } from 'hono/html';
import type { ContentfulStatusCode } from 'hono/utils/http-status';
import type { Logger } from 'pino';
import type { Database } from '../../db/client.ts';
import type { Clock, RandomSource } from '../clock.ts';
import { PaylatchError } from '../errors.ts';
import type { AppEnv } from '../http/appTypes.ts';
import type { NewId } from '../ids.ts';
import { type Html, htmlDocument } from '../pages/htmlDocument.ts';
import type { Core } from '../ports.ts';
import { ASSETS } from './assets.ts';
import { showInvisible } from './invisible.ts';

export type { Html };

export type InspectorDeps = {
  db: Database;
  core: Core;
  clock: Clock;
  newId: NewId;
  random: RandomSource;
  log: Logger;
  /** `viewer` is null when nobody may sign in to look only. */
  keys: { admin: string; viewer: string | null };
  publicUrl: string;
};

/** Whoever is signed in. `csrf` belongs to the session and must come back in every form. */
export type Viewer = { role: 'viewer' | 'operator'; csrf: string };

export type InspectorEnv = {
  Bindings: AppEnv['Bindings'];
  /** `stuck` tells how many orders are stuck once the page is made, for the navigation; null when nobody could tell. */
  Variables: { requestId: string; viewer: Viewer; sessionEndsAt: Date; stuck?: () => Promise<StuckCount | null> };
};
export type InspectorApp = Hono<InspectorEnv>;
/** `more`: the count stopped there, there are more. */
export type StuckCount = { count: number; more: boolean };

/** Why buttons are missing, wherever they are. */
export const VIEWER_SENTENCE = 'You are signed in to look only. To act, sign in with the admin key.';

export type Page = {
  /** Of the window, before the product's name. */
  title: string;
  nav: 'overview' | 'orders' | 'stuck' | 'events' | null;
  main: Html;
  /** The page's `data-live` regions follow what happens, or what happens to this order. */
  live?: { order?: string };
  status?: ContentfulStatusCode;
};

/** The page in its shell, for whoever is signed in. */
export async function renderPage(c: Context<InspectorEnv>, page: Page): Promise<Response> {
  const { viewer, stuck } = c.var;
  const around = { viewer, stuck: (await stuck?.()) ?? null, search: c.req.query('q') ?? '' };
  return renderPart(c, shell(page, around), page.status);
}

/** A part of a page for a script that asked for it alone; and what every page goes through. */
export async function renderPart(c: Context<InspectorEnv>, part: Html, status: ContentfulStatusCode = 200) {
  return c.html(showInvisible(String(await part)), status);
}

/** A page for somebody who is not signed in: no navigation, nothing to search. */
export function renderBare(c: Context<InspectorEnv>, page: Pick<Page, 'title' | 'main' | 'status'>) {
  const main = html`<main id="main" class="bare" tabindex="-1">${page.main}</main>`;
  return renderPart(c, document(page.title, main), page.status);
}

/** Goes into every form that changes something. */
export function csrfField(viewer: Viewer): Html {
  return html`<input type="hidden" name="csrf" value="${viewer.csrf}" />`;
}

/** For pages that only an operator may see. Unsafe methods need no such mark: the guard refuses them to viewers anyway. */
export const requireOperator: MiddlewareHandler<InspectorEnv> = async (c, next) => {
  if (c.var.viewer.role !== 'operator') throw new PaylatchError('forbidden', VIEWER_SENTENCE);
  await next();
};

const NAVIGATION = [
  { id: 'overview', label: 'Overview', href: '/inspector' },
  { id: 'orders', label: 'Orders', href: '/inspector/orders' },
  { id: 'stuck', label: 'Stuck', href: '/inspector/stuck' },
  { id: 'events', label: 'Events', href: '/inspector/events' },
] as const;

type Around = { viewer: Viewer; stuck: StuckCount | null; search: string };

function shell({ title, nav, main, live }: Page, { viewer, stuck, search }: Around): Html {
  const liveUrl = live && `/inspector/live${live.order ? `?order=${encodeURIComponent(live.order)}` : ''}`;
  return document(
    title,
    html`<a class="skip" href="#main">Skip to the content</a>
      <header class="top">
        <a class="brand" href="/inspector">Paylatch</a>
        <nav id="nav" aria-label="Inspector" data-live="nav">${NAVIGATION.map(
          ({ id, label, href }) =>
            html`<a href="${href}" ${id === nav ? html`aria-current="page"` : ''}>${label}${id === 'stuck' ? stuckCount(stuck) : ''}</a>`,
        )}</nav>
        <form class="search" role="search" action="/inspector/orders" method="get">
          <input id="search" type="search" name="q" value="${search}" placeholder="Any id: order, payment, user, event" aria-label="Search orders by any id"
            aria-keyshortcuts="/" maxlength="255" autocomplete="off" autocapitalize="none" spellcheck="false" />
          <kbd aria-hidden="true">/</kbd>
        </form>
        ${liveUrl ? html`<span id="live" class="live" role="status" data-url="${liveUrl}"><span class="dot" aria-hidden="true"></span><span class="words">As loaded</span></span>` : ''}
        <span class="who" title="${viewer.role === 'viewer' ? VIEWER_SENTENCE : 'You may look and act.'}">${viewer.role}</span>
        <form class="out" method="post" action="/inspector/sign-out">${csrfField(viewer)}<button class="quiet-button">Sign out</button></form>
      </header>
      <main id="main" tabindex="-1">${main}</main>
      <footer class="foot"><span id="zone">Times are UTC</span><button type="button" class="quiet-button" id="keys" aria-keyshortcuts="?" hidden>Keyboard <kbd>?</kbd></button><span id="said" class="hidden" role="status"></span></footer>
      ${keyboardHelp()}`,
  );
}

function stuckCount(stuck: StuckCount | null): Html | '' {
  if (!stuck || stuck.count === 0) return '';
  const shown = `${stuck.count}${stuck.more ? '+' : ''}`;
  return html` <span class="count">${shown}</span>`;
}

const KEYS = [
  ['/', 'Search'],
  ['j', 'Next row'],
  ['k', 'Previous row'],
  ['Enter', 'Open the row'],
  ['?', 'This list'],
  ['Esc', 'Close, or leave a field'],
] as const;

function keyboardHelp(): Html {
  return html`<dialog id="help" aria-labelledby="help-title">
    <h2 id="help-title">Keyboard</h2>
    <dl>${KEYS.map(([key, does]) => html`<div><dt><kbd>${key}</kbd></dt><dd>${does}</dd></div>`)}</dl>
    <form method="dialog"><button class="button">Close</button></form>
  </dialog>`;
}

function document(title: string, body: Html): Html {
  const head = html`<link rel="stylesheet" href="${ASSETS.style.url}" />
        <link rel="icon" href="${ASSETS.icon.url}" />
        ${ASSETS.scripts.map(script => html`<script type="module" src="${script.url}"></script>`)}`;
  return htmlDocument({ title: `${title} · Paylatch`, head, body });
}
