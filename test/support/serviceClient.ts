// What a merchant, a customer's browser and the sandbox say to a running service, over real HTTP. Requests can be watched
// until their bytes are written, for tests that kill the service at that moment.
import { request } from 'node:http';
import { callbackText, sandboxApiKey } from '../../src/providers/sandbox/keys.ts';
import { decodeSecret, hexHmac, signStandardWebhook } from '../../src/providers/signatures.ts';
import { KEYS } from './serviceProcess.ts';

const secret = decodeSecret(KEYS.SANDBOX_WEBHOOK_SECRET);
export const PLAN = { id: 'pro-monthly', product: 'pro', amountMinor: 49_900, currency: 'INR' };

// biome-ignore lint/suspicious/noExplicitAny: what the service answers is what is tested
export type Json = any;
export type Answer = { status: number; body: Json };
export type Call = { method: string; url: string; headers: Record<string, string>; body: string };
export type Sent = {
  /** Resolves when all its bytes are with the operating system. */
  written: Promise<void>;
  /** Null when the connection ended without an answer. */
  answer: Promise<Answer | null>;
};

/** Sends a call on a connection of its own. */
export function send({ method, url, headers, body }: Call): Sent {
  let written: Promise<void> = Promise.resolve();
  const answer = new Promise<Answer | null>(resolve => {
    const outgoing = request(url, { method, headers, agent: false }, incoming => {
      let text = '';
      incoming.setEncoding('utf8');
      incoming.on('data', chunk => {
        text += chunk;
      });
      incoming.on('end', () => resolve({ status: incoming.statusCode ?? 0, body: readJson(text) }));
      incoming.on('error', () => resolve(null));
    });
    outgoing.on('error', () => resolve(null));
    written = new Promise(done => {
      outgoing.on('error', () => done());
      outgoing.end(body, () => done());
    });
  });
  return { written, answer };
}

/** As a provider delivers: again for as long as it is asked to come again. */
export async function delivered(send: () => Sent): Promise<Answer | null> {
  for (;;) {
    const answer = await send().answer;
    if (answer?.status !== 503) return answer;
  }
}

export async function call(url: string, method: string, path: string, body?: unknown, headers = {}): Promise<Answer> {
  const answer = await send({
    method,
    url: url + path,
    headers: {
      authorization: `Bearer ${KEYS.ADMIN_KEY}`,
      ...(body !== undefined && { 'content-type': 'application/json' }),
      ...headers,
    },
    body: body === undefined ? '' : JSON.stringify(body),
  }).answer;
  if (!answer) throw new Error(`${method} ${path} was not answered`);
  return answer;
}

export const get = async (url: string, path: string): Promise<Json> => (await call(url, 'GET', path)).body;

export const checkoutCall = (url: string, userId: string, key: string): Call => ({
  method: 'POST',
  url: `${url}/v1/checkouts`,
  headers: {
    authorization: `Bearer ${KEYS.API_KEY}`,
    'content-type': 'application/json',
    'idempotency-key': key,
  },
  body: JSON.stringify({ userId, planId: PLAN.id, provider: 'sandbox' }),
});

/** One webhook as the sandbox signs it now; the same id and body make the same webhook. */
export function webhookCall(url: string, id: string, body: string): Call {
  const signed = signStandardWebhook(secret, id, Math.floor(Date.now() / 1_000), Buffer.from(body));
  return {
    method: 'POST',
    url: `${url}/v1/webhooks/sandbox`,
    headers: { 'content-type': 'application/json', ...signed },
    body,
  };
}

export const callbackCall = (url: string, providerOrderId: string, paymentId: string): Call => ({
  method: 'POST',
  url: `${url}/v1/callbacks/sandbox`,
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify({
    providerOrderId,
    paymentId,
    signature: hexHmac(secret, callbackText(providerOrderId, paymentId)),
  }),
});

/** The sandbox's own API, at the origin of the pay page. */
export async function sandbox(payUrl: string, method: string, path: string, key?: string): Promise<Json> {
  const answer = await send({
    method,
    url: `${new URL(payUrl).origin}/api${path}`,
    headers: { authorization: `Bearer ${sandboxApiKey(secret)}`, ...(key !== undefined && { 'idempotency-key': key }) },
    body: '',
  }).answer;
  if (answer?.status !== 200) throw new Error(`the sandbox answered ${JSON.stringify(answer)} to ${path}`);
  return answer.body;
}

function readJson(text: string): Json {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
