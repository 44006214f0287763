// The page of one order in a real browser: what its scripts add, what must hold on a phone and in the dark, and that what
// happens to the order appears without a reload.
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type InspectedService, startInspected } from './support/inspector.ts';
import { browserPath, openBrowser, seriousIn, visit } from './support/inspectorBrowser.ts';
import { giveUp, paidOrder, partlyRefundedOrder, type Story } from './support/orderStories.ts';

const why = browserPath ? '' : ' (SKIPPED: there is no Chromium on this machine)';
if (why) console.warn(`the page of an order was not tried in a browser${why}`);
const inBrowser = test.skipIf(!browserPath);

let service: InspectedService;
let browser: Browser;
let order: Story;
beforeAll(async () => {
  if (!browserPath) return;
  service = await startInspected();
  order = await partlyRefundedOrder(service);
  await giveUp(service, order, 'refund', 'insufficient balance');
  browser = await openBrowser();
});
afterAll(async () => {
  await browser?.close();
  await service?.close();
});

inBrowser(`the provider's truth appears on the page, and without scripts on a page of its own${why}`, async () => {
  const path = `/inspector/orders/${order.id}`;
  const { page, context, complaints } = await visit(browser, service, path);
  await page.locator('#money').getByRole('button', { name: 'Ask sandbox what it knows' }).click();
  await page.getByText('Nothing was written').waitFor();
  expect(new URL(page.url()).pathname).toBe(path);
  expect(complaints).toEqual([]);
  await context.close();
  const plain = await visit(browser, service, path, { javaScriptEnabled: false });
  await plain.page.locator('#money').getByRole('button', { name: 'Ask sandbox what it knows' }).click();
  await plain.page.getByText('Nothing was written').waitFor();
  expect(new URL(plain.page.url()).pathname).toBe(`${path}/provider`);
  await plain.context.close();
});

inBrowser(`what happens to the order appears without a reload, and what was opened stays open${why}`, async () => {
  const paid = await paidOrder(service);
  const { page, context, complaints } = await visit(browser, service, `/inspector/orders/${paid.id}`);
  await page.locator('#version-1 summary').click();
  const dispute = { paymentId: paid.paymentId, disputeId: 'dsp_live', amountMinor: 49_900 };
  const data = { providerOrderId: paid.providerOrderId, currency: 'INR', ...dispute };
  await service.webhook({ type: 'dispute.lost', data });
  await page.locator('.waiting-sentence').getByText('the money went back').waitFor();
  await page.locator('#access').getByText('No, the money for it went back.').waitFor();
  expect(await page.locator('#version-1 details').getAttribute('open')).not.toBeNull();
  expect(complaints).toEqual([]);
  await context.close();
});

for (const colorScheme of ['light', 'dark'] as const) {
  for (const width of [1280, 390]) {
    inBrowser(`at ${width} px in ${colorScheme} it fits the screen and axe finds nothing serious${why}`, async () => {
      const pages = ['', '/provider', `/events/sandbox/evt_${order.paymentId}`];
      for (const path of pages) {
        const url = `/inspector/orders/${order.id}${path}`;
        const { page, context } = await visit(browser, service, url, { colorScheme, viewport: { width, height: 900 } });
        expect(await page.evaluate('document.documentElement.scrollWidth <= innerWidth'), path).toBe(true);
        expect(await seriousIn(page), path).toEqual([]);
        await context.close();
      }
    });
  }
}
