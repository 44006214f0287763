// Puts the app on a port, with limits against slow and idle connections, and takes it off again without cutting anyone
// short: nothing new is accepted, what is in flight is answered, and only then are the connections gone.
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { getRequestListener } from '@hono/node-server';
import type { Logger } from 'pino';
import { InvalidRequest } from '../errors.ts';
import type { App, ServerState } from './appTypes.ts';
import { problemResponse } from './problem.ts';

/** The whole service's, in ms. Below the 30 s that process managers usually leave between asking and killing. */
export const SHUTDOWN_MS = 25_000;
/** How long answers that are under way are waited for, in ms: longer than any may take (8 s), and the rest of the service needs time, too. */
const DRAIN_MS = 12_000;
/** Headers must be here within this, in ms: they fit one packet, so more is a slow attacker. */
const HEADERS_TIMEOUT_MS = 10_000;
/** The whole request, in ms: for bodies nobody reads to their end; where one is read, the deadline of the answer comes first. */
const REQUEST_TIMEOUT_MS = 15_000;
/** How long an idle connection is kept for its next request, in ms: providers send in bursts. */
const KEEP_ALIVE_MS = 5_000;
/** How often Node looks for connections past those times, in ms; its own 30 s would make them meaningless. */
const CONNECTIONS_CHECK_MS = 1_000;
/** Open connections: far above what a provider opens, far below what the process can hold. */
const MAX_CONNECTIONS = 1_000;
/** All headers together, in bytes, and their number; Node answers 431 past the first. */
const MAX_HEADER_BYTES = 16 * 1_024;
const MAX_HEADERS = 100;

export type HttpServer = {
  /** `http://host:port` */
  url: string;
  /** Stops accepting, answers what is in flight, closes. Cuts what is left after DRAIN_MS. */
  close(): Promise<void>;
};

/** Resolves when the port is listened on. `port` 0 takes a free one. @throws EADDRINUSE, EACCES */
export async function startHttpServer(options: {
  app: App;
  host: string;
  port: number;
  log: Logger;
  shutdownMs?: number;
}): Promise<HttpServer> {
  const { app, host, port, log, shutdownMs = DRAIN_MS } = options;
  let isDraining = false;
  const state: ServerState = { draining: () => isDraining };
  const server = limitedServer(
    getRequestListener(request => app.fetch(request, { server: state }), { errorHandler: refuseUnreadable }),
  );
  await listen(server, host, port);
  server.on('error', error => log.error({ err: error }, 'the HTTP server failed'));
  let closed: Promise<void> | undefined;
  return {
    url: urlOf(server, host),
    close() {
      isDraining = true;
      closed ??= drain(server, shutdownMs, log);
      return closed;
    },
  };
}

function limitedServer(listener: Parameters<typeof createServer>[1] & object): Server {
  const limits = {
    headersTimeout: HEADERS_TIMEOUT_MS,
    requestTimeout: REQUEST_TIMEOUT_MS,
    keepAliveTimeout: KEEP_ALIVE_MS,
    connectionsCheckingInterval: CONNECTIONS_CHECK_MS,
    maxHeaderSize: MAX_HEADER_BYTES,
  };
  const server = createServer(limits, listener);
  server.maxConnections = MAX_CONNECTIONS;
  server.maxHeadersCount = MAX_HEADERS;
  return server;
}

/** Requests that never reach the app: an address or a Host header that is none. */
function refuseUnreadable(): Response {
  return problemResponse(new InvalidRequest('The address of the request cannot be read.'), undefined);
}

function listen(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

function urlOf(server: Server, host: string): string {
  const { port } = server.address() as AddressInfo;
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
}

/** `close` ends idle connections too; those that answer meanwhile are told to end by the app's `connection: close`. */
async function drain(server: Server, shutdownMs: number, log: Logger): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const tooLate = new Promise<void>(resolve => {
    timer = setTimeout(() => {
      log.warn({ shutdownMs }, 'cutting requests that are still unanswered');
      server.closeAllConnections();
      resolve();
    }, shutdownMs);
  });
  const drained = new Promise<void>(resolve => server.close(() => resolve()));
  await Promise.race([drained, tooLate]);
  clearTimeout(timer);
  await drained;
}
