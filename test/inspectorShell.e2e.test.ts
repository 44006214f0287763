// The shell in a real browser: pages that follow what happens without losing what the reader does, an indicator that never
// claims more than it knows, keys, copying, local times, and nothing that stands in the way of people.
import { html } from 'hono/html';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Database } from '../db/client.ts';
import { QueryLost } from '../db/sqlstate.ts';
import { renderPage } from '../src/inspector/page.ts';
import { copyable, emptyState, instant, panel } from '../src/inspector/parts.ts';
import { ADMIN_KEY } from './support/httpService.ts';
import { type InspectedService, startInspected, VIEWER_KEY } from './support/inspector.ts';
import { browserPath, openBrowser, seriousIn, visit } from './support/inspectorBrowser.ts';
import { openOrder } from './support/world.ts';

const why = browserPath ? '' : ' (SKIPPED: there is no Chromium on this machine)';
if (why) console.warn(`the inspector was not tried in a browser${why}`);
const inBrowser = test.skipIf(!browserPath);
const ID = 'ord_01m8zzzzzzzzzzzzzzzzzzzzzz';
const HOSTILE = `"><img src=x onerror="document.title='pwned'"><script>document.title='pwned'</script>`;

let service: InspectedService;
let browser: Browser;
let isDown = false;
/** What the page of the test shows; `shown` is how often it was made. */
let words = 'first';
let shown = 0;

beforeAll(async () => {
  if (!browserPath) return;
  const failing = (db: Database): Database => ({
    ...db,
    query: (text, params) =>
      isDown ? Promise.reject(new QueryLost('the connection is gone')) : db.query(text, params),
  });
  service = await startInspected({
    db: failing,
    parts: [
      (app, { clock, db }) => {
        app.get('/sample', async c => {
          shown += 1;
          await db.query('select 1', []);
          const rows = [1, 2, 3].map(
            n => html`<tr data-row><td data-label="Order"><a href="/inspector/sample?n=${n}">row ${n}</a></td></tr>`,
          );
          const main = html`<h1>Sample</h1>
            ${panel({
              id: 'happening',
              title: 'Happening',
              body: html`<p id="words">${words}</p><details><summary>More</summary><p>the rest</p></details>
                <input id="typed" aria-label="Typed" /><p>${copyable(ID)} ${instant(clock())}</p>
                ${words === 'first' ? '' : html`<p id="more">more</p>`}
                <table class="cards"><thead><tr><th>Order</th></tr></thead><tbody>${rows}</tbody></table>`,
            })}
            ${panel({ id: 'none', title: HOSTILE, body: emptyState(HOSTILE, HOSTILE, { href: '/inspector', label: HOSTILE }) })}`;
          return renderPage(c, { title: `Sample ${HOSTILE}`, nav: 'orders', live: {}, main });
        });
      },
    ],
  });
  browser = await openBrowser();
});
afterAll(async () => {
  await browser?.close();
  await service?.close();
});

const indicator = (page: Page, text: RegExp) => page.locator('#live .words').filter({ hasText: text }).waitFor();

inBrowser(`a change shows without a reload, and what the reader did stays${why}`, async () => {
  words = 'first';
  const { page, context, complaints } = await visit(browser, service, '/inspector/sample');
  await indicator(page, /^Live$/);
  await page.evaluate('window.notReloaded = true');
  await page.locator('summary').click();
  await page.locator('#typed').fill('half a sentence');
  await page.evaluate(`document.getElementById('typed').setSelectionRange(2, 5)`);
  words = 'second';
  await openOrder(service.world);
  await page.locator('#words').filter({ hasText: 'second' }).waitFor();
  await page.locator('#more').waitFor();
  expect(
    await page.evaluate(`({
      notReloaded: window.notReloaded, open: document.querySelector('details').open, typed: document.activeElement.value,
      from: document.activeElement.selectionStart, to: document.activeElement.selectionEnd,
      copying: [...document.querySelectorAll('[data-copy]')].every(button => !button.hidden),
    })`),
  ).toEqual({ notReloaded: true, open: true, typed: 'half a sentence', from: 2, to: 5, copying: true });
  expect(complaints).toEqual([]);
  await context.close();
});

inBrowser(`the page says since when it is not live, and is live again by itself${why}`, async () => {
  const { page, context } = await visit(browser, service, '/inspector/sample');
  await indicator(page, /^Live$/);
  isDown = true;
  await indicator(page, /^Not live since \d\d:\d\d$/);
  words = 'after the trouble';
  isDown = false;
  await indicator(page, /^Live$/);
  await page.locator('#words').filter({ hasText: 'after the trouble' }).waitFor();
  await context.close();
});

inBrowser(`a page that hears of changes and cannot fetch them is not live${why}`, async () => {
  const { page, context } = await visit(browser, service, '/inspector/sample');
  await indicator(page, /^Live$/);
  await page.route('**/inspector/sample', route => route.fulfill({ status: 500, body: 'no' }));
  await openOrder(service.world);
  await indicator(page, /^Not live since \d\d:\d\d$/);
  await page.unroute('**/inspector/sample');
  await indicator(page, /^Live$/);
  await context.close();
});

inBrowser(`where the stream is refused the page asks by itself and says so${why}`, async () => {
  const { page, context } = await visit(browser, service, '/inspector/sign-in');
  await page.route('**/inspector/live*', route => route.fulfill({ status: 503, body: 'not here' }));
  await page.goto(`${service.http.url}/inspector/sample`);
  await indicator(page, /^Asks every 5 s$/);
  words = 'polled';
  await page.locator('#words').filter({ hasText: 'polled' }).waitFor();
  await context.close();
});

