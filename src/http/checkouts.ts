// The start of a purchase. The merchant's Idempotency-Key makes it safe to repeat: the same key answers the same order.
import { createRoute, z } from '@hono/zod-openapi';
import type { App, AppDeps } from './appTypes.ts';
import { answers, problem, takes } from './contents.ts';
import { etagOf } from './etag.ts';
import {
  idempotencyKeyField,
  metadataField,
  planIdField,
  providerField,
  returnUrlField,
  userIdField,
} from './fields.ts';
import { jsonBody } from './jsonBody.ts';
import { orderSchema } from './schemas.ts';
import { strictBody } from './validation.ts';

const checkoutBody = strictBody({
  userId: userIdField,
  planId: planIdField,
  provider: providerField,
  another: z.boolean().default(false).meta({
    description: 'Without it, an open unpaid order of the same user for the same plan is answered again',
  }),
  returnUrl: returnUrlField.optional().meta({ description: 'Where the browser goes after paying' }),
  metadata: metadataField.optional(),
}).openapi('CheckoutBody');

const checkoutSchema = z
  .object({
    order: orderSchema,
    checkout: z.object({
      provider: z.string(),
      providerOrderId: z.string(),
      url: z.string().optional().meta({ description: 'The page to send the customer to' }),
      params: z
        .record(z.string(), z.unknown())
        .meta({ description: "What the provider's script in the browser needs" }),
    }),
  })
  .openapi('Checkout');

const postCheckout = createRoute({
  method: 'post',
  path: '/v1/checkouts',
  summary: 'Start a purchase',
  description:
    'The same Idempotency-Key with the same body answers the same order as it is now; with another body it is refused. ' +
    'After 502 or 503 the same key tries again.',
  middleware: jsonBody,
  request: {
    headers: z.object({ 'idempotency-key': idempotencyKeyField }),
    query: strictBody({}),
    body: takes(checkoutBody),
  },
  responses: {
    201: answers(checkoutSchema, 'The order, open at the provider'),
    409: problem('illegal_event'),
    422: problem('idempotency_key_reused'),
    502: problem('provider_refused'),
  },
});

export function addCheckouts(app: App, { core }: AppDeps): void {
  app.openapi(postCheckout, async c => {
    const { returnUrl = null, metadata = null, ...body } = c.req.valid('json');
    const view = await core.checkout({ ...body, returnUrl, metadata }, c.req.valid('header')['idempotency-key']);
    return c.json(view, 201, etagOf(view.order));
  });
}
