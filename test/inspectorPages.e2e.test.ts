// Every page of the inspector as people get it: in both themes, on a desk and on a phone, in front of a shop with a day
// behind it. Nothing serious for axe, nothing that sticks out sideways, no complaint of the browser.
// Contrast is the theme's and room the width's, so light at the desk and dark on the phone tell all; `SCREENSHOTS=folder`
// looks at the other two as well and leaves a picture of each, and those of the README in `folder/docs`.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { fillShop, type Shop } from './support/inspectedShop.ts';
import { type InspectedService, startInspected } from './support/inspector.ts';
import { browserPath, openBrowser, seriousIn, visit } from './support/inspectorBrowser.ts';
import { type Lost, loseEvents } from './support/lostEvents.ts';

const why = browserPath ? '' : ' (SKIPPED: there is no Chromium on this machine)';
if (why) console.warn(`the inspector's pages were not looked at in a browser${why}`);
const FOLDER = process.env.SCREENSHOTS;
const DESK = { width: 1280, height: 800 };
const PHONE = { width: 390, height: 844 };
/** All pages of one theme and width, in ms: they are many, and machines may be busy with other things. */
const ALL_PAGES_MS = 300_000;
const WHY = { reason: 'She is on the phone; the seat limit is lifted', by: 'sofia@ops.example' };

let service: InspectedService;
let browser: Browser;
let shop: Shop;
let lost: Lost;
beforeAll(async () => {
  if (!browserPath) return;
  if (FOLDER) mkdirSync(join(FOLDER, 'docs'), { recursive: true });
  service = await startInspected();
  shop = await fillShop(service, new Date());
  lost = await loseEvents(service);
  browser = await openBrowser();
});
afterAll(async () => {
  await browser?.close();
  await service?.close();
});

type Look = {
  name: string;
  path: string;
  role?: 'viewer' | null;
  status?: number;
  prepare?: (page: Page) => Promise<void>;
};

function looks(): Look[] {
  const order = (who: keyof Shop) => `/inspector/orders/${shop[who].id}`;
  const act = (who: keyof Shop, type: string, more: Record<string, string> = {}) =>
    `${order(who)}/act/${type}?${new URLSearchParams({ dry: '1', ...WHY, ...more })}`;
  const open = (selector: string) => async (page: Page) => {
    await page.evaluate(`document.querySelectorAll('${selector}').forEach(one => { one.open = true; })`);
  };
  return [
    { name: 'sign-in', path: '/inspector/sign-in', role: null },
    { name: 'overview', path: '/inspector' },
    { name: 'overview-30-days', path: '/inspector?span=30d' },
    { name: 'orders', path: '/inspector/orders' },
    { name: 'orders-filtered', path: '/inspector/orders?state=failed&provider=stripe' },
    { name: 'orders-none', path: '/inspector/orders?q=pay_of_somebody_else' },
    { name: 'orders-none-long', path: `/inspector/orders?q=${'W'.repeat(250)}` },
    { name: 'stuck', path: '/inspector/stuck' },
    { name: 'stuck-cause', path: '/inspector/stuck?cause=grant_failed' },
    { name: 'bulk', path: '/inspector/stuck/retry?cause=grant_failed' },
    { name: 'events', path: '/inspector/events' },
    { name: 'events-surplus', path: '/inspector/events?verdict=surplus' },
    { name: 'events-none', path: '/inspector/events?verdict=illegal' },
    { name: 'event-nameless', path: `/inspector/events/sandbox/${lost.nameless}` },
    { name: 'event-viewer', path: `/inspector/events/sandbox/${lost.nameless}`, role: 'viewer' },
    { name: 'event-foreign', path: `/inspector/events/stripe/${lost.foreign}` },
    { name: 'event-garbled', path: `/inspector/events/sandbox/${lost.garbled}` },
    { name: 'event-none', path: '/inspector/events/sandbox/evt_none', status: 404 },
    { name: 'event-retry', path: `/inspector/events/sandbox/${lost.nameless}/retry` },
    { name: 'signatures', path: '/inspector/signatures', prepare: open('details') },
    { name: 'order-captured', path: order('ada') },
    { name: 'order-open', path: order('edsger'), prepare: open('details') },
    { name: 'order-refunding', path: order('barbara') },
    { name: 'order-parked', path: order('margaret') },
    { name: 'order-dead', path: order('grace') },
    { name: 'order-viewer', path: order('alan'), role: 'viewer' },
    { name: 'order-none', path: '/inspector/orders/ord_of_somebody_else', status: 404 },
    { name: 'replay', path: `${order('barbara')}/replay?step=4` },
    { name: 'provider', path: `${order('ada')}/provider` },
    { name: 'act-form', path: `${order('ada')}/act/refund.requested` },
    { name: 'dry-retry', path: act('ada', 'retry.requested') },
    { name: 'retry-opened', path: `${order('ada')}/act/retry.requested` },
    { name: 'dry-refund', path: act('margaret', 'refund.requested') },
    { name: 'dry-refused', path: act('grace', 'cancel.requested') },
    {
      name: 'dry-fact',
      path: act('edsger', 'payment.captured', { paymentId: 'pay_Hq7Zt', amountMinor: '499.00', currency: 'INR' }),
    },
    { name: 'nowhere', path: '/inspector/nowhere', status: 404 },
  ];
}

/** Sentences that stand in a column of a few letters: nothing sticks out, and nobody can read them. */
const squeezedIn = (page: Page): Promise<string[]> =>
  page.evaluate(
    `[...document.querySelectorAll('main :is(p, li, dd, td, label)')]
      .filter(one => one.checkVisibility() && one.innerText.length > 40 && one.clientWidth > 0 && one.clientWidth < 60)
      .map(one => one.innerText)`,
  );

describe.skipIf(!browserPath)(`every page${why}`, () => {
  for (const colorScheme of ['light', 'dark'] as const)
    for (const viewport of FOLDER ? [DESK, PHONE] : [colorScheme === 'light' ? DESK : PHONE])
      test(
        `reads well in ${colorScheme} at ${viewport.width} px`,
        async () => {
          for (const { name, path, role, status = 200, prepare } of looks()) {
            const { page, context, complaints } = await visit(browser, service, path, {
              colorScheme,
              viewport,
              ...(role !== undefined && { role }),
            });
            await prepare?.(page);
            await page
              .locator('#live')
              .filter({ hasNotText: 'Connecting' })
              .or(page.locator('body:not(:has(#live))'))
              .first()
              .waitFor();
            if (FOLDER) {
              const file = `${name}-${colorScheme}-${viewport.width}.png`;
              await page.screenshot({ path: join(FOLDER, file), fullPage: true });
              await page.screenshot({ path: join(FOLDER, 'docs', file) });
            }
            expect.soft(await seriousIn(page), name).toEqual([]);
            expect.soft(await page.evaluate('document.documentElement.scrollWidth - innerWidth'), name).toBe(0);
            expect.soft(await squeezedIn(page), name).toEqual([]);
            expect
              .soft(
                complaints.filter(text => status === 200 || !text.includes(String(status))),
                name,
              )
              .toEqual([]);
            await context.close();
          }
        },
        ALL_PAGES_MS,
      );
});
