// The pages customers see: the hosted pay page, what its buttons do, and the files it is made of.
import { type Context, Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { WEBHOOK_FIRST_WAIT_MS } from './serverApi.ts';
import { newSandboxId, type SandboxContext, SandboxRefusal } from './serverContext.ts';
import type { SandboxDeliveries } from './serverDeliveries.ts';
import { findOrder, payUrl } from './serverOrders.ts';
import { messagePage, payPage } from './serverPayPage.ts';
import { PAY_PAGE_ICON, PAY_PAGE_STYLE } from './serverPayPageStyle.ts';
import { PAY_SCENARIOS, runPayScenario, signCallback } from './serverScenarios.ts';

/** Largest form, in bytes: it has two short fields. */
const MAX_FORM_BYTES = 4 * 1_024;
/** How long the page's files may be kept by a browser, in seconds: short, because they change with the service. */
const ASSET_MAX_AGE_S = 300;
const RUN_KEY = /^[A-Za-z0-9_-]{1,64}$/;

const PAGE_HEADERS = {
  // Nothing but our own style and icon is loaded. `form-action` names schemes and no hosts: browsers check it again for
  // every redirect after a form was sent, and the service sends the customer on to a shop this server has never heard of.
  'content-security-policy':
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self' http: https:; base-uri 'none'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cache-control': 'no-store',
};

/** The routes of the pay page and its files. Open to everybody: who knows the link may pay. */
export function payPages(context: SandboxContext, deliveries: SandboxDeliveries): Hono {
  const pages = new Hono();
  pages.get('/assets/pay.css', c => asset(c, 'text/css; charset=utf-8', PAY_PAGE_STYLE));
  pages.get('/assets/icon.svg', c => asset(c, 'image/svg+xml', PAY_PAGE_ICON));
  pages.get('/', c =>
    c.html(messagePage('Sandbox', 'This is where test payments are made. Nothing is open here.'), 200, PAGE_HEADERS),
  );

  pages.get('/pay/:id', c => {
    const order = context.store.byId(c.req.param('id'));
    if (order === undefined) {
      return c.html(
        messagePage('No such payment', 'This pay link is unknown. Go back to the shop and start again.'),
        404,
        PAGE_HEADERS,
      );
    }
    return c.html(payPage(order, newSandboxId(context, 'try')), 200, PAGE_HEADERS);
  });

  pages.post('/pay/:id', bodyLimit({ maxSize: MAX_FORM_BYTES, onError: refuseLargeForm }), async c => {
    const order = findOrder(context, c.req.param('id'));
    const { scenario: name, attempt: key } = await c.req.parseBody();
    const scenario = typeof name === 'string' ? PAY_SCENARIOS.get(name) : undefined;
    if (typeof name !== 'string' || scenario === undefined || typeof key !== 'string' || !RUN_KEY.test(key)) {
      throw new SandboxRefusal(400, 'invalid_request', 'The form must name a scenario and its attempt.');
    }
    if (order.closed) return c.html(payPage(order, key), 410, PAGE_HEADERS);
    const run = runPayScenario(context, order, name, key);
    if (scenario.webhookFirst) {
      await Promise.all(run.webhooks.map(webhook => deliveries.answered(webhook, WEBHOOK_FIRST_WAIT_MS)));
    }
    if (scenario.comesBack === false) return c.redirect(payUrl(context, order), 303);
    return c.redirect(callbackUrl(order.callbackUrl, signCallback(context, order, run)), 303);
  });
  return pages;
}

/** The callback with its three fields added to whatever query the service gave it. */
function callbackUrl(base: string, fields: Record<string, string>): string {
  const url = new URL(base);
  for (const [name, value] of Object.entries(fields)) url.searchParams.set(name, value);
  return url.href;
}

function asset(c: Context, type: string, text: string): Response {
  return c.body(text, 200, {
    'content-type': type,
    'cache-control': `public, max-age=${ASSET_MAX_AGE_S}`,
    'x-content-type-options': 'nosniff',
  });
}

function refuseLargeForm(): never {
  throw new SandboxRefusal(413, 'body_too_large', `The form may hold at most ${MAX_FORM_BYTES} bytes.`);
}
