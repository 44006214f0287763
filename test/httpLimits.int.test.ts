// Limits, failures and the end of the service, on real sockets: what is too large, too slow or cut off, what an answer
// may tell about our inside, and that a stop cuts nobody short.

import { Agent, get } from 'node:http';
import { Hono } from 'hono';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { DatabaseUnavailable } from '../src/errors.ts';
import type { AppEnv } from '../src/http/appTypes.ts';
import { deadline } from '../src/http/deadline.ts';
import { problemFor } from '../src/http/problem.ts';
import type { Core } from '../src/ports.ts';
import { ADMIN_KEY, PLAN, type Service, startService } from './support/httpService.ts';
import { request, sendRaw } from './support/rawHttp.ts';

let service: Service;
beforeAll(async () => {
  service = await startService();
});
afterAll(() => service.close());

const KIB = 1024;
const json = { authorization: `Bearer ${ADMIN_KEY}`, 'content-type': 'application/json' };
const chunk = (bytes: number) => `${bytes.toString(16)}\r\n${'x'.repeat(bytes)}\r\n`;

describe('a body', () => {
  const places: [string, number][] = [
    ['PUT /v1/plans/pro', 16],
    ['POST /v1/checkouts', 16],
    ['POST /v1/webhooks/sandbox', 256],
    ['POST /v1/callbacks/sandbox', 256],
  ];

  test.each(places)('that announces too much is refused before it is sent: %s, %i KiB', async (line, kib) => {
    const announced = { ...json, 'content-length': String(kib * KIB + 1) };
    const { status, body, headers } = await sendRaw(service.http.url, [request(line, announced)]);
    expect(status).toBe(413);
    expect(JSON.parse(body)).toMatchObject({ code: 'body_too_large', detail: expect.stringContaining(`${kib} KiB`) });
    expect(headers).toContain('connection: close');
  });

  test.each(places)('in chunks is refused at the first byte too many: %s, %i KiB', async (line, kib) => {
    const head = request(line, { ...json, 'transfer-encoding': 'chunked' });
    // Never ended: whoever waited for the end would wait for ever.
    const chunks = Array.from({ length: kib + 1 }, () => chunk(KIB));
    const { status, body } = await sendRaw(service.http.url, [head, ...chunks]);
    expect([status, JSON.parse(body).code]).toEqual([413, 'body_too_large']);
  });

  test.each(places)('of just the limit is read: %s, %i KiB', async (line, kib) => {
    const head = request(line, { ...json, 'transfer-encoding': 'chunked' });
    const { status } = await sendRaw(service.http.url, [head, chunk(kib * KIB), '0\r\n\r\n']);
    expect([400, 401]).toContain(status);
    const whole = request(line, { ...json, 'content-length': String(kib * KIB) }, 'x'.repeat(kib * KIB));
    expect([400, 401]).toContain((await sendRaw(service.http.url, [whole])).status);
  });

  test('that lies about its length, or tells two, writes nothing', async () => {
    const before = await service.books();
    const good = JSON.stringify(PLAN);
    const line = 'PUT /v1/plans/liar';
    const shorter = request(line, { ...json, 'content-length': String(good.length - 1) }, good);
    expect((await sendRaw(service.http.url, [shorter])).status).toBe(400);
    const longer = request(line, { ...json, 'content-length': String(good.length + 1) }, good);
    await sendRaw(service.http.url, [longer], { end: true });
    const twice = `content-length: ${good.length}\r\nContent-Length: ${good.length + 1}\r\n\r\n`;
    const two = request(line, json, good).replace('\r\n\r\n', `\r\n${twice}`);
    expect((await sendRaw(service.http.url, [two])).status).toBe(400);
    const chunked = { 'transfer-encoding': 'chunked', 'content-length': String(good.length) };
    expect((await sendRaw(service.http.url, [request(line, { ...json, ...chunked }, good)])).status).toBe(400);
    const negative = request(line, { ...json, 'content-length': '-1' }, good);
    expect((await sendRaw(service.http.url, [negative])).status).toBe(400);
    expect(await service.books()).toBe(before);
  });

  test('of somebody without a key is not read at all', async () => {
    const head = request('PUT /v1/plans/pro', { 'content-length': '100' });
    expect((await sendRaw(service.http.url, [head])).status).toBe(401);
  });
});

