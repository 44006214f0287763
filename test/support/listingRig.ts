// Reconciliation by listing, driven by hand: runs are made one round after the other, with the clock set on between them.
// For the sandbox there is the real server too, and a gate through which its webhooks pass, or are lost.
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { systemRandom } from '../../src/clock.ts';
import { createSandboxProvider, type SandboxProvider } from '../../src/providers/sandbox/adapter.ts';
import { sandboxApiKey } from '../../src/providers/sandbox/keys.ts';
import { startSandboxServer } from '../../src/providers/sandbox/server.ts';
import { decodeSecret } from '../../src/providers/signatures.ts';
import { createPaymentListing, type PaymentListing } from '../../src/reconcile/listPayments.ts';
import { type Json, SECRET } from './httpService.ts';
import { type Opened, type ProviderService, startProviderService } from './providerService.ts';
import { closeServer } from './sandboxRig.ts';
import { heldClock } from './world.ts';

const NEVER_STOPS = new AbortController().signal;
const silent = pino({ level: 'silent' });

type Served = Pick<ProviderService, 'world' | 'core' | 'provider'>;

/** A replica's listing, with a memory of its own. */
export function listingOf({ world, core, provider }: Served): PaymentListing {
  const { db, clock, newId } = world;
  const providers = new Map([[provider.name, provider]]);
  return createPaymentListing({ db, dispatch: core.dispatch, providers, clock, newId, log: silent, jitter: () => 0 });
}

export function later({ world }: Pick<ProviderService, 'world'>, minutes: number): void {
  world.clock.set(new Date(world.clock().getTime() + minutes * 60_000).toISOString());
}

/** Rounds, a minute apart, until nothing that was begun is left to do. */
export async function reconcile(service: Served, listing: PaymentListing = listingOf(service)): Promise<void> {
  for (let rounds = 0; rounds < 50; rounds++) {
    await listing.run(NEVER_STOPS);
    const open = (await service.core.reconciliation.progress()).filter(({ underWay }) => underWay);
    if (open.length === 0) return;
    later(service, 16);
  }
  throw new Error('the listing never came to its end');
}

/** Begins a run from so many days back, as an operator does, and makes it. */
export async function reconcileFrom(service: Served, days: number): Promise<void> {
  // What was done just now has to lie before the run begins.
  later(service, 1);
  const since = new Date(service.world.clock().getTime() - days * 86_400_000);
  await service.core.reconciliation.start(service.provider.name, since, 'a webhook was lost');
  await reconcile(service);
}

export type SandboxRig = ProviderService<SandboxProvider> & {
  /** What becomes of webhooks: they pass, are lost for ever, or are refused and come again. */
  gate: { webhooks: 'pass' | 'lose' | 'refuse' };
  /** Between service and sandbox: how many payments a page has, what is answered instead, and what was asked. */
  net: { pageSize: number; instead: (url: URL) => Response | undefined | Promise<Response | undefined>; asked: URL[] };
  /** The sandbox's own API. */
  api(method: string, path: string, body?: unknown): Promise<Json>;
  /** A story at the sandbox, the browser not coming back unless `comesBack`. */
  play(order: Opened, story: string, comesBack?: boolean): Promise<Json>;
  /** Waits until every webhook was answered, or is not to be sent. */
  webhooksSettled(): Promise<void>;
};

export async function startSandboxRig(): Promise<SandboxRig> {
  const dataDir = await mkdtemp(join(tmpdir(), 'listing-test-'));
  // Ids carry the time they were made at; what is looked for by their time needs a clock that stands in it.
  const clock = heldClock(new Date().toISOString());
  const gate: SandboxRig['gate'] = { webhooks: 'pass' };
  const net: SandboxRig['net'] = { pageSize: 100, instead: () => undefined, asked: [] };
  let target = '';
  const door = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    if (gate.webhooks !== 'pass') return void response.writeHead(gate.webhooks === 'lose' ? 200 : 503).end();
    const headers = Object.fromEntries(
      Object.entries(request.headers).filter(([name]) => /^(webhook|content)-/.test(name)),
    );
    delete headers['content-length'];
    const told = await fetch(`${target}/v1/webhooks/sandbox`, {
      method: 'POST',
      headers: headers as Record<string, string>,
      body: Buffer.concat(chunks),
    });
    response.writeHead(told.status).end(await told.text());
  });
  await new Promise<void>(done => door.listen(0, '127.0.0.1', done));
  const sandbox = await startSandboxServer({
    port: 0,
    webhookUrl: `http://127.0.0.1:${(door.address() as AddressInfo).port}/`,
    secret: SECRET,
    dataDir,
    clock,
    random: systemRandom,
    log: silent,
    timing: { retryBaseMs: 5, retryMaxMs: 20 },
  });
  const service = await startProviderService({
    make: () => createSandboxProvider({ url: sandbox.url, secret: SECRET, clock, fetch: fetchThrough(net) }),
    plan: { amountMinor: 49_900, currency: 'INR' },
    clock,
  });
  target = service.url;

  async function api(method: string, path: string, body?: unknown): Promise<Json> {
    const headers = { authorization: `Bearer ${sandboxApiKey(decodeSecret(SECRET))}` };
    const sent = body === undefined ? {} : { body: JSON.stringify(body) };
    const response = await fetch(`${sandbox.url}/api${path}`, { method, headers, ...sent });
    const told = await response.json();
    if (!response.ok) throw new Error(`the sandbox answered ${response.status} ${JSON.stringify(told)}`);
    return told;
  }

  return {
    ...service,
    gate,
    net,
    api,
    async play({ providerOrderId }, story, comesBack = false) {
      const run = await api('POST', `/orders/${providerOrderId}/scenarios/${story}`);
      if (comesBack) await service.call('POST', '/v1/callbacks/sandbox', run.callback);
      return run;
    },
    async webhooksSettled() {
      for (;;) {
        const { webhooks } = await api('GET', '/webhooks');
        if (webhooks.every(({ status }: Json) => status !== 'pending')) return;
        await new Promise(done => setTimeout(done, 5));
      }
    },
    async close() {
      await service.close();
      await sandbox.close();
      await closeServer(door);
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}

function fetchThrough(net: SandboxRig['net']): typeof fetch {
  return (async (input: URL, init: RequestInit) => {
    const url = new URL(input);
    if (url.searchParams.has('limit')) url.searchParams.set('limit', String(net.pageSize));
    net.asked.push(url);
    return (await net.instead(url)) ?? fetch(url, init);
  }) as typeof fetch;
}
