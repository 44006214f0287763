// The provider's server tells of a fact: bytes in, signature checked over exactly those bytes, dispatched, and only then
// acknowledged. Any verdict is an acknowledgement; 5xx asks for another delivery, which is always safe.
import { createRoute, z } from '@hono/zod-openapi';
import { BadSignature } from '../errors.ts';
import type { ReceivedEvent } from '../providers/provider.ts';
import type { App, AppDeps } from './appTypes.ts';
import { answers, problem } from './contents.ts';
import { envelopeOf, providerNamed, readCall } from './incomingCall.ts';
import { verdictSchema } from './schemas.ts';

const heardSchema = z
  .object({
    verdict: verdictSchema,
    orderId: z.string().nullable().meta({ description: 'Null when no order is known' }),
    state: z.string().nullable(),
  })
  .openapi('Heard');

const postWebhook = createRoute({
  method: 'post',
  path: '/v1/webhooks/{provider}',
  summary: "Take a provider's webhook",
  description: "The body is the provider's own, signed by the provider. For the sandbox: the Standard Webhooks spec.",
  request: {
    params: z.object({ provider: z.string() }),
    // No zod schema: nothing may read the body before its signature has been checked.
    body: { required: true, content: { 'application/json': { schema: { type: 'object' } } } },
  },
  responses: {
    200: answers(heardSchema, 'Stored; the verdict says what became of it'),
    401: problem('bad_signature'),
    404: problem('not_found'),
  },
});

export function addWebhooks(app: App, { core, signatureFailed }: AppDeps): void {
  app.openapi(postWebhook, async c => {
    const provider = providerNamed(core, c.req.valid('param').provider);
    const call = await readCall(c);
    let event: ReceivedEvent;
    try {
      event = provider.parseWebhook(call);
    } catch (error) {
      if (error instanceof BadSignature) signatureFailed?.(provider.name);
      throw error;
    }
    const received = { raw: call.body, headers: call.headers };
    const { verdict, orderId, state } = await core.dispatch(envelopeOf('webhook', provider.name, event, received));
    return c.json({ verdict, orderId, state }, 200);
  });
}
