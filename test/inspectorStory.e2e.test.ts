// A night at the inspector, in a real browser against the service as a process: a customer has paid and has no access. Found
// by the payment's id, understood, tried beforehand, mended, and seen to be mended in another tab; and what must not be
// possible meanwhile: acting without the key for it, or from another site.
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  buy,
  type InspectedProcess,
  KEYS,
  orderOf,
  type Paid,
  type Person,
  payFor,
  signedIn,
  startInspectedProcess,
  tell,
  VIEWER_KEY,
} from './support/inspectedProcess.ts';
import { browserPath, openBrowser } from './support/inspectorBrowser.ts';

const why = browserPath ? '' : ' (SKIPPED: there is no Chromium on this machine)';
if (why) console.warn(`the inspector's story was not tried in a browser${why}`);
const inBrowser = test.skipIf(!browserPath);
const REFUSED = 'violates check constraint "grants_seats_left"';

let service: InspectedProcess;
let browser: Browser;
let operator: Person;
let ada: Paid;
const others: Paid[] = [];

/** What somebody added to the database by hand: no grants for these customers. */
async function refuseGrantsOf(...users: string[]): Promise<void> {
  await service.sql`alter table grants drop constraint if exists grants_seats_left`;
  if (users.length === 0) return;
  const list = users.map(user => `'${user}'`).join();
  await service.sql.unsafe(
    `alter table grants add constraint grants_seats_left check (user_id not in (${list})) not valid`,
  );
}

beforeAll(async () => {
  if (!browserPath) return;
  service = await startInspectedProcess();
  browser = await openBrowser();
  await refuseGrantsOf('ada', 'grace', 'linus', 'margaret');
  ada = await payFor(service.url, await buy(service.url, 'ada'), 2);
  await tell(service.url, { ...ada, paymentId: `${ada.paymentId}_first` }, 'payment.failed', {
    reason: 'card declined',
  });
  for (const user of ['grace', 'linus', 'margaret'])
    others.push(await payFor(service.url, await buy(service.url, user)));
  await payFor(service.url, await buy(service.url, 'barbara'));
  // However slow the night is, nobody but its people tries the grants again.
  await service.sql`update orders set wake_at = now() + interval '1 day' where state = 'captured'`;
  operator = await signedIn(browser, service, KEYS.ADMIN_KEY);
});
afterAll(async () => {
  await browser?.close();
  await service?.sql.end();
});

const orderPath = (id: string) => `/inspector/orders/${id}`;
const live = (page: Page) =>
  page
    .locator('#live .words')
    .filter({ hasText: /^Live$/ })
    .waitFor();

/** What a retry would do, seen; and why, at its button. */
async function dryRunRetry(page: Page, reason: string): Promise<void> {
  await page.locator('#act').getByRole('link', { name: 'Dry run: Retry what failed' }).click();
  await page.locator('#dry-run').waitFor();
  await page.getByLabel('Reason').fill(reason);
  await page.getByLabel('Who you are').fill('grace@ops.example');
}

inBrowser(`a paid order without access is found by its payment’s id, and its page says why${why}`, async () => {
  const { page } = operator;
  await page.keyboard.press('/');
  await page.keyboard.type(ada.paymentId);
  await page.keyboard.press('Enter');
  await page.waitForURL(`**${orderPath(ada.id)}`);
  const head = page.locator('.waiting');
  expect(await head.textContent()).toContain('it is paid, and the grant cannot be written');
  expect(await head.textContent()).toContain(REFUSED);
  expect(await page.locator('h1 .badge').first().textContent()).toBe('captured');
  // What arrived, and what became of each: the same webhook twice is one event, delivered twice.
  const timeline = page.locator('#timeline');
  for (const words of ['payment.captured', 'payment.failed', 'stale', ada.paymentId, '₹499.00', '2 times'])
    expect.soft(await timeline.textContent(), words).toContain(words);
  const money = (await page.locator('#money').textContent())?.replace(/\s+/g, ' ');
  expect(money).toMatch(/Captured.*₹499.00/);
  expect(money).toContain(ada.paymentId);
  expect(await page.locator('#access').textContent()).toMatch(/No/);
});

