// Payment pages of our own, for providers that only have a script: who knows the order's id may pay it.
import { NotFound } from '../errors.ts';
import type { Core } from '../ports.ts';
import type { App } from './appTypes.ts';

/** Adds `GET /pay/{orderId}`; open, like any payment page. */
export function addPayPages(app: App, core: Core): void {
  app.get('/pay/:orderId', async c => {
    const { provider, order } = await core.orders.payable(c.req.param('orderId'));
    const page = core.providers.get(provider)?.payPage?.(order);
    if (!page) throw new NotFound('This order has no payment page here.');
    return c.html(page.html, 200, {
      'content-security-policy': page.contentSecurityPolicy,
      'referrer-policy': 'strict-origin-when-cross-origin',
    });
  });
}
