// The replay in a real browser: keys step through it, the picture fits the screen, and nothing stands in the way of people.
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type InspectedService, startInspected } from './support/inspector.ts';
import { browserPath, openBrowser, seriousIn, visit } from './support/inspectorBrowser.ts';
import { partlyRefundedOrder } from './support/orderStories.ts';

const why = browserPath ? '' : ' (SKIPPED: there is no Chromium on this machine)';
if (why) console.warn(`the replay was not tried in a browser${why}`);
const inBrowser = test.skipIf(!browserPath);

let service: InspectedService;
let browser: Browser;
let path: string;
beforeAll(async () => {
  if (!browserPath) return;
  service = await startInspected();
  path = `/inspector/orders/${(await partlyRefundedOrder(service)).id}/replay`;
  browser = await openBrowser();
});
afterAll(async () => {
  await browser?.close();
  await service?.close();
});

inBrowser(`arrow keys, Home and End step through the life, and stop at its ends${why}`, async () => {
  const { page, context, complaints } = await visit(browser, service, `${path}?step=1`);
  const current = page.locator('[aria-current="step"]');
  const press = async (key: string, step: string) => {
    await page.keyboard.press(key);
    await page.waitForURL(url => url.searchParams.get('step') === step);
    expect(await current.textContent()).toBe(step);
  };
  await press('ArrowLeft', '1');
  await press('ArrowRight', '2');
  await press('ArrowRight', '3');
  await press('ArrowLeft', '2');
  await page.keyboard.press('End');
  await page.waitForURL(url => Number(url.searchParams.get('step')) > 3);
  expect(await page.locator('[data-step="next"]').count()).toBe(0);
  await press('Home', '1');
  // In the search box these keys move the caret.
  await page.locator('#search').focus();
  await page.keyboard.press('ArrowRight');
  expect(await current.textContent()).toBe('1');
  expect(complaints).toEqual([]);
  await context.close();
});

for (const colorScheme of ['light', 'dark'] as const) {
  for (const [width, shown, hidden] of [
    [1280, 'wide', 'tall'],
    [390, 'tall', 'wide'],
  ] as const) {
    inBrowser(
      `at ${width} px in ${colorScheme}, the picture that fits is shown, the page does not scroll sideways, axe finds nothing serious${why}`,
      async () => {
        const { page, context } = await visit(browser, service, `${path}?step=4`, {
          colorScheme,
          viewport: { width, height: 900 },
        });
        expect(await page.locator(`.chart-${shown}`).isVisible()).toBe(true);
        expect(await page.locator(`.chart-${hidden}`).isVisible()).toBe(false);
        expect(await page.evaluate('document.documentElement.scrollWidth - innerWidth')).toBe(0);
        const scale = await page.evaluate(
          `(svg => svg.getBoundingClientRect().width / svg.viewBox.baseVal.width)(document.querySelector('.chart-${shown} svg'))`,
        );
        expect(scale, 'type of 13 px stays above 11').toBeGreaterThan(0.85);
        await page.evaluate(`document.querySelectorAll('details').forEach(one => { one.open = true; })`);
        expect(await seriousIn(page)).toEqual([]);
        await context.close();
      },
    );
  }
}
