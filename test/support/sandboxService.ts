// The service with the real sandbox server as its only provider, reached through a network that can be broken. Its
// webhooks are held back: what the service knows it was told, or it asked.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemRandom } from '../../src/clock.ts';
import { createSandboxProvider } from '../../src/providers/sandbox/adapter.ts';
import { sandboxApiKey } from '../../src/providers/sandbox/keys.ts';
import { startSandboxServer } from '../../src/providers/sandbox/server.ts';
import { decodeSecret } from '../../src/providers/signatures.ts';
import { type FaultPlan, type FaultyProxy, startFaultyProxy } from './faultyProxy.ts';
import { type Json, SECRET } from './httpService.ts';
import { type Opened, type ProviderService, startProviderService } from './providerService.ts';
import { heldClock } from './world.ts';

export type SandboxService = ProviderService & {
  proxy: FaultyProxy;
  /** Calls the sandbox itself, past the broken network, as a person at its dashboard would. */
  dashboard(method: string, path: string, body?: unknown): Promise<Json>;
  /** The customer pays in the way of this scenario; the last payment it made. */
  pay(order: Pick<Opened, 'providerOrderId'>, scenario?: string): Promise<Json>;
  /** The payment as the sandbox has it. */
  there(paymentId: string): Promise<Json>;
};

export async function startSandboxService(options: { plan?: FaultPlan; seed?: number } = {}): Promise<SandboxService> {
  const clock = heldClock();
  const dataDir = await mkdtemp(join(tmpdir(), 'sandbox-service-'));
  const quiet = { info: () => undefined, warn: () => undefined };
  const webhookUrl = 'http://127.0.0.1:9/nobody';
  const from = { port: 0, webhookUrl, secret: SECRET, dataDir, clock, random: systemRandom, log: quiet };
  const server = await startSandboxServer(from);
  const proxy = await startFaultyProxy(server.localUrl, options);
  const service = await startProviderService({
    make: () => createSandboxProvider({ url: proxy.url, secret: SECRET, clock }),
    plan: { amountMinor: 49_900, currency: 'INR' },
    clock,
  });
  let calls = 0;
  async function dashboard(method: string, path: string, body?: unknown): Promise<Json> {
    const response = await fetch(`${server.localUrl}/api${path}`, {
      method,
      headers: {
        authorization: `Bearer ${sandboxApiKey(decodeSecret(SECRET))}`,
        'idempotency-key': `dashboard-${++calls}`,
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const json = await response.json();
    if (!response.ok) throw new Error(`${method} ${path} was answered ${response.status} ${JSON.stringify(json)}`);
    return json;
  }
  await dashboard('POST', '/webhooks/pause');
  return {
    ...service,
    proxy,
    dashboard,
    async pay({ providerOrderId }, scenario = 'succeed') {
      return (await dashboard('POST', `/orders/${providerOrderId}/scenarios/${scenario}`)).payments.at(-1);
    },
    there: paymentId => dashboard('GET', `/payments/${paymentId}`),
    async close() {
      await service.close();
      await proxy.close();
      await server.close();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}
