// Acting in a real browser: from a payment's id on the phone to a customer who has what they paid for, with scripts and
// without any, in both themes and at both widths. With SCREENSHOTS=folder it leaves pictures there.
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { checkOut } from './support/httpService.ts';
import { type InspectedService, startInspected } from './support/inspector.ts';
import { browserPath, openBrowser, seriousIn, visit } from './support/inspectorBrowser.ts';
import { HOSTILE } from './support/inspectorLists.ts';
import { giveUp, paidOrder } from './support/orderStories.ts';
import { captured, openOrder, webhook } from './support/world.ts';

const why = browserPath ? '' : ' (SKIPPED: there is no Chromium on this machine)';
if (why) console.warn(`acting was not tried in a browser${why}`);
const FOLDER = process.env.SCREENSHOTS;
const PHONE = { width: 390, height: 844 };
const DESK = { width: 1280, height: 800 };

let browser: Browser;
let service: InspectedService;
beforeAll(async () => {
  service = await startInspected();
  if (browserPath) browser = await openBrowser();
});
afterAll(async () => {
  await browser?.close();
  await service?.close();
});

/** Paid, and the database would not write the grant; now it would. */
async function paidInVain(paymentId: string): Promise<string> {
  const { world } = service;
  await world.sql`alter table grants add constraint nobody check (seq < 0) not valid`;
  const order = await openOrder(world, { userId: `user-of-${paymentId}` });
  await world.dispatch(webhook(order.providerOrderId, captured(paymentId)));
  await world.sql`alter table grants drop constraint nobody`;
  return order.id;
}

describe.skipIf(!browserPath)(`acting in a browser${why}`, () => {
  for (const javaScriptEnabled of [true, false])
    test(`finds a stuck order by its payment, says why, shows a retry and does it, ${javaScriptEnabled ? 'and others see it live' : 'without any script'}`, async () => {
      const paymentId = javaScriptEnabled ? 'pay_vain_scripted' : 'pay_vain_plain';
      const id = await paidInVain(paymentId);
      const { page, context, complaints } = await visit(browser, service, '/inspector', { javaScriptEnabled });
      const colleague = await visit(browser, service, `/inspector/orders/${id}`);
      await page.locator('#search').fill(paymentId);
      await page.locator('#search').press('Enter');
      await page.waitForURL(`**/inspector/orders/${id}`);
      await page.getByText('Stuck: it is paid, and the grant cannot be written').waitFor();
      await page.locator('#act').getByRole('link', { name: 'Dry run: Retry what failed' }).click();
      const dryRun = page.locator('#dry-run');
      await dryRun.getByText('tries to write the grant again').waitFor();
      await dryRun.getByText('The customer gets the access that was bought.').waitFor();
      await page.getByLabel('Reason').fill('the customer called, the database is mended');
      await page.getByLabel('Who you are').fill('ada@ops.example');
      await page.getByRole('button', { name: 'Retry now' }).click();
      await page.getByText('Retry: the grant is written. The order is subscribed.').waitFor();
      await colleague.page.locator('h1').getByText('subscribed').waitFor();
      await page.reload();
      expect(await page.locator('.just-told').count()).toBe(0);
      expect([...complaints, ...colleague.complaints]).toEqual([]);
      await context.close();
      await colleague.context.close();
    });

  test('a retry of all that is stuck for a cause is seen beforehand and told order by order', async () => {
    const order = await paidOrder(service);
    await giveUp(service, order, 'notify', HOSTILE);
    const { page, context, complaints } = await visit(browser, service, '/inspector/stuck?cause=effect_dead');
    await page.getByRole('button', { name: /^Retry/ }).click();
    await page.getByText('runs the effect notify again').first().waitFor();
    await page.getByLabel('Reason').fill(HOSTILE);
    await page.getByLabel('Who you are').fill('ada');
    await page.getByRole('button', { name: /^Retry/ }).click();
    await page.getByText('1 order: 1 moves again.').waitFor();
    expect(await seriousIn(page)).toEqual([]);
    await page.locator(`#results a[href*="${order.id}"]`).click();
    expect(await page.title()).not.toContain('pwned');
    expect(complaints).toEqual([]);
    await context.close();
  });

  for (const colorScheme of ['light', 'dark'] as const)
    for (const viewport of [DESK, PHONE])
      test(`is readable in ${colorScheme} at ${viewport.width}, with hostile text, and nothing stands in anybody's way`, async () => {
        const [paid, open] = [await paidOrder(service), await checkOut(service)];
        const who = { dry: '1', reason: HOSTILE, by: HOSTILE.slice(0, 120) };
        const wrong = { paymentId: HOSTILE.slice(0, 100), amountMinor: '500.00', currency: 'INR', ...who };
        const pages = {
          section: `/inspector/orders/${open.id}#act`,
          form: `/inspector/orders/${paid.id}/act/refund.requested`,
          'dry-run': `/inspector/orders/${paid.id}/act/refund.requested?${new URLSearchParams(who)}`,
          mismatch: `/inspector/orders/${open.id}/act/payment.captured?${new URLSearchParams(wrong)}`,
          refused: `/inspector/orders/${paid.id}/act/cancel.requested?${new URLSearchParams(who)}`,
          bulk: '/inspector/stuck/retry?cause=effect_dead',
        };
        const { page, context, complaints } = await visit(browser, service, '/inspector', { colorScheme, viewport });
        for (const [name, path] of Object.entries(pages)) {
          await page.goto(service.http.url + path);
          for (const details of await page.locator('#act details, .act details').all())
            await details.evaluate(element => element.setAttribute('open', ''));
          expect([name, await seriousIn(page)]).toEqual([name, []]);
          expect([name, await page.title()]).not.toEqual([name, 'pwned']);
          const width = (await page.evaluate('document.documentElement.scrollWidth')) as number;
          expect([name, width]).toEqual([name, viewport.width]);
          if (FOLDER)
            await page.screenshot({
              path: join(FOLDER, `act-${name}-${colorScheme}-${viewport.width}.png`),
              fullPage: true,
            });
        }
        expect(complaints).toEqual([]);
        await context.close();
      });
});
