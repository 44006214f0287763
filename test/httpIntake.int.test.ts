// What providers and browsers send: callbacks and webhooks, signed, forged, repeated and for nobody.
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { Overloaded } from '../src/errors.ts';
import { decodeSecret, signStandardWebhook } from '../src/providers/signatures.ts';
import { type Answer, checkOut, pay, SECRET, type Service, startService } from './support/httpService.ts';

let service: Service;
beforeAll(async () => {
  service = await startService();
});
afterAll(() => service.close());
afterEach(() => {
  service.sandbox.mood = 'well';
});

const rows = async (key: string) => [...(await service.world.sql`select * from inbox where event_key = ${key}`)];
const callbackBy = (
  how: 'json' | 'form' | 'get',
  fields: Record<string, string>,
  headers: Record<string, string> = {},
): Promise<Answer> => {
  const path = '/v1/callbacks/sandbox';
  const form = new URLSearchParams(fields).toString();
  if (how === 'get') return service.call('GET', `${path}?${form}`, { key: null, headers });
  if (how === 'json') return service.call('POST', path, { key: null, body: fields, headers });
  const asForm = { 'content-type': 'application/x-www-form-urlencoded', ...headers };
  return service.call('POST', path, { key: null, body: form, headers: asForm });
};

describe('a webhook', () => {
  test('is applied, then a duplicate, and kept with the bytes it came in', async () => {
    const order = await checkOut(service);
    const body = `{ "type":"payment.captured",\n "data": ${JSON.stringify(pay(service, order.providerOrderId))} }`;
    const headers = { 'user-agent': 'sandbox/1', authorization: 'Bearer secret', cookie: 'a=b' };
    const first = await service.webhook(body, { id: 'evt_once', headers });
    expect(first.status).toBe(200);
    expect(first.body).toEqual({ verdict: 'applied', orderId: order.id, state: 'subscribed' });
    const second = await service.webhook(body, { id: 'evt_once' });
    expect(second.body).toEqual({ verdict: 'duplicate', orderId: order.id, state: 'subscribed' });
    const [row] = await rows('evt_once');
    expect(row).toMatchObject({ source: 'webhook', verdict: 'applied', deliveries: 2, event_type: 'payment.captured' });
    expect(row?.raw.toString()).toBe(body);
    expect(row?.headers).toEqual({
      'content-type': 'application/json',
      'user-agent': 'sandbox/1',
      'webhook-id': 'evt_once',
      'webhook-timestamp': expect.stringMatching(/^\d+$/),
    });
  });

  test('for an order we do not know is kept as unmatched and acknowledged', async () => {
    const data = pay(service, 'sbo_of_somebody_else');
    const answer = await service.webhook({ type: 'payment.captured', data }, { id: 'evt_nobodys' });
    expect(answer).toMatchObject({ status: 200, body: { verdict: 'unmatched', orderId: null, state: null } });
    expect(await rows('evt_nobodys')).toMatchObject([{ verdict: 'unmatched' }]);
  });

  test('of a type we do not use, or signed nonsense, is kept and acknowledged', async () => {
    const ignored = await service.webhook({ type: 'settlement.processed', data: {} }, { id: 'evt_settled' });
    expect(ignored).toMatchObject({ status: 200, body: { verdict: 'ignored', orderId: null } });
    for (const [id, body] of [
      ['evt_text', 'not json at all'],
      ['evt_null', 'null'],
      ['evt_deep', '['.repeat(100_000)],
      ['evt_nul', '{"type":"payment.captured","data":{"providerOrderId":"a\\u0000b"}}'],
      ['evt_proto', '{"type":"payment.captured","data":{"__proto__":{"providerOrderId":"x"}}}'],
      ['evt_negative', '{"type":"payment.captured","data":{"providerOrderId":"x","paymentId":"y","amountMinor":-1}}'],
    ] as const) {
      const answer = await service.webhook(body, { id });
      expect([answer.status, answer.body.verdict], id).toEqual([200, 'parked']);
      expect(await rows(id)).toMatchObject([{ verdict: 'parked' }]);
    }
  });

  test('in another currency parks its order, as money that does not fit', async () => {
    const order = await checkOut(service);
    const data = { ...pay(service, order.providerOrderId), currency: 'USD' };
    const answer = await service.webhook({ type: 'payment.captured', data });
    expect(answer.body).toEqual({ verdict: 'mismatch', orderId: order.id, state: 'parked' });
  });
});