inBrowser(`while its cause stands a retry says what it would try, and that it was refused before${why}`, async () => {
  const { page } = operator;
  await page.goto(service.url + orderPath(ada.id));
  await dryRunRetry(page, 'the customer is on the phone');
  const dry = await page.locator('#dry-run').textContent();
  expect(dry).toContain('tries to write the grant again');
  expect(dry).toContain(REFUSED);
  expect(dry).toContain('only if the database takes the grant');
  expect(dry).toContain(':notify:order.subscribed:');
  expect((await orderOf(service.url, ada.id)).version).toBe(3);
  await page.getByRole('button', { name: 'Retry now' }).click();
  await page.waitForURL(`**${orderPath(ada.id)}`);
  expect(await page.locator('.just-told').textContent()).toContain(REFUSED);
  expect(await orderOf(service.url, ada.id)).toMatchObject({ state: 'captured', version: 4 });
});

inBrowser(
  `once the cause is gone a retry subscribes it, and another tab shows that without a reload${why}`,
  async () => {
    const { page } = operator;
    const other = await operator.tab(orderPath(ada.id));
    await live(other);
    await other.evaluate('window.notReloaded = true');
    expect(await other.locator('h1 .badge').first().textContent()).toBe('captured');
    await refuseGrantsOf('grace', 'linus', 'margaret');
    await dryRunRetry(page, 'the rule about seats is gone');
    expect(await page.locator('#dry-run .outcome').textContent()).toMatch(/from\s+captured\s+to\s+subscribed/);
    expect(await page.locator('#dry-run .chart-wide desc').textContent()).toContain('from captured to subscribed');
    await page.getByRole('button', { name: 'Retry now' }).click();
    await page.locator('.just-told').filter({ hasText: 'The order is subscribed' }).waitFor();
    await other.locator('h1 .badge').filter({ hasText: 'subscribed' }).waitFor();
    await other.locator('#timeline').getByText('the rule about seats is gone').first().waitFor();
    await other.locator('#access').getByText('Yes').first().waitFor();
    expect(await other.evaluate('window.notReloaded')).toBe(true);
    expect(await other.locator('#timeline').textContent()).toContain('grace@ops.example');

    expect(await orderOf(service.url, ada.id)).toMatchObject({ state: 'subscribed', stuck: null });
    expect((await service.sql`select from grants where order_id = ${ada.id}`).length).toBe(1);
    await other.close();
  },
);

inBrowser(`its life is stepped through, forward and back${why}`, async () => {
  const { page } = operator;
  await page.goto(service.url + orderPath(ada.id));
  await page.locator('.sections').getByRole('link', { name: 'Replay' }).click();
  await page.getByText('The replay gives the stored snapshot').waitFor();
  const step = () => page.locator('[aria-current="step"]').textContent();
  await page.getByRole('link', { name: 'First' }).click();
  expect(await step()).toBe('1');
  await page.getByRole('link', { name: 'Forward' }).click();
  await page.getByRole('link', { name: 'Forward' }).click();
  expect(await step()).toBe('3');
  expect(await page.locator('#event').textContent()).toContain('payment.captured');
  await page.getByRole('link', { name: 'Back' }).click();
  expect(await step()).toBe('2');
  expect(await page.locator('#event').textContent()).toContain('checkout.opened');
});

