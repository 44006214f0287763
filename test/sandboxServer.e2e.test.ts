// The sandbox server over real HTTP, with a receiver standing where the service would: every story, webhooks until they
// are heard, a memory that outlives the process, and the pay page.
import { appendFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { systemClock, systemRandom } from '../src/clock.ts';
import { BadSignature, ProviderRefused, ProviderUnreachable } from '../src/errors.ts';
import type { IncomingCall } from '../src/providers/provider.ts';
import { createSandboxProvider } from '../src/providers/sandbox/adapter.ts';
import { sandboxApiKey } from '../src/providers/sandbox/keys.ts';
import { type SandboxServer, type SandboxServerOptions, startSandboxServer } from '../src/providers/sandbox/server.ts';
import { formatAmount } from '../src/providers/sandbox/serverPayPage.ts';
import { PAY_SCENARIOS } from '../src/providers/sandbox/serverScenarios.ts';
import { decodeSecret } from '../src/providers/signatures.ts';

const secret = `whsec_${Buffer.alloc(32, 9).toString('base64')}`;
const apiKey = sandboxApiKey(decodeSecret(secret));
const silent = { info: () => undefined, warn: () => undefined };
/** Prompt retries, and a "late" webhook nobody will wait for. */
const timing = { retryBaseMs: 5, retryMaxMs: 20, lateMs: 3_600_000 };

type Receiver = {
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
    receiver.calls.push({
      body: Buffer.concat(chunks),
      headers,
      query: {},
      contentType: headers['content-type'] ?? '',
    });
    response.writeHead(await (receiver.answers.shift() ?? 200)).end();
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  receiver.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1/webhooks/sandbox`;
  return receiver;
}

function closeServer(server: Server): Promise<void> {
  server.closeAllConnections();
  return new Promise(resolve => server.close(() => resolve()));
}

let dataDir: string;
let receiver: Receiver;
let server: SandboxServer;

async function start(options: Partial<SandboxServerOptions> = {}): Promise<SandboxServer> {
  const base = { port: 0, webhookUrl: receiver.url, secret, dataDir, clock: systemClock, random: systemRandom };
  server = await startSandboxServer({ ...base, log: silent, timing, ...options });
  return server;
}

beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'sandbox-test-'));
  receiver = await startReceiver();
  await start();
});

afterEach(async () => {
  await server.close();
  await receiver.close();
  await rm(dataDir, { recursive: true, force: true });
});

// Loosely typed on purpose: what the API answers is part of what is tested.
// biome-ignore lint/suspicious/noExplicitAny: answers of the API under test
type Json = any;

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
const open = async (change: Partial<Json> = {}) => (await provider().createCheckout(request(change))).providerOrderId;
const scenario = async (id: string, name: string, key?: string) =>
  (await api('POST', `/orders/${id}/scenarios/${name}`, undefined, key)).json;
const bodies = () => receiver.calls.map(call => JSON.parse(Buffer.from(call.body).toString()));
const types = () => bodies().map(body => body.type);
const received = (count: number) => vi.waitFor(() => expect(receiver.calls).toHaveLength(count), 10_000);
const webhooks = async (): Promise<Json[]> => (await api('GET', '/webhooks')).json.webhooks;
const allDelivered = () =>
  vi.waitFor(async () => expect((await webhooks()).map(webhook => webhook.status)).not.toContain('pending'), 10_000);

describe('the service and the sandbox', () => {
  it('agree on an order, and on it being one however often it is asked for', async () => {
    const [first, second] = await Promise.all([
      provider().createCheckout(request()),
      provider().createCheckout(request()),
    ]);
    expect(first).toEqual(second);
    expect(first.providerOrderId).toMatch(/^sbo_[0-9a-z]+$/);
    expect(first.url).toBe(`${server.url}/pay/${first.providerOrderId}`);
    await expect(provider().createCheckout(request({ amountMinor: 1 }))).rejects.toThrow(ProviderRefused);
    const moved = await provider().createCheckout(request({ callbackUrl: 'http://elsewhere.test/' }));
    expect(moved.providerOrderId).toBe(first.providerOrderId);
  });

  it('agree on the payment when the browser comes back', async () => {
    const id = await open();
    const { callback, payments } = await scenario(id, 'succeed');
    const call = {
      body: Buffer.from(JSON.stringify(callback)),
      headers: {},
      query: {},
      contentType: 'application/json',
    };
    const event = {
      type: 'payment.captured',
      paymentId: payments[0].paymentId,
      amountMinor: 49900,
      currency: 'INR',
      occurredAt: payments[0].occurredAt,
    };
    expect(await provider().parseCallback(call)).toMatchObject({ providerOrderId: id, event });
    await received(1);
    // The webhook says the very same thing: time and all.
    expect(provider().parseWebhook(receiver.calls[0]!)).toMatchObject({ providerOrderId: id, event });
  });

  it('do not agree on payments of other orders or on unknown ones', async () => {
    const [one, two] = [await open(), await open({ orderId: 'ord_2' })];
    const { callback } = await scenario(one, 'succeed');
    const swapped = { ...callback, providerOrderId: two };
    const call = { body: Buffer.from(''), headers: {}, query: swapped, contentType: '' };
    await expect(provider().parseCallback(call)).rejects.toThrow(BadSignature);
    await expect(provider().fetchPayment('pay_nobody')).rejects.toThrow(ProviderRefused);
  });

  it('know that no answer is not a no', async () => {
    const away = provider();
    await server.close();
    await expect(away.createCheckout(request())).rejects.toThrow(ProviderUnreachable);
    await start();
  });
});

describe('each story', () => {
  it.each([
    ['succeed', ['captured'], ['payment.captured']],
    ['fail', ['failed'], ['payment.failed']],
    ['fail-then-succeed', ['failed', 'captured'], ['payment.failed', 'payment.captured']],
    ['pay-twice', ['captured', 'captured'], ['payment.captured', 'payment.captured']],
    ['wrong-amount', ['captured'], ['payment.captured']],
    ['authorize-only', ['authorized'], ['payment.authorized']],
    ['webhook-first', ['captured'], ['payment.captured']],
    ['webhook-twice', ['captured'], ['payment.captured', 'payment.captured']],
    ['callback-never', ['captured'], ['payment.captured']],
  ])('%s: payments %j, webhooks %j', async (name, states, expected) => {
    const id = await open();
    const { payments, callback } = await scenario(id, name);
    expect(payments.map((payment: Json) => payment.state)).toEqual(states);
    expect(callback).toMatchObject({ providerOrderId: id, paymentId: payments.at(-1).paymentId });
    const amounts = payments.map((payment: Json) => payment.amountMinor);
    expect(amounts).toEqual(states.map(() => (name === 'wrong-amount' ? 24950 : 49900)));
    await received(expected.length);
    await allDelivered();
    expect(types()).toEqual(expected);
    for (const call of receiver.calls) expect(provider().parseWebhook(call).event).not.toBeNull();
    const ids = new Set(receiver.calls.map(call => call.headers['webhook-id']));
    expect(ids.size).toBe(name === 'webhook-twice' ? 1 : expected.length);
  });

  it('has a test or a place in the table above', () => {
    const elsewhere = ['webhook-late', 'webhook-never'];
    expect(PAY_SCENARIOS.size).toBe(9 + elsewhere.length);
  });

  it('webhook-first answers only once the webhook was answered', async () => {
    const id = await open();
    let answer = (_status: number) => {};
    receiver.answers.push(new Promise(resolve => (answer = resolve)));
    let finished = false;
    const story = scenario(id, 'webhook-first').finally(() => (finished = true));
    await received(1);
    // A full round trip to the server in between: had it answered, we would know.
    await webhooks();
    expect(finished).toBe(false);
    answer(200);
    await story;
  });

  it('fail-then-succeed tells of the success only after the failure was told', async () => {
    const id = await open();
    let answer = (_status: number) => {};
    receiver.answers.push(new Promise(resolve => (answer = resolve)));
    await scenario(id, 'fail-then-succeed');
    await received(1);
    await webhooks();
    expect(types()).toEqual(['payment.failed']);
    answer(500);
    await received(3);
    await allDelivered();
    expect(types().slice(1).sort()).toEqual(['payment.captured', 'payment.failed']);
  });

  it('webhook-late is not due for a while, and can be hurried', async () => {
    await scenario(await open(), 'webhook-late');
    const [late] = await webhooks();
    expect(late).toMatchObject({ status: 'pending', attempts: 0 });
    expect(new Date(late.nextAttemptAt).getTime()).toBeGreaterThan(Date.now() + timing.lateMs / 2);
    expect((await api('POST', '/webhooks/flush')).json.sent).toEqual([
      { webhookId: late.webhookId, status: 'delivered', lastAnswer: '200' },
    ]);
    expect(types()).toEqual(['payment.captured']);
  });

  it('webhook-never is never sent, unless it is sent by name', async () => {
    await scenario(await open(), 'webhook-never');
    expect((await api('POST', '/webhooks/flush')).json.sent).toEqual([]);
    const [withheld] = await webhooks();
    expect(withheld.status).toBe('withheld');
    expect(receiver.calls).toHaveLength(0);
    await api('POST', `/webhooks/${withheld.webhookId}/deliver`);
    expect(types()).toEqual(['payment.captured']);
  });

  it('is told once per key', async () => {
    const id = await open();
    const [first, second] = await Promise.all([scenario(id, 'pay-twice', 'k1'), scenario(id, 'pay-twice', 'k1')]);
    expect(second.payments).toEqual(first.payments);
    expect((await scenario(id, 'pay-twice', 'k2')).payments).not.toEqual(first.payments);
    expect((await api('GET', `/orders/${id}`)).json.payments).toHaveLength(4);
  });

  it('of money that was paid: refunds and disputes, each later than the one before even within one millisecond', async () => {
    await server.close();
    const instant = new Date();
    await start({ clock: () => instant });
    const id = await open();
    const before = await api('POST', `/orders/${id}/scenarios/refund`);
    expect(before).toMatchObject({ status: 409, json: { code: 'not_captured' } });
    await scenario(id, 'succeed');
    await api('POST', '/webhooks/pause');
    const stories = ['partial-refund', 'refund', 'refund-fails', 'dispute-opened', 'dispute-lost', 'dispute-won'];
    const states: Json[] = [];
    for (const name of stories) states.push((await scenario(id, name)).payments[0]);
    expect(states.map(payment => payment.heldMinor)).toEqual([24950, 0, 24950, 24950, 24950, 24950]);
    expect(states.at(-1).disputes).toMatchObject([{ state: 'won', amountMinor: 49900 }]);
    const times = states.at(-1).refunds.map((refund: Json) => refund.occurredAt);
    expect(new Set(times).size).toBe(times.length);

    await api('POST', '/webhooks/flush');
    await allDelivered();
    const seen = bodies().slice(1);
    expect(seen.map(body => [body.type, body.data.amountMinor])).toEqual([
      ['refund.completed', 24950],
      ['refund.completed', 24950],
      ['refund.failed', 24950],
      ['dispute.opened', 49900],
      ['dispute.lost', 49900],
      ['dispute.won', 49900],
    ]);
    expect(seen[2].data.refundId).toBe(seen[1].data.refundId);
    expect(new Set(seen.slice(3).map(body => body.data.disputeId)).size).toBe(1);
    const timestamps = seen.map(body => body.timestamp);
    expect([...new Set(timestamps)].sort()).toEqual(timestamps);
    expect((await api('POST', `/orders/${id}/scenarios/nonsense`)).status).toBe(404);
  });
});

describe('webhooks', () => {
  it('come again under the same id, signed afresh, until they are answered with 2xx', async () => {
    receiver.answers.push(500, 302, 404);
    await scenario(await open(), 'succeed');
    await received(4);
    await allDelivered();
    expect(new Set(receiver.calls.map(call => call.headers['webhook-id'])).size).toBe(1);
    expect(new Set(receiver.calls.map(call => Buffer.from(call.body).toString())).size).toBe(1);
    for (const call of receiver.calls) expect(provider().parseWebhook(call).event).not.toBeNull();
    expect((await webhooks())[0]).toMatchObject({ status: 'delivered', attempts: 4, lastAnswer: '200' });
  });

  it('can be held back and sent in any order', async () => {
    await api('POST', '/webhooks/pause');
    await scenario(await open(), 'fail-then-succeed');
    const [captured, failed] = await webhooks();
    await api('POST', `/webhooks/${captured.webhookId}/deliver`);
    await api('POST', `/webhooks/${failed.webhookId}/deliver`);
    expect(types()).toEqual(['payment.captured', 'payment.failed']);
    await scenario(await open({ orderId: 'ord_2' }), 'succeed');
    await api('POST', '/webhooks/resume');
    await received(3);
  });

  it('are given up after their attempts and can still be sent by name', async () => {
    await api('POST', '/webhooks/pause');
    receiver.answers.push(...Array(30).fill(500));
    await scenario(await open(), 'succeed');
    await api('POST', '/webhooks/resume');
    await vi.waitFor(async () => expect((await webhooks())[0].status).toBe('dead'), 10_000);
    expect(receiver.calls).toHaveLength(30);
    await api('POST', `/webhooks/${(await webhooks())[0].webhookId}/deliver`);
    expect((await webhooks())[0]).toMatchObject({ status: 'delivered', attempts: 31 });
  });
});

describe('a restart', () => {
  it('forgets nothing: orders, payments, keys, webhooks under way, and the port of the pay links', async () => {
    await api('POST', '/webhooks/pause');
    const id = await open();
    const told = await scenario(id, 'pay-twice', 'k1');
    const before = (await api('GET', `/orders/${id}`)).json;
    const waiting = (await webhooks()).map(webhook => webhook.webhookId).sort();
    const { url } = server;
    await server.close();
    expect(receiver.calls).toHaveLength(0);

    await start();
    expect(server.url).toBe(url);
    await received(2);
    expect(receiver.calls.map(call => call.headers['webhook-id']).sort()).toEqual(waiting);
    expect((await api('GET', `/orders/${id}`)).json).toEqual(before);
    expect(await open()).toBe(id);
    expect((await scenario(id, 'pay-twice', 'k1')).payments).toEqual(told.payments);
  });

  it('in the middle of a delivery repeats it under its id', async () => {
    let answer = (_status: number) => {};
    receiver.answers.push(new Promise(resolve => (answer = resolve)));
    await scenario(await open(), 'succeed');
    await received(1);
    await server.close();
    answer(200);
    await start();
    await received(2);
    expect(receiver.calls[0]!.headers['webhook-id']).toBe(receiver.calls[1]!.headers['webhook-id']);
    await allDelivered();
    expect(await webhooks()).toMatchObject([{ status: 'delivered', attempts: 1 }]);
  });

  it('sends nothing again that was accepted', async () => {
    await scenario(await open(), 'succeed');
    await allDelivered();
    await server.close();
    await start();
    expect(await webhooks()).toMatchObject([{ status: 'delivered', attempts: 1 }]);
    expect(receiver.calls).toHaveLength(1);
  });

  it('takes another port when its own is somebody else’s now', async () => {
    const { port } = server;
    await server.close();
    const squatter = createServer();
    await new Promise<void>(resolve => squatter.listen(port, '127.0.0.1', resolve));
    await start();
    expect(server.port).not.toBe(port);
    await closeServer(squatter);
    const moved = server.port;
    await server.close();
    await start();
    expect(server.port).toBe(moved);
  });

  it('says so when it is told a port that is taken', async () => {
    await expect(start({ port: server.port, dataDir: join(dataDir, 'other') })).rejects.toThrow(/EADDRINUSE/);
  });

  it('drops a line that was being written when the process died, and nothing else', async () => {
    const id = await open();
    await server.close();
    await appendFile(join(dataDir, 'sandbox', 'orders.jsonl'), '{"providerOrderId":"sbo_half');
    await start();
    expect((await api('GET', `/orders/${id}`)).status).toBe(200);
    const second = await open({ orderId: 'ord_2' });
    await server.close();
    await start();
    expect((await api('GET', `/orders/${second}`)).status).toBe(200);
  });

  it('refuses a journal that is damaged elsewhere, rather than forget money', async () => {
    await open();
    await server.close();
    const path = join(dataDir, 'sandbox', 'orders.jsonl');
    const text = await readFile(path, 'utf8');
    await writeFile(path, `{"broken\n${text}`);
    await expect(start()).rejects.toThrow(/Line 1 of .*orders\.jsonl cannot be read/);
    await writeFile(path, text);
    await start();
  });

  it('is not needed for an answer to be on disk', async () => {
    const id = await open();
    const { payments } = await scenario(id, 'webhook-never');
    expect(await readFile(join(dataDir, 'sandbox', 'orders.jsonl'), 'utf8')).toContain(payments[0].paymentId);
  });
});

