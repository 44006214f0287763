// The shop in a real browser: the policies its pages send must not stop their own forms, styles and redirects, which no
// test without a browser can tell; and nothing may stick out on a phone.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Browser, chromiumPath, openChromium } from './support/chromium.ts';
import { newFolder, startService } from './support/serviceProcess.ts';

const why = chromiumPath ? '' : ' (SKIPPED: there is no Chromium on this machine)';
if (why) console.warn(`the shop was not tried in a browser${why}`);

let url: string;
let browser: Browser;

beforeAll(async () => {
  if (!chromiumPath) return;
  url = (await startService({ dataDir: await newFolder() })).url;
  browser = await openChromium(chromiumPath);
});
afterAll(() => browser?.close());

const press = (value: string) => browser.read(`document.querySelector('button[value="${value}"]').click()`);
const headline = (text: string) => browser.sees(`document.querySelector('h1')?.textContent === '${text}'`);
const nothingSticksOut = async () =>
  expect(await browser.read('document.documentElement.scrollWidth - document.documentElement.clientWidth')).toBe(0);

test.skipIf(!chromiumPath)(
  `a customer picks a plan, pays and comes back subscribed, on a phone as well${why}`,
  async () => {
    for (const [width, scenario] of [
      [1280, 'succeed'],
      [390, 'webhook-first'],
    ] as const) {
      await browser.resize(width);
      await browser.goTo(url);
      await headline('Pick a plan');
      await browser.sees(`getComputedStyle(document.querySelector('.buy')).backgroundColor !== 'rgba(0, 0, 0, 0)'`);
      await nothingSticksOut();
      await browser.read(`document.querySelector('[name=userId]').value = '${'a'.repeat(100)}-${width}'`);
      await press('pro-monthly');
      await browser.sees(`location.pathname.startsWith('/pay/') && document.readyState === 'complete'`);
      await nothingSticksOut();
      await press(scenario);
      await headline('Subscribed');
      await nothingSticksOut();
      expect(await browser.read('location.origin')).toBe(url);
    }
    expect(browser.complaints).toEqual([]);
  },
);

test.skipIf(!chromiumPath)(`the page of a declined payment leads back to paying, which works${why}`, async () => {
  await browser.goTo(url);
  await headline('Pick a plan');
  await press('pro-yearly');
  await browser.sees(`location.pathname.startsWith('/pay/') && document.readyState === 'complete'`);
  await press('fail');
  await headline('Not paid');
  await browser.read(`document.querySelector('.go').click()`);
  await browser.sees(`location.pathname.startsWith('/pay/') && document.readyState === 'complete'`);
  await press('succeed');
  await headline('Subscribed');
  expect(browser.complaints).toEqual([]);
});
