// The inspector under /inspector: sign-in, guard, shell, and the parts that show and do something. Everything behind the
// guard needs a session; what changes something also needs our own origin, the session's token and an operator.
import { Hono } from 'hono';
import { NotFound } from '../errors.ts';
import type { App } from '../http/appTypes.ts';
import { deadline } from '../http/deadline.ts';
import { addAct } from './act/act.ts';
import { actOn } from './act/actSection.ts';
import { addAssets } from './assets.ts';
import { addEvents } from './events/events.ts';
import { needsSession, needsToken, pageHeaders, sameOrigin } from './guard.ts';
import { addLive } from './live.ts';
import { addOrder } from './order/order.ts';
import { addOrders } from './orders/orders.ts';
import { addOverview } from './overview/overview.ts';
import type { InspectorApp, InspectorDeps, InspectorEnv } from './page.ts';
import { addReplay } from './replay/replay.ts';
import { createSessions } from './session.ts';
import { addSignIn } from './signIn.ts';
import { stuckGauge } from './stuckGauge.ts';
import { troublePage } from './troublePages.ts';

export type InspectorPart = (app: InspectorApp, deps: InspectorDeps) => void;
/** What the inspector shows and does; each adds its routes, relative to /inspector, one line each. */
const PARTS: InspectorPart[] = [
  addOverview,
  (app, deps) => addOrder(app, deps, actOn(deps)),
  addReplay,
  addOrders,
  addEvents,
  addAct,
];

/** In ms: shorter than the API's, so that what takes too long is told by a page and not by a problem document. */
const PAGE_DEADLINE_MS = 7_000;
const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'];

export type Inspector = {
  /** Ends what streams to browsers, so that it does not hold up a service that stops. */
  close(): void;
};

/** Adds everything under /inspector. Its routes are open to the API's keys: they bring their own sign-in. */
export function addInspector(app: App, deps: InspectorDeps, more: readonly InspectorPart[] = []): Inspector {
  const sessions = createSessions(deps);
  const inspector = new Hono<InspectorEnv>();
  inspector.onError(troublePage(deps.log));
  inspector.use(pageHeaders, deadline(PAGE_DEADLINE_MS));
  inspector.use(sameOrigin(deps.publicUrl), needsSession(sessions), stuckGauge(deps), needsToken);
  addAssets(inspector);
  addSignIn(inspector, deps, sessions);
  const live = addLive(inspector, deps);
  for (const add of [...PARTS, ...more]) add(inspector, deps);
  inspector.on(METHODS, '*', c => {
    const { pathname } = new URL(c.req.url);
    if (c.req.method === 'GET' && pathname === '/inspector/') return c.redirect('/inspector', 301);
    throw new NotFound('There is no page at this address.');
  });
  app.route('/inspector', inspector);
  return { close: () => live.close() };
}