describe('the API', () => {
  it('is closed to whoever lacks the key', async () => {
    for (const authorization of ['', 'Bearer ', `Bearer ${'0'.repeat(64)}`, apiKey, `Bearer ${secret}`]) {
      const response = await fetch(`${server.url}/api/payments`, { headers: { authorization } });
      expect(response.status).toBe(401);
    }
    expect((await fetch(`${server.url}/health`)).status).toBe(200);
  });

  it('captures and voids what is authorised, as often as it is asked', async () => {
    const id = await open();
    const [one, two] = [await scenario(id, 'authorize-only'), await scenario(id, 'authorize-only')];
    const [taken, given] = [one.payments[0].paymentId, two.payments[0].paymentId];
    for (let times = 0; times < 2; times++) {
      expect(await api('POST', `/payments/${taken}/capture`)).toMatchObject({
        status: 200,
        json: { state: 'captured' },
      });
      expect(await api('POST', `/payments/${given}/void`)).toMatchObject({ status: 200, json: { state: 'canceled' } });
    }
    expect((await api('POST', `/payments/${taken}/void`)).status).toBe(409);
    expect((await api('POST', `/payments/${given}/capture`)).status).toBe(409);
    await received(4);
    expect(types().slice(2).sort()).toEqual(['payment.canceled', 'payment.captured']);
    expect(await provider().fetchPayment(given)).toMatchObject({ state: 'canceled', paymentId: given });
  });

  it('refunds up to what is held, once per key', async () => {
    const { payments } = await scenario(await open(), 'succeed');
    const path = `/payments/${payments[0].paymentId}/refunds`;
    expect((await api('POST', path, { amountMinor: 1 })).status).toBe(400);
    const first = await api('POST', path, { amountMinor: 40000 }, 'r1');
    expect(first).toMatchObject({ status: 200, json: { state: 'completed', amountMinor: 40000 } });
    expect(await api('POST', path, { amountMinor: 40000 }, 'r1')).toEqual(first);
    expect(await api('POST', path, { amountMinor: 1 }, 'r1')).toMatchObject({ status: 422 });
    expect(await api('POST', path, { amountMinor: 9901 }, 'r2')).toMatchObject({ status: 422 });
    expect(await api('POST', path, { amountMinor: 0.5 }, 'r2')).toMatchObject({ status: 400 });
    expect(await api('POST', path, undefined, 'r2')).toMatchObject({ status: 200, json: { amountMinor: 9900 } });
    expect(await api('POST', path, undefined, 'r3')).toMatchObject({ status: 422, json: { code: 'refund_too_large' } });
  });

  it('lists payments in pages along their changes', async () => {
    const id = await open();
    const made: string[] = [];
    for (let count = 0; count < 5; count++) made.push((await scenario(id, 'authorize-only')).payments[0].paymentId);
    const first = (await api('GET', '/payments?limit=2')).json;
    expect(first.payments.map((payment: Json) => payment.paymentId)).toEqual(made.slice(0, 2));
    await api('POST', `/payments/${made[0]}/capture`);
    const rest = (await api('GET', `/payments?limit=10&cursor=${first.nextCursor}`)).json;
    expect(rest.payments.map((payment: Json) => payment.paymentId)).toEqual([...made.slice(2), made[0]]);
    expect(rest.nextCursor).toBeNull();
    const since = encodeURIComponent(rest.payments.at(-1).updatedAt);
    expect((await api('GET', `/payments?since=${since}`)).json.payments).toMatchObject([{ paymentId: made[0] }]);
    for (const query of ['limit=0', 'limit=201', 'limit=x', 'since=yesterday', 'cursor=-1']) {
      expect((await api('GET', `/payments?${query}`)).status).toBe(400);
    }
  });

  it('finds an order by the service’s id and closes it while nothing is held', async () => {
    const id = await open();
    expect((await api('GET', '/orders?orderId=ord_1')).json.orders).toMatchObject([
      { providerOrderId: id, status: 'open' },
    ]);
    expect((await api('GET', '/orders?orderId=ord_9')).json.orders).toEqual([]);
    for (let times = 0; times < 2; times++) {
      expect(await api('POST', `/orders/${id}/close`)).toMatchObject({ status: 200, json: { status: 'closed' } });
    }
    await scenario(id, 'succeed');
    expect((await api('GET', `/orders/${id}`)).json.status).toBe('paid');
    expect((await api('POST', `/orders/${await open({ orderId: 'ord_2' })}/close`)).status).toBe(200);
    const held = await open({ orderId: 'ord_3' });
    await scenario(held, 'authorize-only');
    expect((await api('POST', `/orders/${held}/close`)).status).toBe(409);
  });

  it('answers nonsense with a reason and goes on', async () => {
    const bad = [
      request({ amountMinor: 0 }),
      request({ amountMinor: 1.5 }),
      request({ currency: 'inr' }),
      request({ callbackUrl: 'javascript:alert(1)' }),
      request({ orderId: 'x y' }),
      [],
      null,
    ];
    for (const body of bad) expect(await api('POST', '/orders', body, 'ord_1')).toMatchObject({ status: 400 });
    expect(await api('POST', '/orders', request(), 'ord_other')).toMatchObject({ status: 400 });
    expect(await api('POST', '/orders', { ...request(), more: 'x'.repeat(20_000) }, 'ord_1')).toMatchObject({
      status: 413,
    });
    expect(await api('GET', '/nothing')).toMatchObject({ status: 404, json: { code: 'not_found' } });
    expect(await open()).toMatch(/^sbo_/);
  });

  it('takes a bounded number of payments per order', async () => {
    await api('POST', '/webhooks/pause');
    const id = await open();
    for (let count = 0; count < 50; count++) await scenario(id, 'pay-twice');
    expect(await api('POST', `/orders/${id}/scenarios/succeed`)).toMatchObject({ status: 409 });
    expect((await api('GET', `/orders/${id}`)).json.payments).toHaveLength(100);
  });
});

