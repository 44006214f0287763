// The sandbox provider itself: an HTTP server of its own with its own memory, standing where a real provider would. The
// service reaches it only over HTTP, and it reaches the service only by webhooks and by sending browsers back.
import type { Server } from 'node:http';
import { join } from 'node:path';
import { createAdaptorServer } from '@hono/node-server';
import { Hono } from 'hono';
import type { Clock, RandomSource } from '../../clock.ts';
import { decodeSecret } from '../signatures.ts';
import { sandboxApi } from './serverApi.ts';
import { SANDBOX_TIMING, type SandboxContext, SandboxRefusal, type SandboxTiming } from './serverContext.ts';
import { SandboxDeliveries, type SandboxLog } from './serverDeliveries.ts';
import { payPages } from './serverPages.ts';
import { listenOnPort } from './serverPort.ts';
import { openSandboxStore, type SandboxStore } from './serverStore.ts';

/** How long calls under way may take once the server closes, in milliseconds: longer than any of them needs. */
const CLOSE_GRACE_MS = 2_000;

export type SandboxServerOptions = {
  /** 0 for a free port, kept over restarts. */
  port: number;
  /** The address to listen on; the machine itself when not told. */
  host?: string | undefined;
  /** Where customers reach this server, when it is not where it listens. */
  publicUrl?: string | undefined;
  /** Where webhooks are sent. */
  webhookUrl: string;
  /** `whsec_<base64>`, shared with the adapter. */
  secret: string;
  /** Orders and payments are kept in its folder `sandbox`. */
  dataDir: string;
  clock: Clock;
  random: RandomSource;
  log: SandboxLog;
  timing?: Partial<SandboxTiming> | undefined;
};

export type SandboxServer = {
  /** Where customers reach it. */
  url: string;
  /** Where this machine reaches it. */
  localUrl: string;
  port: number;
  /** Ends calls and deliveries and gives files and port back. Webhooks still pending go on at the next start. */
  close(): Promise<void>;
};

/** Starts the sandbox and takes up what it remembers: orders, payments, webhooks still to be sent. */
export async function startSandboxServer(options: SandboxServerOptions): Promise<SandboxServer> {
  const { clock, random, log, webhookUrl } = options;
  const secret = decodeSecret(options.secret);
  const folder = join(options.dataDir, 'sandbox');
  const timing = { ...SANDBOX_TIMING, ...options.timing };
  const store = await openSandboxStore(folder);
  const deliveries = new SandboxDeliveries({ store, webhookUrl, secret, clock, random, timing, log });
  let url = '';
  const context: SandboxContext = {
    store,
    clock,
    random,
    secret,
    timing,
    publicUrl: () => url,
    save(order) {
      store.put(order);
      deliveries.take(order);
    },
  };

  const server = createAdaptorServer({ fetch: sandboxApp(context, deliveries, log).fetch }) as Server;
  const host = options.host ?? '127.0.0.1';
  try {
    const port = await listenOnPort(server, host, options.port, folder);
    const localUrl = `http://127.0.0.1:${port}`;
    url = (options.publicUrl ?? localUrl).replace(/\/+$/, '');
    deliveries.start();
    log.info({ url, port }, 'the sandbox provider listens');
    return { url, localUrl, port, close: () => close(server, deliveries, store) };
  } catch (error) {
    await store.close();
    throw error;
  }
}

function sandboxApp(context: SandboxContext, deliveries: SandboxDeliveries, log: SandboxLog): Hono {
  const app = new Hono();
  app.use('*', async (_c, next) => {
    await next();
    // Handlers change memory and answer from it; no answer leaves before what it says is on disk.
    await context.store.flushed();
  });
  app.get('/health', c => c.json({ status: 'ok' }));
  app.route('/api', sandboxApi(context, deliveries));
  app.route('/', payPages(context, deliveries));
  app.notFound(c => problem(c.req.path, new SandboxRefusal(404, 'not_found', 'There is nothing here.')));
  app.onError((error, c) => {
    if (error instanceof SandboxRefusal) return problem(c.req.path, error);
    log.warn({ err: error, path: c.req.path }, 'the sandbox failed on a call');
    return problem(c.req.path, null);
  });
  return app;
}

function problem(path: string, refusal: SandboxRefusal | null): Response {
  const status = refusal?.status ?? 500;
  const code = refusal?.code ?? 'internal_error';
  const detail = refusal?.message ?? 'The sandbox failed. It is not known what was done.';
  const body = JSON.stringify({
    type: 'about:blank',
    title: code.replaceAll('_', ' '),
    status,
    code,
    detail,
    instance: path,
  });
  return new Response(body, { status, headers: { 'content-type': 'application/problem+json' } });
}

async function close(server: Server, deliveries: SandboxDeliveries, store: SandboxStore): Promise<void> {
  const closed = new Promise<void>(resolve => server.close(() => resolve()));
  server.closeIdleConnections();
  const limit = setTimeout(() => server.closeAllConnections(), CLOSE_GRACE_MS);
  await deliveries.close();
  await closed;
  clearTimeout(limit);
  await store.close();
}
