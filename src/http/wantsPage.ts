// Who asks: somebody who looks at pages, or a program.
import type { Context } from 'hono';

/** A browser that goes somewhere, and not a script that fetches something. */
export function wantsPage(c: Context): boolean {
  return c.req.header('sec-fetch-dest') !== 'empty' && (c.req.header('accept') ?? '').includes('text/html');
}
