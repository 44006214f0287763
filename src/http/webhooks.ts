// The provider's server tells of a fact: bytes in, signature checked over exactly those bytes, dispatched, and only then
// acknowledged. Any verdict is an acknowledgement; 5xx asks for another delivery, which is always safe.
import { createRoute, z } from '@hono/zod-openapi';
import type { Context } from 'hono';
import { BadSignature, NotFound } from '../errors.ts';
import type { PaymentProvider } from '../providers/provider.ts';
import type { App, AppDeps, AppEnv } from './appTypes.ts';
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

const responses = {
  200: answers(
    heardSchema,
    'Stored; the verdict says what became of it. Some providers must read an answer of their own.',
  ),
  401: problem('bad_signature'),
  404: problem('not_found'),
};

// No zod schema for the body: nothing may read it before its signature has been checked.
const body = { required: true, content: { 'application/json': { schema: { type: 'object' as const } } } };

const postWebhook = createRoute({
  method: 'post',
  path: '/v1/webhooks/{provider}',
  summary: "Take a provider's webhook",
  description: "The body is the provider's own, signed by the provider. For the sandbox: the Standard Webhooks spec.",
  request: { params: z.object({ provider: z.string() }), body },
  responses,
});

const postKindOfWebhook = createRoute({
  method: 'post',
  path: '/v1/webhooks/{provider}/{kind}',
  summary: 'Take a webhook of a provider that has one address a type',
  description: 'The body does not say what it is about: the last part of the path does.',
  request: { params: z.object({ provider: z.string(), kind: z.string() }), body },
  responses,
});

export function addWebhooks(app: App, deps: AppDeps): void {
  app.openapi(postWebhook, c => hear(c, deps, providerNamed(deps.core, c.req.valid('param').provider), null));
  app.openapi(postKindOfWebhook, c => {
    const { provider, kind } = c.req.valid('param');
    return hear(c, deps, providerNamed(deps.core, provider), kind);
  });
}

async function hear(c: Context<AppEnv>, deps: AppDeps, provider: PaymentProvider, kind: string | null) {
  if (kind === null ? provider.kinds : !provider.kinds?.includes(kind)) {
    throw new NotFound(`Webhooks of this provider are taken at ${addressesOf(provider)}.`);
  }
  const call = await readCall(c, kind);
  const { core, signatureFailed } = deps;
  try {
    const check = await provider.answerCheck?.(call, core.lookup(provider.name));
    if (check) return c.json(check as never, 200);
    const told = provider.parseWebhook(call);
    const event = provider.complete ? await provider.complete(told) : told;
    const received = { raw: call.body, headers: call.headers };
    const { verdict, orderId, state } = await core.dispatch(envelopeOf('webhook', provider.name, event, received));
    return c.json(provider.acknowledgement ? (provider.acknowledgement as never) : { verdict, orderId, state }, 200);
  } catch (error) {
    if (error instanceof BadSignature) signatureFailed?.(provider.name);
    throw error;
  }
}

function addressesOf({ name, kinds }: PaymentProvider): string {
  return (kinds ?? [null]).map(kind => `/v1/webhooks/${name}${kind === null ? '' : `/${kind}`}`).join(', ');
}
