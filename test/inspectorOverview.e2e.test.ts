// The overview in a real browser, in both themes and on a phone: numbers with what they are worth, ways on from each of them,
// text that stays text, and nothing that stands in the way of people. With SCREENSHOTS=folder it leaves pictures there.
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { liveThroughADay } from './support/aDay.ts';
import { type InspectedService, startInspected } from './support/inspector.ts';
import { browserPath, openBrowser, seriousIn, visit } from './support/inspectorBrowser.ts';

const why = browserPath ? '' : ' (SKIPPED: there is no Chromium on this machine)';
if (why) console.warn(`the overview was not tried in a browser${why}`);
const FOLDER = process.env.SCREENSHOTS;
const HOSTILE = `"><img src=x onerror="document.title='pwned'"><script>document.title='pwned'</script>`;
const PHONE = { width: 390, height: 844 };
const DESK = { width: 1280, height: 800 };

let browser: Browser;
let service: InspectedService;
beforeAll(async () => {
  if (browserPath) browser = await openBrowser();
});
afterAll(() => browser?.close());
beforeEach(async () => {
  service = await startInspected();
});
afterEach(() => service.close());

describe.skipIf(!browserPath)(`the overview in a browser${why}`, () => {
  for (const colorScheme of ['light', 'dark'] as const)
    for (const viewport of [DESK, PHONE])
      test(`shows a day in ${colorScheme} at ${viewport.width} without anything serious for people`, async () => {
        await liveThroughADay(service.world, new Date());
        const { page, context, complaints } = await visit(browser, service, '/inspector', { colorScheme, viewport });
        await page.getByRole('heading', { name: 'Overview' }).waitFor();
        expect(await seriousIn(page)).toEqual([]);
        expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(viewport.width);
        expect(complaints).toEqual([]);
        if (FOLDER)
          await page.screenshot({
            path: join(FOLDER, `overview-${colorScheme}-${viewport.width}.png`),
            fullPage: true,
          });
        await context.close();
      });

  test('switches its charts to thirty days, and opens their numbers as a table', async () => {
    await liveThroughADay(service.world, new Date(), 30);
    const { page, context } = await visit(browser, service, '/inspector');
    await page.getByRole('link', { name: '30 days' }).click();
    await page.locator('#orders-chart summary').click();
    expect(await page.locator('#orders-chart tbody tr').count()).toBe(30);
    const created = await page.locator('#orders-chart tbody td:nth-of-type(1)').allTextContents();
    expect(created.reduce((sum, n) => sum + Number(n), 0)).toBe(30);
    await context.close();
  });

  test('leads from a cause to the orders that are stuck for it', async () => {
    await liveThroughADay(service.world, new Date(), 60);
    const { page, context } = await visit(browser, service, '/inspector');
    expect(await page.locator('#stuck a[href="/inspector/stuck?cause=parked"]').count()).toBe(1);
    expect(await page.locator('#orders a[href="/inspector/orders?state=subscribed&provider=stripe"]').count()).toBe(1);
    expect(await page.locator('#kept a[href="/inspector/events?verdict=unmatched"]').count()).toBe(1);
    await context.close();
  });

  test('shows hostile text as text', async () => {
    const { sql, clock } = service.world;
    await liveThroughADay(service.world, new Date(), 12);
    await sql`insert into findings (id, fingerprint, kind, severity, detail) values ('fnd_2', 'f2', ${HOSTILE}, ${HOSTILE}, 'x')`;
    await sql`update listings set last_error = ${HOSTILE}`;
    await sql`update tallies set provider = ${HOSTILE} where provider = 'stripe'`;
    await sql`insert into signature_failures values (date_trunc('hour', ${clock()}::timestamptz), ${HOSTILE}, 'w', 3, ${clock()})`;
    const { page, context, complaints } = await visit(browser, service, '/inspector');
    await page.getByRole('heading', { name: 'Overview' }).waitFor();
    expect(await page.title()).toBe('Overview · Paylatch');
    expect(await page.locator('main img').count()).toBe(0);
    expect(await page.locator('main script').count()).toBe(0);
    expect(await page.locator('main').textContent()).toContain(HOSTILE);
    expect(complaints).toEqual([]);
    await context.close();
  });

  test('tells a new installation what to do first', async () => {
    const { page, context } = await visit(browser, service, '/inspector');
    await page.getByText('There is nothing to sell yet').waitFor();
    if (FOLDER) await page.screenshot({ path: join(FOLDER, 'overview-new.png'), fullPage: true });
    await service.call('PUT', '/v1/plans/pro', {
      body: { product: 'pro', amountMinor: 100, currency: 'INR', period: { months: 1 } },
    });
    await page.reload();
    await page.getByRole('link', { name: 'Open the shop' }).waitFor();
    expect(await seriousIn(page)).toEqual([]);
    await context.close();
  });
});