inBrowser(`all that is stuck for one cause is retried, with a result for each${why}`, async () => {
  const { page } = operator;
  await refuseGrantsOf('linus', 'margaret');
  await page.goto(`${service.url}/inspector/stuck?cause=grant_failed`);
  await page.getByRole('button', { name: 'Retry all of them…' }).click();
  expect(await page.locator('#sample tbody tr').count()).toBe(3);
  await page.getByLabel('Reason').fill('one rule is gone');
  await page.getByLabel('Who you are').fill('grace@ops.example');
  await page.getByRole('button', { name: 'Retry these 3' }).click();
  await page.locator('#results').waitFor();
  expect(await page.getByText('3 orders: 1 moves again, 2 are still stuck.').count()).toBe(1);
  const results = await page.locator('#results tbody tr').allTextContents();
  expect(results.filter(text => text.includes('subscribed') && text.includes('moves again')).length).toBe(1);
  expect(results.filter(text => text.includes('still stuck') && text.includes(REFUSED)).length).toBe(2);
  expect((await orderOf(service.url, others[0]!.id)).state).toBe('subscribed');
});

inBrowser(`a viewer sees everything and can send nothing${why}`, async () => {
  const viewer = await signedIn(browser, service, VIEWER_KEY, `${orderPath(others[1]!.id)}`);
  const { page } = viewer;
  const act = `${orderPath(others[1]!.id)}/act/retry.requested`;
  const why = new URLSearchParams({ dry: '1', reason: 'I want to', by: 'viewer' });
  const paths = ['', '/orders', '/stuck?cause=grant_failed', '/stuck/retry?cause=grant_failed', '/events?verdict=any'];
  for (const path of [
    ...paths.map(path => `/inspector${path}`),
    orderPath(others[1]!.id),
    `${orderPath(others[1]!.id)}/replay`,
    `${act}?${why}`,
  ]) {
    const answer = await page.goto(service.url + path);
    expect([path, answer?.status()]).toEqual([path, 200]);
    const posts = page.locator('form[method="post"]:not([action="/inspector/sign-out"])');
    expect([path, await posts.count()]).toEqual([path, 0]);
  }
  const before = await orderOf(service.url, others[1]!.id);
  const forced = (path: string, fields: Record<string, string>) =>
    page.evaluate(`(async () => {
      const csrf = document.querySelector('input[name=csrf]').value;
      const body = new URLSearchParams({ csrf, ...${JSON.stringify(fields)} });
      return (await fetch(${JSON.stringify(path)}, { method: 'POST', body })).status;
    })()`);
  const key = `evt_${'0'.repeat(26)}`;
  const fields = { version: String(before.version), key, reason: 'I want to', by: 'viewer' };
  expect(await forced(act, fields)).toBe(403);
  expect(await forced('/inspector/stuck/retry', { ...fields, cause: 'grant_failed' })).toBe(403);
  expect(await orderOf(service.url, others[1]!.id)).toEqual(before);
  expect(viewer.complaints.filter(text => !text.includes('403'))).toEqual([]);
  await viewer.context.close();
});

