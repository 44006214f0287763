// Any event by hand, for operators: the same facts and requests that providers and merchants send. What belongs to
// checkout, dispatch, the sweeper or the state engine cannot be sent from outside.
import { createRoute, z } from '@hono/zod-openapi';
import { isRequestType, type RequestType, sendableEvents } from '../../machines/orderEvents.ts';
import type { App, AppDeps } from './appTypes.ts';
import { answers, problem, takes } from './contents.ts';
import { etagOf } from './etag.ts';
import { orderIdField } from './fields.ts';
import { jsonBody } from './jsonBody.ts';
import { requestedBy } from './requestedBy.ts';
import { eventHeaders, eventQuery, sendEvent, sentSchema } from './sendEvent.ts';
import { strictBody } from './validation.ts';

/** As sent: `at` is stamped by dispatch, and a field the event does not have is refused instead of dropped. */
function asSent<Shape extends z.ZodRawShape & { at: z.ZodType }>(event: z.ZodObject<Shape>) {
  const { at: _stamped, ...shape } = event.shape;
  return strictBody(shape);
}

const TYPES = Object.keys(sendableEvents).join(', ');

const eventBody = z
  .discriminatedUnion(
    'type',
    [
      asSent(sendableEvents['payment.authorized']),
      asSent(sendableEvents['payment.captured']),
      asSent(sendableEvents['payment.failed']),
      asSent(sendableEvents['payment.canceled']),
      asSent(sendableEvents['refund.updated']),
      asSent(sendableEvents['dispute.updated']),
      asSent(sendableEvents['refund.requested']),
      asSent(sendableEvents['cancel.requested']),
      asSent(sendableEvents['retry.requested']),
    ],
    { error: issue => (issue.code === 'invalid_union' ? `must be one of ${TYPES}` : undefined) },
  )
  .openapi('Event');

const postEvent = createRoute({
  method: 'post',
  path: '/v1/orders/{id}/events',
  summary: 'Send an event to an order',
  middleware: jsonBody,
  request: { params: z.object({ id: orderIdField }), query: eventQuery, headers: eventHeaders, body: takes(eventBody) },
  responses: {
    200: answers(sentSchema, 'The verdict and the order as it is now; with dryRun=true what would happen'),
    404: problem('not_found'),
    409: problem('illegal_event'),
    412: problem('version_conflict'),
    422: problem('idempotency_key_reused'),
  },
});

type Told = z.infer<typeof eventBody>;
const isAsked = (told: Told): told is Extract<Told, { type: RequestType }> => isRequestType(told.type);

export function addEvents(app: App, deps: AppDeps): void {
  app.openapi(postEvent, async c => {
    const told = c.req.valid('json');
    const sent = await sendEvent(deps, {
      orderId: c.req.valid('param').id,
      event: isAsked(told) ? { ...told, by: requestedBy(c, told.by) } : told,
      headers: c.req.valid('header'),
      query: c.req.valid('query'),
    });
    return c.json(sent, 200, etagOf(sent.order));
  });
}
