// The customer's browser comes back from paying. It proves nothing by itself: once its signature holds, the provider is
// asked, and the provider's answer is the event. Then the browser is told where the order stands, or sent on.
import { createRoute, z } from '@hono/zod-openapi';
import type { Context } from 'hono';
import type { Outcome } from '../dispatch/envelope.ts';
import { BadSignature, InvalidRequest, PaylatchError, ProviderRefused } from '../errors.ts';
import type { Core } from '../ports.ts';
import type { IncomingCall, PaymentProvider, ReceivedEvent } from '../providers/provider.ts';
import type { App, AppDeps, AppEnv } from './appTypes.ts';
import { answers, problem } from './contents.ts';
import { envelopeOf, providerNamed, readCall } from './incomingCall.ts';
import { wantsPage } from './wantsPage.ts';

const FORM = 'application/x-www-form-urlencoded';
const READABLE = ['application/json', FORM];

const statusSchema = z.enum(['subscribed', 'processing', 'failed']);
type Status = z.infer<typeof statusSchema>;

const backSchema = z
  .object({ orderId: z.string().nullable(), state: z.string().nullable(), status: statusSchema })
  .openapi('CallbackAnswer');

const params = z.object({ provider: z.string() });
const responses = {
  200: answers(backSchema, 'Where the order stands; processing: ask again'),
  303: { description: "To the order's returnUrl, for GET, a form, or Accept: text/html" },
  401: problem('bad_signature'),
  404: problem('not_found'),
};

const postCallback = createRoute({
  method: 'post',
  path: '/v1/callbacks/{provider}',
  summary: "Take a browser's callback",
  request: {
    params,
    // No zod schemas: the fields are the provider's own, and what they must be is the adapter's to say.
    body: { content: { 'application/json': { schema: { type: 'object' } }, [FORM]: { schema: { type: 'object' } } } },
  },
  responses,
});

const getCallback = createRoute({
  method: 'get',
  path: '/v1/callbacks/{provider}',
  summary: 'Take the callback of a provider that redirects the browser',
  request: { params },
  responses,
});

export function addCallbacks(app: App, deps: AppDeps): void {
  app.openapi(postCallback, async c => {
    const provider = providerNamed(deps.core, c.req.valid('param').provider);
    const call = await readCall(c);
    const mediaType = call.contentType.split(';')[0]?.trim().toLowerCase() ?? '';
    if (call.body.length > 0 && !READABLE.includes(mediaType)) {
      throw new PaylatchError('unsupported_media_type', `A callback's body must be ${READABLE.join(' or ')}.`);
    }
    const outcome = await take(deps, provider, call, call.body);
    return wantsPage(c) || mediaType === FORM ? sendOn(c, deps.core, outcome) : c.json(backOf(outcome), 200);
  });
  app.openapi(getCallback, async c => {
    const provider = providerNamed(deps.core, c.req.valid('param').provider);
    const call = await readCall(c);
    return sendOn(c, deps.core, await take(deps, provider, call, Buffer.from(call.rawQuery)));
  });
}

async function take(deps: AppDeps, provider: PaymentProvider, call: IncomingCall, raw: Uint8Array): Promise<Outcome> {
  const event = await verified(deps, provider, call);
  return deps.core.dispatch(envelopeOf('callback', provider.name, event, { raw, headers: call.headers }));
}

async function verified(
  { core, log, signatureFailed }: AppDeps,
  provider: PaymentProvider,
  call: IncomingCall,
): Promise<ReceivedEvent> {
  try {
    return await provider.parseCallback(call, core.lookup(provider.name));
  } catch (error) {
    if (error instanceof BadSignature) signatureFailed?.(provider.name);
    if (!(error instanceof ProviderRefused)) throw error;
    // The provider's no is about what the browser brought, so it is the browser's mistake and no failure of ours.
    log.warn({ err: error, provider: provider.name }, 'the provider refused what a callback named');
    throw new InvalidRequest('The provider knows no such payment.');
  }
}

function statusOf({ state }: Outcome): Status {
  if (state === 'subscribed') return 'subscribed';
  // Refunded is over too: who waits for it to become subscribed would wait for ever.
  return state === 'failed' || state === 'refunded' ? 'failed' : 'processing';
}

const backOf = (outcome: Outcome) => ({ orderId: outcome.orderId, state: outcome.state, status: statusOf(outcome) });

/** 303, so that the browser asks for the next page with GET and a reload sends nothing again. */
async function sendOn(c: Context<AppEnv>, core: Core, outcome: Outcome): Promise<Response> {
  return c.redirect(await nextPage(core, outcome), 303);
}

async function nextPage(core: Core, outcome: Outcome): Promise<string> {
  const { orderId } = outcome;
  if (orderId === null) return '/';
  const returnUrl = await core.orders.returnUrl(orderId);
  if (returnUrl === null) return `/?order=${orderId}`;
  const url = new URL(returnUrl);
  // Appended as text: setting parameters one by one would respell those the merchant has signed or counts on.
  url.search += `${url.search === '' ? '?' : '&'}order=${orderId}&status=${statusOf(outcome)}`;
  return url.href;
}
