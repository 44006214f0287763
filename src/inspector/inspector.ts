// The inspector under /inspector: sign-in, guard, shell, and the parts that show and do something. Everything behind the
// guard needs a session; what changes something also needs the session's token, our own origin and an operator.
import { Hono } from 'hono';
import type { App } from '../http/appTypes.ts';
import { addAssets } from './assets.ts';
import type { InspectorApp, InspectorDeps, InspectorEnv } from './page.ts';

/** What the inspector shows and does; each adds its routes, relative to /inspector. */
const PARTS: ((app: InspectorApp, deps: InspectorDeps) => void)[] = [];

/** Adds everything under /inspector. */
export function addInspector(app: App, deps: InspectorDeps): void {
  const inspector = new Hono<InspectorEnv>();
  addAssets(inspector);
  for (const add of PARTS) add(inspector, deps);
  app.route('/inspector', inspector);
}
