// The overview when there is nothing to do: of a service nobody has used yet, and on a night when all is well; for people who
// want no motion, or colours of their own. `SCREENSHOTS=folder` leaves a picture of each.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { pino } from 'pino';
import type { Browser, BrowserContextOptions } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { tallyJob } from '../src/inspector/overview/tallyJob.ts';
import { type InspectedService, startInspected } from './support/inspector.ts';
import { browserPath, openBrowser, seriousIn, visit } from './support/inspectorBrowser.ts';
import { paidOrder, parkedOrder } from './support/orderStories.ts';

const why = browserPath ? '' : ' (SKIPPED: there is no Chromium on this machine)';
if (why) console.warn(`the quiet overview was not tried in a browser${why}`);
const FOLDER = process.env.SCREENSHOTS;
const DESK = { width: 1280, height: 800 };
const PHONE = { width: 390, height: 844 };
const LOOKS: Record<string, BrowserContextOptions> = {
  'at a desk in the dark': { viewport: DESK, colorScheme: 'dark' },
  'on a phone by day': { viewport: PHONE, colorScheme: 'light' },
  'without motion': { viewport: DESK, colorScheme: 'light', reducedMotion: 'reduce' },
  'in colours of the reader': { viewport: DESK, colorScheme: 'dark', forcedColors: 'active' },
};

let browser: Browser;
let service: InspectedService;
beforeAll(async () => {
  if (FOLDER) mkdirSync(FOLDER, { recursive: true });
  if (browserPath) browser = await openBrowser();
});
afterAll(() => browser?.close());
beforeEach(async () => {
  service = await startInspected();
  service.world.clock.set(new Date().toISOString());
});
afterEach(() => service.close());

/** What the sweeper and the worker do within a minute. */
async function settle(): Promise<void> {
  const { db, clock, sql } = service.world;
  await sql`update outbox set status = 'done', attempts = 1, done_at = ${clock()}`;
  await tallyJob({ db, clock, log: pino({ level: 'silent' }) }).run(new AbortController().signal);
}

async function look(name: string, path: string, options: BrowserContextOptions): Promise<string> {
  const { page, context, complaints } = await visit(browser, service, path, options);
  await page
    .locator('#live .words')
    .filter({ hasText: /^Live$/ })
    .waitFor();
  // Of colours that are the reader's own axe reads those of the sheet, and not the ones that are shown.
  const isOwn = options.forcedColors === 'active';
  const serious = (await seriousIn(page)).filter(one => !(isOwn && one.startsWith('color-contrast')));
  expect.soft(serious, name).toEqual([]);
  expect.soft(await page.evaluate('document.documentElement.scrollWidth - innerWidth'), name).toBe(0);
  // What moves for nobody's sake.
  if (options.reducedMotion)
    expect(
      await page.evaluate(
        `[...document.querySelectorAll('*')].filter(one => ['transitionDuration', 'animationDuration'].some(name => !['0s', ''].includes(getComputedStyle(one)[name]))).map(one => one.className)`,
      ),
    ).toEqual([]);
  if (FOLDER) await page.screenshot({ path: join(FOLDER, `${name.replaceAll(' ', '-')}.png`), fullPage: true });
  const text = await page.locator('main').innerText();
  expect.soft(complaints, name).toEqual([]);
  await context.close();
  return text;
}

describe.skipIf(!browserPath)(`the inspector when nobody is needed${why}`, () => {
  for (const [how, options] of Object.entries(LOOKS)) {
    test(`says of a service that nobody has used yet what to do first, ${how}`, async () => {
      await settle();
      expect(await look(`empty ${how}`, '/inspector', options)).toContain('There is nothing to sell yet');
    });

    test(`says on a quiet night that nobody is needed, ${how}`, async () => {
      await paidOrder(service);
      await paidOrder(service);
      await settle();
      const text = await look(`quiet ${how}`, '/inspector', options);
      expect(text).toContain('Nobody is needed.');
      expect(text).toContain('Nothing is stuck');
      expect(await look(`quiet stuck ${how}`, '/inspector/stuck', options)).toContain('No order is stuck');
    });
  }

  test('reads in the colours of the reader on an order’s page, too', async () => {
    const paid = await paidOrder(service);
    const parked = await parkedOrder(service);
    const options = LOOKS['in colours of the reader'] ?? {};
    for (const { id } of [paid, parked]) await look(`order ${id}`, `/inspector/orders/${id}`, options);
    await look('orders in colours', '/inspector/orders?state=parked', options);
  });
});
