// The overview as a page: what needs somebody first, then where everything stands, then how the parts are doing.
import { html } from 'hono/html';
import type { Overview } from '../../../db/inspect/overview.ts';
import type { ListingView } from '../../reconcile/progress.ts';
import type { Html } from '../page.ts';
import { emptyState } from '../parts.ts';
import { keptPanel, stuckPanel } from './attention.ts';
import { ordersChart, spanSwitch, verdictsChart } from './charts.ts';
import { headline } from './headline.ts';
import { outboxPanel, sweeperPanel } from './healthPanels.ts';
import { moneyPanel, statesPanel } from './ordersPanels.ts';
import { webhookPanel } from './webhookPanel.ts';

export type OverviewPage = {
  overview: Overview;
  listings: readonly ListingView[];
  /** What there is to begin with, while nothing was ever bought. */
  beginning: { hasPlans: boolean; hasShop: boolean };
};

export function overviewPage({ overview, listings, beginning }: OverviewPage): Html {
  const isNew = overview.states.length === 0 && overview.ordersAsOf?.now === true;
  return html`<div class="overview"><div class="page-head"><h1>Overview</h1>${isNew ? '' : html`<div class="aside">${spanSwitch(overview.span)}</div>`}</div>
    ${isNew ? html`<section class="panel" data-live="beginning">${begin(beginning)}</section>` : headline(overview)}
    <div class="overview-two">${stuckPanel(overview)}${keptPanel(overview)}</div>
    ${
      isNew
        ? ''
        : html`<div class="overview-two">${ordersChart(overview)}${verdictsChart(overview)}</div>
          <div class="overview-two overview-uneven">${statesPanel(overview)}${moneyPanel(overview)}</div>`
    }
    ${webhookPanel(overview)}
    <div class="overview-two">${outboxPanel(overview)}${sweeperPanel(overview, listings)}</div></div>`;
}

/** A new installation: what to do next. */
function begin({ hasPlans, hasShop }: OverviewPage['beginning']): Html {
  if (!hasPlans) {
    const sentence =
      'Make a plan with PUT /v1/plans/{id}: its price, currency and period. Then a checkout can sell it.';
    return emptyState('There is nothing to sell yet', sentence, { href: '/docs', label: 'Open the API reference' });
  }
  if (hasShop) {
    const sentence = 'Open the shop, buy a plan on the test provider’s page, and watch the order arrive here.';
    return emptyState('Nothing was bought yet', sentence, { href: '/', label: 'Open the shop' });
  }
  const sentence = 'Orders begin with POST /v1/checkouts. As soon as there is one, it is counted here.';
  return emptyState('Nothing was bought yet', sentence, { href: '/docs', label: 'Open the API reference' });
}
