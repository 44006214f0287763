// What a customer's browser is shown when something goes wrong on the way back from paying.
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { checkOut, pay, type Service, startService } from './support/httpService.ts';

let service: Service;
beforeAll(async () => {
  service = await startService();
});
afterAll(() => service.close());
afterEach(() => {
  service.sandbox.mood = 'well';
});

const BROWSER = { accept: 'text/html,application/xhtml+xml,*/*;q=0.8', 'sec-fetch-dest': 'document' };
const PATH = '/v1/callbacks/sandbox';
const FORM = { 'content-type': 'application/x-www-form-urlencoded' };
const textOf = (html: string) => html.replace(/<style>.*?<\/style>|<[^>]+>/gs, ' ').replace(/\s+/g, ' ');

async function comeBack(): Promise<string> {
  const order = await checkOut(service);
  return new URLSearchParams(service.callback(pay(service, order.providerOrderId) as never)).toString();
}

test('who comes back while the provider is silent reads that the payment is not lost, and the page succeeds by itself', async () => {
  const query = await comeBack();
  const open = () => service.call('GET', `${PATH}?${query}`, { key: null, headers: BROWSER });
  service.sandbox.mood = 'down';
  const page = await open();
  expect(page.status).toBe(503);
  expect(page.headers.get('content-type')).toBe('text/html; charset=utf-8');
  expect(page.headers.get('retry-after')).toBe('2');
  expect(page.headers.get('content-security-policy')).toMatch(/^default-src 'none'; style-src 'sha256-[\w+/]{43}='/);
  expect(textOf(page.text)).toContain('your payment is not lost, and it is not taken twice. This page tries again');
  expect(page.text).toContain('<meta http-equiv="refresh" content="5" />');
  expect(page.text).toContain(page.headers.get('x-request-id'));
  service.sandbox.mood = 'well';
  expect((await open()).status).toBe(303);
});

test('a form is not sent again by itself: the page says that the payment counts all the same', async () => {
  const body = await comeBack();
  service.sandbox.mood = 'down';
  const page = await service.call('POST', PATH, { key: null, body, headers: { ...BROWSER, ...FORM } });
  expect(page.status).toBe(503);
  expect(textOf(page.text)).toContain('It counts as soon as it reaches us: you may close this page.');
  expect(page.text).not.toContain('http-equiv="refresh"');
});

test('what the browser brought wrong is said on a page, as text', async () => {
  const wrong = await service.call('GET', `${PATH}?providerOrderId=a&paymentId=b&signature=${'f'.repeat(64)}`, {
    key: null,
    headers: BROWSER,
  });
  expect(wrong.status).toBe(401);
  expect(textOf(wrong.text)).toContain('The signature does not hold');
  expect(wrong.text).not.toContain('http-equiv="refresh"');
  const hostile = `/v1/callbacks/${encodeURIComponent('<script>alert(1)</script>')}`;
  const page = await service.call('GET', hostile, { key: null, headers: BROWSER });
  expect(page.status).toBe(404);
  expect(page.text).not.toContain('<script>');
});

test('a script and the API get a problem document, also when they take pages', async () => {
  const query = await comeBack();
  service.sandbox.mood = 'down';
  const fetched = { ...BROWSER, 'sec-fetch-dest': 'empty' };
  for (const headers of [fetched, { accept: '*/*' }, { accept: 'application/json' }]) {
    const answer = await service.call('GET', `${PATH}?${query}`, { key: null, headers });
    expect(answer.body).toMatchObject({ status: 503, code: 'provider_unreachable' });
  }
  const answer = await service.call('GET', '/v1/orders', { key: null, headers: BROWSER });
  expect(answer.headers.get('content-type')).toBe('application/problem+json');
  const nowhere = await service.call('DELETE', '/v1/plans', { headers: BROWSER });
  expect(nowhere.body).toMatchObject({ status: 404, detail: expect.stringContaining('Nothing answers DELETE') });
});
