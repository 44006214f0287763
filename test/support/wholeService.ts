// The whole service in one process, put together as main.ts does: HTTP, dispatch, worker with every handler, sweeper, lists,
// notifications and alerts, on a real database, with the real sandbox server over real HTTP, and other providers where a
// test asks for them. Only time is the test's: `settle` and `travel` do what the loops would.
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { expect } from 'vitest';
import { systemRandom } from '../../src/clock.ts';
import { providerHandlers } from '../../src/effects/handlers/providerHandlers.ts';
import { workOff } from '../../src/effects/worker.ts';
import { alertHandler } from '../../src/notifications/alert.ts';
import { createNotifications } from '../../src/notifications/notifications.ts';
import { createSandboxProvider, type SandboxProvider } from '../../src/providers/sandbox/adapter.ts';
import { callbackText, sandboxApiKey } from '../../src/providers/sandbox/keys.ts';
import { startSandboxServer } from '../../src/providers/sandbox/server.ts';
import { decodeSecret, hexHmac, signStandardWebhook } from '../../src/providers/signatures.ts';
import { listingJob } from '../../src/reconcile/job.ts';
import { sweeperJobs } from '../../src/sweeper/sweeper.ts';
import { type EffectRig, effectRig } from './effectRig.ts';
import { type FaultPlan, type FaultyProxy, startFaultyProxy } from './faultyProxy.ts';
import { type Json, NOTIFICATION_KEY, SECRET } from './httpService.ts';
import { type Receiver, startReceiver } from './merchantReceiver.ts';
import { type Opened, type ProviderService, startProviderService, type Told } from './providerService.ts';
import { closeServer } from './sandboxRig.ts';
import { type Travel, timeTravel } from './timeTravel.ts';
import { type BankName, type Banks, startBanks } from './wholeBanks.ts';
import { createWorld, heldClock, type World } from './world.ts';

/** A month for 499 rupees with three days of grace; what a test's plan does not say. */
export const PLAN = { product: 'pro', amountMinor: 49_900, currency: 'INR', period: { months: 1 }, graceDays: 3 };

export type WholeOptions = {
  /** Where the clock stands at first. */
  at?: string;
  /** Providers beside the sandbox. */
  banks?: readonly BankName[];
  /** What befalls calls to the sandbox. */
  faults?: FaultPlan;
  seed?: number;
};

/** What becomes of the sandbox's webhooks: they go out when the service settles, wait there, are lost, or refused and wait. */
export type Gate = 'pass' | 'hold' | 'lose' | 'refuse';

export type Purchase = { userId?: string; planId?: string; provider?: string; another?: boolean };

export type WholeService = Omit<ProviderService<SandboxProvider>, 'checkOut'> &
  Travel & {
    /** While lists `rest` they are not read when they are due: then what is found was found in another way. */
    gate: { webhooks: Gate; lists: 'read' | 'rest' };
    /** The network between service and sandbox. */
    proxy: FaultyProxy;
    banks: Banks;
    /** The merchant's endpoint, told of everything, and the operator's address. */
    merchant: Receiver;
    operators: Receiver;
    /** Handlers called one at a time, as by a worker that was killed before it wrote how they ended. */
    effects: EffectRig;
    /** Makes or changes a plan, `pro-monthly` unless named. */
    plan(more?: Record<string, unknown>, id?: string): Promise<void>;
    /** An order opened at its provider; of a new user unless named. */
    buy(purchase?: Purchase): Promise<Opened>;
    /** The customer pays at the sandbox in the way of this story; the browser comes back where told. The last payment's id. */
    pay(order: Pick<Opened, 'providerOrderId'>, story?: string, more?: { comesBack?: boolean }): Promise<string>;
    /** The sandbox's own API, past the network, as a person at its dashboard. */
    dashboard(method: string, path: string, body?: unknown): Promise<Json>;
    /** The browser comes back from the sandbox with this payment. */
    comeBack(order: Pick<Opened, 'providerOrderId'>, paymentId: string): Promise<Told>;
    /** The sandbox's webhooks about this order, oldest first, sent or not. */
    webhooks(order: Pick<Opened, 'providerOrderId'>): Promise<Json[]>;
    /** Sends one of them now, again if it was sent before; the service's answer is in its `lastAnswer`. */
    deliver(webhookId: string): Promise<Json>;
    /** A webhook the sandbox would sign, saying what the test wants. */
    forge(type: string, data: Record<string, unknown>): Promise<Told>;
    access(userId: string, at?: string): Promise<Json>;
    /** What the merchant was told of this order, oldest first, each message once. */
    told(orderId: string): Json[];
    /** What operators were told of this order, or of none; each message once. */
    alerts(orderId: string | null): Json[];
    /** A new life of the process: what it only remembered is gone, and what runs at every start runs. */
    restart(): void;
  };