describe('a webhook that is refused changes nothing', () => {
  const nowS = () => Math.floor(service.world.clock().getTime() / 1_000);
  async function expectRefused(answer: Promise<Answer>, before: string, status = 401, code = 'bad_signature') {
    const { status: given, body, headers } = await answer;
    expect([given, body.code]).toEqual([status, code]);
    expect(headers.get('content-type')).toBe('application/problem+json');
    expect(await service.books()).toBe(before);
  }

  test.each<[string, Record<string, string>]>([
    ['no signature', { 'webhook-signature': '' }],
    ['no id', { 'webhook-id': '' }],
    ['a wrong signature', { 'webhook-signature': `v1,${Buffer.alloc(32, 1).toString('base64')}` }],
    ['an unknown scheme', { 'webhook-signature': 'v0,none' }],
    ['another id than was signed', { 'webhook-id': 'evt_other' }],
    ['another time than was signed', { 'webhook-timestamp': '1769853601' }],
  ])('with %s', async (_what, headers) => {
    const before = await service.books();
    const counted = service.signatureFailures.length;
    const data = pay(service, 'sbo_x');
    await expectRefused(service.webhook({ type: 'payment.captured', data }, { headers }), before);
    expect(service.signatureFailures.slice(counted)).toEqual(['sandbox']);
  });

  test('without any header of a signature', async () => {
    const before = await service.books();
    await expectRefused(service.call('POST', '/v1/webhooks/sandbox', { key: null, body: { a: 1 } }), before);
    await expectRefused(service.call('POST', '/v1/webhooks/sandbox', { key: null }), before);
  });

  test('signed more than five minutes ago or ahead', async () => {
    const before = await service.books();
    const body = { type: 'payment.captured', data: pay(service, 'sbo_x') };
    await expectRefused(service.webhook(body, { atS: nowS() - 301 }), before);
    await expectRefused(service.webhook(body, { atS: nowS() + 301 }), before);
    expect((await service.webhook(body, { atS: nowS() - 300 })).status).toBe(200);
  });

  test('signed over the same JSON written in another way', async () => {
    const order = await checkOut(service);
    const before = await service.books();
    const event = { type: 'payment.captured', data: pay(service, order.providerOrderId) };
    const spaced = JSON.stringify(event, null, 1);
    const escaped = JSON.stringify(event).replace('type', '\\u0074ype');
    const reordered = JSON.stringify({ data: event.data, type: event.type });
    const signed = signedHeaders(JSON.stringify(event));
    for (const body of [spaced, escaped, reordered, `${JSON.stringify(event)}\n`]) {
      const call = { key: null, body, headers: signed };
      await expectRefused(service.call('POST', '/v1/webhooks/sandbox', call), before);
    }
  });

  test('to a provider that is not there', async () => {
    const before = await service.books();
    for (const name of ['paypal', 'constructor', '__proto__', 'Sandbox', 'sandbox%20']) {
      const call = { key: null, body: { a: 1 } };
      await expectRefused(service.call('POST', `/v1/webhooks/${name}`, call), before, 404, 'not_found');
      await expectRefused(service.call('POST', `/v1/callbacks/${name}`, call), before, 404, 'not_found');
      await expectRefused(service.call('GET', `/v1/callbacks/${name}`, { key: null }), before, 404, 'not_found');
    }
  });
});

describe('a callback', () => {
  test('answers JSON where the order stands, and the webhook of the same payment is a duplicate', async () => {
    const order = await checkOut(service);
    const payment = pay(service, order.providerOrderId);
    const fields = service.callback(payment as never);
    const answer = await callbackBy('json', fields);
    expect(answer.status).toBe(200);
    expect(answer.body).toEqual({ orderId: order.id, state: 'subscribed', status: 'subscribed' });
    expect((await callbackBy('json', fields)).body.status).toBe('subscribed');
    const webhook = await service.webhook({ type: 'payment.captured', data: payment });
    expect(webhook.body).toMatchObject({ verdict: 'duplicate', state: 'subscribed' });
    const [row] = await rows(`cb:${payment.paymentId}:captured`);
    expect(row).toMatchObject({ source: 'callback', verdict: 'applied' });
    expect(JSON.parse(row?.raw.toString() ?? '')).toEqual(fields);
  });

  test.each([
    ['pending', 'created', 'processing'],
    ['authorized', 'authorized', 'processing'],
    ['failed', 'failed', 'failed'],
  ])('of a payment that is %s says %s, %s', async (paid, state, status) => {
    const order = await checkOut(service);
    const fields = service.callback(pay(service, order.providerOrderId, paid) as never);
    const { body } = await callbackBy('json', fields);
    expect(body).toMatchObject({ status });
    expect([state, null]).toContain(body.state);
  });

  test('that redirects is kept with its query', async () => {
    const order = await checkOut(service);
    const payment = pay(service, order.providerOrderId);
    const fields = service.callback(payment as never);
    await callbackBy('get', fields);
    const [row] = await rows(`cb:${payment.paymentId}:captured`);
    expect(row?.raw.toString()).toBe(new URLSearchParams(fields).toString());
  });

  test('sends a browser back to where the merchant said, whichever way it came', async () => {
    const returnUrl = 'https://shop.test/thanks?basket=a%20b&sig=x+y#top';
    for (const [how, headers] of [
      ['get', {}],
      ['form', {}],
      ['json', { accept: 'text/html,*/*;q=0.8' }],
    ] as const) {
      const order = await checkOut(service, { returnUrl });
      const fields = service.callback(pay(service, order.providerOrderId) as never);
      const answer = await callbackBy(how, fields, headers);
      expect(answer.status).toBe(303);
      const wanted = `https://shop.test/thanks?basket=a%20b&sig=x+y&order=${order.id}&status=subscribed#top`;
      expect(answer.headers.get('location')).toBe(wanted);
    }
  });

  test('sends a browser to the shop when the merchant said nothing', async () => {
    const order = await checkOut(service);
    const answer = await callbackBy('form', service.callback(pay(service, order.providerOrderId) as never));
    expect(answer).toMatchObject({ status: 303 });
    expect(answer.headers.get('location')).toBe(`/?order=${order.id}`);
  });

  test('for an order we do not know is processing', async () => {
    const fields = service.callback(pay(service, 'sbo_unknown') as never);
    expect((await callbackBy('json', fields)).body).toEqual({ orderId: null, state: null, status: 'processing' });
    expect((await callbackBy('get', fields)).headers.get('location')).toBe('/');
  });
});