describe('a request', () => {
  test('with headers beyond all measure is 431, with a Host that is none 400', async () => {
    const large = request('GET /health/live', { 'x-large': 'x'.repeat(20 * KIB) });
    expect((await sendRaw(service.http.url, [large])).status).toBe(431);
    const odd = request('GET /health/live', { host: 'a/b' });
    const answer = await sendRaw(service.http.url, [odd]);
    expect(answer.status).toBe(400);
    expect(JSON.parse(answer.body)).toMatchObject({ code: 'invalid_request' });
  });

  test('keeps the id it came with if it is one, and gets one otherwise', async () => {
    const given = await service.call('GET', '/health/live', { headers: { 'x-request-id': 'shop-4711-a' } });
    expect(given.headers.get('x-request-id')).toBe('shop-4711-a');
    const forged = await service.call('GET', '/v1/x', { headers: { 'x-request-id': 'a b"}{"level":60' } });
    expect(forged.headers.get('x-request-id')).toMatch(/^req_[0-9a-z]{26}$/);
    expect(forged.body.requestId).toBe(forged.headers.get('x-request-id'));
  });

  test('is logged in one line, without its query, its body or a key', async () => {
    service.log.length = 0;
    await service.call('GET', '/v1/callbacks/sandbox?signature=canary-query&paymentId=canary', { key: null });
    const body = { userId: 'canary-body' };
    await service.call('POST', '/v1/checkouts', { body, headers: { 'idempotency-key': 'canary-header' } });
    await service.call('GET', '/v1/users/canary-path/access?product=pro');
    const lines = service.log.map(line => JSON.parse(line)).filter(line => line.msg === 'answered');
    expect(lines).toMatchObject([
      { level: 20, method: 'GET', route: '/v1/callbacks/:provider', status: 400, requestId: expect.any(String) },
      { method: 'POST', route: '/v1/checkouts', status: 400, ms: expect.any(Number) },
      { method: 'GET', route: '/v1/users/:userId/access', status: 200 },
    ]);
    expect(service.log.join('')).not.toMatch(/canary|admin_0123/);
  });
});

describe('a failure inside', () => {
  const secrets = 'select * from orders; password=hunter2 at /srv/app/db/client.ts:12';
  const failing = async (error: unknown) => {
    const list = () => Promise.reject(error);
    return startService({ change: (core: Core) => ({ plans: { ...core.plans, list } }) });
  };

  test.each([
    ['unknown', new TypeError(secrets), 500, 'internal_error'],
    ['of the database', new DatabaseUnavailable(secrets, new Error(secrets)), 503, 'database_unavailable'],
  ])('%s is logged with its cause and answered without', async (_what, error, status, code) => {
    const other = await failing(error);
    try {
      const answer = await other.call('GET', '/v1/plans');
      expect(answer).toMatchObject({ status, body: { code, status, requestId: expect.stringMatching(/^req_/) } });
      expect(answer.text).not.toMatch(/select|hunter2|srv|client\.ts/);
      expect(answer.headers.get('retry-after')).toBe(status === 503 ? '2' : null);
      const logged = other.log.map(line => JSON.parse(line)).find(line => line.msg === 'request failed');
      expect(logged).toMatchObject({ code, requestId: answer.body.requestId, err: { message: secrets } });
    } finally {
      await other.close();
    }
  });

  test('because the database is gone asks to come again, whatever was asked', async () => {
    const other = await startService();
    try {
      await other.world.db.close();
      const key = { 'idempotency-key': 'gone' };
      const body = { userId: 'ann', planId: 'pro', provider: 'sandbox' };
      for (const answer of [
        await other.call('GET', '/v1/plans'),
        await other.call('GET', `/v1/orders/${other.world.newId('ord')}`),
        await other.call('POST', '/v1/checkouts', { body, headers: key }),
      ]) {
        expect(answer).toMatchObject({ status: 503, body: { code: 'database_unavailable' } });
        expect(answer.headers.get('retry-after')).toBe('2');
      }
    } finally {
      await other.close();
    }
  });

  test('that never ends is answered with 503 all the same', async () => {
    const app = new Hono<AppEnv>();
    app.onError(problemFor(pino({ level: 'silent' })));
    app.use(deadline(5));
    app.get('/', () => new Promise<Response>(() => {}));
    const answer = await app.request('/');
    expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '2']);
  });
});

