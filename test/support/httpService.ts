// The service behind its HTTP API on a free port, with the real core on a real database; the sandbox is the real adapter
// over a network played here, so that a test decides what the provider knows and whether it can be reached.
import { type Logger, pino } from 'pino';
import { createCore } from '../../src/core.ts';
import { createApp } from '../../src/http/app.ts';
import type { App, AppDeps } from '../../src/http/appTypes.ts';
import { type HttpServer, startHttpServer } from '../../src/http/server.ts';
import {
  createNotifications,
  type Notifications,
  type NotificationsDeps,
} from '../../src/notifications/notifications.ts';
import type { Core } from '../../src/ports.ts';
import { createSandboxProvider } from '../../src/providers/sandbox/adapter.ts';
import { callbackText } from '../../src/providers/sandbox/keys.ts';
import { decodeSecret, hexHmac, signStandardWebhook } from '../../src/providers/signatures.ts';
import { createWorld, type World } from './world.ts';

export const API_KEY = 'api_0123456789abcdef0123456789abcdef';
export const ADMIN_KEY = 'admin_0123456789abcdef0123456789abcdef';
/** Merchants' endpoints may be on this machine. */
export const NOTIFICATION_KEY = 'ntf_0123456789abcdef0123456789abcdef';
export const SECRET = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;

// biome-ignore lint/suspicious/noExplicitAny: what the API answers is what is tested
export type Json = any;
export type Answer = { status: number; headers: Headers; body: Json; text: string };
export type Call = { key?: string | null; body?: unknown; headers?: Record<string, string> };

export type Sandbox = {
  payments: Map<string, Record<string, unknown>>;
  /** How often an order was opened there, by our id. */
  opened: Map<string, number>;
  /** 'down' answers nobody, 'refusing' says no to everything. */
  mood: 'well' | 'down' | 'refusing';
};

export type Service = {
  world: World;
  notifications: Notifications;
  app: App;
  http: HttpServer;
  sandbox: Sandbox;
  /** Everything that was logged, as lines of JSON. */
  log: string[];
  signatureFailures: string[];
  /** With the ADMIN_KEY unless told; `key: null` sends none. Bodies that are no text or bytes go as JSON. */
  call(method: string, path: string, call?: Call): Promise<Answer>;
  webhook(body: unknown, more?: { id?: string; atS?: number; headers?: Record<string, string> }): Promise<Answer>;
  callback(fields: { providerOrderId: string; paymentId: string }): Record<string, string>;
  /** Changes when any row of any table does. */
  books(): Promise<string>;
  close(): Promise<void>;
};

/** `change` replaces parts of the core, for failures that cannot be had otherwise. */
export async function startService(
  options: {
    change?: (core: Core) => Partial<Core>;
    deps?: Partial<AppDeps>;
    shutdownMs?: number;
    notifications?: Partial<NotificationsDeps>;
    /** Adds pages that need the parts of the service. */
    pages?: (app: App, parts: { world: World; core: Core; log: Logger; publicUrl: string }) => void;
  } = {},
): Promise<Service> {
  const world = await createWorld();
  const sandbox: Sandbox = { payments: new Map(), opened: new Map(), mood: 'well' };
  const lines: string[] = [];
  const log = pino({ level: 'debug' }, { write: line => void lines.push(line) });
  const { clock, newId, db, dispatch } = world;
  const provider = createSandboxProvider({ url: 'http://sandbox.test', secret: SECRET, clock, fetch: play(sandbox) });
  const providers = new Map([['sandbox', provider]]);
  const readiness = async () => ({ database: true });
  const telling = { db, clock, newId, log, key: NOTIFICATION_KEY, privateAddresses: true, ...options.notifications };
  const notifications = createNotifications(telling);
  const publicUrl = 'http://self.test';
  const core = createCore({ db, dispatch, providers, publicUrl, clock, newId, log, readiness, notifications });
  const signatureFailures: string[] = [];
  const changed = { ...core, ...options.change?.(core) };
  const app = createApp({
    core: changed,
    keys: { api: API_KEY, admin: ADMIN_KEY },
    clock,
    newId,
    log,
    signatureFailed: name => void signatureFailures.push(name),
    addPages: page => options.pages?.(page, { world, core: changed, log, publicUrl }),
    ...options.deps,
  });
  const { shutdownMs } = options;
  const http = await startHttpServer({ app, host: '127.0.0.1', port: 0, log, ...(shutdownMs && { shutdownMs }) });
  const service: Service = {
    world,
    notifications,
    app,
    http,
    sandbox,
    log: lines,
    signatureFailures,
    call: (method, path, call = {}) => send(http.url, method, path, call),
    webhook(body, { id = newId('evt'), atS = Math.floor(clock().getTime() / 1_000), headers } = {}) {
      const bytes = Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
      const signed = signStandardWebhook(decodeSecret(SECRET), id, atS, bytes);
      return service.call('POST', '/v1/webhooks/sandbox', {
        key: null,
        body: bytes,
        headers: { ...signed, ...headers },
      });
    },
    callback: ({ providerOrderId, paymentId }) => ({
      providerOrderId,
      paymentId,
      signature: hexHmac(decodeSecret(SECRET), callbackText(providerOrderId, paymentId)),
    }),
    books: () => booksOf(world),
    async close() {
      await http.close();
      await world.close();
    },
  };
  return service;
}

