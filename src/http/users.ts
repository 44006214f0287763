// What a user may use: access at an instant, and the user's subscriptions. Both only read, and both know strangers.
import { createRoute, z } from '@hono/zod-openapi';
import type { App, AppDeps } from './appTypes.ts';
import { answers } from './contents.ts';
import { atField, productField, userIdField } from './fields.ts';
import { accessSchema, subscriptionSchema } from './schemas.ts';
import { strictBody } from './validation.ts';

const user = z.object({ userId: userIdField });

const getAccess = createRoute({
  method: 'get',
  path: '/v1/users/{userId}/access',
  summary: 'May this user use this product?',
  description:
    'Answers 200 for users nobody has heard of, too: they have no access, reason never_paid. Without `at`, whoever may have paid a moment ago is not refused before the payment provider was asked, for up to 1.5 s.',
  request: {
    params: user,
    query: strictBody({ product: productField, at: atField.optional().meta({ description: 'Default: now' }) }),
  },
  responses: { 200: answers(accessSchema, 'Access and why') },
});

const getSubscriptions = createRoute({
  method: 'get',
  path: '/v1/users/{userId}/subscriptions',
  summary: 'List the subscriptions of a user',
  request: { params: user, query: strictBody({}) },
  responses: { 200: answers(z.object({ subscriptions: z.array(subscriptionSchema) }), 'One per product') },
});

export function addUsers(app: App, { core }: AppDeps): void {
  app.openapi(getAccess, async c => {
    const { product, at } = c.req.valid('query');
    const instant = at === undefined ? undefined : new Date(at);
    return c.json(await core.users.access(c.req.valid('param').userId, product, instant), 200);
  });
  app.openapi(getSubscriptions, async c =>
    c.json({ subscriptions: await core.users.subscriptions(c.req.valid('param').userId) }, 200),
  );
}
