// The lists: orders, stuck orders, received events. They only read.
import { bulkRetryForm } from '../act/bulk.ts';
import type { InspectorApp, InspectorDeps } from '../page.ts';
import { eventsPage } from './eventsPage.ts';
import { orderListPage } from './orderListPage.ts';
import { stuckPage } from './stuckPage.ts';

/** Adds `/orders`, `/stuck` and `/events`. */
export function addOrders(app: InspectorApp, deps: InspectorDeps): void {
  app.get('/orders', c => orderListPage(c, deps));
  app.get('/stuck', c => stuckPage(c, { ...deps, bulkRetryForm }));
  app.get('/events', c => eventsPage(c, deps));
}
