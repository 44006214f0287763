// How far each provider's list of payments was read, and reading it again from any instant back.
import { createRoute, z } from '@hono/zod-openapi';
import { reasonSchema } from '../../machines/orderEvents.ts';
import type { ListingView } from '../reconcile/progress.ts';
import type { App, AppDeps } from './appTypes.ts';
import { answers, problem, takes } from './contents.ts';
import { atField, providerField } from './fields.ts';
import { jsonBody } from './jsonBody.ts';
import { strictBody } from './validation.ts';

const instant = z.string().meta({ format: 'date-time', example: '2026-01-31T10:00:00.000Z' });

const listingSchema = z
  .object({
    provider: z.string(),
    depth: z.enum(['recent', 'deep']).meta({
      description: 'Often and over little, or daily and over 30 days of payments, a year of disputes and refunds',
    }),
    underWay: z.boolean(),
    since: instant.nullable().meta({ description: 'Lower bound of the run under way, or of the last one' }),
    cursor: z.boolean().meta({ description: 'The run has read pages and goes on behind them' }),
    startedAt: instant.nullable(),
    completedAt: instant.nullable().meta({ description: 'When a run last came to its end' }),
    nextAt: instant.meta({ description: 'Not read on before then' }),
    pages: z.int(),
    payments: z.int(),
    news: z.int().meta({ description: 'Payments, disputes and refunds that told something not known before' }),
    lastError: z.string().nullable(),
  })
  .openapi('Listing') satisfies z.ZodType<ListingView>;

const getReconciliation = createRoute({
  method: 'get',
  path: '/v1/reconciliation',
  summary: 'How far the lists of payments were read',
  request: { query: strictBody({}) },
  responses: { 200: answers(z.object({ listings: z.array(listingSchema) }), 'Two per provider') },
});

const postReconciliation = createRoute({
  method: 'post',
  path: '/v1/reconciliation/{provider}',
  summary: 'Read the list of payments again from an instant on',
  description:
    'For webhooks lost longer ago than the daily run looks back. It takes the place of a deep run that is under way, goes on over restarts, and changes nothing that is known already.',
  middleware: jsonBody,
  request: {
    params: z.object({ provider: providerField }),
    body: takes(strictBody({ since: atField, reason: reasonSchema }).openapi('ReconciliationBody')),
  },
  responses: { 202: answers(listingSchema, 'The run as it begins'), 404: problem('not_found') },
});

export function addReconciliation(app: App, { core }: AppDeps): void {
  app.openapi(getReconciliation, async c => c.json({ listings: await core.reconciliation.progress() }, 200));
  app.openapi(postReconciliation, async c => {
    const { since, reason } = c.req.valid('json');
    return c.json(await core.reconciliation.start(c.req.valid('param').provider, new Date(since), reason), 202);
  });
}
