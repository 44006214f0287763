// Who may call what: every route times every kind of key, and every way of spelling a path or a key past the check.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createApp } from '../src/http/app.ts';
import type { App } from '../src/http/appTypes.ts';
import { isHandler, nameOf, ROUTE_ROLES } from '../src/http/auth.ts';
import { ADMIN_KEY, API_KEY, type Service, startService } from './support/httpService.ts';
import { request, sendRaw } from './support/rawHttp.ts';

let service: Service;
beforeAll(async () => {
  service = await startService();
});
afterAll(() => service.close());

const KEYS = { none: null, unknown: 'api_ffffffffffffffffffffffffffffffff', api: API_KEY, admin: ADMIN_KEY };

/** The design's list, written down once more, so that a slip in the table of roles is not its own proof. */
const OPEN = [
  'GET /health/live',
  'GET /health/ready',
  'GET /openapi.json',
  'GET /docs',
  'GET /docs/{file}',
  'POST /v1/callbacks/{provider}',
  'GET /v1/callbacks/{provider}',
  'POST /v1/webhooks/{provider}',
  'POST /v1/webhooks/{provider}/{kind}',
];
const OPERATOR = [
  'GET /v1/events',
  'GET /v1/reconciliation',
  'POST /v1/reconciliation/{provider}',
  'PUT /v1/plans/{id}',
  'POST /v1/orders/{id}/events',
  'POST /v1/orders/{id}/retry',
  'POST /v1/orders/{id}/refund',
  'POST /v1/retry',
];

const routesOf = (app: App) => [...new Set(app.routes.filter(isHandler).map(nameOf))];

describe('every route', () => {
  test('is in the table of roles, and nothing else is', () => {
    expect(routesOf(service.app).sort()).toEqual(Object.keys(ROUTE_ROLES).sort());
  });

  test('answers each kind of key as its role says', async () => {
    const routes = routesOf(service.app);
    expect(routes.length).toBeGreaterThan(15);
    const before = await service.books();
    for (const route of routes) {
      for (const [kind, key] of Object.entries(KEYS)) {
        const [method = '', path = ''] = route.replaceAll(/\{\w+\}/g, 'x').split(' ');
        const { status } = await service.call(method, path, { key });
        const isIn = OPEN.includes(route) || kind === 'admin' || (kind === 'api' && !OPERATOR.includes(route));
        const refused = kind === 'api' ? 403 : 401;
        if (isIn) expect([401, 403], `${route} with ${kind}`).not.toContain(status);
        else expect(status, `${route} with ${kind}`).toBe(refused);
      }
    }
    expect(await service.books()).toBe(before);
  });

  test('must have a role before the app is made', () => {
    const add = (app: App) => app.get('/v1/forgotten', c => c.text('here'));
    expect(() => createApp({ ...anyDeps(), addPages: add })).not.toThrow();
    const roles = ROUTE_ROLES as Record<string, string>;
    roles['GET /v1/gone'] = 'merchant';
    expect(() => createApp(anyDeps())).toThrow('roles without a route: GET /v1/gone');
    delete roles['GET /v1/gone'];
    const kept = roles['GET /v1/orders'] ?? '';
    delete roles['GET /v1/orders'];
    expect(() => createApp(anyDeps())).toThrow('routes without a role: GET /v1/orders');
    roles['GET /v1/orders'] = kept;
  });

  test('that was added beside the API is open, and opens nothing else', async () => {
    const app = createApp({ ...anyDeps(), addPages: added => added.get('/', c => c.text('shop')) });
    expect(await (await app.request('/')).text()).toBe('shop');
    expect((await app.request('/v1/orders')).status).toBe(401);
    expect((await app.request('/other')).status).toBe(401);
  });
});

describe('a route that the table does not know', () => {
  const status = async (app: App, method: string, path: string, key?: string) =>
    (await app.request(path, { method, headers: key ? { authorization: `Bearer ${key}` } : {} })).status;

  test('is for operators, when it was added behind the back of the app', async () => {
    const app = createApp(anyDeps());
    app.get('/late', c => c.text('late'));
    expect(await status(app, 'GET', '/late')).toBe(401);
    expect(await status(app, 'GET', '/late', API_KEY)).toBe(403);
    expect(await status(app, 'GET', '/late', ADMIN_KEY)).toBe(200);
  });

  test('does not open the route it lies over', async () => {
    const app = createApp({ ...anyDeps(), addPages: added => added.put('/v1/plans/:other', c => c.text('open')) });
    expect(await status(app, 'PUT', '/v1/plans/x')).toBe(401);
    expect(await status(app, 'PUT', '/v1/plans/x', API_KEY)).toBe(403);
  });
});

