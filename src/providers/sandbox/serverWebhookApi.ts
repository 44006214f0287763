// Lets tests decide when webhooks travel: hold all of them back, send them now, send one of them again or out of order.
import { Hono } from 'hono';
import { type SandboxContext, SandboxRefusal } from './serverContext.ts';
import type { SandboxDeliveries } from './serverDeliveries.ts';
import type { SandboxDelivery, SandboxOrder } from './serverState.ts';

/** Webhooks listed at most, newest first. */
const MAX_LISTED = 500;

/** The routes under `/api/webhooks`. */
export function webhookApi(context: SandboxContext, deliveries: SandboxDeliveries): Hono {
  const api = new Hono();
  api.get('/', c => {
    const providerOrderId = c.req.query('providerOrderId');
    const webhooks = [...context.store.all()]
      .filter(order => providerOrderId === undefined || order.providerOrderId === providerOrderId)
      .flatMap(order => order.deliveries.map(delivery => showDelivery(order, delivery)))
      .slice(-MAX_LISTED);
    return c.json({ paused: deliveries.isPaused(), webhooks: webhooks.reverse() });
  });
  api.post('/pause', c => {
    deliveries.pause();
    return c.json({ paused: true });
  });
  api.post('/resume', c => {
    deliveries.resume();
    return c.json({ paused: false });
  });
  api.post('/flush', async c => {
    const sent = await deliveries.flush();
    return c.json({ sent: sent.map(({ webhookId, status, lastAnswer }) => ({ webhookId, status, lastAnswer })) });
  });
  api.post('/:webhookId/deliver', async c => {
    const { order, delivery } = findDelivery(context, c.req.param('webhookId'));
    await deliveries.deliver(order, delivery);
    return c.json(showDelivery(order, delivery));
  });
  return api;
}

function findDelivery(context: SandboxContext, webhookId: string): { order: SandboxOrder; delivery: SandboxDelivery } {
  for (const order of context.store.all()) {
    const delivery = order.deliveries.find(candidate => candidate.webhookId === webhookId);
    if (delivery !== undefined) return { order, delivery };
  }
  throw new SandboxRefusal(404, 'not_found', 'There is no webhook with this id.');
}

function showDelivery(order: SandboxOrder, delivery: SandboxDelivery) {
  const { webhookId, type, status, attempts, lastAnswer, nextAttemptAt, body } = delivery;
  const { providerOrderId } = order;
  return { webhookId, providerOrderId, type, status, attempts, lastAnswer, nextAttemptAt, body };
}