inBrowser(`a page whose session is over says that it is signed out${why}`, async () => {
  const { page, context } = await visit(browser, service, '/inspector/sample');
  await indicator(page, /^Live$/);
  await context.clearCookies();
  words = 'for others';
  await openOrder(service.world);
  await indicator(page, /^Signed out$/);
  expect(await page.locator('#words').textContent()).not.toBe('for others');
  await context.close();
});

inBrowser(`keys search, walk through the rows, open one and explain themselves${why}`, async () => {
  const { page, context } = await visit(browser, service, '/inspector/sample');
  const focused = () => page.evaluate('document.activeElement.textContent || document.activeElement.id');
  await page.keyboard.press('j');
  await page.keyboard.press('j');
  expect(await focused()).toBe('row 2');
  await page.keyboard.press('k');
  expect(await focused()).toBe('row 1');
  await page.keyboard.press('?');
  await page.locator('dialog[open]').waitFor();
  await page.keyboard.press('Escape');
  await page.keyboard.press('/');
  expect(await focused()).toBe('search');
  await page.keyboard.type('j?k/');
  expect(await page.locator('#search').inputValue()).toBe('j?k/');
  await page.keyboard.press('Escape');
  await page.keyboard.press('j');
  await page.keyboard.press('Enter');
  await page.waitForURL('**/inspector/sample?n=1');
  await context.close();
});

inBrowser(`instants are shown in the reader's time, with UTC on hover, and an id is copied whole${why}`, async () => {
  const options = { timezoneId: 'Asia/Kolkata', permissions: ['clipboard-read', 'clipboard-write'] };
  const { page, context } = await visit(browser, service, '/inspector/sample', options);
  const time = page.locator('main time').first();
  expect(await time.textContent()).toBe('2026-01-31 15:30:00');
  expect(await time.getAttribute('title')).toBe('2026-01-31 10:00:00 UTC');
  expect(await page.locator('#zone').textContent()).toContain('UTC on hover');
  await page.locator('[data-copy]').first().click();
  await page.locator('#said').filter({ hasText: 'Copied' }).waitFor({ state: 'attached' });
  expect(await page.evaluate('navigator.clipboard.readText()')).toBe(ID);
  await context.close();
});

inBrowser(
  `hostile text is text, and nothing is serious for axe or sticks out, in both themes and widths${why}`,
  async () => {
    for (const colorScheme of ['light', 'dark'] as const) {
      for (const width of [1280, 390]) {
        for (const [path, role] of [
          ['/inspector/sample', 'operator'],
          ['/inspector/sign-in', null],
          ['/inspector/nowhere', 'viewer'],
        ] as const) {
          const { page, context, complaints } = await visit(browser, service, path, {
            colorScheme,
            viewport: { width, height: 800 },
            role,
            bypassCSP: true,
          });
          expect([path, width, colorScheme, await seriousIn(page)]).toEqual([path, width, colorScheme, []]);
          expect(
            await page.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth'),
          ).toBe(0);
          expect(await page.title()).not.toBe('pwned');
          expect(complaints.filter(text => !text.includes('404'))).toEqual([]);
          await context.close();
        }
      }
    }
  },
);

inBrowser(`somebody signs in, is where they wanted to be, and signs out, without scripts${why}`, async () => {
  for (const [key, role] of [
    [ADMIN_KEY, 'operator'],
    [VIEWER_KEY, 'viewer'],
  ] as const) {
    const { page, context } = await visit(browser, service, '/inspector/sample?n=7', {
      role: null,
      javaScriptEnabled: false,
    });
    await page.getByLabel('Key').fill('wrong');
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByText('That key is not known here.').waitFor();
    await page.getByLabel('Key').fill(key);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.waitForURL('**/inspector/sample?n=7');
    expect(await page.locator('.who').textContent()).toBe(role);
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.waitForURL('**/inspector/sign-in');
    await page.goto(`${service.http.url}/inspector/sample`);
    expect(new URL(page.url()).pathname).toBe('/inspector/sign-in');
    await context.close();
  }
});

inBrowser(`a form that another site sends from a signed-in browser is refused${why}`, async () => {
  const { page, context } = await visit(browser, service, '/inspector/sample');
  const cookies = async () => (await context.cookies()).length;
  expect(await cookies()).toBe(1);
  await page.route('http://evil.test/', route =>
    route.fulfill({
      contentType: 'text/html',
      body: `<form method="post" action="${service.http.url}/inspector/sign-out"><input name="csrf" value="x"></form><script>document.forms[0].submit()</script>`,
    }),
  );
  const answer = page.waitForResponse(`${service.http.url}/inspector/sign-out`);
  await page.goto('http://evil.test/').catch(() => {});
  expect((await answer).status()).toBe(403);
  expect(await cookies()).toBe(1);
  await context.close();
});

inBrowser(`a database that is down is a page that says what to do${why}`, async () => {
  isDown = true;
  const { page, context } = await visit(browser, service, '/inspector/sample');
  isDown = false;
  expect(await page.locator('h1').textContent()).toBe('The database does not answer');
  await page.getByText('Load this page again').click();
  await page.locator('#words').waitFor();
  expect(shown).toBeGreaterThan(1);
  await context.close();
});
