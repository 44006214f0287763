// Gives every request an id that its answer, its problem document and its log lines share, and writes the one log line
// a request gets. Neither bodies nor queries are logged: both may hold what customers and providers keep secret.
import type { Context, MiddlewareHandler } from 'hono';
import { matchedRoutes } from 'hono/route';
import type { AppDeps, AppEnv } from './appTypes.ts';

/** A caller's own id is kept when it looks like one; anything else could forge log lines. */
const CALLERS_ID = /^[A-Za-z0-9_-]{8,64}$/;

/** Names the request, and logs it when it is answered. */
export function requestId({ newId, log }: Pick<AppDeps, 'newId' | 'log'>): MiddlewareHandler<AppEnv> {
  return async (c, next) => {
    const given = c.req.header('x-request-id');
    const id = given !== undefined && CALLERS_ID.test(given) ? given : newId('req');
    c.set('requestId', id);
    const startedAt = performance.now();
    await next();
    // Not `c.header`: on an answer that is made it makes another one, with its body as a stream.
    c.res.headers.set('x-request-id', id);
    const ms = Math.round(performance.now() - startedAt);
    log.debug({ method: c.req.method, route: routeOf(c), status: c.res.status, ms, requestId: id }, 'answered');
  };
}

/** The pattern that answered, such as `/v1/orders/:id`; the path itself would put customers' ids into the log. */
function routeOf(c: Context<AppEnv>): string | null {
  return matchedRoutes(c).find(route => route.method !== 'ALL')?.path ?? null;
}