export async function startWholeService(options: WholeOptions = {}): Promise<WholeService> {
  const clock = heldClock(options.at);
  const world = await createWorld({ clock, idsAtClock: true });
  const sandbox = await startSandbox(world, options);
  const {
    banks,
    providers: others,
    close: closeBanks,
  } = await startBanks(options.banks ?? [], clock, 'http://self.test');
  const [merchant, operators] = await Promise.all([startReceiver(), startReceiver()]);
  const log = pino({ level: 'silent' });
  const { db, newId } = world;
  const notifications = createNotifications({ db, clock, newId, log, key: NOTIFICATION_KEY, privateAddresses: true });
  const service = await startProviderService({
    make: () => createSandboxProvider({ url: sandbox.proxy.url, secret: SECRET, clock }),
    plan: PLAN,
    world,
    others,
    notifications,
  });
  sandbox.target = service.url;
  const { core, call } = service;
  const deps = { db, dispatch: core.dispatch, providers: core.providers, clock, newId, log };
  const alert = alertHandler({ ...deps, webhookUrl: operators.url, publicUrl: 'http://self.test' });
  let life = startLife();
  let lives = 0;

  function startLife() {
    const handlers = { ...providerHandlers(deps), notify: notifications.notifyHandler, alert };
    const listing = listingJob({ ...deps, jitter: () => 0 });
    return { handlers, jobs: sweeperJobs(deps), listing };
  }

  const time = timeTravel({
    clock,
    sql: world.sql,
    jobs: () => life.jobs,
    list: stop => (sandbox.gate.lists === 'rest' ? Promise.resolve() : life.listing.run(stop)),
    workOff: () =>
      workOff({ db, handlers: life.handlers, clock, random: systemRandom, newId, log, workerId: `whole-${++lives}` }),
    deliverWebhooks: () => (sandbox.gate.webhooks === 'hold' ? Promise.resolve() : sandbox.flush()),
  });
  await call('POST', '/v1/endpoints', { url: `${merchant.url}/hook` });

  return {
    ...service,
    ...time,
    ...sandbox.asked,
    ...customers(service, sandbox.asked.dashboard),
    banks,
    merchant,
    operators,
    effects: effectRig(service, core.providers),
    told: orderId => once(merchant, body => body.data?.orderId === orderId),
    alerts: orderId => once(operators, body => body.orderId === orderId),
    restart() {
      life = startLife();
    },
    async close() {
      await service.close();
      await sandbox.close();
      await closeBanks();
      await Promise.all([merchant.close(), operators.close()]);
    },
  };
}

/** Plans, orders and payments, by the API and the sandbox's pay page alone. */
function customers({ call, world }: ProviderService<SandboxProvider>, dashboard: WholeService['dashboard']) {
  const plan = async (more = {}, id = 'pro-monthly') => {
    const { status, body } = await call('PUT', `/v1/plans/${id}`, { ...PLAN, ...more });
    expect(status, JSON.stringify(body)).toBeLessThan(300);
  };
  let madePlan = false;
  const secret = decodeSecret(SECRET);
  const made: Pick<WholeService, 'plan' | 'buy' | 'pay' | 'comeBack' | 'webhooks' | 'deliver' | 'forge' | 'access'> = {
    async plan(more, id) {
      madePlan ||= id === undefined;
      await plan(more, id);
    },
    async buy({ userId = world.newId('req'), planId = 'pro-monthly', provider = 'sandbox', another } = {}) {
      if (planId === 'pro-monthly' && !madePlan) await made.plan();
      const asked = { userId, planId, provider, ...(another && { another }) };
      const key = { 'idempotency-key': world.newId('req') };
      const { status, body } = await call('POST', '/v1/checkouts', asked, key);
      expect(status, JSON.stringify(body)).toBe(201);
      const { providerOrderId, url } = body.checkout;
      return { id: body.order.id, userId, providerOrderId, url };
    },
    async pay({ providerOrderId }, story = 'succeed', { comesBack = false } = {}) {
      const run = await dashboard('POST', `/orders/${providerOrderId}/scenarios/${story}`);
      if (comesBack) await call('POST', '/v1/callbacks/sandbox', run.callback);
      return run.callback.paymentId;
    },
    comeBack({ providerOrderId }, paymentId) {
      const signature = hexHmac(secret, callbackText(providerOrderId, paymentId));
      return call('POST', '/v1/callbacks/sandbox', { providerOrderId, paymentId, signature });
    },
    webhooks: async ({ providerOrderId }) =>
      (await dashboard('GET', `/webhooks?providerOrderId=${providerOrderId}`)).webhooks.reverse(),
    deliver: webhookId => dashboard('POST', `/webhooks/${webhookId}/deliver`),
    forge(type, data) {
      const body = Buffer.from(JSON.stringify({ type, data }));
      const atS = Math.floor(world.clock().getTime() / 1_000);
      return call('POST', '/v1/webhooks/sandbox', body, signStandardWebhook(secret, world.newId('evt'), atS, body));
    },
    async access(userId, at) {
      const when = at === undefined ? '' : `&at=${encodeURIComponent(at)}`;
      return (await call('GET', `/v1/users/${userId}/access?product=pro${when}`)).body;
    },
  };
  return made;
}

