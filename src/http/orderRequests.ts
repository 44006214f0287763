// What people ask of an order: cancel and refund. Each is one event with a reason, sent like all others.
import { createRoute, z } from '@hono/zod-openapi';
import { amountMinorSchema, providerIdSchema, reasonSchema } from '../../machines/orderEvents.ts';
import type { App, AppDeps } from './appTypes.ts';
import { answers, problem, takes } from './contents.ts';
import { etagOf } from './etag.ts';
import { byField, orderIdField } from './fields.ts';
import { jsonBody } from './jsonBody.ts';
import { requestedBy } from './requestedBy.ts';
import { eventHeaders, eventQuery, sendEvent, sentSchema } from './sendEvent.ts';
import { strictBody } from './validation.ts';

const cancelBody = strictBody({ reason: reasonSchema, by: byField.optional() }).openapi('CancelBody');
const refundBody = strictBody({
  reason: reasonSchema,
  by: byField.optional(),
  paymentId: providerIdSchema.optional().meta({ description: 'Default: the payment of this order' }),
  amountMinor: amountMinorSchema.optional().meta({ description: 'Default: all that is held' }),
}).openapi('RefundBody');

const request = { params: z.object({ id: orderIdField }), query: eventQuery, headers: eventHeaders };
const refusals = {
  404: problem('not_found'),
  412: problem('version_conflict'),
  422: problem('idempotency_key_reused'),
};
const sent = answers(sentSchema, 'The verdict and the order as it is now; with dryRun=true what would happen');

const postCancel = createRoute({
  method: 'post',
  path: '/v1/orders/{id}/cancel',
  summary: 'Give up an order that is not paid',
  middleware: jsonBody,
  request: { ...request, body: takes(cancelBody) },
  responses: { 200: sent, ...refusals, 409: problem('illegal_event') },
});

const postRefund = createRoute({
  method: 'post',
  path: '/v1/orders/{id}/refund',
  summary: 'Pay money of an order back',
  middleware: jsonBody,
  request: { ...request, body: takes(refundBody) },
  responses: { 200: sent, ...refusals, 409: problem('illegal_event') },
});

export function addOrderRequests(app: App, deps: AppDeps): void {
  app.openapi(postCancel, async c => {
    const event = {
      type: 'cancel.requested' as const,
      ...c.req.valid('json'),
      by: requestedBy(c, c.req.valid('json').by),
    };
    const [headers, query] = [c.req.valid('header'), c.req.valid('query')];
    const answer = await sendEvent(deps, { orderId: c.req.valid('param').id, event, headers, query });
    return c.json(answer, 200, etagOf(answer.order));
  });
  app.openapi(postRefund, async c => {
    const event = {
      type: 'refund.requested' as const,
      ...c.req.valid('json'),
      by: requestedBy(c, c.req.valid('json').by),
    };
    const [headers, query] = [c.req.valid('header'), c.req.valid('query')];
    const answer = await sendEvent(deps, { orderId: c.req.valid('param').id, event, headers, query });
    return c.json(answer, 200, etagOf(answer.order));
  });
}