describe('a callback that is refused changes nothing', () => {
  async function expectRefused(answer: Promise<Answer>, before: string, status: number, code: string) {
    const { status: given, body } = await answer;
    expect([given, body.code]).toEqual([status, code]);
    expect(body.detail).toMatch(/\w.*\.$/);
    expect(await service.books()).toBe(before);
  }

  test('by its signature, its fields, its media type, or the provider', async () => {
    const order = await checkOut(service);
    const good = service.callback(pay(service, order.providerOrderId) as never);
    const before = await service.books();
    for (const how of ['json', 'form', 'get'] as const) {
      const wrong = { ...good, signature: 'f'.repeat(64) };
      await expectRefused(callbackBy(how, wrong), before, 401, 'bad_signature');
      await expectRefused(callbackBy(how, { ...good, paymentId: 'pay_other' }), before, 401, 'bad_signature');
      await expectRefused(callbackBy(how, { status: 'success' }), before, 400, 'invalid_request');
      const unknown = service.callback({ providerOrderId: order.providerOrderId, paymentId: 'pay_unknown' });
      await expectRefused(callbackBy(how, unknown), before, 400, 'invalid_request');
      const anothers = pay(service, 'sbo_another') as { paymentId: string };
      const stolen = service.callback({ providerOrderId: order.providerOrderId, paymentId: anothers.paymentId });
      await expectRefused(callbackBy(how, stolen), before, 401, 'bad_signature');
    }
    expect(service.signatureFailures.length).toBeGreaterThanOrEqual(9);
    const post = (body: unknown, type: string) =>
      service.call('POST', '/v1/callbacks/sandbox', { key: null, body, headers: { 'content-type': type } });
    await expectRefused(post('{"a":', 'application/json'), before, 400, 'invalid_request');
    await expectRefused(post('null', 'application/json'), before, 400, 'invalid_request');
    await expectRefused(post('a', 'text/plain'), before, 415, 'unsupported_media_type');
    await expectRefused(post('a', 'multipart/form-data; boundary=x'), before, 415, 'unsupported_media_type');
    await expectRefused(service.call('POST', '/v1/callbacks/sandbox', { key: null }), before, 400, 'invalid_request');
  });

  test('while the provider does not answer: come again', async () => {
    const order = await checkOut(service);
    const fields = service.callback(pay(service, order.providerOrderId) as never);
    const before = await service.books();
    service.sandbox.mood = 'down';
    const answer = callbackBy('json', fields);
    expect((await answer).headers.get('retry-after')).toBe('2');
    await expectRefused(answer, before, 503, 'provider_unreachable');
    service.sandbox.mood = 'well';
    expect((await callbackBy('json', fields)).body.status).toBe('subscribed');
  });
});

describe('when dispatch or an adapter fails', () => {
  test('too much at once is 503 with Retry-After, and nothing was done', async () => {
    const full = () => Promise.reject(new Overloaded('5000 events are waiting already'));
    const other = await startService({ change: () => ({ dispatch: full }) });
    try {
      const answer = await other.webhook({ type: 'payment.captured', data: pay(other, 'sbo_x') });
      expect(answer).toMatchObject({ status: 503, body: { code: 'overloaded' } });
      expect(answer.headers.get('retry-after')).toBe('2');
    } finally {
      await other.close();
    }
  });

  test('an error inside verification never lets the call through', async () => {
    const broken = (core: { providers: ReadonlyMap<string, object> }) => {
      const parse = () => {
        throw new TypeError('cannot read properties of /srv/keys');
      };
      return { providers: new Map([['sandbox', { ...core.providers.get('sandbox'), parseWebhook: parse }]]) as never };
    };
    const other = await startService({ change: broken });
    try {
      const before = await other.books();
      const answer = await other.webhook({ type: 'payment.captured', data: {} });
      expect(answer).toMatchObject({ status: 500, body: { code: 'internal_error' } });
      expect(answer.text).not.toContain('/srv');
      expect(await other.books()).toBe(before);
    } finally {
      await other.close();
    }
  });
});

/** The headers of a signed webhook, to be sent with another body. */
function signedHeaders(body: string): Record<string, string> {
  const atS = Math.floor(service.world.clock().getTime() / 1_000);
  return signStandardWebhook(decodeSecret(SECRET), 'evt_rewritten', atS, Buffer.from(body));
}
