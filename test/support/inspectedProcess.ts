// The whole service as a process with the inspector in a real browser: people who sign in through its page, and everything
// their browser complained of, asked somebody else for, or ran that it was never meant to.

import type { Browser, BrowserContext, BrowserContextOptions, Page } from 'playwright-core';
import postgres from 'postgres';
import { WAIT_MS } from './inspectorBrowser.ts';
import { call, get, type Json, PLAN, sandbox, send, webhookCall } from './serviceClient.ts';
import { embeddedDatabaseUrl, KEYS, newFolder, type ServiceProcess, startService } from './serviceProcess.ts';

export const VIEWER_KEY = 'viewer_service_test_0123456789abcdef';

export type InspectedProcess = ServiceProcess & { sql: postgres.Sql };

/** The service with its own database and sandbox, as after `npm start`. */
export async function startInspectedProcess(): Promise<InspectedProcess> {
  const service = await startService({ dataDir: await newFolder(), env: { VIEWER_KEY } });
  const sql = postgres(await embeddedDatabaseUrl(service), { max: 1, onnotice: () => {} });
  return Object.assign(service, { sql });
}

export type Person = {
  context: BrowserContext;
  page: Page;
  /** Errors and warnings of the console, failed scripts, dialogs, and requests to any other origin. */
  complaints: string[];
  /** One more tab. */
  tab(path: string): Promise<Page>;
};

/** Somebody with a browser of their own, who signs in with this key on the page that asks for it, and is then at `path`. */
export async function signedIn(
  browser: Browser,
  service: ServiceProcess,
  key: string,
  path = '/inspector',
  options: BrowserContextOptions = {},
): Promise<Person> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, ...options });
  context.setDefaultTimeout(WAIT_MS);
  const complaints: string[] = [];
  context.on('request', request => {
    if (!request.url().startsWith(`${service.url}/`)) complaints.push(`asked ${request.url()}`);
  });
  const watch = (page: Page): Page => {
    page.on('console', message => {
      if (['error', 'warning'].includes(message.type())) complaints.push(message.text());
    });
    page.on('pageerror', error => complaints.push(String(error)));
    page.on('dialog', dialog => {
      complaints.push(`a dialog said ${dialog.message()}`);
      void dialog.dismiss();
    });
    return page;
  };
  const page = watch(await context.newPage());
  await page.goto(service.url + path);
  await page.getByLabel('Key').fill(key);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('button', { name: 'Sign out' }).waitFor();
  return {
    context,
    page,
    complaints,
    async tab(to) {
      const next = watch(await context.newPage());
      await next.goto(service.url + to);
      return next;
    },
  };
}

export type Bought = { id: string; userId: string; providerOrderId: string; payUrl: string };
export type Paid = Bought & { paymentId: string };

let told = 0;
const nextEvent = () => `evt_story_${process.pid}_${told++}`;

/** A checkout of this customer, as the merchant sends it. */
export async function buy(url: string, userId: string, more: Record<string, unknown> = {}): Promise<Bought> {
  const headers = { 'idempotency-key': `cart-${userId}-${told++}` };
  const body = { userId, planId: PLAN.id, provider: 'sandbox', ...more };
  const answer = await call(url, 'POST', '/v1/checkouts', body, headers);
  if (answer.status !== 201) throw new Error(`the checkout was answered ${JSON.stringify(answer)}`);
  const { order, checkout } = answer.body;
  return { id: order.id, userId, providerOrderId: checkout.providerOrderId, payUrl: checkout.url };
}

/** Pays at the sandbox, whose own webhook is held back, and delivers it as often as asked. */
export async function payFor(url: string, bought: Bought, deliveries = 1): Promise<Paid> {
  const path = `/orders/${bought.providerOrderId}/scenarios/webhook-never`;
  const { payments } = await sandbox(bought.payUrl, 'POST', path, nextEvent());
  const paid = { ...bought, paymentId: payments[0].paymentId as string };
  const id = nextEvent();
  for (let n = 0; n < deliveries; n++) await tell(url, paid, 'payment.captured', {}, { id });
  return paid;
}

/** A signed webhook about this order. */
export async function tell(
  url: string,
  { providerOrderId, paymentId }: { providerOrderId: string; paymentId: string },
  type: string,
  data: Json = {},
  { id = nextEvent(), headers = {}, extra = {} }: { id?: string; headers?: Record<string, string>; extra?: Json } = {},
): Promise<Json> {
  const { amountMinor, currency } = PLAN;
  const body = { type, data: { providerOrderId, paymentId, amountMinor, currency, ...data }, ...extra };
  const sent = webhookCall(url, id, JSON.stringify(body));
  const answer = await send({ ...sent, headers: { ...sent.headers, ...headers } }).answer;
  if (answer?.status !== 200) throw new Error(`the webhook was answered ${JSON.stringify(answer)}`);
  return answer.body;
}

export const orderOf = (url: string, id: string): Promise<Json> => get(url, `/v1/orders/${id}`);
export { KEYS };
