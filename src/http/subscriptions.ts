// What a merchant does with the subscription of one user to one product: start its trial, cancel it at the end of what is
// paid. Both may be asked again and answer the same.
import { createRoute, z } from '@hono/zod-openapi';
import { reasonSchema } from '../../machines/orderEvents.ts';
import type { App, AppDeps } from './appTypes.ts';
import { answers, problem, takes } from './contents.ts';
import { etagOf } from './etag.ts';
import { planIdField, productField, userIdField } from './fields.ts';
import { jsonBody } from './jsonBody.ts';
import { orderSchema, subscriptionSchema } from './schemas.ts';
import { strictBody } from './validation.ts';

/** Longest name of who asked, in characters: a person or a program, not a story. */
const MAX_BY_LENGTH = 128;

const trialBody = strictBody({
  planId: planIdField.optional().meta({ description: 'Default: the only plan of the product that has a trial' }),
}).openapi('TrialBody');
const cancelAtEndBody = strictBody({
  reason: reasonSchema,
  by: z
    .string()
    .trim()
    .min(1)
    .max(MAX_BY_LENGTH)
    .optional()
    .meta({ description: 'Who asked', example: 'support/anna' }),
}).openapi('CancelAtEndBody');

const params = z.object({ userId: userIdField, product: productField });
const trialAnswer = z.object({ order: orderSchema });

const postTrial = createRoute({
  method: 'post',
  path: '/v1/users/{userId}/subscriptions/{product}/trial',
  summary: 'Start the trial of a user',
  description:
    'One per user and product, for ever. Needs no provider and no payment; a purchase during the trial goes on where the trial ends.',
  middleware: jsonBody,
  request: { params, query: strictBody({}), body: takes(trialBody) },
  responses: {
    200: answers(trialAnswer, 'The trial that runs already'),
    201: answers(trialAnswer, 'The trial has begun'),
    409: problem('illegal_event'),
  },
});

const postCancel = createRoute({
  method: 'post',
  path: '/v1/users/{userId}/subscriptions/{product}/cancel',
  summary: 'Cancel a subscription at the end of the paid period',
  description:
    'What is paid stays usable to its end, without grace after it. Recurring charges of the provider are stopped there. A new purchase takes it back.',
  middleware: jsonBody,
  request: { params, query: strictBody({}), body: takes(cancelAtEndBody) },
  responses: { 200: answers(subscriptionSchema, 'The subscription as it is now'), 404: problem('not_found') },
});

export function addSubscriptions(app: App, { core }: AppDeps): void {
  app.openapi(postTrial, async c => {
    const { order, isNew } = await core.users.trial({ ...c.req.valid('param'), ...c.req.valid('json') });
    return isNew ? c.json({ order }, 201, etagOf(order)) : c.json({ order }, 200, etagOf(order));
  });
  app.openapi(postCancel, async c =>
    c.json(await core.users.cancelAtEnd({ ...c.req.valid('param'), ...c.req.valid('json') }), 200),
  );
}
