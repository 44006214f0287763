// Who may call what. Deny by default, at the root and by the route that will answer, not by how the path is spelt: a
// route that is not in the table is for operators, and a path without a route needs a key like any other.
import { createHash, timingSafeEqual } from 'node:crypto';
import type { MiddlewareHandler } from 'hono';
import { matchedRoutes } from 'hono/route';
import { PaylatchError } from '../errors.ts';
import type { App, AppEnv } from './appTypes.ts';

/** `open` needs no key (callbacks and webhooks bring their own signature); an operator may do what a merchant may. */
export type Role = 'open' | 'merchant' | 'operator';

/** Every route of the API by method and path, in OpenAPI's spelling. */
export const ROUTE_ROLES: Readonly<Record<string, Role>> = {
  'GET /health/live': 'open',
  'GET /health/ready': 'open',
  'GET /openapi.json': 'open',
  'GET /docs': 'open',
  'GET /docs/{file}': 'open',
  'POST /v1/callbacks/{provider}': 'open',
  'GET /v1/callbacks/{provider}': 'open',
  'POST /v1/webhooks/{provider}': 'open',
  'POST /v1/webhooks/{provider}/{kind}': 'open',
  'GET /v1/plans': 'merchant',
  'POST /v1/endpoints': 'merchant',
  'GET /v1/endpoints': 'merchant',
  'GET /v1/endpoints/{id}': 'merchant',
  'PATCH /v1/endpoints/{id}': 'merchant',
  'DELETE /v1/endpoints/{id}': 'merchant',
  'POST /v1/endpoints/{id}/rotate': 'merchant',
  'POST /v1/endpoints/{id}/test': 'merchant',
  'GET /v1/notifications': 'merchant',
  'GET /v1/notifications/{id}': 'merchant',
  'POST /v1/notifications/{id}/redeliver': 'merchant',
  'PUT /v1/plans/{id}': 'operator',
  'POST /v1/checkouts': 'merchant',
  'GET /v1/events': 'operator',
  'GET /v1/orders': 'merchant',
  'GET /v1/orders/{id}': 'merchant',
  'GET /v1/orders/{id}/timeline': 'merchant',
  'POST /v1/orders/{id}/cancel': 'merchant',
  'POST /v1/orders/{id}/events': 'operator',
  'POST /v1/orders/{id}/retry': 'operator',
  'POST /v1/orders/{id}/refund': 'operator',
  'POST /v1/retry': 'operator',
  'GET /v1/reconciliation': 'operator',
  'POST /v1/reconciliation/{provider}': 'operator',
  'GET /v1/users/{userId}/access': 'merchant',
  'GET /v1/users/{userId}/subscriptions': 'merchant',
  'POST /v1/users/{userId}/subscriptions/{product}/trial': 'merchant',
  'POST /v1/users/{userId}/subscriptions/{product}/cancel': 'merchant',
};

const RANK: Record<Role, number> = { open: 0, merchant: 1, operator: 2 };

/**
 * Lets a request through when its key may call every route it matches. `openPaths` are the pages added beside the API.
 * @throws PaylatchError unauthorized, forbidden
 */
export function auth(keys: { api: string; admin: string }, openPaths: ReadonlySet<string>): MiddlewareHandler<AppEnv> {
  const hashes = { api: sha256(keys.api), admin: sha256(keys.admin) };
  return async (c, next) => {
    const needed = roleFor(matchedRoutes(c), openPaths);
    if (needed !== 'open') {
      const role = roleOf(c.req.header('authorization'), hashes);
      if (role === null) {
        throw new PaylatchError('unauthorized', 'Send a key this service knows as "Authorization: Bearer <key>".');
      }
      if (RANK[role] < RANK[needed]) throw new PaylatchError('forbidden', 'This call needs the ADMIN_KEY.');
      c.set('role', role);
    }
    await next();
  };
}

/** @throws Error when the table and the routes differ: a new route must say who may call it */
export function assertRolesComplete(app: App, openPaths: ReadonlySet<string>): void {
  const routes = new Set(app.routes.filter(isHandler).map(nameOf));
  const unlisted = [...routes].filter(name => ROUTE_ROLES[name] === undefined && !openPaths.has(name));
  const gone = Object.keys(ROUTE_ROLES).filter(name => !routes.has(name));
  if (unlisted.length > 0) throw new Error(`routes without a role: ${unlisted.join(', ')}`);
  if (gone.length > 0) throw new Error(`roles without a route: ${gone.join(', ')}`);
}

type Route = { method: string; path: string };

/** Middleware is registered for all methods, what answers for one. */
export const isHandler = (route: Route): boolean => route.method !== 'ALL';
/** `GET /v1/orders/{id}`, from Hono's `:id`. */
export const nameOf = ({ method, path }: Route): string => `${method} ${path.replaceAll(/:([A-Za-z]+)/g, '{$1}')}`;

/** The strictest of the routes that match, because the first of them to answer wins. */
function roleFor(matched: readonly Route[], openPaths: ReadonlySet<string>): Role {
  const roles = matched.filter(isHandler).map(route => {
    const name = nameOf(route);
    return ROUTE_ROLES[name] ?? (openPaths.has(name) ? 'open' : 'operator');
  });
  if (roles.length === 0) return 'merchant';
  return roles.reduce((strictest, role) => (RANK[role] > RANK[strictest] ? role : strictest));
}

/** Hashes first: then both sides have one length and the time taken tells nothing. Both keys are always compared. */
function roleOf(header: string | undefined, hashes: { api: Buffer; admin: Buffer }): Exclude<Role, 'open'> | null {
  const given = sha256(/^Bearer +(\S+)$/i.exec(header ?? '')?.[1] ?? '');
  const isApi = timingSafeEqual(given, hashes.api);
  const isAdmin = timingSafeEqual(given, hashes.admin);
  if (isAdmin) return 'operator';
  return isApi ? 'merchant' : null;
}

const sha256 = (text: string): Buffer => createHash('sha256').update(text).digest();
