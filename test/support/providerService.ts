// The service behind its HTTP API with one provider: the real adapter on a real database, called over real HTTP. Each
// provider's own file adds who pays there and what is then told.
import { pino } from 'pino';
import { createCore } from '../../src/core.ts';
import { createApp } from '../../src/http/app.ts';
import type { App } from '../../src/http/appTypes.ts';
import { addPayPages } from '../../src/http/payPages.ts';
import { startHttpServer } from '../../src/http/server.ts';
import type { NotificationsApi } from '../../src/notifications/notification.ts';
import type { Core } from '../../src/ports.ts';
import type { PaymentProvider } from '../../src/providers/provider.ts';
import { ADMIN_KEY, API_KEY, type Json } from './httpService.ts';
import { createWorld, type HeldClock, type World } from './world.ts';

/** How long whoever asks about access waits for the provider, in ms: however slow this machine is. */
const PATIENCE_MS = 60_000;

export type Told = { status: number; body: Json; location: string | null };
export type Opened = { id: string; userId: string; providerOrderId: string; url: string };

export type ProviderService<P extends PaymentProvider = PaymentProvider> = {
  world: World;
  core: Core;
  provider: P;
  url: string;
  /** Sends JSON, bytes as they are, or a form, with the operator's key. */
  call(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Told>;
  /** A plan and an order of it, opened at the provider. */
  checkOut(): Promise<Opened>;
  order(id: string): Promise<Json>;
  timeline(id: string): Promise<Json>;
  close(): Promise<void>;
};

export type ProviderServiceOptions<P> = {
  make(world: World, publicUrl: string): P;
  plan: { amountMinor: number; currency: string };
  clock?: HeldClock;
  /** Default: a new one. */
  world?: World;
  /** Providers beside the one it is about. */
  others?: readonly PaymentProvider[];
  notifications?: NotificationsApi;
};

export async function startProviderService<P extends PaymentProvider>({
  make,
  plan,
  clock: held,
  world: given,
  others = [],
  notifications,
}: ProviderServiceOptions<P>): Promise<ProviderService<P>> {
  const world = given ?? (await createWorld(held ? { clock: held } : {}));
  const { clock, newId, db, dispatch } = world;
  const publicUrl = 'http://self.test';
  const provider = make(world, publicUrl);
  const log = pino({ level: 'silent' });
  const readiness = async () => ({ database: true });
  const providers = new Map<string, PaymentProvider>([provider, ...others].map(each => [each.name, each]));
  const told = notifications && { notifications };
  const base = { db, dispatch, providers, publicUrl, clock, newId, log };
  const core = createCore({ ...base, readiness, recheckWaitMs: PATIENCE_MS, ...told });
  const addPages = (app: App) => addPayPages(app, core);
  const app = createApp({ core, keys: { api: API_KEY, admin: ADMIN_KEY }, clock, newId, log, addPages });
  const http = await startHttpServer({ app, host: '127.0.0.1', port: 0, log });

  async function call(
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<Told> {
    const isForm = body instanceof URLSearchParams;
    const asIs = isForm || body instanceof Uint8Array || typeof body === 'string';
    const response = await fetch(http.url + path, {
      method,
      redirect: 'manual',
      headers: {
        authorization: `Bearer ${ADMIN_KEY}`,
        ...(!isForm && { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body !== undefined && { body: asIs ? (body as string) : JSON.stringify(body) }),
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
    provider,
    core,
    url: http.url,
    call,
    async checkOut() {
      await call('PUT', '/v1/plans/pro-monthly', { product: 'pro', ...plan, period: { months: 1 }, graceDays: 3 });
      const userId = newId('req');
      const asked = { userId, planId: 'pro-monthly', provider: provider.name };
      const { status, body } = await call('POST', '/v1/checkouts', asked, { 'idempotency-key': userId });
      if (status !== 201) throw new Error(`checkout answered ${status} ${JSON.stringify(body)}`);
      const { providerOrderId, url } = body.checkout;
      return { id: body.order.id, userId, providerOrderId, url };
    },
    order: async id => (await call('GET', `/v1/orders/${id}`)).body,
    timeline: async id => (await call('GET', `/v1/orders/${id}/timeline`)).body,
    async close() {
      await http.close();
      await world.close();
    },
  };
}
