// A real browser in front of the inspector, signed in; and what it must never see: a complaint in its console.
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { type Browser, type BrowserContext, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import type { InspectedService } from './inspector.ts';

const CHROMIUM = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(existsSync);
/** Undefined when this machine has no browser: then tests say loudly that they were skipped. */
export const browserPath = CHROMIUM;

export async function openBrowser(): Promise<Browser> {
  if (!CHROMIUM) throw new Error('there is no Chromium on this machine');
  return await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox', '--disable-gpu'] });
}

/** How long a page is waited for: far longer than one takes; only bounds how long a broken one hangs. */
export const WAIT_MS = 60_000;

export type Visit = { context: BrowserContext; page: Page; complaints: string[] };

/** A new profile, signed in unless `role` is null, at `path`. */
export async function visit(
  browser: Browser,
  service: InspectedService,
  path: string,
  { role = 'operator', ...options }: BrowserContextOptions & { role?: 'operator' | 'viewer' | null } = {},
): Promise<Visit> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, ...options });
  if (role !== null) {
    const { cookie } = await service.signIn(role);
    const [name = '', value = ''] = cookie.split('=');
    const { hostname } = new URL(service.http.url);
    await context.addCookies([
      { name, value, domain: hostname, path: '/inspector', httpOnly: true, sameSite: 'Strict' },
    ]);
  }
  context.setDefaultTimeout(WAIT_MS);
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on('console', message => {
    if (['error', 'warning'].includes(message.type())) complaints.push(message.text());
  });
  page.on('pageerror', error => complaints.push(String(error)));
  await page.goto(service.http.url + path);
  return { context, page, complaints };
}

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

type Violation = { id: string; impact: string; nodes: { html: string }[] };

/** What axe finds to be serious for people on the page as it is now; nothing, where all is well. */
export async function seriousIn(page: Page): Promise<string[]> {
  // In one go: a page that is live does not change in between.
  const { violations } = await page.evaluate<{ violations: Violation[] }>(
    `(() => { ${AXE}; return axe.run(document, { resultTypes: ['violations'] }); })()`,
  );
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, nodes }) => `${id}: ${nodes.map(node => node.html).join(' ')}`);
}
