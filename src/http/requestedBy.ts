// Who asks: what the body names, or the role of the key it came with.
import type { Context } from 'hono';
import type { AppEnv } from './appTypes.ts';

const NAMES = { operator: 'admin', merchant: 'merchant' } as const;

/** `by` of a request: the named one, else `admin` or `merchant`. */
export function requestedBy(c: Context<AppEnv>, named: string | undefined): string {
  return named ?? NAMES[c.get('role') ?? 'merchant'];
}
