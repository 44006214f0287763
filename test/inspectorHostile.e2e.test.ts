// Text that wants to be a page, in every field that can hold it, on its way through the real service into a real browser:
// it stays text on every page, runs nothing and asks nobody.
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  buy,
  type InspectedProcess,
  KEYS,
  type Paid,
  type Person,
  payFor,
  signedIn,
  startInspectedProcess,
  tell,
} from './support/inspectedProcess.ts';
import { browserPath, openBrowser } from './support/inspectorBrowser.ts';
import { call, PLAN, send, webhookCall } from './support/serviceClient.ts';

const why = browserPath ? '' : ' (SKIPPED: there is no Chromium on this machine)';
if (why) console.warn(`hostile text was not tried in a browser${why}`);
const inBrowser = test.skipIf(!browserPath);

/** Leaves an attribute, an element and a script, and says so loudly when it can. */
const hostile = (name: string) =>
  `${name}'"></code></pre></textarea><img src=x onerror=alert('${name}')><script>alert('${name}')</script>`;
/** All that a user's id may be made of, as near to markup as it gets. */
const USER = 'javascript:alert.user@example+1';

let service: InspectedProcess;
let browser: Browser;
let operator: Person;
let order: Paid;
let stuck: Paid;
const eventKey = hostile('key');

beforeAll(async () => {
  if (!browserPath) return;
  service = await startInspectedProcess();
  browser = await openBrowser();
  const more = {
    metadata: { note: hostile('metadata') },
    returnUrl: `https://shop.example/${hostile('url').replaceAll(' ', '%20')}`,
  };
  order = await payFor(service.url, await buy(service.url, USER, more));
  const headers = { 'user-agent': hostile('agent') };
  const extra = { [hostile('field')]: hostile('body') };
  const failed = { ...order, paymentId: hostile('payment') };
  await tell(
    service.url,
    failed,
    'payment.failed',
    { reason: hostile('reason') },
    { id: 'evt_hostile', headers, extra },
  );
  // Money under a hostile id, sent back under another, disputed under a third.
  await tell(service.url, failed, 'payment.captured', {}, { headers, extra });
  await tell(service.url, failed, 'refund.failed', {
    refundId: hostile('refund'),
    amountMinor: 100,
    reason: hostile('no'),
  });
  await tell(service.url, failed, 'dispute.opened', { disputeId: hostile('dispute'), amountMinor: 100 });
  // What a person tells goes by the key they give it.
  const told = { type: 'payment.captured', paymentId: hostile('told'), amountMinor: 100, currency: PLAN.currency };
  const heard = await call(service.url, 'POST', `/v1/orders/${order.id}/events`, told, { 'idempotency-key': eventKey });
  expect(heard).toMatchObject({ status: 200, body: { verdict: 'mismatch' } });
  // An order nobody knows, under a hostile id.
  const data = {
    providerOrderId: hostile('order'),
    paymentId: hostile('lost'),
    amountMinor: 1,
    currency: PLAN.currency,
  };
  const lost = webhookCall(service.url, 'evt_unmatched', JSON.stringify({ type: 'payment.captured', data }));
  expect((await send(lost).answer)?.status).toBe(200);
  // Somebody who asks, and why; a database that says something of its own; effects that were given up with an answer.
  await call(service.url, 'POST', `/v1/orders/${order.id}/refund`, {
    reason: hostile('asked'),
    by: hostile('by').slice(0, 128),
    amountMinor: 100,
  });
  await service.sql.unsafe(
    `alter table grants add constraint "${`no<img src=x onerror=alert(1)>`}" check (user_id <> 'paid-in-vain') not valid`,
  );
  stuck = await payFor(service.url, await buy(service.url, 'paid-in-vain'));
  await service.sql`update outbox set status = 'dead', attempts = 12, last_error = ${hostile('answer')} where order_id = ${order.id} and effect = 'notify'`;
  await service.sql`insert into findings (id, fingerprint, kind, severity, detail, order_id, opened_at) values ('fnd_hostile', 'f', ${hostile('kind')}, 'critical', ${hostile('finding')}, ${order.id}, now())`;
  operator = await signedIn(browser, service, KEYS.ADMIN_KEY);
});
afterAll(async () => {
  await browser?.close();
  await service?.sql.end();
});

