// What can be done about an event, and what was done by hand before.
import { html } from 'hono/html';
import { actHref } from '../act/formView.ts';
import { orderHref } from '../order/pageQuery.ts';
import { type Html, VIEWER_SENTENCE, type Viewer } from '../page.ts';
import { instant, notice, panel } from '../parts.ts';
import { eventHref } from './eventHref.ts';
import type { EventModel } from './eventModel.ts';
import { providerPages } from './providerPages.ts';

export function actsPanel(model: EventModel, viewer: Viewer): Html {
  const body = html`${viewer.role === 'viewer' ? notice('held', VIEWER_SENTENCE) : ''}
    <ul class="act-list">${retryRow(model, viewer)} ${atProviderRow(model)}</ul>
    ${notesOf(model)}`;
  return panel({ id: 'act', title: 'What can be done', body });
}

/** What deciding it again would lead to, before anybody asks for it. */
export function leadsTo({ plan, event }: Pick<EventModel, 'plan' | 'event'>): Html | string {
  const { orderId, renews, refused } = plan;
  if (refused !== null) return refused;
  if (renews !== null)
    return html`It is a recurring charge: a renewal of <a href="${orderHref(renews)}"><code>${renews}</code></a> would be opened, and this would pay for it.`;
  if (orderId !== null)
    return html`Its order is known now: it would be decided on <a href="${orderHref(orderId)}"><code>${orderId}</code></a>.`;
  return `No order is known for it yet: it would stay ${event.verdict}.`;
}

function retryRow(model: EventModel, viewer: Viewer): Html {
  const { event, plan } = model;
  const label = viewer.role === 'operator' ? 'Dry run' : 'See';
  const about = html`aria-label="${label}: decide it again" aria-describedby="why-retry"`;
  const orderRetry =
    plan.refused !== null && event.orderId !== null
      ? html` <a href="${actHref(event.orderId, 'retry.requested')}">Retry what failed at its order</a>`
      : '';
  return html`<li><div class="act-row">
    <div class="act-what"><p><b>Decide it again now</b></p>
      <p class="${plan.refused === null ? '' : 'act-refused'}" id="why-retry">${leadsTo(model)}${orderRetry}</p></div>
    ${
      plan.refused === null
        ? html`<a class="button" href="${eventHref(event)}/retry" ${about}>${label}</a>`
        : html`<button type="button" class="button" disabled ${about}>${label}</button>`
    }
  </div></li>`;
}

function atProviderRow({ event, names, live }: EventModel): Html {
  const { provider, eventKey, providerOrderId } = event;
  const ids = [names.paymentId, names.refundId, names.disputeId, names.subscriptionId, providerOrderId, eventKey];
  const pages = providerPages(provider, live, ids);
  const [first] = ids.filter(id => id !== null);
  const words =
    pages.length > 0
      ? html`${pages.map(({ label, href }) => html`<a href="${href}" rel="noreferrer noopener" target="_blank">${label}</a> `)}`
      : `Search for ${first ?? 'it'} where ${provider} shows your payments: it says who paid, for what, and where it was sold.`;
  return html`<li><div class="act-what"><p><b>Look at the provider</b></p><p class="event-links">${words}</p></div></li>`;
}

function notesOf({ notes }: EventModel): Html | '' {
  if (notes.length === 0) return '';
  return html`<h3>Asked for by hand</h3><ul class="event-notes">${notes.map(({ detail, at }) => html`<li><span class="quiet">${instant(at)}</span> ${detail}</li>`)}</ul>`;
}
