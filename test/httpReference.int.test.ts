// The API reference: the description is well-formed, complete, and true of what the service answers; the pages load
// nothing from elsewhere.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { isHandler, nameOf, ROUTE_ROLES } from '../src/http/auth.ts';
import { checkOut, type Json, pay, type Service, startService } from './support/httpService.ts';

let service: Service;
let api: Json;
beforeAll(async () => {
  service = await startService({ deps: { version: '1.2.3' } });
  api = (await service.call('GET', '/openapi.json', { key: null })).body;
});
afterAll(() => service.close());

const PAGES = ['GET /openapi.json', 'GET /docs', 'GET /docs/{file}'];
const operations = (): [string, Json][] =>
  Object.entries<Json>(api.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(
      ([method, operation]) => [`${method.toUpperCase()} ${path}`, operation] as [string, Json],
    ),
  );

function refsIn(value: Json): string[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => (key === '$ref' ? [inner as string] : refsIn(inner)));
}

const resolved = (ref: string): Json =>
  ref
    .slice(2)
    .split('/')
    .reduce((at: Json, key: string) => at?.[key], api);

describe('the description', () => {
  test('names itself and lists every route, and nothing that is not there', () => {
    expect(api).toMatchObject({ openapi: '3.1.0', info: { title: 'Paylatch', version: '1.2.3' } });
    const routes = new Set(service.app.routes.filter(isHandler).map(nameOf));
    expect(
      operations()
        .map(([name]) => name)
        .sort(),
    ).toEqual([...routes].filter(name => !PAGES.includes(name)).sort());
    expect(JSON.stringify(api)).not.toMatch(/inspector|trial"?:? ?\/|\/metrics|integrity/);
  });

  test('has no reference that leads nowhere, and no schema nobody uses', () => {
    const refs = new Set(refsIn(api));
    expect(refs.size).toBeGreaterThan(8);
    for (const ref of refs) expect(resolved(ref), ref).toBeDefined();
    const unused = Object.keys(api.components.schemas).filter(name => !refs.has(`#/components/schemas/${name}`));
    expect(unused).toEqual([]);
    const nullable = Object.entries<Json>(api.components.schemas).filter(([, schema]) => Array.isArray(schema.type));
    expect(nullable).toEqual([]);
  });

  test('declares every parameter of every path, and a sentence for every answer', () => {
    for (const [name, operation] of operations()) {
      const inPath = [...name.matchAll(/\{(\w+)\}/g)].map(match => match[1]);
      const declared = (operation.parameters ?? []).filter((p: Json) => p.in === 'path');
      expect(
        declared.map((p: Json) => p.name),
        name,
      ).toEqual(inPath);
      expect(declared.every((p: Json) => p.required)).toBe(true);
      expect(operation.summary, name).toMatch(/\w/);
      for (const [status, answer] of Object.entries<Json>(operation.responses)) {
        expect(answer.description, `${name} ${status}`).toMatch(/\w/);
        if (Number(status) >= 400 && !answer.description.startsWith('Not now')) {
          const { schema } = answer.content['application/problem+json'];
          expect(schema.$ref, `${name} ${status}`).toBe('#/components/schemas/Problem');
        }
      }
    }
  });

  test('says who may call and which problems that brings', () => {
    expect(Object.keys(api.components.securitySchemes)).toEqual(['apiKey', 'adminKey']);
    for (const [name, operation] of operations()) {
      const keys = operation.security.map((entry: Json) => Object.keys(entry)[0]);
      const statuses = Object.keys(operation.responses);
      const role = ROUTE_ROLES[name];
      expect(keys, name).toEqual({ open: [], merchant: ['apiKey', 'adminKey'], operator: ['adminKey'] }[role!]);
      if (role !== 'open') expect(statuses, name).toContain('401');
      expect(statuses.includes('403'), name).toBe(role === 'operator');
      expect(statuses.includes('413'), name).toBe(operation.requestBody !== undefined);
      expect(statuses, name).toContain('500');
    }
  });

  test('refuses unknown fields in every body a merchant or operator sends', () => {
    const bodies = operations().filter(([name, operation]) => operation.requestBody && ROUTE_ROLES[name] !== 'open');
    expect(bodies.length).toBeGreaterThan(8);
    for (const [name, { requestBody }] of bodies) {
      expect(requestBody.required, name).toBe(true);
      const schema = resolved(requestBody.content['application/json'].schema.$ref);
      for (const each of schema.oneOf ?? [schema]) expect(each.additionalProperties, name).toBe(false);
    }
  });

  test('is true of what the service answers', async () => {
    const order = await checkOut(service);
    const fields = service.callback(pay(service, order.providerOrderId) as never);
    const callback = await service.call('POST', '/v1/callbacks/sandbox', { key: null, body: fields });
    expectFits('POST /v1/callbacks/{provider}', callback);
    const { id, userId } = order;
    await service.world.sql`update outbox set status = 'dead' where order_id = ${id}`;
    const tried = { product: 'pro', amountMinor: 100, currency: 'INR', period: { days: 1 }, trialDays: 3 };
    await service.call('PUT', '/v1/plans/tried', { body: tried });
    const dry = { body: { type: 'refund.requested', reason: 'x' } };
    const calls: [string, string, object?][] = [
      ['GET /v1/orders/{id}', `/v1/orders/${id}`],
      ['GET /v1/orders', '/v1/orders'],
      ['GET /v1/orders/{id}/timeline', `/v1/orders/${id}/timeline`],
      ['GET /v1/users/{userId}/access', `/v1/users/${userId}/access?product=pro`],
      ['GET /v1/users/{userId}/subscriptions', `/v1/users/${userId}/subscriptions`],
      [
        'POST /v1/users/{userId}/subscriptions/{product}/trial',
        `/v1/users/trying/subscriptions/pro/trial`,
        { body: {} },
      ],
      [
        'POST /v1/users/{userId}/subscriptions/{product}/trial',
        `/v1/users/trying/subscriptions/pro/trial`,
        { body: {} },
      ],
      [
        'POST /v1/users/{userId}/subscriptions/{product}/cancel',
        `/v1/users/trying/subscriptions/pro/cancel`,
        { body: { reason: 'x', by: 'y' } },
      ],
      ['GET /v1/plans', '/v1/plans'],
      ['POST /v1/endpoints', '/v1/endpoints', { body: { url: 'http://127.0.0.1:9/' } }],
      ['GET /v1/endpoints', '/v1/endpoints'],
      ['GET /v1/notifications', '/v1/notifications'],
      ['GET /health/live', '/health/live'],
      ['GET /health/ready', '/health/ready'],
      ['POST /v1/orders/{id}/events', `/v1/orders/${id}/events?dryRun=true`, dry],
      ['POST /v1/orders/{id}/events', `/v1/orders/${id}/events`, dry],
      ['POST /v1/orders/{id}/refund', `/v1/orders/${id}/refund`, { body: { reason: 'again' } }],
      ['POST /v1/orders/{id}/cancel', `/v1/orders/${id}/cancel`, { body: { reason: 'x' } }],
      ['POST /v1/retry', '/v1/retry?cause=effect_dead&dryRun=true', { body: { reason: 'x' } }],
      ['POST /v1/retry', '/v1/retry?cause=effect_dead', { body: { reason: 'x' } }],
      ['POST /v1/orders/{id}/retry', `/v1/orders/${id}/retry?dryRun=true`, { body: { reason: 'x' } }],
      ['POST /v1/orders/{id}/retry', `/v1/orders/${id}/retry`, { body: { reason: 'x' } }],
      ['GET /v1/orders/{id}', '/v1/orders/ord_0'],
      ['GET /v1/orders', '/v1/orders?limit=0'],
    ];
    for (const [name, path, call] of calls) {
      expectFits(name, await service.call(name.split(' ')[0]!, path, call));
    }
    const endpointId = (await service.call('GET', '/v1/endpoints')).body.endpoints[0].id;
    const told = (await service.call('GET', '/v1/notifications')).body.notifications[0].id;
    const about: [string, string, object?][] = [
      ['GET /v1/endpoints/{id}', `/v1/endpoints/${endpointId}`],
      ['PATCH /v1/endpoints/{id}', `/v1/endpoints/${endpointId}`, { body: { topics: ['order.failed'] } }],
      ['POST /v1/endpoints/{id}/rotate', `/v1/endpoints/${endpointId}/rotate`],
      ['POST /v1/endpoints/{id}/test', `/v1/endpoints/${endpointId}/test`],
      [
        'POST /v1/notifications/{id}/redeliver',
        `/v1/notifications/${told}/redeliver`,
        { body: { endpointId, reason: 'x' } },
      ],
      ['GET /v1/notifications/{id}', `/v1/notifications/${told}`],
    ];
    for (const [name, path, call] of about) expectFits(name, await service.call(name.split(' ')[0]!, path, call));
    expectFits('POST /v1/webhooks/{provider}', await service.webhook({ type: 'settlement.processed', data: {} }));
  });
});

function expectFits(name: string, { status, headers, body }: { status: number; headers: Headers; body: Json }): void {
  const operation = operations().find(([known]) => known === name)?.[1];
  const type = headers.get('content-type')?.split(';')[0] ?? '';
  const schema = operation.responses[status]?.content?.[type]?.schema;
  expect(schema, `${name} answers ${status} ${type}`).toBeDefined();
  expect(misfits(schema, body, 'body'), `${name} ${status} ${JSON.stringify(body)}`).toEqual([]);
}

/** The part of JSON Schema that the description uses; unknown members are misfits, because they are undocumented. */
function misfits(schema: Json, value: Json, at: string): string[] {
  if (schema.$ref) return misfits(resolved(schema.$ref), value, at);
  const choices = schema.anyOf ?? schema.oneOf;
  if (choices) {
    const all = choices.map((choice: Json) => misfits(choice, value, at));
    return all.some((each: string[]) => each.length === 0) ? [] : all.flat();
  }
  if (schema.enum) return schema.enum.includes(value) ? [] : [`${at} is ${value}`];
  const types = schema.type === undefined ? null : [schema.type].flat();
  const kind = value === null ? 'null' : Array.isArray(value) ? 'array' : typeof value;
  const isInteger = kind === 'number' && Number.isInteger(value) && types?.includes('integer');
  if (types && !types.includes(kind) && !isInteger) return [`${at} is ${kind}, not ${types}`];
  if (kind === 'array' && schema.items) {
    return value.flatMap((item: Json, i: number) => misfits(schema.items, item, `${at}.${i}`));
  }
  if (kind !== 'object' || !schema.properties) return [];
  const missing = (schema.required ?? []).filter((key: string) => !Object.hasOwn(value, key));
  const members = Object.entries(value).flatMap(([key, inner]) =>
    schema.properties[key] ? misfits(schema.properties[key], inner, `${at}.${key}`) : [`${at}.${key} is unknown`],
  );
  return [...missing.map((key: string) => `${at}.${key} is missing`), ...members];
}

describe('the pages', () => {
  test('come whole from here, with a policy that allows nothing else', async () => {
    const page = await service.call('GET', '/docs', { key: null });
    expect(page.status).toBe(200);
    const policy = page.headers.get('content-security-policy') ?? '';
    expect(policy).toMatch(/^default-src 'none'; script-src 'self';/);
    expect(policy).not.toMatch(/http|\*|unsafe-eval|script-src[^;]*unsafe/);
    const files = [...page.text.matchAll(/(?:src|href)="([^"]+)"/g)].map(match => match[1]!);
    expect(files).toHaveLength(4);
    for (const file of files) {
      const { status, headers, text } = await service.call('GET', new URL(file, 'http://x/docs').pathname, {
        key: null,
      });
      expect(status, file).toBe(200);
      expect(headers.get('x-content-type-options')).toBe('nosniff');
      expect(headers.get('content-type')).toMatch(/javascript|css|png/);
      expect(text.length).toBeGreaterThan(100);
    }
    expect(page.text).not.toMatch(/<script>|https?:/);
  });

  test('give no other file away', async () => {
    for (const name of [
      'package.json',
      'index.html',
      '..%2fpackage.json',
      '%2e%2e%2fpackage.json',
      'constructor',
      '.',
    ]) {
      const { status } = await service.call('GET', `/docs/${name}`);
      expect(status, name).toBe(404);
    }
  });
});
