// Headers every answer carries: nothing is kept by caches unless its route says so, nothing is guessed by browsers, and
// connections end when the service is about to.
import type { MiddlewareHandler } from 'hono';
import type { AppEnv } from './appTypes.ts';

/** Sets what the route itself has not. */
export const answerHeaders: MiddlewareHandler<AppEnv> = async (c, next) => {
  await next();
  const { headers } = c.res;
  // What one key may read must not be handed to the next caller by a cache in between.
  if (!headers.has('cache-control')) headers.set('cache-control', 'no-store');
  headers.set('x-content-type-options', 'nosniff');
  if (c.env?.server?.draining()) headers.set('connection', 'close');
};
