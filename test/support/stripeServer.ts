// Stripe as its API is seen from outside, over real HTTP on a free port: keys, form encoding with brackets, idempotency,
// and the faults of a network, so that the real SDK and our adapter meet what the real one would answer.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Fields, StripeRefusal } from './stripeRules.ts';
import { createStripeState, type StripeState } from './stripeState.ts';

export const STRIPE_KEY = 'sk_test_fake0123456789abcdef';

/** `drop`: nothing is done. `lose`: done, the answer is lost. Otherwise what is answered instead, before anything is done. */
export type Fault =
  | 'drop'
  | 'lose'
  | { lateMs: number }
  /** The answer's bytes come one by one, with a pause each. */
  | { dripMs: number }
  | { status: number; body?: string; headers?: Record<string, string>; done?: boolean };

export type StripeFake = {
  url: string;
  state: StripeState;
  /** Faults for the next calls, one each, for calls whose path matches. */
  faults: { path: RegExp; fault: Fault }[];
  calls: { method: string; path: string; query: string; fields: Fields; key: string | undefined }[];
  /** Idempotency keys are forgotten, as after a day. */
  forgetKeys(): void;
  close(): Promise<void>;
};

type Remembered = { request: string; status: number; text: string };

export async function startStripeFake(now: () => Date = () => new Date()): Promise<StripeFake> {
  const state = createStripeState(now);
  const kept = new Map<string, Remembered>();
  const faults: StripeFake['faults'] = [];
  const calls: StripeFake['calls'] = [];
  const server = createServer((request, response) => {
    answer(request, response).catch(error => {
      response.statusCode = 599;
      response.end(String(error));
    });
  });

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname: path, searchParams, search } = new URL(request.url ?? '/', 'http://stripe.test');
    const method = request.method ?? 'GET';
    const text = await bodyOf(request);
    const key = request.headers['idempotency-key'] as string | undefined;
    const fields = readBrackets(method === 'GET' ? searchParams : new URLSearchParams(text));
    calls.push({ method, path, query: search, fields, key });
    const at = faults.findIndex(entry => entry.path.test(path));
    const fault = at < 0 ? undefined : faults.splice(at, 1)[0]!.fault;
    if (fault === 'drop') return void request.socket.destroy();
    if (typeof fault === 'object' && 'status' in fault && !fault.done)
      return send(response, fault.status, fault.body ?? '', fault.headers);
    const told = tell(request, { method, path, text, fields, key });
    if (fault === 'lose') return void request.socket.destroy();
    if (typeof fault === 'object' && 'status' in fault)
      return send(response, fault.status, fault.body ?? '', fault.headers);
    if (typeof fault === 'object' && 'dripMs' in fault) return drip(response, told.text, fault.dripMs);
    if (typeof fault === 'object') await sleep(fault.lateMs);
    send(response, told.status, told.text, { 'request-id': 'req_fake' });
  }

  function tell(
    { headers }: IncomingMessage,
    call: { method: string; path: string; text: string; fields: Fields; key: string | undefined },
  ): { status: number; text: string } {
    const request = `${call.method} ${call.path} ${call.text}`;
    const before = call.key === undefined ? undefined : kept.get(call.key);
    const told = decide();
    // Validation errors are not kept; what was executed is replayed, whatever became of it.
    if (call.key !== undefined && !before && told.status < 300) kept.set(call.key, { request, ...told });
    return told;

    function decide() {
      try {
        if (headers.authorization !== `Bearer ${STRIPE_KEY}`) {
          throw new StripeRefusal(401, undefined, 'Invalid API Key provided: sk_test_****');
        }
        if (headers['stripe-version'] === undefined) throw new StripeRefusal(400, undefined, 'No version was sent.');
        if (call.method === 'POST') {
          if (!/^application\/x-www-form-urlencoded/.test(headers['content-type'] ?? '')) {
            throw new StripeRefusal(400, undefined, 'Only form encoding is understood.');
          }
          if (call.key === undefined || call.key.length > 255)
            throw new StripeRefusal(400, undefined, 'Bad idempotency key.');
        }
        if (before && before.request !== request) {
          throw new StripeRefusal(
            400,
            undefined,
            `Keys for idempotent requests can only be used with the same parameters.`,
            'idempotency_error',
          );
        }
        if (before) return { status: before.status, text: before.text };
        return { status: 200, text: JSON.stringify(state.handle(call.method, call.path, call.fields)) };
      } catch (error) {
        if (!(error instanceof StripeRefusal)) throw error;
        const { status, code, message, type, param, payment_intent } = error;
        return { status, text: JSON.stringify({ error: { type, code, message, param, payment_intent } }) };
      }
    }
  }

  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    state,
    faults,
    calls,
    forgetKeys: () => kept.clear(),
    close: () =>
      new Promise<void>(resolve => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function send(response: ServerResponse, status: number, text: string, headers: Record<string, string> = {}): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(text);
}

async function drip(response: ServerResponse, text: string, pauseMs: number): Promise<void> {
  response.writeHead(200, { 'content-type': 'application/json' });
  for (const byte of text) {
    if (response.destroyed) return;
    response.write(byte);
    await sleep(pauseMs);
  }
  response.end();
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}

/** `a[b][0][c]=1` as nested objects, the way Stripe reads a form. */
function readBrackets(form: URLSearchParams): Fields {
  const root: Fields = {};
  for (const [name, value] of form) {
    const parts = name.split(/[[\]]+/).filter(part => part !== '');
    let place = root;
    for (const part of parts.slice(0, -1)) {
      place[part] ??= {};
      place = place[part] as Fields;
    }
    place[parts.at(-1)!] = value;
  }
  return root;
}