/** Opens the page with and without its scripts, and finds nothing there that the page itself did not put there. */
async function expectText(path: string, ...shown: string[]): Promise<void> {
  const { page } = operator;
  const answer = await page.goto(service.url + path);
  // 400: a form that says which of its fields cannot be read.
  expect([path, [200, 400].includes(answer?.status() ?? 0)]).toEqual([path, true]);
  await page.evaluate(`document.querySelectorAll('details').forEach(one => { one.open = true; })`);
  const served = (await answer?.text()) ?? '';
  expect([path, served.includes('<img src=x'), served.includes('<script>alert')]).toEqual([path, false, false]);
  expect([path, await page.locator('main img, main script, main [onerror]').count()]).toEqual([path, 0]);
  const text = await page.locator('body').innerText();
  for (const name of shown) expect.soft(text, `${path} shows ${name}`).toContain(`<script>alert('${name}')</script>`);
}

inBrowser(`hostile text is text on every page of its order${why}`, async () => {
  const path = `/inspector/orders/${order.id}`;
  await expectText(path, 'payment', 'refund', 'dispute', 'told', 'key', 'by', 'asked', 'answer', 'finding', 'kind');
  await expectText(`${path}/events/sandbox/evt_hostile`, 'agent');
  await expectText(`${path}/provider`);
  const { transitions } = (await call(service.url, 'GET', `/v1/orders/${order.id}/timeline`)).body;
  for (let step = 1; step <= transitions.length; step++) await expectText(`${path}/replay?step=${step}`);
  const asked = { dry: '1', reason: hostile('typed'), by: hostile('me').slice(0, 128), paymentId: hostile('payment') };
  for (const type of ['refund.requested', 'retry.requested', 'cancel.requested', 'payment.captured', 'dispute.updated'])
    await expectText(`${path}/act/${type}?${new URLSearchParams({ ...asked, amountMinor: hostile('sum') })}`);
  expect(operator.complaints.filter(text => !text.includes('400'))).toEqual([]);
});

inBrowser(`hostile text is text on the lists, and where something is searched for${why}`, async () => {
  await expectText('/inspector');
  await expectText('/inspector/orders');
  await expectText(`/inspector/orders?q=${encodeURIComponent(hostile('sought'))}`, 'sought');
  await expectText(`/inspector/orders?q=${encodeURIComponent(hostile('payment'))}&state=failed`, 'payment');
  await expectText('/inspector/stuck');
  await expectText('/inspector/stuck?cause=effect_dead', 'answer');
  await expectText('/inspector/stuck/retry?cause=effect_dead');
  await expectText('/inspector/stuck/retry?cause=grant_failed');
  await expectText(`/inspector/orders/${stuck.id}`);
  expect(await operator.page.locator('.waiting').textContent()).toContain('no<img src=x onerror=alert(1)>');
  await expectText('/inspector/events?verdict=unmatched', 'order');
  await expectText('/inspector/events?verdict=any');
  expect(operator.complaints.filter(text => !text.includes('400'))).toEqual([]);
});

inBrowser(`hostile text that arrives while a page is looked at is text there, too${why}`, async () => {
  const { page, complaints } = operator;
  await page.goto(`${service.url}/inspector/orders/${order.id}`);
  await page
    .locator('#live .words')
    .filter({ hasText: /^Live$/ })
    .waitFor();
  const late = { ...order, paymentId: hostile('late') };
  await tell(service.url, late, 'payment.captured', {}, { id: 'evt_live' });
  await page.locator('#timeline').getByText(hostile('late')).first().waitFor();
  expect(await page.locator('main img, main script, main [onerror]').count()).toBe(0);
  expect(complaints.filter(text => !text.includes('400'))).toEqual([]);
});

inBrowser(`a copied hostile id is the id${why}`, async () => {
  const { page, context } = operator;
  await context.grantPermissions(['clipboard-read', 'clipboard-write']);
  await page.goto(`${service.url}/inspector/orders/${order.id}`);
  await page
    .locator(`[data-copy="${hostile('payment').replaceAll('"', '\\"')}"]`)
    .first()
    .click();
  await page.locator('#said').filter({ hasText: 'Copied' }).waitFor({ state: 'attached' });
  expect(await page.evaluate('navigator.clipboard.readText()')).toBe(hostile('payment'));
});
