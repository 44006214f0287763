// The lists of orders and of stuck orders. They only read.
import { bulkRetryForm } from '../act/bulk.ts';
import type { InspectorApp, InspectorDeps } from '../page.ts';
import { orderListPage } from './orderListPage.ts';
import { stuckPage } from './stuckPage.ts';

/** Adds `/orders` and `/stuck`. */
export function addOrders(app: InspectorApp, deps: InspectorDeps): void {
  app.get('/orders', c => orderListPage(c, deps));
  app.get('/stuck', c => stuckPage(c, { ...deps, bulkRetryForm }));
}
