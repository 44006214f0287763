// Signing in with the admin key to look and act, or with the viewer's key to look; and signing out.
import type { Context } from 'hono';
import { html } from 'hono/html';
import type { Clock } from '../clock.ts';
import { safeReturn } from './guard.ts';
import { type InspectorApp, type InspectorDeps, type InspectorEnv, renderBare } from './page.ts';
import { notice } from './parts.ts';
import type { Sessions } from './session.ts';

/** Wrong keys a minute, in all and per process: far more than people mistype, and nobody guesses 24 bytes at this pace. */
export const FAILURES_PER_MINUTE = 20;
const MINUTE_MS = 60_000;

/** Adds `/sign-in` and `/sign-out`. */
export function addSignIn(app: InspectorApp, deps: InspectorDeps, sessions: Sessions): void {
  const failures = countFailures(deps.clock);
  app.get('/sign-in', async c => {
    const back = safeReturn(c.req.query('returnTo'));
    return c.var.viewer ? c.redirect(back, 303) : signInPage(c, deps, { back });
  });
  app.post('/sign-in', async c => {
    const form = await c.req.parseBody();
    const text = (name: string) => (typeof form[name] === 'string' ? form[name] : '');
    const back = safeReturn(text('returnTo'));
    const waitS = failures.waitS();
    if (waitS > 0) {
      c.header('retry-after', String(waitS));
      const sentence = `Too many wrong keys within a minute. Try again in ${waitS} s. Whoever is signed in stays so.`;
      return signInPage(c, deps, { back, sentence, status: 429 });
    }
    const role = sessions.roleOf(text('key').trim());
    if (role === null) {
      failures.add();
      deps.log.warn({ requestId: c.var.requestId }, 'a wrong key was given to sign in to the inspector');
      return signInPage(c, deps, { back, sentence: 'That key is not known here.', status: 401 });
    }
    sessions.open(c, role);
    deps.log.info({ role, requestId: c.var.requestId }, 'signed in to the inspector');
    return c.redirect(back, 303);
  });
  app.post('/sign-out', c => {
    sessions.close(c);
    return c.redirect('/inspector/sign-in', 303);
  });
}

type SignIn = { back: string; sentence?: string; status?: 200 | 401 | 429 };

function signInPage(c: Context<InspectorEnv>, { keys }: InspectorDeps, { back, sentence, status = 200 }: SignIn) {
  const main = html`<h1>Sign in to Paylatch</h1>
    ${sentence ? notice('bad', sentence) : ''}
    <form method="post" action="/inspector/sign-in" class="stack">
      <input type="hidden" name="returnTo" value="${back}" />
      <div class="field">
        <label for="key">Key</label>
        <input id="key" name="key" type="password" required autofocus autocomplete="current-password" aria-describedby="key-note" />
        <p class="note" id="key-note">The <code>ADMIN_KEY</code> to look and act${keys.viewer === null ? '' : html`, or the <code>VIEWER_KEY</code> to look`}.
          A service that made its own keys keeps them in <code>keys.json</code> in its data folder.</p>
      </div>
      <button class="button primary">Sign in</button>
    </form>`;
  return renderBare(c, { title: 'Sign in', main, status });
}

/** Wrong keys of the last minute. Not by address: behind a proxy all have one, and an attacker has many. */
function countFailures(clock: Clock) {
  let times: number[] = [];
  return {
    add: () => void times.push(clock().getTime()),
    /** Seconds until another key is looked at; 0 is now. */
    waitS(): number {
      const now = clock().getTime();
      times = times.filter(at => at > now - MINUTE_MS);
      if (times.length < FAILURES_PER_MINUTE) return 0;
      return Math.max(1, Math.ceil(((times[0] ?? now) + MINUTE_MS - now) / 1_000));
    },
  };
}
