// Notifications: what merchants were told, how each try went, and telling it again by hand.
import { createRoute, z } from '@hono/zod-openapi';
import { reasonSchema } from '../../machines/orderEvents.ts';
import type { App, AppDeps } from './appTypes.ts';
import { answers, problem, takes } from './contents.ts';
import { orderIdField } from './fields.ts';
import { jsonBody } from './jsonBody.ts';
import {
  attemptSchema,
  endpointIdField,
  notificationCursorField,
  notificationDetailSchema,
  notificationIdField,
  notificationSchema,
} from './notificationSchemas.ts';
import { strictBody } from './validation.ts';

/** Notifications per page. */
const MAX_PAGE = 200;
const DEFAULT_PAGE = 50;

const params = z.object({ id: notificationIdField });

const getNotifications = createRoute({
  method: 'get',
  path: '/v1/notifications',
  summary: 'List notifications, newest first',
  description:
    'A page of something rare may hold little or nothing and still have a nextCursor: go on until it is null.',
  request: {
    query: strictBody({
      endpointId: endpointIdField.optional().meta({ description: 'Only those that were sent to this endpoint' }),
      orderId: orderIdField.optional(),
      status: z.enum(['pending', 'done', 'dead']).optional(),
      cursor: notificationCursorField.optional().meta({ description: 'The nextCursor of the page before' }),
      limit: z.coerce.number().int().min(1).max(MAX_PAGE).default(DEFAULT_PAGE),
    }),
  },
  responses: {
    200: answers(
      z.object({ notifications: z.array(notificationSchema), nextCursor: z.string().nullable() }),
      'A page; nextCursor is null on the last one',
    ),
  },
});

const getNotification = createRoute({
  method: 'get',
  path: '/v1/notifications/{id}',
  summary: 'Read a notification and every try to deliver it',
  request: { params, query: strictBody({}) },
  responses: { 200: answers(notificationDetailSchema, 'With the body as it is sent'), 404: problem('not_found') },
});

const postRedeliver = createRoute({
  method: 'post',
  path: '/v1/notifications/{id}/redeliver',
  summary: 'Send a notification now',
  description:
    'Whatever became of it. With endpointId to that one, even if it has it; else to each endpoint that wants it and does not have it. The webhook-id is the same as before. Tried once, and given 5 s.',
  middleware: jsonBody,
  request: {
    params,
    query: strictBody({}),
    body: takes(strictBody({ endpointId: endpointIdField.optional(), reason: reasonSchema }).openapi('RedeliverBody')),
  },
  responses: {
    200: answers(z.object({ attempts: z.array(attemptSchema) }), 'How each try went; none when nobody was without it'),
    404: problem('not_found'),
  },
});

export function addNotifications(app: App, { core }: AppDeps): void {
  app.openapi(getNotifications, async c => c.json(await core.notifications.list(c.req.valid('query')), 200));
  app.openapi(getNotification, async c => c.json(await core.notifications.get(c.req.valid('param').id), 200));
  app.openapi(postRedeliver, async c => {
    const attempts = await core.notifications.redeliver(c.req.valid('param').id, c.req.valid('json'));
    return c.json({ attempts }, 200);
  });
}
