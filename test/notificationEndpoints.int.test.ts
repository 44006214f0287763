// Endpoints and notifications through the API: limits, secrets shown once, addresses checked when they are given and again
// when they are called, pages of what was told.
import { createServer as createTcpServer } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { MAX_ENDPOINTS } from '../src/notifications/notification.ts';
import { createNotifications } from '../src/notifications/notifications.ts';
import { decodeSecret, verifyStandardWebhook } from '../src/providers/signatures.ts';
import {
  API_KEY,
  checkOut,
  type Json,
  NOTIFICATION_KEY,
  pay,
  type Service,
  startService,
} from './support/httpService.ts';
import { type Receiver, startReceiver } from './support/merchantReceiver.ts';

let service: Service;
let shop: Receiver;
beforeAll(async () => {
  service = await startService();
  shop = await startReceiver();
});
afterAll(() => Promise.all([service.close(), shop.close()]));
afterEach(async () => {
  await service.world.sql`delete from endpoints`;
  Object.assign(shop, { calls: [], next: [], otherwise: { status: 204 } });
});

const call = (method: string, path: string, body?: unknown) =>
  service.call(method, path, { key: API_KEY, ...(body !== undefined && { body }) });
const add = async (body: object) => (await call('POST', '/v1/endpoints', body)).body;
const strict = (more: object = {}) => {
  const { db, clock, newId } = service.world;
  const log = { info() {}, warn() {}, error() {} } as never;
  return createNotifications({ db, clock, newId, log, key: NOTIFICATION_KEY, privateAddresses: false, ...more });
};

