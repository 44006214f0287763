// The shop as a browser without JavaScript meets it: forms posted, redirects followed by hand, and what the pages say;
// through the service's own process and the sandbox's pay page.
import { beforeAll, expect, test } from 'vitest';
import { until } from './support/embeddedProcesses.ts';
import { call, get } from './support/serviceClient.ts';
import { KEYS, newFolder, startService } from './support/serviceProcess.ts';

type Page = { status: number; html: string; headers: Headers; location: string | null };

let url: string;
let customers = 0;
const newCustomer = () => `asha.rao+${++customers}@example.test`;

beforeAll(async () => {
  url = (await startService({ dataDir: await newFolder() })).url;
});

async function open(address: string, form?: Record<string, string>): Promise<Page> {
  const response = await fetch(new URL(address, url), {
    redirect: 'manual',
    headers: { accept: 'text/html' },
    ...(form && { method: 'POST', body: new URLSearchParams(form) }),
  });
  const { status, headers } = response;
  return { status, headers, html: await response.text(), location: headers.get('location') };
}

const attemptOn = (page: Page) => /name="attempt" value="([^"]+)"/.exec(page.html)?.[1] ?? '';
/** What a reader sees of it. */
const textOf = (page: Page) => page.html.replace(/<[^>]+>/g, ' ').replace(/\s+/g, ' ');

/** Picks the plan and answers the address of its pay page. */
async function buy(userId: string, planId = 'pro-monthly'): Promise<string> {
  const sent = await open('/', { attempt: attemptOn(await open('/')), userId, planId });
  expect(sent.status).toBe(303);
  return sent.location ?? '';
}

/** Presses a button of the pay page and follows the customer back to the shop; null when the customer is not sent back. */
async function pay(payUrl: string, scenario: string): Promise<Page> {
  const attempt = attemptOn(await open(payUrl));
  const paid = await open(payUrl, { attempt, scenario });
  expect(paid.status).toBe(303);
  const callback = await open(paid.location ?? '');
  expect(callback.status).toBe(303);
  expect(callback.location).toMatch(/^\/\?order=ord_[0-9a-z]{26}$/);
  return open(callback.location ?? '');
}

test('the front page lists the plans with their prices, and says where the API reference is', async () => {
  const page = await open('/');
  expect(page.status).toBe(200);
  expect(textOf(page)).toMatch(/pro-monthly ₹499\.00 1 month of pro, 3 days of grace/);
  expect(textOf(page)).toMatch(/pro-yearly ₹4,990\.00 12 months of pro, 7 days of grace/);
  expect(page.html.match(/href="\/docs"/g)?.length).toBeGreaterThanOrEqual(2);
  expect((await open('/docs')).status).toBe(200);
});

test('a plan put by the operator is in the shop at once, escaped whatever it costs', async () => {
  const plan = { product: 'support', amountMinor: 500, currency: 'KWD', period: { days: 1 }, graceDays: 0 };
  expect(await call(url, 'PUT', '/v1/plans/one-day', plan)).toMatchObject({ status: 200 });
  expect(textOf(await open('/'))).toMatch(/one-day KWD\s0\.500 1 day of support Buy/);
});

test('picking a plan, paying at the sandbox and coming back shows "Subscribed" and the access it gives', async () => {
  const userId = newCustomer();
  const page = await pay(await buy(userId), 'succeed');
  expect(page.status).toBe(200);
  expect(page.html).toContain('<h1 class="good">Subscribed</h1>');
  expect(page.html, 'a late webhook is looked for once').toContain('<meta http-equiv="refresh" content="7" />');
  const orderId = /ord_[0-9a-z]{26}/.exec(page.html)?.[0];
  expect(page.html).toContain(`href="/inspector/orders/${orderId}"`);
  const { until: end } = await get(url, `/v1/users/${encodeURIComponent(userId)}/access?product=pro`);
  const day = new Intl.DateTimeFormat('en-GB', { dateStyle: 'long', timeZone: 'UTC' }).format(new Date(end));
  expect(textOf(page)).toContain(`Access to pro Yes, until ${day}`);
  expect(textOf(page)).toContain('₹499.00 paid');
  expect(textOf(page)).toMatch(/created order\.created .* captured payment\.captured .* subscribed grant\.recorded/);
});

test('a declined payment shows "Not paid", no access, and the way to try again, which then works', async () => {
  const payUrl = await buy(newCustomer());
  const page = await pay(payUrl, 'fail');
  expect(page.html).toContain('Not paid');
  expect(textOf(page)).toContain('Access to pro No, not paid for yet');
  expect(page.html).toContain(`<a class="go" href="${payUrl}">Try again</a>`);
  expect((await pay(payUrl, 'succeed')).html).toContain('Subscribed');
});

test('money of another amount shows that somebody must look, with the reason, and gives no access', async () => {
  const page = await pay(await buy(newCustomer()), 'wrong-amount');
  expect(textOf(page)).toMatch(/Somebody must look at this .* Stuck: parked\. 249\.50 INR/);
  expect(textOf(page)).toContain('Access to pro No');
});

