// Retry: of one order, and of all orders stuck for one cause, a page at a time. Both say beforehand (`dryRun=true`) what
// would be run, or why nothing would.
import { createRoute, z } from '@hono/zod-openapi';
import { reasonSchema } from '../../machines/orderEvents.ts';
import type { BulkRetryPlanView, BulkRetryView } from '../retry/bulk.ts';
import type { RetryEnd, RetryPart } from '../retry/parts.ts';
import type { RetryPlanView, RetryView } from '../retry.ts';
import type { App, AppDeps } from './appTypes.ts';
import { answers, problem, takes } from './contents.ts';
import { etagOf, versionOf } from './etag.ts';
import { byField, causeField, cursorField, idempotencyKeyField, orderIdField } from './fields.ts';
import { jsonBody } from './jsonBody.ts';
import { requestedBy } from './requestedBy.ts';
import { orderSchema, orNull, stuckSchema, verdictSchema } from './schemas.ts';
import { eventHeaders, eventQuery } from './sendEvent.ts';
import { strictBody } from './validation.ts';

/** Orders tried by one call: with room for each to fail at its own deadline, a page stays below the call's. */
const MAX_PAGE = 100;
const DEFAULT_PAGE = 50;

const retryBody = strictBody({ reason: reasonSchema, by: byField.optional() }).openapi('RetryBody');

const part = {
  what: z.enum(['event', 'deadline', 'grant', 'parked', 'effect']).meta({
    description:
      'a kept event, a deadline nobody sent, the grant, an order parked for a cause that is gone, a dead effect',
  }),
  name: z.string().nullable(),
  key: z.string().nullable().meta({ description: "The event's key, or the effect's idempotency key, which stays" }),
};
const partSchema = z.object(part).openapi('RetryPart') satisfies z.ZodType<RetryPart>;
const endSchema = z
  .object({
    ...part,
    done: z.boolean().meta({ description: 'False where it is as stuck as before' }),
    verdict: orNull(verdictSchema),
    detail: z.string().nullable(),
    error: orNull(z.object({ code: z.string(), detail: z.string() })),
  })
  .openapi('RetryEnd') satisfies z.ZodType<RetryEnd>;

const retriedSchema = z
  .object({ verdict: verdictSchema, order: orderSchema, did: z.array(endSchema) })
  .openapi('Retried') satisfies z.ZodType<RetryView>;
const refusedField = z.string().nullable().meta({ description: 'Why nothing would be run' });
const retryPlanSchema = z
  .object({ order: orderSchema, would: z.array(partSchema), refused: refusedField })
  .openapi('RetryPlan') satisfies z.ZodType<RetryPlanView>;

const bulkSchema = z
  .object({
    results: z.array(
      z.object({
        orderId: z.string(),
        verdict: orNull(verdictSchema),
        state: z.string(),
        stuck: orNull(stuckSchema),
        did: z.array(endSchema),
        error: orNull(z.object({ code: z.string(), detail: z.string() })),
      }),
    ),
    counts: z.object({
      orders: z.int(),
      free: z.int().meta({ description: 'Not stuck any more' }),
      stillStuck: z.int(),
      refused: z.int().meta({ description: 'There was nothing to retry; the error says why' }),
      failed: z.int(),
    }),
    nextCursor: z.string().nullable(),
  })
  .openapi('BulkRetried') satisfies z.ZodType<BulkRetryView>;
const bulkPlanSchema = z
  .object({
    orders: z.array(
      z.object({
        orderId: z.string(),
        state: z.string(),
        stuck: orNull(stuckSchema),
        would: z.array(partSchema),
        refused: refusedField,
      }),
    ),
    nextCursor: z.string().nullable(),
  })
  .openapi('BulkRetryPlan') satisfies z.ZodType<BulkRetryPlanView>;

const postRetry = createRoute({
  method: 'post',
  path: '/v1/orders/{id}/retry',
  summary: 'Run again whatever failed last on an order',
  middleware: jsonBody,
  request: {
    params: z.object({ id: orderIdField }),
    query: eventQuery,
    headers: eventHeaders,
    body: takes(retryBody),
  },
  responses: {
    200: answers(
      z.union([retriedSchema, retryPlanSchema]),
      'How each part ended and the order as it is now; with dryRun=true what would be run',
    ),
    404: problem('not_found'),
    409: problem('nothing_to_retry'),
    412: problem('version_conflict'),
    422: problem('idempotency_key_reused'),
  },
});

const postBulkRetry = createRoute({
  method: 'post',
  path: '/v1/retry',
  summary: 'Run again whatever failed last on each order that is stuck for one cause',
  middleware: jsonBody,
  request: {
    query: strictBody({
      cause: causeField,
      limit: z.coerce.number().int().min(1).max(MAX_PAGE).default(DEFAULT_PAGE),
      cursor: cursorField.optional().meta({ description: 'The nextCursor of the page before' }),
      dryRun: z.enum(['true', 'false']).optional().meta({ description: 'Say what would be run, write nothing' }),
    }),
    headers: z.object({
      'idempotency-key': idempotencyKeyField
        .optional()
        .meta({ description: 'The same key does not run an order twice; without it, each call is a retry of its own' }),
    }),
    body: takes(retryBody),
  },
  responses: {
    200: answers(
      z.union([bulkSchema, bulkPlanSchema]),
      'A result for each order, by id from the last one on; nextCursor is null on the last page. An order that stays stuck is passed over',
    ),
  },
});

/** Adds `POST /v1/orders/{id}/retry` and `POST /v1/retry`. */
export function addRetries(app: App, { core, newId }: AppDeps): void {
  app.openapi(postRetry, async c => {
    const { id } = c.req.valid('param');
    const { reason, by } = c.req.valid('json');
    const headers = c.req.valid('header');
    const ifMatch = versionOf(headers['if-match']);
    const request = {
      reason,
      by: requestedBy(c, by),
      eventKey: headers['idempotency-key'] ?? newId('evt'),
      ...(ifMatch !== undefined && { ifMatch }),
    };
    if (c.req.valid('query').dryRun === 'true') return c.json(await core.retry.preview(id, request), 200);
    const retried = await core.retry.order(id, request);
    return c.json(retried, 200, etagOf(retried.order));
  });
  app.openapi(postBulkRetry, async c => {
    const { reason, by } = c.req.valid('json');
    const { cause, limit, cursor = null, dryRun } = c.req.valid('query');
    const eventKey = c.req.valid('header')['idempotency-key'] ?? newId('evt');
    const request = { reason, by: requestedBy(c, by), eventKey, cause, limit, cursor };
    if (dryRun === 'true') return c.json(await core.retry.previewStuck(request), 200);
    return c.json(await core.retry.stuck(request), 200);
  });
}