/** A page that sends this form at once, on a port of its own: the same site to a browser, and another origin. */
async function evilPage(action: string, fields: Record<string, string>): Promise<{ server: Server; url: string }> {
  const inputs = Object.entries(fields).map(([name, value]) => `<input name="${name}" value="${value}">`);
  const form = `<form method="post" action="${action}">${inputs.join('')}</form><script>document.forms[0].submit()</script>`;
  const server = createServer((_, answer) => answer.setHeader('content-type', 'text/html').end(form));
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  return { server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/` };
}

inBrowser(`a form that another page sends from the operator’s browser changes nothing${why}`, async () => {
  const linus = others[1]!;
  const { context, page } = operator;
  const why = new URLSearchParams({ dry: '1', reason: 'a form', by: 'grace' });
  await page.goto(`${service.url}${orderPath(linus.id)}/act/retry.requested?${why}`);
  // The form as the operator's own page has it, its token included: worse than any other site could know.
  const fields = (await page.evaluate(
    `Object.fromEntries(new FormData(document.querySelector('form.confirm')))`,
  )) as Record<string, string>;
  expect(Object.keys(fields)).toEqual(expect.arrayContaining(['csrf', 'version', 'key', 'reason', 'by']));
  const before = await orderOf(service.url, linus.id);
  const action = `${service.url}${orderPath(linus.id)}/act/retry.requested`;
  const { server, url } = await evilPage(action, fields);
  const sent: (string | undefined)[] = [];
  const elsewhere = [url, url.replace('127.0.0.1', 'localhost')];
  for (const from of elsewhere) {
    const evil = await context.newPage();
    const answer = evil.waitForResponse(response => response.request().method() === 'POST');
    await evil.goto(from).catch(() => {});
    const response = await answer;
    sent.push((await response.request().allHeaders()).cookie);
    expect([from, [401, 403].includes(response.status())]).toEqual([from, true]);
    expect(await orderOf(service.url, linus.id)).toEqual(before);
    await evil.close();
  }
  expect(sent[0], 'a page of the same site sends the cookie along').toContain('paylatch_session');
  expect(sent[1], 'a page of another site does not').toBeUndefined();
  server.close();
  for (const from of elsewhere) operator.complaints.splice(operator.complaints.indexOf(`asked ${from}`), 1);
  // The same form, sent by the page it stands on, is taken: nothing else was wrong with it.
  await page.getByRole('button', { name: 'Retry now' }).click();
  await page.waitForURL(`**${orderPath(linus.id)}`);
  expect((await orderOf(service.url, linus.id)).version).toBe(before.version + 1);
});

inBrowser(`keys go to the search, from order to order, and into one${why}`, async () => {
  const { page } = operator;
  await page.goto(`${service.url}/inspector/orders`);
  const rows = await page.locator('[data-row] a').evaluateAll(links => links.map(link => link.getAttribute('href')));
  const ids = [...new Set(rows)].filter(href => /orders\/ord_/.test(href ?? ''));
  const focused = () => page.evaluate(`document.activeElement.getAttribute('href')`);
  await page.keyboard.press('j');
  await page.keyboard.press('j');
  expect(await focused()).toBe(ids[1]);
  await page.keyboard.press('k');
  expect(await focused()).toBe(ids[0]);
  await page.keyboard.press('Enter');
  await page.waitForURL(`**${ids[0]}`);
  await page.keyboard.press('/');
  await page.keyboard.type('margaret');
  await page.keyboard.press('Enter');
  await page.waitForURL(`**${orderPath(others[2]!.id)}`);
});

inBrowser(`all of it works without scripts${why}`, async () => {
  await refuseGrantsOf();
  const margaret = others[2]!;
  const without = await signedIn(browser, service, KEYS.ADMIN_KEY, '/inspector', { javaScriptEnabled: false });
  const { page } = without;
  await page.getByLabel('Search orders by any id').fill(margaret.paymentId);
  await page.keyboard.press('Enter');
  await page.waitForURL(`**${orderPath(margaret.id)}`);
  await dryRunRetry(page, 'no scripts tonight');
  await page.getByRole('button', { name: 'Retry now' }).click();
  await page.locator('.just-told').filter({ hasText: 'The order is subscribed' }).waitFor();
  await page.locator('.sections').getByRole('link', { name: 'Replay' }).click();
  await page.getByRole('link', { name: 'Back' }).click();
  await page.getByText('The replay gives the stored snapshot').waitFor();
  await page.goto(`${service.url}/inspector/stuck?cause=grant_failed`);
  expect(await page.locator('main').textContent()).toContain('linus');
  await page.getByRole('button', { name: 'Retry this order…' }).click();
  await page.getByLabel('Reason').fill('no scripts tonight');
  await page.getByLabel('Who you are').fill('grace');
  await page.getByRole('button', { name: 'Retry it', exact: true }).click();
  await page.getByText('1 order: 1 moves again.').waitFor();
  expect(without.complaints).toEqual([]);
  await without.context.close();
});

inBrowser(`nothing was asked of another origin, and no browser complained${why}`, () => {
  expect(operator.complaints).toEqual([]);
});
