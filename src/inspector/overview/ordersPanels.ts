// Where all orders stand, and their money.
import { html } from 'hono/html';
import type { Overview, StateCount } from '../../../db/inspect/overview.ts';
import type { Html } from '../page.ts';
import { badge, money, panel } from '../parts.ts';
import { asOfNote, figure, providerName } from './figures.ts';

/** In the order an order goes through them. */
const STATES = ['created', 'authorized', 'captured', 'subscribed', 'failed', 'parked', 'refunded'];

const total = (counts: readonly StateCount[]) => counts.reduce((sum, { count }) => sum + count, 0);

/** Orders by state and provider; each number leads to its orders. */
export function statesPanel({ states, ordersAsOf }: Overview): Html {
  const names = [...STATES, ...new Set(states.map(({ state }) => state).filter(state => !STATES.includes(state)))];
  const providers = [...new Set(states.map(({ provider }) => provider))].sort();
  const cell = (of: readonly StateCount[], query: string, label: string) => {
    const count = total(of);
    const shown =
      count === 0 ? html`<span class="quiet">0</span>` : html`<a href="/inspector/orders${query}">${figure(count)}</a>`;
    return html`<td class="right number" data-label="${label}">${shown}</td>`;
  };
  const row = (title: Html | string, of: readonly StateCount[], provider: string) => html`<tr>
    <th scope="row" class="wide">${title}</th>
    ${names.map(state =>
      cell(
        of.filter(one => one.state === state),
        linkQuery({ state, provider }),
        state,
      ),
    )}
    ${cell(of, linkQuery({ provider }), 'all')}
  </tr>`;
  const body = html`<div class="scroll" tabindex="0" role="region" aria-label="Orders by state and provider"><table class="cards overview-states">
      <thead><tr><th scope="col">Provider</th>${names.map(state => html`<th scope="col" class="right">${badge(state)}</th>`)}<th scope="col" class="right">All</th></tr></thead>
      <tbody>
        ${providers.map(provider =>
          row(
            providerName(provider),
            states.filter(one => one.provider === provider),
            provider,
          ),
        )}
        ${providers.length > 1 ? row(html`<strong>All</strong>`, states, '') : ''}
      </tbody>
    </table></div>
    <p class="note overview-foot">Authorized, captured and parked orders are counted exactly; the others ${asOfNote(ordersAsOf)}.</p>`;
  return panel({ id: 'orders', title: 'Orders by state', body });
}

function linkQuery(filter: Readonly<Record<string, string>>): string {
  const set = Object.entries(filter).filter(([, value]) => value !== '');
  return set.length === 0 ? '' : `?${new URLSearchParams(set).toString()}`;
}

/** Money by currency: what came in, what went back, and what access was given for. */
export function moneyPanel({ money: currencies, ordersAsOf }: Overview): Html {
  const body = html`<div class="scroll" tabindex="0" role="region" aria-label="Money by currency"><table class="cards">
      <thead><tr><th scope="col">Currency</th>${['Captured', 'Refunded', 'Lost', 'Net', 'Granted', 'Net − granted'].map(
        name => html`<th scope="col" class="right">${name}</th>`,
      )}</tr></thead>
      <tbody>${currencies.map(
        ({ currency, capturedMinor, refundedMinor, lostMinor, netMinor, grantedMinor }) => html`<tr>
          <th scope="row" class="wide">${currency}</th>
          ${(
            [
              ['Captured', capturedMinor],
              ['Refunded', refundedMinor],
              ['Lost', lostMinor],
              ['Net', netMinor],
              ['Granted', grantedMinor],
              ['Net − granted', netMinor - grantedMinor],
            ] as const
          ).map(([label, amount]) => html`<td class="right" data-label="${label}">${money(amount, currency)}</td>`)}
        </tr>`,
      )}</tbody>
    </table></div>
    <p class="note overview-foot">Net is what was captured, less what was refunded or lost to disputes. Granted is the price of the orders
      that are subscribed now. What is left over was paid twice, is parked or captured, or went back in part.</p>`;
  return panel({ id: 'money', title: 'Money', aside: asOfNote(ordersAsOf), body });
}
