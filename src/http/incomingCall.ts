// What a provider or a browser sent, for the adapter to verify and for dispatch to keep: the bytes as they came, their
// hash, and of the headers only those that help to understand a delivery later.
import { createHash } from 'node:crypto';
import type { Context } from 'hono';
import type { Envelope } from '../dispatch/envelope.ts';
import { NotFound } from '../errors.ts';
import type { Core } from '../ports.ts';
import type { IncomingCall, PaymentProvider, ReceivedEvent } from '../providers/provider.ts';
import type { AppEnv } from './appTypes.ts';
import { PROVIDER_BODY_LIMIT, readBody } from './body.ts';

/** An allow-list: signatures, cookies and keys must not lie in a table that people look at. */
const KEPT_HEADERS = ['content-type', 'user-agent', 'webhook-id', 'webhook-timestamp'];
/** Longest header value kept, in characters: a name and a version, not a payload. */
const MAX_KEPT_HEADER_LENGTH = 256;

/** @throws NotFound for a provider that is unknown or switched off */
export function providerNamed(core: Core, name: string): PaymentProvider {
  const provider = core.providers.get(name);
  if (!provider) throw new NotFound('There is no payment provider of this name here.');
  return provider;
}

/** @throws PaylatchError body_too_large; InvalidRequest when the body breaks off */
export async function readCall(c: Context<AppEnv>, kind: string | null = null): Promise<IncomingCall> {
  const headers = c.req.header();
  return {
    body: c.req.method === 'POST' ? await readBody(c, PROVIDER_BODY_LIMIT) : new Uint8Array(),
    headers,
    query: c.req.query(),
    rawQuery: new URL(c.req.url).search.slice(1),
    contentType: headers['content-type'] ?? '',
    kind,
  };
}

/** The verified event, addressed to the order in the provider's words. `raw` is what came: the body, or a redirect's query. */
export function envelopeOf(
  source: 'callback' | 'webhook',
  provider: string,
  event: ReceivedEvent,
  call: { raw: Uint8Array; headers: Record<string, string> },
): Envelope {
  return {
    source,
    orderId: event.orderId,
    provider,
    providerOrderId: event.providerOrderId,
    ...(event.payerId !== undefined && { payerId: event.payerId }),
    eventKey: event.eventKey,
    event: event.event,
    ...(event.event === null && { because: event.because, detail: event.detail }),
    received: {
      eventType: event.eventType,
      raw: call.raw,
      bodyHash: createHash('sha256').update(call.raw).digest('hex'),
      headers: keptHeaders(call.headers),
    },
  };
}

function keptHeaders(headers: Record<string, string>): Record<string, string> {
  const kept = KEPT_HEADERS.filter(name => Object.hasOwn(headers, name));
  return Object.fromEntries(kept.map(name => [name, (headers[name] ?? '').slice(0, MAX_KEPT_HEADER_LENGTH)]));
}
