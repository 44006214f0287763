// Received events: the lists by verdict, each event's page, deciding one again, and what wrong signatures mean.
import type { Context } from 'hono';
import { html } from 'hono/html';
import type { EventRef } from '../../../db/inbox.ts';
import { toldHere } from '../act/remembered.ts';
import { orderHref } from '../order/pageQuery.ts';
import { type InspectorApp, type InspectorDeps, type InspectorEnv, renderPage, requireOperator } from '../page.ts';
import { emptyState } from '../parts.ts';
import { eventHref } from './eventHref.ts';
import { readEventModel } from './eventModel.ts';
import { eventsPage } from './eventsPage.ts';
import { eventView } from './eventView.ts';
import { eventRetryPage, sendEventRetry } from './retryPage.ts';
import { signaturesPage } from './signaturesPage.ts';

type Ctx = Context<InspectorEnv>;

/** What no id can be is not asked for. */
const ID = /^[\w-]{1,64}$/;
/** Providers' event keys are opaque; the longest is a name of ours around a provider's. */
const EVENT_KEY = /^[\x20-\x7e]{1,400}$/;

/** Adds `/events`, `/events/{provider}/{eventKey}` with its retry, the same page under its order, and `/signatures`. */
export function addEvents(app: InspectorApp, deps: InspectorDeps): void {
  app.get('/events', c => eventsPage(c, deps));
  app.get('/events/:provider/:eventKey', c => showEvent(c, deps));
  app.get('/events/:provider/:eventKey/retry', c => withEvent(c, ref => eventRetryPage(c, deps, ref)));
  app.post('/events/:provider/:eventKey/retry', requireOperator, c =>
    withEvent(c, ref => sendEventRetry(c, deps, ref)),
  );
  app.get('/orders/:id/events/:provider/:eventKey', c => showEvent(c, deps));
  app.get('/signatures', c => signaturesPage(c, deps));
}

/** Under an order's address only what arrived for that order. */
async function showEvent(c: Ctx, deps: InspectorDeps): Promise<Response> {
  const id = c.req.param('id') ?? null;
  return withEvent(c, async ref => {
    const model = await readEventModel(deps, ref);
    if (!model || (id !== null && model.event.orderId !== id)) return noSuchEvent(c);
    const { type } = model.event;
    const main = html`${toldHere(c, eventHref(ref))} ${eventView(model, c.var.viewer, id)}`;
    return renderPage(c, { title: `${type} as it arrived`, nav: id === null ? 'events' : 'orders', live: {}, main });
  });
}

async function withEvent(c: Ctx, show: (ref: EventRef) => Promise<Response>): Promise<Response> {
  const { provider = '', eventKey = '' } = c.req.param() as Record<string, string>;
  return ID.test(provider) && EVENT_KEY.test(eventKey) ? show({ provider, eventKey }) : noSuchEvent(c);
}

async function noSuchEvent(c: Ctx): Promise<Response> {
  const id = c.req.param('id') ?? '';
  const main = ID.test(id)
    ? emptyState(
        'No such event',
        'Nothing with this key arrived for this order. Events decided by worker and sweeper have no body: see the transitions.',
        { href: `${orderHref(id)}#timeline`, label: 'Go to the order' },
      )
    : emptyState(
        'No such event',
        'Nothing with this key arrived from this provider. A webhook whose signature did not hold is counted, and nothing of it is kept.',
        { href: '/inspector/signatures', label: 'See wrong signatures' },
      );
  return renderPage(c, {
    title: 'No such event',
    nav: ID.test(id) ? 'orders' : 'events',
    status: 404,
    main: html`<h1 class="hidden">No such event</h1>${main}`,
  });
}
