// The inspector of a service that runs in the test, and somebody who is signed in to it: with a cookie, and with forms as
// a browser sends them.
import type { Database } from '../../db/client.ts';
import { systemRandom } from '../../src/clock.ts';
import { addInspector, type Inspector, type InspectorPart } from '../../src/inspector/inspector.ts';
import { ADMIN_KEY, type Answer, type Service, startService } from './httpService.ts';

export const VIEWER_KEY = 'viewer_0123456789abcdef0123456789abcdef';
const KEYS = { operator: ADMIN_KEY, viewer: VIEWER_KEY };
const FORM = 'application/x-www-form-urlencoded';

export type Signed = {
  cookie: string;
  csrf: string;
  get(path: string, headers?: Record<string, string>): Promise<Answer>;
  /** A form of this page, with its token unless `csrf` is another one. */
  post(path: string, fields?: Record<string, string>, headers?: Record<string, string>): Promise<Answer>;
};

export type InspectedService = Service & { inspector: Inspector; signIn(role: keyof typeof KEYS): Promise<Signed> };

export type InspectedOptions = Parameters<typeof startService>[0] & {
  /** For a database that behaves as the test wants. */
  db?: (db: Database) => Database;
  publicUrl?: string;
  viewerKey?: string | null;
  adminKey?: string;
  /** Pages of the test's own. */
  parts?: InspectorPart[];
};

/** The service with its inspector under /inspector. */
export async function startInspected(options: InspectedOptions = {}): Promise<InspectedService> {
  let inspector: Inspector | undefined;
  const service = await startService({
    ...options,
    pages: (app, { world, core, log, publicUrl }) => {
      const { clock, newId } = world;
      const keys = {
        admin: options.adminKey ?? ADMIN_KEY,
        viewer: options.viewerKey === undefined ? VIEWER_KEY : options.viewerKey,
      };
      const db = options.db?.(world.db) ?? world.db;
      const about = {
        db,
        core,
        clock,
        newId,
        log,
        keys,
        random: systemRandom,
        publicUrl: options.publicUrl ?? publicUrl,
      };
      inspector = addInspector(app, about, options.parts);
    },
  });
  if (!inspector) throw new Error('the inspector was not added');
  return Object.assign(service, { inspector, signIn: (role: keyof typeof KEYS) => signIn(service, KEYS[role]) });
}

/** What a browser that goes somewhere, or sends a form from a page of this service, says with it. */
export const asBrowser = (service: Service) => ({ accept: 'text/html', origin: service.http.url });

export function postForm(
  service: Service,
  path: string,
  fields: Record<string, string>,
  headers: Record<string, string> = {},
): Promise<Answer> {
  const body = new URLSearchParams(fields).toString();
  const all = { ...asBrowser(service), 'content-type': FORM, ...headers };
  return service.call('POST', path, { key: null, body, headers: all });
}

async function signIn(service: Service, key: string): Promise<Signed> {
  const answer = await postForm(service, '/inspector/sign-in', { key, returnTo: '/inspector' });
  if (answer.status !== 303) throw new Error(`signing in answered ${answer.status} ${answer.text}`);
  const cookie = (answer.headers.get('set-cookie') ?? '').split(';')[0]!;
  const get = (path: string, headers: Record<string, string> = {}) =>
    service.call('GET', path, { key: null, headers: { accept: 'text/html', cookie, ...headers } });
  // Any page has the form to sign out, also one that says that there is no such page.
  const page = await get('/inspector/no-such-page');
  const csrf = /name="csrf" value="([^"]+)"/.exec(page.text)?.[1];
  if (!csrf) throw new Error(`there is no token in the page: ${page.status} ${page.text.slice(0, 400)}`);
  const post: Signed['post'] = (path, fields = {}, headers = {}) =>
    postForm(service, path, { csrf, ...fields }, { cookie, ...headers });
  return { cookie, csrf, get, post };
}
