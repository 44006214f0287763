// The small shop at `/`, for trying the service out with the sandbox: it buys through the same checkout as any merchant
// and shows the order's timeline. Without the sandbox it only points to the API reference.
import type { Context } from 'hono';
import { z } from 'zod';
import type { Clock } from '../clock.ts';
import { InvalidRequest, PaylatchError } from '../errors.ts';
import type { App, AppEnv } from '../http/appTypes.ts';
import { BODY_LIMIT, readBody } from '../http/body.ts';
import type { NewId } from '../ids.ts';
import type { Core } from '../ports.ts';
import { SANDBOX_PROVIDER } from '../providers/sandbox/adapter.ts';
import { orderPage } from './orderPage.ts';
import { frontPage, plansPage, sentencePage } from './shopPage.ts';
import { SHOP_STYLE } from './shopStyle.ts';

const FIRST_USER = 'customer-1';
const ASSET_HEADERS = { 'cache-control': 'public, max-age=300' };
const ICON = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="8" fill="#3046c9"/><path d="M10 15v-3a6 6 0 0 1 12 0v3h1a2 2 0 0 1 2 2v7a2 2 0 0 1-2 2H9a2 2 0 0 1-2-2v-7a2 2 0 0 1 2-2zm3 0h6v-3a3 3 0 0 0-6 0z" fill="#fff"/></svg>`;

const PAGE_HEADERS = {
  // `form-action` names schemes and no hosts: buying redirects to the provider's page, wherever that is.
  'content-security-policy':
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self' http: https:; base-uri 'none'; frame-ancestors 'none'",
  'referrer-policy': 'no-referrer',
};

const purchaseSchema = z.object({
  planId: z.string().regex(/^[a-z0-9][a-z0-9_-]{0,63}$/),
  userId: z.string().regex(/^[A-Za-z0-9._:@+-]{1,128}$/),
  attempt: z.string().regex(/^[a-z0-9_]{1,64}$/),
});
const FIELD_SENTENCES: Readonly<Record<string, string>> = {
  userId: 'A customer is named by 1 to 128 letters, digits or . _ : @ + -',
  planId: 'There is no such plan.',
};
const FORM = 'application/x-www-form-urlencoded';
const orderIdSchema = z.string().regex(/^ord_[0-9a-z]{26}$/);

export type ShopDeps = { core: Core; clock: Clock; newId: NewId };

/** Adds the shop's pages to the app; they are open, like any shop. */
export function addShop(app: App, deps: ShopDeps): void {
  app.get('/shop.css', c => c.body(SHOP_STYLE, 200, { ...ASSET_HEADERS, 'content-type': 'text/css; charset=utf-8' }));
  app.get('/shop.svg', c => c.body(ICON, 200, { ...ASSET_HEADERS, 'content-type': 'image/svg+xml' }));
  app.get('/', c => show(c, deps));
  app.post('/', c => buy(c, deps));
}

async function show(c: Context<AppEnv>, { core, clock, newId }: ShopDeps): Promise<Response> {
  if (!core.providers.has(SANDBOX_PROVIDER)) return c.html(frontPage(), 200, PAGE_HEADERS);
  const asked = c.req.query('order');
  if (asked === undefined)
    return c.html(plansPage(await core.plans.list(), FIRST_USER, newId('req')), 200, PAGE_HEADERS);
  const id = orderIdSchema.safeParse(asked);
  try {
    if (!id.success) throw new PaylatchError('not_found', 'That is not the id of an order.');
    const now = clock();
    const timeline = await core.orders.timeline(id.data);
    const access = await core.users.access(timeline.order.userId, timeline.order.product, now);
    return c.html(orderPage(timeline, access, await core.orders.payUrl(id.data), now), 200, PAGE_HEADERS);
  } catch (error) {
    return sentence(c, 'No such order', error);
  }
}

async function buy(c: Context<AppEnv>, { core }: ShopDeps): Promise<Response> {
  try {
    const form = purchaseSchema.safeParse(await readForm(c));
    if (!form.success) {
      const field = String(form.error.issues[0]?.path[0] ?? 'form');
      throw new InvalidRequest(FIELD_SENTENCES[field] ?? 'The form is not as this page sends it.');
    }
    const { planId, userId, attempt } = form.data;
    const input = { userId, planId, provider: SANDBOX_PROVIDER, another: false, returnUrl: null, metadata: null };
    const { order, checkout } = await core.checkout(input, `shop:${attempt}`);
    return c.redirect(checkout.url ?? `/?order=${order.id}`, 303);
  } catch (error) {
    return sentence(c, 'That did not work', error);
  }
}

/** Read with a limit and as the browser's plain form only: whoever sends something else is no shopper. */
async function readForm(c: Context<AppEnv>): Promise<Record<string, string>> {
  const mediaType = (c.req.header('content-type') ?? '').split(';')[0]?.trim().toLowerCase();
  if (mediaType !== FORM) throw new PaylatchError('unsupported_media_type', `The form must be sent as ${FORM}.`);
  return Object.fromEntries(new URLSearchParams(Buffer.from(await readBody(c, BODY_LIMIT)).toString()));
}

function sentence(c: Context<AppEnv>, title: string, error: unknown): Response | Promise<Response> {
  if (!(error instanceof PaylatchError)) throw error;
  return c.html(sentencePage(title, error.message), error.status as 400, PAGE_HEADERS);
}
