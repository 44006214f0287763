// Events that were received and belong to no order yet, or could not be decided: to be seen, although they wait.
import { createRoute, z } from '@hono/zod-openapi';
import type { KeptEventPage } from '../keptEvents.ts';
import type { App, AppDeps } from './appTypes.ts';
import { answers } from './contents.ts';
import { strictBody } from './validation.ts';

/** Events per page: a page is one query that must stay far below its deadline. */
const MAX_PAGE = 200;
const DEFAULT_PAGE = 50;
/** Longest cursor, in characters: a provider's name and an event key of 255, in base64. */
const MAX_CURSOR_LENGTH = 512;

const verdict = z.enum(['unmatched', 'foreign', 'parked']).meta({
  description:
    'unmatched: its order is not known, it is tried again · foreign: nothing says that it is ours · parked: it or its order cannot be read',
});
const instant = z.string().meta({ format: 'date-time' });

const keptEventSchema = z
  .object({
    provider: z.string(),
    eventKey: z.string(),
    type: z.string(),
    verdict: z.string(),
    detail: z.string().nullable(),
    orderId: z.string().nullable(),
    mark: z.string().nullable().meta({ description: 'Our own id of the order, as the provider carries it' }),
    providerOrderId: z.string().nullable(),
    receivedAt: instant,
    attempts: z.int(),
    nextAttemptAt: instant.nullable().meta({ description: 'Null when it waits for its order to appear' }),
    deliveries: z.int(),
  })
  .openapi('KeptEvent');

const getEvents = createRoute({
  method: 'get',
  path: '/v1/events',
  summary: 'List received events that could not be decided, newest first',
  request: {
    query: strictBody({
      verdict,
      cursor: z
        .string()
        .regex(/^[A-Za-z0-9_-]+$/, 'must be the nextCursor of the page before')
        .max(MAX_CURSOR_LENGTH)
        .optional()
        .meta({ description: 'The nextCursor of the page before' }),
      limit: z.coerce.number().int().min(1).max(MAX_PAGE).default(DEFAULT_PAGE),
    }),
  },
  responses: {
    200: answers(
      z.object({
        events: z.array(keptEventSchema),
        nextCursor: z.string().nullable(),
      }) satisfies z.ZodType<KeptEventPage>,
      'A page; nextCursor is null on the last one',
    ),
  },
});

export function addKeptEvents(app: App, { core }: AppDeps): void {
  app.openapi(getEvents, async c => c.json(await core.events.list(c.req.valid('query')), 200));
}