describe('endpoints', () => {
  test('are made, read, changed, disabled, enabled and removed; the secret is shown when it is made and never again', async () => {
    const made = await call('POST', '/v1/endpoints', { url: `${shop.url}/hook`, topics: ['order.failed'] });
    expect(made.status).toBe(201);
    const { endpoint, secret } = made.body;
    expect(endpoint).toMatchObject({ topics: ['order.failed'], enabled: true, generation: 1, previousUntil: null });
    expect(decodeSecret(secret)).toHaveLength(32);
    const path = `/v1/endpoints/${endpoint.id}`;
    expect((await call('GET', path)).body).toEqual(endpoint);
    expect((await call('GET', '/v1/endpoints')).body).toEqual({ endpoints: [endpoint] });
    expect((await call('PATCH', path, { topics: null, url: `${shop.url}/new` })).body).toMatchObject({
      topics: null,
      url: `${shop.url}/new`,
      enabled: true,
    });
    const off = (await call('PATCH', path, { enabled: false })).body;
    expect(off).toMatchObject({ enabled: false, disabledReason: 'Disabled by hand.', url: `${shop.url}/new` });
    expect((await call('PATCH', path, { enabled: true })).body).toMatchObject({ enabled: true, disabledReason: null });
    for (const seen of [await call('GET', path), await call('GET', '/v1/endpoints')]) {
      expect(seen.text).not.toContain('whsec_');
    }
    const gone = await call('DELETE', path);
    expect([gone.status, gone.text]).toEqual([204, '']);
    for (const [method, more] of [
      ['GET', ''],
      ['DELETE', ''],
      ['POST', '/rotate'],
      ['POST', '/test'],
    ] as const) {
      expect((await call(method, path + more)).status, method + more).toBe(404);
    }
    expect((await call('PATCH', path, { enabled: true })).status).toBe(404);
  });

  test('refuse what cannot be meant, and say why', async () => {
    const bad: [object, RegExp][] = [
      [{}, /url is required/],
      [{ url: 'shop.example' }, /url must be an absolute http or https URL/],
      [{ url: 'https://u:p@shop.example' }, /url may not hold a user name/],
      [{ url: 'http://169.254.169.254/' }, /no address a server can have/],
      [{ url: `https://shop.example/${'x'.repeat(2_048)}` }, /url must have at most 2048 characters/],
      [{ url: shop.url, topics: [] }, /topics/],
      [{ url: shop.url, topics: ['order.created'] }, /topics.0 must be "order.subscribed" or/],
      [{ url: shop.url, topics: ['order.failed', 'order.failed'] }, /topics must name each topic once/],
      [{ url: shop.url, secret: 'mine' }, /unknown fields: secret/],
      [{ url: 'http://no-such-host.invalid/' }, /cannot be found/],
    ];
    for (const [body, reason] of bad) {
      const { status, body: problem } = await call('POST', '/v1/endpoints', body);
      expect(status, JSON.stringify(body)).toBe(400);
      expect(problem.detail).toMatch(reason);
    }
    expect((await call('GET', '/v1/endpoints')).body.endpoints).toEqual([]);
  });

  test('are not made twice for one address, nor more than the limit', async () => {
    const { endpoint } = await add({ url: shop.url });
    const again = await call('POST', '/v1/endpoints', { url: shop.url });
    expect([again.status, again.body.detail]).toEqual([400, expect.stringContaining(endpoint.id)]);
    for (let n = 1; n < MAX_ENDPOINTS; n++) await add({ url: `${shop.url}/${n}` });
    const full = await call('POST', '/v1/endpoints', { url: `${shop.url}/more` });
    expect([full.status, full.body.detail]).toEqual([400, expect.stringContaining('20 endpoints already')]);
    expect((await call('GET', '/v1/endpoints')).body.endpoints).toHaveLength(MAX_ENDPOINTS);
  });

  test('without NOTIFICATION_KEY are refused with a sentence that names it', async () => {
    const without = strict({ key: null, privateAddresses: true });
    await expect(without.endpoints.create({ url: shop.url, topics: null })).rejects.toMatchObject({
      code: 'invalid_request',
      message: expect.stringMatching(/^NOTIFICATION_KEY is not set/),
    });
    const { endpoint } = await add({ url: shop.url });
    await expect(without.endpoints.rotate(endpoint.id)).rejects.toThrow(/NOTIFICATION_KEY/);
    await expect(without.endpoints.test(endpoint.id)).rejects.toThrow(/NOTIFICATION_KEY/);
    const order = await paidOrder();
    const effect = await leased(order.id);
    expect(await without.notifyHandler(effect)).toMatchObject({
      end: 'again',
      error: expect.stringContaining('NOTIFICATION_KEY'),
    });
    expect(shop.calls).toEqual([]);
  });

  test('can be tried out, even when disabled, and with two signatures for a day after a rotation', async () => {
    const { endpoint, secret } = await add({ url: shop.url });
    const path = `/v1/endpoints/${endpoint.id}`;
    await call('PATCH', path, { enabled: false });
    const rotated = (await call('POST', `${path}/rotate`)).body;
    expect(rotated.endpoint).toMatchObject({ generation: 2, previousUntil: '2026-02-01T10:00:00.000Z' });
    expect(rotated.secret).not.toBe(secret);
    shop.next = [{ status: 200, body: 'hello' }];
    const { status, body } = await call('POST', `${path}/test`);
    expect(status).toBe(200);
    expect(body).toMatchObject({
      endpointId: endpoint.id,
      trigger: 'manual',
      status: 200,
      answer: 'hello',
      error: null,
    });
    const [received] = shop.calls;
    expect(JSON.parse(received!.body)).toEqual({
      type: 'paylatch.test',
      timestamp: '2026-01-31T10:00:00.000Z',
      data: { endpointId: endpoint.id },
    });
    const signed = { body: Buffer.from(received!.body), headers: received!.headers as Record<string, string> };
    for (const each of [secret, rotated.secret]) {
      expect(() => verifyStandardWebhook(signed, [decodeSecret(each)], service.world.clock)).not.toThrow();
    }
  });
});