/** The real sandbox server behind a network that can be broken, and a gate through which its webhooks go. */
async function startSandbox({ clock }: World, { faults, seed }: WholeOptions) {
  const dataDir = await mkdtemp(join(tmpdir(), 'whole-service-'));
  const gate: WholeService['gate'] = { webhooks: 'pass', lists: 'read' };
  const door = await startDoor(gate, () => started.target);
  const quiet = { info: () => undefined, warn: () => undefined };
  const { port } = door.address() as AddressInfo;
  const from = {
    port: 0,
    webhookUrl: `http://127.0.0.1:${port}/`,
    secret: SECRET,
    dataDir,
    clock,
    random: systemRandom,
  };
  const server = await startSandboxServer({ ...from, log: quiet });
  const proxy = await startFaultyProxy(server.localUrl, { ...(faults && { plan: faults }), ...(seed && { seed }) });
  let calls = 0;
  async function dashboard(method: string, path: string, body?: unknown): Promise<Json> {
    const headers = {
      authorization: `Bearer ${sandboxApiKey(decodeSecret(SECRET))}`,
      'idempotency-key': `dashboard-${++calls}`,
    };
    const sent = body === undefined ? {} : { body: JSON.stringify(body) };
    const response = await fetch(`${server.localUrl}/api${path}`, { method, headers, ...sent });
    const json = await response.json();
    if (!response.ok) throw new Error(`${method} ${path} was answered ${response.status} ${JSON.stringify(json)}`);
    return json;
  }
  // They go out when the test says, one after the other, not by the sandbox's own timers.
  await dashboard('POST', '/webhooks/pause');
  const started = {
    target: '',
    proxy,
    gate,
    asked: { dashboard, gate, proxy },
    flush: () => dashboard('POST', '/webhooks/flush'),
    async close() {
      await proxy.close();
      await server.close();
      await closeServer(door);
      await rm(dataDir, { recursive: true, force: true });
    },
  };
  return started;
}

async function startDoor(gate: { webhooks: Gate }, target: () => string): Promise<Server> {
  const door = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    if (gate.webhooks === 'lose') return void response.writeHead(200).end();
    if (gate.webhooks === 'refuse') return void response.writeHead(503).end();
    const signed = Object.entries(request.headers).filter(([name]) => /^(webhook-|content-type)/.test(name));
    const told = await fetch(`${target()}/v1/webhooks/sandbox`, {
      method: 'POST',
      headers: Object.fromEntries(signed) as Record<string, string>,
      body: Buffer.concat(chunks),
    });
    response.writeHead(told.status).end(await told.text());
  });
  await new Promise<void>(done => door.listen(0, '127.0.0.1', done));
  return door;
}

/** Messages are sent at least once under one id. */
function once({ calls }: Receiver, about: (body: Json) => boolean): Json[] {
  const messages = calls.map(({ headers, body }) => ({ headers, body: JSON.parse(body) })).filter(m => about(m.body));
  const byId = new Map(messages.map(({ headers, body }) => [headers['webhook-id'] ?? body.id, body]));
  return [...byId.values()];
}