describe('health', () => {
  test('is ready when every check is, and alive in any case', async () => {
    let database = true;
    const other = await startService({ change: () => ({ readiness: async () => ({ database, sandbox: true }) }) });
    try {
      const ready = await other.call('GET', '/health/ready', { key: null });
      expect(ready).toMatchObject({
        status: 200,
        body: { ready: true, checks: { database: true, sandbox: true, accepting: true } },
      });
      database = false;
      const unready = await other.call('GET', '/health/ready', { key: null });
      expect(unready).toMatchObject({ status: 503, body: { ready: false, checks: { database: false } } });
      expect((await other.call('GET', '/health/live', { key: null })).status).toBe(200);
    } finally {
      await other.close();
    }
  });
});

describe('the end', () => {
  test('answers what is in flight, is not ready meanwhile, and closes idle connections', async () => {
    let release = () => {};
    const held = new Promise<void>(resolve => {
      release = resolve;
    });
    let entered = () => {};
    const inside = new Promise<void>(resolve => {
      entered = resolve;
    });
    const slow = (core: Core) => ({
      plans: {
        ...core.plans,
        list: async () => {
          entered();
          await held;
          return core.plans.list();
        },
      },
    });
    const other = await startService({ change: slow });
    const idle = new Agent({ keepAlive: true });
    await new Promise<void>(resolve =>
      get(`${other.http.url}/health/live`, { agent: idle }, r => r.resume().on('end', resolve)),
    );
    const answer = other.call('GET', '/v1/plans');
    await inside;
    let isClosed = false;
    const closed = other.http.close().then(() => {
      isClosed = true;
    });
    await expect(fetch(`${other.http.url}/health/live`)).rejects.toThrow();
    const ready = await other.app.request('/health/ready', {}, { server: { draining: () => true } });
    expect([ready.status, await ready.json()]).toMatchObject([503, { checks: { accepting: false } }]);
    expect(isClosed).toBe(false);
    release();
    const { status, headers, body } = await answer;
    expect([status, headers.get('connection'), body]).toEqual([200, 'close', { plans: [] }]);
    await closed;
    await other.world.close();
    idle.destroy();
  });

  test('cuts what is still unanswered when its time is over', async () => {
    let entered = () => {};
    const inside = new Promise<void>(resolve => {
      entered = resolve;
    });
    const forever = {
      readiness() {
        entered();
        return new Promise<Record<string, boolean>>(() => {});
      },
    };
    const other = await startService({ change: () => forever, shutdownMs: 50 });
    const answer = other.call('GET', '/health/ready').then(
      () => 'answered',
      () => 'cut',
    );
    await inside;
    await other.http.close();
    expect(await answer).toBe('cut');
    expect(other.log.join('')).toContain('cutting requests');
    await other.world.close();
  });

  test('asked for twice is one end', async () => {
    const other = await startService();
    await Promise.all([other.http.close(), other.http.close()]);
    await other.world.close();
  });
});