describe('the pay page', () => {
  const page = async (id: string) => {
    const response = await fetch(`${server.url}/pay/${id}`);
    return { response, html: await response.text() };
  };
  const press = (id: string, fields: Record<string, string>) =>
    fetch(`${server.url}/pay/${id}`, { method: 'POST', redirect: 'manual', body: new URLSearchParams(fields) });
  const attemptOf = (html: string) => /name="attempt" value="([^"]+)"/.exec(html)![1]!;

  it('shows the amount and a button for every story', async () => {
    const { response, html } = await page(await open());
    expect(response.status).toBe(200);
    expect(html).toContain('₹499.00');
    const buttons = [...html.matchAll(/<button[^>]*name="scenario" value="([^"]+)"/g)].map(match => match[1]);
    expect(buttons.sort()).toEqual([...PAY_SCENARIOS.keys()].sort());
  });

  it('sends the browser back with a signed callback, whatever query the callback had', async () => {
    const id = await open();
    const response = await press(id, { scenario: 'succeed', attempt: attemptOf((await page(id)).html) });
    expect(response.status).toBe(303);
    const url = new URL(response.headers.get('location')!);
    expect(url.origin + url.pathname).toBe('http://shop.test/v1/callbacks/sandbox');
    expect(url.searchParams.get('from')).toBe('pay');
    const call = { body: Buffer.from(''), headers: {}, query: Object.fromEntries(url.searchParams), contentType: '' };
    expect(await provider().parseCallback(call)).toMatchObject({ event: { type: 'payment.captured' } });
    await received(1);
  });

  it('takes a double click as one payment, and a page shown again as another', async () => {
    const id = await open();
    const attempt = attemptOf((await page(id)).html);
    const clicks = await Promise.all([1, 2, 3].map(() => press(id, { scenario: 'succeed', attempt })));
    expect(new Set(clicks.map(click => click.headers.get('location'))).size).toBe(1);
    const { html } = await page(id);
    expect(html).toContain('This order is paid.');
    expect(attemptOf(html)).not.toBe(attempt);
    await press(id, { scenario: 'succeed', attempt: attemptOf(html) });
    expect((await api('GET', `/orders/${id}`)).json.payments).toHaveLength(2);
  });

  it('leaves the browser where it is when the customer never comes back', async () => {
    const id = await open();
    const response = await press(id, { scenario: 'callback-never', attempt: 'a' });
    expect(response.headers.get('location')).toBe(`${server.url}/pay/${id}`);
    await received(1);
  });

  it('escapes what orders hold and allows no script', async () => {
    const planId = '"><script>alert(1)</script>';
    const { response, html } = await page(await open({ planId, userId: "<img/onerror='x'>" }));
    expect(html).not.toMatch(/<script|<img|\sstyle=|\son\w+=/);
    expect(html).toContain('&quot;&gt;&lt;script&gt;');
    const policy = response.headers.get('content-security-policy')!;
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy).not.toContain('unsafe');
    const css = await fetch(`${server.url}/assets/pay.css`);
    expect(css.headers.get('content-type')).toContain('text/css');
  });

  it('of a closed order takes no payment', async () => {
    const id = await open();
    await api('POST', `/orders/${id}/close`);
    expect((await page(id)).html).toContain('takes no more payments');
    expect((await press(id, { scenario: 'succeed', attempt: 'a' })).status).toBe(410);
    expect((await api('GET', `/orders/${id}`)).json.payments).toEqual([]);
  });

  it('refuses forms it did not make and orders it does not know', async () => {
    const id = await open();
    for (const fields of [
      {},
      { scenario: 'refund', attempt: 'a' },
      { scenario: 'succeed' },
      { scenario: 'succeed', attempt: ' ' },
    ]) {
      expect((await press(id, fields as Record<string, string>)).status).toBe(400);
    }
    expect((await press(id, { scenario: 'succeed', attempt: 'x'.repeat(5_000) })).status).toBe(413);
    expect((await page('sbo_unknown')).response.status).toBe(404);
  });

  it.each([
    [500, 'JPY', '¥500'],
    [500, 'KWD', 'KWD 0.500'],
    [49900, 'INR', '₹499.00'],
    [5, 'USD', '$0.05'],
    [123456789, 'RUB', 'RUB 1,234,567.89'],
  ])('writes %i %s as %s', (amountMinor, currency, text) => {
    expect(formatAmount(amountMinor, currency).replace(/\s/gu, ' ')).toBe(text);
  });
});