test('a customer who never comes back finds the order subscribed all the same, on a page that looked again by itself', async () => {
  const payUrl = await buy(newCustomer());
  const payPage = await open(payUrl);
  const orderId = /ord_[0-9a-z]{26}/.exec(payPage.html)?.[0];
  const before = await open(`/?order=${orderId}`);
  expect(before.html).toContain('Waiting for your payment');
  expect(before.html).toContain('<meta http-equiv="refresh" content="1" />');
  await open(payUrl, { attempt: attemptOn(payPage), scenario: 'callback-never' });
  await until(async () => (await open(`/?order=${orderId}`)).html.includes('Subscribed'), 'the webhook');
});

test('a double click on Buy is one order, and on Pay one payment', async () => {
  const userId = newCustomer();
  const form = { attempt: attemptOn(await open('/')), userId, planId: 'pro-yearly' };
  const clicks = await Promise.all([open('/', form), open('/', form), open('/', form)]);
  expect(new Set(clicks.map(click => click.location)).size).toBe(1);
  const payUrl = clicks[0]?.location ?? '';
  const attempt = attemptOn(await open(payUrl));
  const paid = await Promise.all([1, 2].map(() => open(payUrl, { attempt, scenario: 'succeed' })));
  await Promise.all(paid.map(each => open(each.location ?? '')));
  const { orders } = await get(url, `/v1/orders?userId=${encodeURIComponent(userId)}`);
  expect(orders).toMatchObject([{ state: 'subscribed' }]);
  const { payments } = await get(url, `/v1/orders/${orders[0].id}/timeline`);
  expect(payments).toHaveLength(1);
});

const HOSTILE = '"><script>alert(1)</script>';
const BAD_FORMS: [what: string, change: Record<string, string>, says: RegExp][] = [
  ['a hostile customer', { userId: HOSTILE }, /A customer is named by/],
  ['no customer', { userId: '' }, /A customer is named by/],
  ['a customer that is too long', { userId: 'a'.repeat(129) }, /A customer is named by/],
  ['a hostile plan', { planId: HOSTILE }, /There is no such plan/],
  ['a plan nobody put', { planId: 'unheard-of' }, /there is no plan unheard-of/],
  ['a hostile attempt', { attempt: HOSTILE }, /not as this page sends it/],
];
test.each(BAD_FORMS)('%s gets a page with a sentence and no order', async (_what, change, says) => {
  const before = (await get(url, '/v1/orders')).orders[0]?.id;
  const form = { attempt: attemptOn(await open('/')), userId: newCustomer(), planId: 'pro-monthly', ...change };
  const page = await open('/', form);
  expect(page.status).toBe(400);
  expect(textOf(page)).toMatch(says);
  expect(page.html).not.toContain('<script');
  expect((await get(url, '/v1/orders')).orders[0]?.id).toBe(before);
});

test('a form that is none, too large, or something else gets its 4xx page', async () => {
  const send = (type: string, body: string) => fetch(url, { method: 'POST', headers: { 'content-type': type }, body });
  const json = await send('application/json', '{"planId":"pro-monthly"}');
  expect(json.status).toBe(415);
  expect(await json.text()).toContain('The form must be sent as');
  expect((await send('multipart/form-data; boundary=x', '--x--')).status).toBe(415);
  expect((await send('application/x-www-form-urlencoded', `userId=${'a'.repeat(20_000)}`)).status).toBe(413);
});

test.each([HOSTILE, 'nonsense', '', 'ord_00000000000000000000000000', '../docs'])(
  'an order %j that does not exist gets a page with a sentence, escaped',
  async id => {
    const page = await open(`/?order=${encodeURIComponent(id)}`);
    expect(page.status).toBe(404);
    expect(page.html).toContain('<h1>No such order</h1>');
    expect(page.html).not.toContain('<script');
  },
);

test('pages load nothing but their own style and icon, are not kept, and send nobody their address', async () => {
  const shown = await pay(await buy(newCustomer()), 'succeed');
  for (const page of [await open('/'), shown, await open('/?order=none')]) {
    const policy = page.headers.get('content-security-policy') ?? '';
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy).not.toContain('unsafe');
    expect(page.headers.get('referrer-policy')).toBe('no-referrer');
    expect(page.headers.get('cache-control')).toBe('no-store');
    expect(page.headers.get('x-content-type-options')).toBe('nosniff');
    expect(page.html).not.toMatch(/<script|<style|\sstyle=|\son[a-z]+=/);
    for (const [, asset = ''] of page.html.matchAll(/(?:src|rel="(?:stylesheet|icon)" href)="([^"]+)"/g))
      expect(await open(asset)).toMatchObject({ status: 200 });
    for (const key of Object.values(KEYS)) expect(page.html).not.toContain(key);
  }
});
