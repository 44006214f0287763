// A network between the service and a provider that loses answers, refuses and breaks off: by name for the next call, or
// by a seeded plan for all of them. What it does to a call is written down, so that a test can say what was really faced.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/**
 * `lost`: done there, and the answer cut off. `reset`: cut off before it gets there. A number: answered with it, and
 * nothing is done. `instead`: done there, and answered with this status all the same.
 */
export type ProxyFault = 'lost' | 'reset' | number | { lateMs: number } | { instead: number };
/** How often each fault befalls a call, as shares of one; the rest goes well. */
export type FaultPlan = readonly { share: number; fault: ProxyFault }[];
/** `key` is the idempotency key it came with; `status` what was answered there, null where it never got there. */
export type ProxyCall = {
  method: string;
  path: string;
  fault: ProxyFault | null;
  key: string | null;
  status: number | null;
};

/** What a bad day at a provider is: a third of the answers never come, and much of the rest is no answer. */
export const CHAOS: FaultPlan = [
  { share: 0.3, fault: 'lost' },
  { share: 0.2, fault: 500 },
  { share: 0.1, fault: 'reset' },
  { share: 0.05, fault: 429 },
];

export type FaultyProxy = {
  url: string;
  calls: ProxyCall[];
  /** Applied to the next calls whose `METHOD /path` matches, one each, before the plan is asked. */
  faults: { to: RegExp; fault: ProxyFault }[];
  /** The plan from now on; an empty one lets everything through. */
  plan: FaultPlan;
  close(): Promise<void>;
};

/** Stands before `target`, on a free port. The same seed does the same to the same calls in the same order. */
export async function startFaultyProxy(
  target: string,
  { plan = [], seed = 1 }: { plan?: FaultPlan; seed?: number } = {},
): Promise<FaultyProxy> {
  const random = seeded(seed);
  const server = createServer((request, response) => {
    relay(request, response).catch(() => request.socket.destroy());
  });

  async function relay(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = 'GET', url: path = '/' } = request;
    const body = await bodyOf(request);
    const fault = faultFor(`${method} ${path}`);
    const call: ProxyCall = { method, path, fault, key: header(request, 'idempotency-key'), status: null };
    proxy.calls.push(call);
    const refuse = (status: number) => void response.writeHead(status).end('<html>not now</html>');
    if (fault === 'reset') return void request.socket.destroy();
    if (typeof fault === 'number') return refuse(fault);
    const { host: _, connection: __, 'content-length': ___, 'transfer-encoding': ____, ...headers } = request.headers;
    const answer = await fetch(new URL(path, target), {
      method,
      headers: headers as Record<string, string>,
      redirect: 'manual',
      ...(body.length > 0 && { body: new Uint8Array(body) }),
    });
    const text = Buffer.from(await answer.arrayBuffer());
    call.status = answer.status;
    if (fault === 'lost') return void request.socket.destroy();
    if (fault && 'instead' in fault) return refuse(fault.instead);
    if (fault) await sleep(fault.lateMs);
    const type = answer.headers.get('content-type') ?? 'application/octet-stream';
    response.writeHead(answer.status, { 'content-type': type }).end(text);
  }

  function faultFor(call: string): ProxyFault | null {
    const named = proxy.faults.findIndex(({ to }) => to.test(call));
    if (named >= 0) return proxy.faults.splice(named, 1)[0]!.fault;
    let drawn = proxy.plan.length > 0 ? random() : 1;
    for (const { share, fault } of proxy.plan) {
      if (drawn < share) return fault;
      drawn -= share;
    }
    return null;
  }

  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const proxy: FaultyProxy = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    calls: [],
    faults: [],
    plan,
    close: () =>
      new Promise<void>(resolve => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  return proxy;
}

function header(request: IncomingMessage, name: string): string | null {
  const value = request.headers[name];
  return typeof value === 'string' ? value : null;
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

/** Mulberry32: numbers in [0, 1) that a seed repeats. */
function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
