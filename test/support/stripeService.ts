// The service behind its HTTP API with Stripe as its only provider: the real adapter and the real SDK, talking to the
// played Stripe, whose webhooks and browsers come over HTTP like the real ones.
import { pino } from 'pino';
import Stripe from 'stripe';
import { createCore } from '../../src/core.ts';
import { createApp } from '../../src/http/app.ts';
import { startHttpServer } from '../../src/http/server.ts';
import type { PaymentProvider } from '../../src/providers/provider.ts';
import { createStripeProvider } from '../../src/providers/stripe/adapter.ts';
import { ADMIN_KEY, API_KEY, type Json } from './httpService.ts';
import { SECRET, stripeEvent } from './stripeFixtures.ts';
import type { Fields } from './stripeRules.ts';
import { STRIPE_KEY, type StripeFake, startStripeFake } from './stripeServer.ts';
import { createWorld, heldClock, type World } from './world.ts';

export type Told = { status: number; body: Json; location: string | null };
export type StripeService = {
  world: World;
  fake: StripeFake;
  provider: PaymentProvider;
  /** A plan and an order of it, opened at Stripe. */
  checkOut(): Promise<{ id: string; userId: string; providerOrderId: string }>;
  /** Tells an event of Stripe's, signed by the SDK; `id` repeats an earlier one. */
  webhook(type: string, object: Fields, more?: Fields): Promise<Told>;
  /** Stripe sends the browser back. */
  browser(sessionId: string): Promise<Told>;
  call(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Told>;
  order(id: string): Promise<Json>;
  timeline(id: string): Promise<Json>;
  /** The state of the object as Stripe would show it in an event. */
  shown(object: Fields): Fields;
  close(): Promise<void>;
};

export async function startStripeService(): Promise<StripeService> {
  // Sessions are opened with a time of their own, so the service's clock stands at the present.
  const world = await createWorld({ clock: heldClock(new Date().toISOString()) });
  const fake = await startStripeFake();
  const { clock, newId, db, dispatch } = world;
  const settings = { secretKey: STRIPE_KEY, webhookSecrets: [SECRET], apiUrl: fake.url, live: false };
  const provider = createStripeProvider({ settings, clock, jitter: () => 0 });
  const log = pino({ level: 'silent' });
  const readiness = async () => ({ database: true });
  const providers = new Map([[provider.name, provider]]);
  const core = createCore({ db, dispatch, providers, publicUrl: 'http://self.test', clock, newId, log, readiness });
  const app = createApp({ core, keys: { api: API_KEY, admin: ADMIN_KEY }, clock, newId, log });
  const http = await startHttpServer({ app, host: '127.0.0.1', port: 0, log });
  const nowS = () => Math.floor(clock().getTime() / 1_000);
  let events = 0;

  async function call(method: string, path: string, body?: unknown, headers: Record<string, string> = {}) {
    const response = await fetch(http.url + path, {
      method,
      redirect: 'manual',
      headers: { authorization: `Bearer ${ADMIN_KEY}`, 'content-type': 'application/json', ...headers },
      ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    const isJson = /json/.test(response.headers.get('content-type') ?? '');
    const location = response.headers.get('location');
    return { status: response.status, body: isJson ? JSON.parse(text) : text, location };
  }

  return {
    world,
    fake,
    provider,
    call,
    async checkOut() {
      const plan = { product: 'pro', amountMinor: 1_999, currency: 'EUR', period: { months: 1 }, graceDays: 3 };
      await call('PUT', '/v1/plans/pro-monthly', plan);
      const userId = newId('req');
      const asked = { userId, planId: 'pro-monthly', provider: 'stripe' };
      const { status, body } = await call('POST', '/v1/checkouts', asked, { 'idempotency-key': userId });
      if (status !== 201) throw new Error(`checkout answered ${status} ${JSON.stringify(body)}`);
      return { id: body.order.id, userId, providerOrderId: body.checkout.providerOrderId };
    },
    webhook(type, object, more = {}) {
      const event = stripeEvent(type, object, { id: `evt_1Life${++events}`, created: nowS(), ...more });
      const payload = JSON.stringify(event);
      const timestamp = nowS();
      const signature = Stripe.webhooks.generateTestHeaderString({ payload, secret: SECRET, timestamp });
      return call('POST', '/v1/webhooks/stripe', payload, { 'stripe-signature': signature });
    },
    browser: sessionId => call('GET', `/v1/callbacks/stripe?session_id=${sessionId}`),
    order: async id => (await call('GET', `/v1/orders/${id}`)).body,
    timeline: async id => (await call('GET', `/v1/orders/${id}/timeline`)).body,
    shown: object => ({ ...object, latest_charge: (object.latest_charge as Fields | null)?.id ?? null }),
    async close() {
      await http.close();
      await fake.close();
      await world.close();
    },
  };
}
