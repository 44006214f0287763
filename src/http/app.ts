// The HTTP application: what every request passes, in the order it passes it, and all routes. Nothing here decides about
// orders; everything that writes goes through the core.
import { OpenAPIHono } from '@hono/zod-openapi';
import { answerHeaders } from './answerHeaders.ts';
import type { App, AppDeps, AppEnv } from './appTypes.ts';
import { assertRolesComplete, auth, isHandler, nameOf } from './auth.ts';
import { addCallbacks } from './callbacks.ts';
import { addCheckouts } from './checkouts.ts';
import { deadline } from './deadline.ts';
import { addDocs } from './docs.ts';
import { addEndpoints } from './endpoints.ts';
import { addEvents } from './events.ts';
import { addHealth } from './health.ts';
import { addKeptEvents } from './keptEvents.ts';
import { addNotifications } from './notifications.ts';
import { addOpenApi } from './openapi.ts';
import { addOrderRequests } from './orderRequests.ts';
import { addOrders } from './orders.ts';
import { addPlans } from './plans.ts';
import { noSuchPath, problemFor } from './problem.ts';
import { addReconciliation } from './reconciliation.ts';
import { requestId } from './requestId.ts';
import { addRetries } from './retries.ts';
import { addSubscriptions } from './subscriptions.ts';
import { addUsers } from './users.ts';
import { refuseInvalid } from './validation.ts';
import { addWebhooks } from './webhooks.ts';

/** @throws Error when a route does not say who may call it */
export function createApp(deps: AppDeps): App {
  const app = new OpenAPIHono<AppEnv>({ defaultHook: refuseInvalid });
  const openPaths = new Set<string>();
  app.onError(problemFor(deps.log));
  app.notFound(noSuchPath);
  app.use(requestId(deps), answerHeaders, auth(deps.keys, openPaths), deadline());

  addCheckouts(app, deps);
  addOrders(app, deps);
  addEvents(app, deps);
  addKeptEvents(app, deps);
  addOrderRequests(app, deps);
  addRetries(app, deps);
  addCallbacks(app, deps);
  addWebhooks(app, deps);
  addUsers(app, deps);
  addSubscriptions(app, deps);
  addPlans(app, deps);
  addEndpoints(app, deps);
  addNotifications(app, deps);
  addReconciliation(app, deps);
  addHealth(app, deps);
  addOpenApi(app, deps);
  addDocs(app);

  const ours = new Set(app.routes.filter(isHandler).map(nameOf));
  deps.addPages?.(app);
  for (const name of app.routes.filter(isHandler).map(nameOf)) if (!ours.has(name)) openPaths.add(name);
  assertRolesComplete(app, openPaths);
  return app;
}
