// The service behind its HTTP API with Razorpay as its only provider: the real adapter, talking to the played Razorpay,
// whose webhooks and browsers come over HTTP like the real ones.
import { pino } from 'pino';
import { createCore } from '../../src/core.ts';
import { createApp } from '../../src/http/app.ts';
import { addPayPages } from '../../src/http/payPages.ts';
import { startHttpServer } from '../../src/http/server.ts';
import { createRazorpayProvider, type RazorpayProvider } from '../../src/providers/razorpay/adapter.ts';
import { ADMIN_KEY, API_KEY, type Json } from './httpService.ts';
import { callbackFields, envelope, type Fields, RAZORPAY, signedWebhook } from './razorpayBodies.ts';
import { type RazorpayServer, startRazorpay } from './razorpayServer.ts';
import { createWorld, type World } from './world.ts';

export type Told = { status: number; body: Json; location: string | null };
export type RazorpayService = {
  world: World;
  bank: RazorpayServer;
  provider: RazorpayProvider;
  url: string;
  /** A plan and an order of it, opened at Razorpay. */
  checkOut(): Promise<{ id: string; userId: string; providerOrderId: string; url: string }>;
  /** Tells an event of Razorpay's; `eventId` repeats an earlier one. */
  webhook(event: string, payload: Fields, more?: { eventId?: string; at?: number }): Promise<Told>;
  /** The handler's JSON. */
  callback(payment: Fields): Promise<Told>;
  /** The form that checkout posts to callback_url. */
  form(fields: Record<string, string>): Promise<Told>;
  call(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Told>;
  order(id: string): Promise<Json>;
  timeline(id: string): Promise<Json>;
  close(): Promise<void>;
};

export async function startRazorpayService(): Promise<RazorpayService> {
  const world = await createWorld();
  const bank = await startRazorpay();
  const { clock, newId, db, dispatch } = world;
  const publicUrl = 'http://self.test';
  const settings = { ...RAZORPAY, apiUrl: bank.url };
  const provider = createRazorpayProvider({ settings, publicUrl, clock, jitter: () => 0 });
  const log = pino({ level: 'silent' });
  const readiness = async () => ({ database: true });
  const providers = new Map([[provider.name, provider]]);
  const core = createCore({ db, dispatch, providers, publicUrl, clock, newId, log, readiness });
  const addPages = (app: Parameters<typeof addPayPages>[0]) => addPayPages(app, core);
  const app = createApp({ core, keys: { api: API_KEY, admin: ADMIN_KEY }, clock, newId, log, addPages });
  const http = await startHttpServer({ app, host: '127.0.0.1', port: 0, log });
  let events = 0;

  async function call(method: string, path: string, body?: unknown, headers: Record<string, string> = {}) {
    const isRaw = body instanceof Uint8Array || body instanceof URLSearchParams;
    const response = await fetch(http.url + path, {
      method,
      redirect: 'manual',
      headers: {
        authorization: `Bearer ${ADMIN_KEY}`,
        ...(!(body instanceof URLSearchParams) && { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body !== undefined && { body: isRaw ? (body as URLSearchParams) : JSON.stringify(body) }),
    });
    const text = await response.text();
    const isJson = /json/.test(response.headers.get('content-type') ?? '');
    return {
      status: response.status,
      body: isJson ? JSON.parse(text) : text,
      location: response.headers.get('location'),
    };
  }

  return {
    world,
    bank,
    provider,
    url: http.url,
    call,
    async checkOut() {
      const plan = { product: 'pro', amountMinor: 49_900, currency: 'INR', period: { months: 1 }, graceDays: 3 };
      await call('PUT', '/v1/plans/pro-monthly', plan);
      const userId = newId('req');
      const asked = { userId, planId: 'pro-monthly', provider: 'razorpay' };
      const { status, body } = await call('POST', '/v1/checkouts', asked, { 'idempotency-key': userId });
      if (status !== 201) throw new Error(`checkout answered ${status} ${JSON.stringify(body)}`);
      const { providerOrderId, url } = body.checkout;
      return { id: body.order.id, userId, providerOrderId, url };
    },
    webhook(event, payload, { eventId = `Evt${++events}`, at = 1_772_000_300 + events } = {}) {
      const { body, headers } = signedWebhook(envelope(event, payload, at), { eventId });
      return call('POST', '/v1/webhooks/razorpay', body, headers);
    },
    callback: payment =>
      call('POST', '/v1/callbacks/razorpay', callbackFields(String(payment.id), String(payment.order_id))),
    form: fields => call('POST', '/v1/callbacks/razorpay', new URLSearchParams(fields)),
    order: async id => (await call('GET', `/v1/orders/${id}`)).body,
    timeline: async id => (await call('GET', `/v1/orders/${id}/timeline`)).body,
    async close() {
      await http.close();
      await bank.close();
      await world.close();
    },
  };
}
