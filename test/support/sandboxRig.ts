// A sandbox server on a free port with a folder of its own, and a receiver standing where the service would: fresh for
// every test, gone after it.
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, vi } from 'vitest';
import { systemClock, systemRandom } from '../../src/clock.ts';
import type { IncomingCall } from '../../src/providers/provider.ts';
import { createSandboxProvider } from '../../src/providers/sandbox/adapter.ts';
import { sandboxApiKey } from '../../src/providers/sandbox/keys.ts';
import {
  type SandboxServer,
  type SandboxServerOptions,
  startSandboxServer,
} from '../../src/providers/sandbox/server.ts';
import { decodeSecret } from '../../src/providers/signatures.ts';
import { freePort } from './freePort.ts';

export const secret = `whsec_${Buffer.alloc(32, 9).toString('base64')}`;
export const apiKey = sandboxApiKey(decodeSecret(secret));
/** Prompt retries, and a "late" webhook nobody will wait for. */
export const timing = { retryBaseMs: 5, retryMaxMs: 20, lateMs: 3_600_000 };
/** How long a state is waited for before a test fails, in milliseconds. */
const PATIENCE_MS = 60_000;
const silent = { info: () => undefined, warn: () => undefined };

// Loosely typed on purpose: what the API answers is part of what is tested.
// biome-ignore lint/suspicious/noExplicitAny: answers of the API under test
export type Json = any;

export type Receiver = {
  url: string;
  calls: IncomingCall[];
  /** What the next calls are answered with; 200 when none is left. */
  answers: (number | Promise<number>)[];
  close(): Promise<void>;
};

async function startReceiver(): Promise<Receiver> {
  const receiver: Receiver = { url: '', calls: [], answers: [], close: () => closeServer(server) };
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const headers = request.headers as Record<string, string>;
    const contentType = headers['content-type'] ?? '';
    receiver.calls.push({ body: Buffer.concat(chunks), headers, query: {}, rawQuery: '', contentType, kind: null });
    response.writeHead(await (receiver.answers.shift() ?? 200)).end();
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  receiver.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1/webhooks/sandbox`;
  return receiver;
}

export function closeServer(server: Server): Promise<void> {
  server.closeAllConnections();
  return new Promise(resolve => server.close(() => resolve()));
}

/** Gives every test of the file a sandbox; call it once, at the top. */
export function useSandbox() {
  let dataDir: string;
  let receiver: Receiver;
  let server: SandboxServer;

  async function start(options: Partial<SandboxServerOptions> = {}): Promise<SandboxServer> {
    const base = { port: 0, webhookUrl: receiver.url, secret, dataDir, clock: systemClock, random: systemRandom };
    server = await startSandboxServer({ ...base, log: silent, timing, ...options });
    return server;
  }

  async function api(
    method: string,
    path: string,
    body?: unknown,
    key?: string,
  ): Promise<{ status: number; json: Json }> {
    const response = await fetch(`${server.url}/api${path}`, {
      method,
      headers: { authorization: `Bearer ${apiKey}`, ...(key !== undefined && { 'idempotency-key': key }) },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    return { status: response.status, json: await response.json() };
  }

  beforeEach(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'sandbox-test-'));
    // As if chosen in an earlier life: one that nobody takes while a test has the server closed.
    await mkdir(join(dataDir, 'sandbox'));
    await writeFile(join(dataDir, 'sandbox', 'port'), `${await freePort()}\n`);
    receiver = await startReceiver();
    await start();
  });

  afterEach(async () => {
    await server.close();
    await receiver.close();
    await rm(dataDir, { recursive: true, force: true });
  });

  const provider = () => createSandboxProvider({ url: server.url, secret, clock: systemClock });
  const request = (change: Partial<Json> = {}) => ({
    orderId: 'ord_1',
    userId: 'user-1',
    planId: 'pro',
    amountMinor: 49900,
    currency: 'INR',
    callbackUrl: 'http://shop.test/v1/callbacks/sandbox?from=pay',
    ...change,
  });
  const webhooks = async (): Promise<Json[]> => (await api('GET', '/webhooks')).json.webhooks;
  const bodies = (): Json[] => receiver.calls.map(call => JSON.parse(Buffer.from(call.body).toString()));

  return {
    get dataDir() {
      return dataDir;
    },
    get receiver() {
      return receiver;
    },
    get server() {
      return server;
    },
    start,
    api,
    provider,
    request,
    webhooks,
    bodies,
    types: (): string[] => bodies().map(body => body.type),
    open: async (change: Partial<Json> = {}) => (await provider().createCheckout(request(change))).providerOrderId,
    scenario: async (id: string, name: string, key?: string): Promise<Json> =>
      (await api('POST', `/orders/${id}/scenarios/${name}`, undefined, key)).json,
    /** Waits until the receiver was called so often. */
    received: (count: number) => vi.waitFor(() => expect(receiver.calls).toHaveLength(count), PATIENCE_MS),
    /** Waits until no webhook is pending. */
    allDelivered: () =>
      vi.waitFor(async () => {
        expect((await webhooks()).map(webhook => webhook.status)).not.toContain('pending');
      }, PATIENCE_MS),
  };
}