export const PLAN = { product: 'pro', amountMinor: 49_900, currency: 'INR', period: { months: 1 }, graceDays: 3 };

/** A plan and an order of it, opened at the sandbox, by the API alone. */
export async function checkOut(
  service: Service,
  more: Record<string, unknown> = {},
): Promise<{ id: string; userId: string; providerOrderId: string }> {
  await service.call('PUT', '/v1/plans/pro-monthly', { body: PLAN });
  const userId = service.world.newId('req');
  const body = { userId, planId: 'pro-monthly', provider: 'sandbox', ...more };
  const answer = await service.call('POST', '/v1/checkouts', { body, headers: { 'idempotency-key': userId } });
  if (answer.status !== 201) throw new Error(`checkout answered ${answer.status} ${answer.text}`);
  return { id: answer.body.order.id, userId, providerOrderId: answer.body.checkout.providerOrderId };
}

let payments = 0;

/** A captured payment the sandbox knows of. */
export function pay(service: Service, providerOrderId: string, state = 'captured'): Record<string, unknown> {
  const paymentId = `pay_${process.pid}_${payments++}`;
  const payment = { paymentId, providerOrderId, state, amountMinor: PLAN.amountMinor, currency: 'INR' };
  service.sandbox.payments.set(paymentId, payment);
  return payment;
}

async function send(
  url: string,
  method: string,
  path: string,
  { key = ADMIN_KEY, body, headers }: Call,
): Promise<Answer> {
  const isRaw = typeof body === 'string' || body instanceof Uint8Array;
  const response = await fetch(url + path, {
    method,
    redirect: 'manual',
    headers: {
      ...(key !== null && { authorization: `Bearer ${key}` }),
      ...(body !== undefined && { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(body !== undefined && { body: isRaw ? (body as string) : JSON.stringify(body) }),
  });
  const text = await response.text();
  const isJson = /json/.test(response.headers.get('content-type') ?? '');
  return { status: response.status, headers: response.headers, text, body: isJson ? JSON.parse(text) : null };
}

function play(sandbox: Sandbox): typeof fetch {
  return (async (url: URL, init: RequestInit) => {
    if (sandbox.mood === 'down') throw new TypeError('fetch failed');
    if (sandbox.mood === 'refusing') return Response.json({ detail: 'not today' }, { status: 402 });
    if (url.pathname === '/api/orders') {
      const { orderId } = JSON.parse(String(init.body));
      sandbox.opened.set(orderId, (sandbox.opened.get(orderId) ?? 0) + 1);
      return Response.json({ providerOrderId: `sbo_${orderId.slice(4)}`, url: `http://sandbox.test/pay/${orderId}` });
    }
    const payment = sandbox.payments.get(url.pathname.split('/').at(-1)!);
    return payment ? Response.json(payment) : Response.json({ detail: 'no such payment' }, { status: 404 });
  }) as typeof fetch;
}

async function booksOf({ sql }: World): Promise<string> {
  const tables =
    await sql`select table_name as name from information_schema.tables where table_schema = 'public' order by 1`;
  const sums = tables.map(
    ({ name }) =>
      `select '${name}', count(*), md5(coalesce(string_agg(t::text, '|' order by t::text), '')) from ${name} t`,
  );
  return JSON.stringify(await sql.unsafe(sums.join(' union all ')).values());
}
