// Acting: events with a dry run before the button, and the retry of everything that is stuck for one cause.
import type { InspectorApp, InspectorDeps } from '../page.ts';
import { requireOperator } from '../page.ts';
import { actPage } from './actPage.ts';
import { bulkPage, bulkRun } from './bulk.ts';
import { sendForm } from './send.ts';

/** Adds `/orders/{id}/act/{eventType}` and `/stuck/retry`. */
export function addAct(app: InspectorApp, deps: InspectorDeps): void {
  app.get('/orders/:id/act/:eventType', c => actPage(c, deps));
  app.post('/orders/:id/act/:eventType', requireOperator, c => sendForm(c, deps));
  app.get('/stuck/retry', c => bulkPage(c, deps));
  app.post('/stuck/retry', requireOperator, c => bulkRun(c, deps));
}
