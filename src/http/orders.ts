// Reading orders: one, many, and everything that ever happened to one.
import { createRoute, z } from '@hono/zod-openapi';
import type { OrderFilter } from '../ports.ts';
import type { App, AppDeps } from './appTypes.ts';
import { answers, problem } from './contents.ts';
import { etagOf } from './etag.ts';
import { causeField, cursorField, orderIdField, providerField, stateField, userIdField } from './fields.ts';
import { orderSchema } from './schemas.ts';
import { timelineSchema } from './timelineSchema.ts';
import { strictBody } from './validation.ts';

/** Orders per page: a page is one query that must stay far below its deadline. */
const MAX_PAGE = 200;
const DEFAULT_PAGE = 50;

const order = z.object({ id: orderIdField });

const getOrder = createRoute({
  method: 'get',
  path: '/v1/orders/{id}',
  summary: 'Read an order',
  request: { params: order, query: strictBody({}) },
  responses: { 200: answers(orderSchema, 'The order; its ETag is its version'), 404: problem('not_found') },
});

const getOrders = createRoute({
  method: 'get',
  path: '/v1/orders',
  summary: 'List orders, newest first',
  request: {
    query: strictBody({
      state: stateField.optional(),
      stuck: z.literal('true').optional().meta({ description: 'Only orders that do not move by themselves' }),
      cause: causeField
        .optional()
        .meta({ description: 'Only orders stuck for this, though a graver cause may be shown' }),
      userId: userIdField.optional(),
      provider: providerField.optional(),
      cursor: cursorField.optional().meta({ description: 'The nextCursor of the page before' }),
      limit: z.coerce.number().int().min(1).max(MAX_PAGE).default(DEFAULT_PAGE),
    }),
  },
  responses: {
    200: answers(
      z.object({ orders: z.array(orderSchema), nextCursor: z.string().nullable() }),
      'A page; nextCursor is null on the last one',
    ),
  },
});

const getTimeline = createRoute({
  method: 'get',
  path: '/v1/orders/{id}/timeline',
  summary: 'Read everything that ever reached an order',
  request: { params: order, query: strictBody({}) },
  responses: { 200: answers(timelineSchema, 'Oldest first'), 404: problem('not_found') },
});

export function addOrders(app: App, { core }: AppDeps): void {
  app.openapi(getOrder, async c => {
    const view = await core.orders.get(c.req.valid('param').id);
    return c.json(view, 200, etagOf(view));
  });
  app.openapi(getOrders, async c => {
    const { stuck, ...query } = c.req.valid('query');
    const filter: OrderFilter = { ...query, ...(stuck && { stuck: true }) };
    return c.json(await core.orders.list(filter), 200);
  });
  app.openapi(getTimeline, async c => {
    const view = await core.orders.timeline(c.req.valid('param').id);
    return c.json(view, 200, etagOf(view.order));
  });
}
