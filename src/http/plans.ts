// Plans: the operator sets what is sold, the merchant reads it.
import { createRoute, z } from '@hono/zod-openapi';
import { amountMinorSchema } from '../../machines/orderEvents.ts';
import { isCurrency } from '../currencies.ts';
import type { App, AppDeps } from './appTypes.ts';
import { answers, takes } from './contents.ts';
import { planIdField, productField } from './fields.ts';
import { jsonBody } from './jsonBody.ts';
import { planSchema } from './schemas.ts';
import { strictBody } from './validation.ts';

/** Ten years, in months and in days: longer is nobody's subscription and most likely a typing error. */
const MAX_PERIOD_MONTHS = 120;
const MAX_PERIOD_DAYS = 3_660;
/** A year, in days: whoever gives more away gives the product away. */
const MAX_GRACE_DAYS = 365;
const MAX_TRIAL_DAYS = 365;

const periodField = z.union(
  [
    z.strictObject({ months: z.int().min(1).max(MAX_PERIOD_MONTHS) }),
    z.strictObject({ days: z.int().min(1).max(MAX_PERIOD_DAYS) }),
  ],
  `must be either {"months": 1 to ${MAX_PERIOD_MONTHS}} or {"days": 1 to ${MAX_PERIOD_DAYS}}`,
);

const planBody = strictBody({
  product: productField,
  amountMinor: amountMinorSchema,
  currency: z
    .string()
    .refine(isCurrency, 'must be an ISO 4217 code in capitals, such as INR')
    .meta({ pattern: '^[A-Z]{3}$', example: 'INR' }),
  period: periodField,
  graceDays: z.int().min(0).max(MAX_GRACE_DAYS).default(0),
  trialDays: z.int().min(0).max(MAX_TRIAL_DAYS).default(0),
  surplusPolicy: z.enum(['refund', 'extend', 'hold']).default('refund'),
}).openapi('PlanBody');

const putPlan = createRoute({
  method: 'put',
  path: '/v1/plans/{id}',
  summary: 'Set a plan',
  description: 'Orders keep the plan as it was bought: a change is for those that come after.',
  middleware: jsonBody,
  request: { params: z.object({ id: planIdField }), body: takes(planBody) },
  responses: { 200: answers(planSchema, 'The plan as it is now') },
});

const getPlans = createRoute({
  method: 'get',
  path: '/v1/plans',
  summary: 'List the plans',
  request: { query: strictBody({}) },
  responses: { 200: answers(z.object({ plans: z.array(planSchema) }), 'All plans') },
});

export function addPlans(app: App, { core }: AppDeps): void {
  app.openapi(putPlan, async c => c.json(await core.plans.put(c.req.valid('param').id, c.req.valid('json')), 200));
  app.openapi(getPlans, async c => c.json({ plans: await core.plans.list() }, 200));
}