describe('an address', () => {
  test('in a private network is refused when it is given, unless the service was set up for it', async () => {
    const resolve = async () => ['10.0.0.7'];
    const { endpoints } = strict({ resolve });
    await expect(endpoints.create({ url: 'https://shop.example/', topics: null })).rejects.toMatchObject({
      code: 'invalid_request',
      message: expect.stringContaining('public internet'),
    });
    await expect(endpoints.create({ url: shop.url, topics: null })).rejects.toThrow(/must be https/);
    const { endpoint } = await add({ url: `${shop.url}/x` });
    await expect(endpoints.change(endpoint.id, { url: 'https://10.0.0.7/' })).rejects.toThrow(/public internet/);
  });

  test('that was public when it was given and is not when it is called gets no connection', async () => {
    const inside = await listening();
    const answers = [['93.184.216.34'], ['127.0.0.1']];
    const asked: string[] = [];
    const resolve = async (host: string) => {
      asked.push(host);
      return answers.shift() ?? ['127.0.0.1'];
    };
    const { endpoints, notifyHandler } = strict({ resolve });
    const { endpoint } = await endpoints.create({ url: 'https://moving.example:8443/', topics: null });
    await service.world.sql`update endpoints set url = ${`https://moving.example:${inside.port}/`}`;
    const order = await paidOrder();
    const wrongPort = await notifyHandler(await leased(order.id));
    expect(wrongPort).toMatchObject({ end: 'again', error: expect.stringContaining('one of the ports') });
    await service.world.sql`update endpoints set url = 'https://moving.example/'`;
    const moved = await notifyHandler(await leased(order.id));
    expect(moved).toMatchObject({ end: 'again', error: expect.stringContaining(`${endpoint.id} is not called`) });
    expect(await endpoints.test(endpoint.id)).toMatchObject({
      status: null,
      error: expect.stringMatching(/not called/),
    });
    expect(asked).toEqual(['moving.example', 'moving.example', 'moving.example']);
    expect(inside.connections()).toBe(0);
    await inside.close();
  });

  test('is looked up once for each try, and connected to is what was looked up', async () => {
    let lookups = 0;
    const resolve = async () => {
      lookups += 1;
      // A second look-up would lead to where nobody listens.
      return lookups % 2 === 1 ? ['127.0.0.1'] : ['127.0.0.2'];
    };
    const { endpoints } = strict({ resolve, privateAddresses: true });
    const { endpoint } = await endpoints.create({ url: `http://shop.invalid:${shop.port}/hook`, topics: null });
    lookups = 0;
    expect(await endpoints.test(endpoint.id)).toMatchObject({ status: 204 });
    expect(lookups).toBe(1);
    expect(shop.calls[0]!.headers.host).toBe(`shop.invalid:${shop.port}`);
  });

  test('that leads elsewhere by a redirect is not followed there', async () => {
    const inside = await listening();
    const { endpoint } = await add({ url: shop.url });
    shop.next = [{ status: 307, headers: { location: `http://127.0.0.1:${inside.port}/` } }];
    const { body } = await call('POST', `/v1/endpoints/${endpoint.id}/test`);
    expect(body).toMatchObject({ status: 307, error: expect.stringContaining('redirects are not followed') });
    expect(inside.connections()).toBe(0);
    await inside.close();
  });
});

describe('notifications', () => {
  test('are listed newest first, page by page, by order, status and endpoint', async () => {
    const { endpoint } = await add({ url: shop.url });
    const orders = [];
    for (let n = 0; n < 5; n++) orders.push(await paidOrder());
    const told = orders[3]!;
    await service.notifications.notifyHandler(await leased(told.id));
    const all: Json[] = [];
    for (let cursor = ''; ; ) {
      const { body } = await call('GET', `/v1/notifications?limit=2${cursor && `&cursor=${cursor}`}`);
      all.push(...body.notifications);
      if (body.nextCursor === null) break;
      cursor = body.nextCursor;
    }
    const ids = all.map(({ id }) => id);
    expect(ids).toEqual([...new Set(ids)].sort().reverse());
    for (const { id } of orders) expect(all.map(({ orderId }) => orderId)).toContain(id);
    const ofOrder = (await call('GET', `/v1/notifications?orderId=${told.id}`)).body;
    expect(ofOrder).toMatchObject({ notifications: [{ orderId: told.id }], nextCursor: null });
    const ofEndpoint = (await call('GET', `/v1/notifications?endpointId=${endpoint.id}`)).body;
    expect(ofEndpoint.notifications.map(({ orderId }: Json) => orderId)).toEqual([told.id]);
    expect((await call('GET', '/v1/notifications?status=dead')).body.notifications).toEqual([]);
    for (const query of ['limit=0', 'limit=201', 'status=open', 'cursor=x', 'order=1']) {
      expect((await call('GET', `/v1/notifications?${query}`)).status, query).toBe(400);
    }
    expect((await call('GET', '/v1/notifications/eff_0')).status).toBe(404);
    expect((await call('GET', `/v1/notifications/${service.world.newId('eff')}`)).status).toBe(404);
  });
});

async function paidOrder(): Promise<{ id: string }> {
  const order = await checkOut(service);
  const payment = pay(service, order.providerOrderId);
  await service.webhook({ type: 'payment.captured', data: { ...payment, state: undefined } });
  return order;
}

async function leased(orderId: string) {
  const [row] = await service.world.sql`select * from outbox where order_id = ${orderId} and effect = 'notify'`;
  return {
    id: row!.id,
    orderId,
    orderVersion: row!.order_version,
    effect: 'notify' as const,
    payload: row!.payload,
    dedupKey: row!.dedup_key,
    attempt: 1,
    maybeSent: false,
    availableAt: row!.available_at,
  };
}

/** Something inside that must never be reached. */
async function listening() {
  let connections = 0;
  const server = createTcpServer(socket => {
    connections += 1;
    socket.destroy();
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address ? address.port : 0;
  return { port, connections: () => connections, close: () => new Promise(resolve => server.close(resolve)) };
}
