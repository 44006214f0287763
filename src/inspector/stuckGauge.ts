// The number beside "Stuck" in the navigation. It is asked for seldom and shared by all pages, and no page waits for it:
// without a number the navigation shows none.
import type { MiddlewareHandler } from 'hono';
import { countStuck } from '../../db/inspect/stuckCount.ts';
import { KNOWN_MACHINE_IDS } from '../../machines/versions.ts';
import { wantsPage } from './guard.ts';
import type { InspectorDeps, InspectorEnv, StuckCount } from './page.ts';

/** Counted up to here: beyond it the number no longer says what to do. */
const LIMIT = 1_000;
/** How long a number is good, in ms: a click or two. */
const FRESH_MS = 1_000;
/** How long a page waits for a new one, in ms: less than people notice. */
const PATIENCE_MS = 250;

/** Sets `stuck` for pages, where somebody is signed in. */
export function stuckGauge({ db, clock }: Pick<InspectorDeps, 'db' | 'clock'>): MiddlewareHandler<InspectorEnv> {
  let last: { value: StuckCount | null; at: number } | null = null;
  let running: Promise<void> | null = null;

  async function count(): Promise<void> {
    const value = await countStuck(db, { now: clock(), machines: KNOWN_MACHINE_IDS, limit: LIMIT }).then(
      number => ({ count: number, more: number === LIMIT }),
      // Whoever asks for the page itself learns what is wrong.
      () => null,
    );
    last = { value, at: performance.now() };
    running = null;
  }

  return async (c, next) => {
    if (c.var.viewer && c.req.method === 'GET' && (wantsPage(c) || c.req.header('x-fragment') !== undefined)) {
      if (!last || performance.now() - last.at > FRESH_MS) {
        running ??= count();
        await patiently(running);
      }
      const isFresh = last && performance.now() - last.at <= FRESH_MS;
      c.set('stuck', isFresh && last ? last.value : null);
    }
    await next();
  };
}

async function patiently(running: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const enough = new Promise<void>(resolve => {
    timer = setTimeout(resolve, PATIENCE_MS);
  });
  await Promise.race([running, enough]);
  clearTimeout(timer);
}
