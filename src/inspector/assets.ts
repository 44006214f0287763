// The stylesheet, the scripts and the icon, served by ourselves under names that change with their content: a browser may
// keep them for ever and never runs yesterday's script on today's page.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Hono } from 'hono';
import { NotFound } from '../errors.ts';
import type { InspectorEnv } from './page.ts';
import { INSPECTOR_STYLE } from './style/all.ts';

/** Plain browser modules, one file a behaviour, in the order they run. They import nothing: names with hashes could not be kept true. */
const SCRIPTS = ['times', 'copy', 'keyboard', 'takeOver', 'live', 'truth', 'replay'];
/** A year, in seconds: the longest that caches keep anything. */
const MAX_AGE_S = 31_536_000;
/** Of the content's hash in the name, in characters: enough that two releases never share one. */
const HASH_LENGTH = 12;

const ICON = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="8" fill="#3046c9"/><path d="M10 15v-3a6 6 0 0 1 12 0v3h1a2 2 0 0 1 2 2v7a2 2 0 0 1-2 2H9a2 2 0 0 1-2-2v-7a2 2 0 0 1 2-2zm3 0h6v-3a3 3 0 0 0-6 0z" fill="#fff"/></svg>`;

type Asset = { url: string; type: string; text: string };

const scriptText = (name: string) => readFileSync(join(import.meta.dirname, 'client', `${name}.js`), 'utf8');

function asset(name: string, ending: string, type: string, text: string): Asset {
  const hash = createHash('sha256').update(text).digest('hex').slice(0, HASH_LENGTH);
  return { url: `/inspector/assets/${name}.${hash}.${ending}`, type, text };
}

export const ASSETS = {
  style: asset('inspector', 'css', 'text/css; charset=utf-8', INSPECTOR_STYLE),
  icon: asset('icon', 'svg', 'image/svg+xml', ICON),
  scripts: SCRIPTS.map(name => asset(name, 'js', 'text/javascript; charset=utf-8', scriptText(name))),
};

/** Adds `GET /assets/{file}`: the list is fixed, so no path of a request ever reaches the disk. Open, as the sign-in page needs them. */
export function addAssets(app: Hono<InspectorEnv>): void {
  const byUrl = new Map([ASSETS.style, ASSETS.icon, ...ASSETS.scripts].map(one => [one.url, one]));
  app.get('/assets/:file', c => {
    const found = byUrl.get(c.req.path);
    if (!found) throw new NotFound('The inspector has no such file.');
    return c.body(found.text, 200, {
      'content-type': found.type,
      'cache-control': `public, max-age=${MAX_AGE_S}, immutable`,
    });
  });
}
