// The number beside "Stuck" in the navigation. One is good for a second and shared by all pages; a page waits for a new one no
// longer than people notice, and shows none then.
import type { MiddlewareHandler } from 'hono';
import { countStuck } from '../../db/inspect/stuckCount.ts';
import { KNOWN_MACHINE_IDS } from '../../machines/versions.ts';
import { wantsPage } from '../http/wantsPage.ts';
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

  function count(): Promise<void> {
    const counting = countStuck(db, { now: clock(), machines: KNOWN_MACHINE_IDS, limit: LIMIT })
      .then(
        number => ({ count: number, more: number === LIMIT }),
        // Whoever asks for the page itself learns what is wrong.
        () => null,
      )
      .then(value => {
        // Somebody has acted meanwhile: this number is from before.
        if (running !== counting) return;
        last = { value, at: performance.now() };
        running = null;
      });
    return counting;
  }

  function forget(): void {
    last = null;
    running = null;
  }

  async function gauge(): Promise<StuckCount | null> {
    if (!last || performance.now() - last.at > FRESH_MS) {
      running ??= count();
      await patiently(running);
    }
    return last && performance.now() - last.at <= FRESH_MS ? last.value : null;
  }

  return async (c, next) => {
    if (!c.var.viewer) return next();
    const isAct = c.req.method !== 'GET' && c.req.method !== 'HEAD';
    if (wantsPage(c) || c.req.header('x-fragment') !== undefined) {
      c.set('stuck', () => {
        // A page that tells what was done tells what is stuck since then.
        if (isAct) forget();
        return gauge();
      });
    }
    await next();
    if (isAct) forget();
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