describe('a refusal', () => {
  test('is a problem document that says what is needed', async () => {
    const none = await service.call('GET', '/v1/orders', { key: null });
    expect(none.headers.get('www-authenticate')).toBe('Bearer realm="paylatch"');
    expect(none.headers.get('content-type')).toBe('application/problem+json');
    expect(none.body).toMatchObject({ status: 401, code: 'unauthorized', detail: expect.stringContaining('Bearer') });
    const less = await service.call('PUT', '/v1/plans/x', { key: API_KEY });
    expect(less.body).toMatchObject({ status: 403, code: 'forbidden', detail: expect.stringContaining('ADMIN_KEY') });
  });

  test('comes before a path that is nothing, so that paths cannot be probed', async () => {
    expect((await service.call('GET', '/v1/nothing', { key: null })).status).toBe(401);
    const known = await service.call('GET', '/v1/nothing', { key: API_KEY });
    expect(known.body).toMatchObject({ status: 404, code: 'not_found' });
    expect((await service.call('DELETE', '/v1/plans', { key: API_KEY })).status).toBe(404);
  });

  test.each([
    ['no scheme', API_KEY],
    ['another scheme', `Basic ${API_KEY}`],
    ['a prefix of the key', `Bearer ${API_KEY.slice(0, -1)}`],
    ['more than the key', `Bearer ${API_KEY}0`],
    ['two keys', `Bearer ${API_KEY} ${ADMIN_KEY}`],
    ['nothing', 'Bearer '],
    ['another case', `Bearer ${API_KEY.toUpperCase()}`],
  ])('meets %s', async (_what, authorization) => {
    const { status } = await service.call('GET', '/v1/plans', { key: null, headers: { authorization } });
    expect(status).toBe(401);
  });

  test('does not depend on how the scheme is written', async () => {
    const headers = { authorization: `bearer ${API_KEY}` };
    expect((await service.call('GET', '/v1/plans', { key: null, headers })).status).toBe(200);
  });
});

describe('a path spelt in another way', () => {
  const spellings = [
    '//v1/plans/x',
    '/v1//plans/x',
    '/v1/plans//x',
    '/./v1/plans/x',
    '/v1/./plans/x',
    '/health/../v1/plans/x',
    '/health/live/../../v1/plans/x',
    '/docs/..%2fv1/plans/x',
    '/%76%31/plans/x',
    '/v1%2Fplans%2Fx',
    '/v1/plans%2Fx',
    '/v1/plans/x/',
    '/V1/plans/x',
    '/v1/plans/x?a=/health/live',
    '/v1/plans/x#/health/live',
    '/v1/plans/x;/health/live',
    '\\v1\\plans\\x',
    'http://localhost/v1/plans/x',
    'http://localhost//v1/plans/x',
  ];

  test.each(spellings)('opens no operator call: %s', async path => {
    const before = await service.books();
    const body = JSON.stringify({ product: 'pro', amountMinor: 1, currency: 'INR', period: { months: 1 } });
    const length = { 'content-type': 'application/json', 'content-length': String(body.length) };
    for (const authorization of [null, `Bearer ${API_KEY}`]) {
      const headers = { ...length, ...(authorization && { authorization }) };
      const { status } = await sendRaw(service.http.url, [request(`PUT ${path}`, headers, body)]);
      expect([400, 401, 403, 404]).toContain(status);
    }
    expect(await service.books()).toBe(before);
  });

  test('or another method does not either', async () => {
    for (const method of ['HEAD', 'GET', 'POST', 'PATCH', 'OPTIONS', 'TRACE', 'put']) {
      const line = request(`${method} /v1/plans/x`, { 'x-http-method-override': 'PUT' });
      const { status } = await sendRaw(service.http.url, [line]);
      expect([400, 401, 404], method).toContain(status);
    }
    expect((await sendRaw(service.http.url, [request('HEAD /v1/orders')])).status).toBe(401);
  });
});

function anyDeps(): Parameters<typeof createApp>[0] {
  const { newId, clock } = service.world;
  const log = { debug: () => {}, warn: () => {}, error: () => {} };
  return { core: {}, keys: { api: API_KEY, admin: ADMIN_KEY }, clock, newId, log } as never;
}
