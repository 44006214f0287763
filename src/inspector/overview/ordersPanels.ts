// Where all orders stand, and their money.
import { html } from 'hono/html';
import type { CurrencyMoney, Overview, StateCount } from '../../../db/inspect/overview.ts';
import { UNSETTLED_STATES } from '../../../db/inspect/overviewStuck.ts';
import { ORDER_STATES } from '../../../machines/orderStates.ts';
import type { Html } from '../page.ts';
import { badge, money, panel } from '../parts.ts';
import { asOfNote, figure, providerName } from './figures.ts';

const total = (counts: readonly StateCount[]) => counts.reduce((sum, { count }) => sum + count, 0);

/** Orders by state and provider; each number leads to its orders. */
export function statesPanel({ states, ordersAsOf }: Overview): Html {
  // Orders on another chart may stand in states that this one does not have: they are shown behind its own.
  const names = [...new Set([...ORDER_STATES, ...states.map(({ state }) => state)])];
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
    <p class="note overview-foot">${exactWords(states)}${asOfNote(ordersAsOf)}.</p>`;
  return panel({ id: 'orders', title: 'Orders by state', body });
}

const LIST = new Intl.ListFormat('en-GB');

/** Which of them were counted one by one just now: those that wait for something, unless they are too many. */
export function exactWords(states: readonly StateCount[]): string {
  const exact = UNSETTLED_STATES.filter(state => !states.some(one => one.state === state && !one.exact));
  if (exact.length === 0) return 'All ';
  const names = LIST.format(exact);
  return `${names.charAt(0).toUpperCase()}${names.slice(1)} orders are counted exactly; the others `;
}

function linkQuery(filter: Readonly<Record<string, string>>): string {
  const set = Object.entries(filter).filter(([, value]) => value !== '');
  return set.length === 0 ? '' : `?${new URLSearchParams(set).toString()}`;
}

/** What came in, what went back, what is left, and what access was given for it. */
const MONEY_ROWS: readonly { name: string; of: (money: CurrencyMoney) => number; strong?: true }[] = [
  { name: 'Captured', of: ({ capturedMinor }) => capturedMinor },
  { name: 'Refunded', of: ({ refundedMinor }) => refundedMinor },
  { name: 'Lost to disputes', of: ({ lostMinor }) => lostMinor },
  { name: 'Net', of: ({ netMinor }) => netMinor, strong: true },
  { name: 'Granted', of: ({ grantedMinor }) => grantedMinor },
  { name: 'Net − granted', of: ({ netMinor, grantedMinor }) => netMinor - grantedMinor },
];

/** Money, a column a currency. */
export function moneyPanel({ money: currencies, ordersAsOf }: Overview): Html {
  const body = html`<div class="scroll" tabindex="0" role="region" aria-label="Money by currency"><table class="overview-money">
      <thead><tr><th scope="col"><span class="hidden">Money</span></th>${currencies.map(({ currency }) => html`<th scope="col" class="right">${currency}</th>`)}</tr></thead>
      <tbody>${MONEY_ROWS.map(
        ({ name, of, strong }) => html`<tr class="${strong ? 'overview-sum' : ''}"><th scope="row">${name}</th>
          ${currencies.map(one => html`<td class="right">${money(of(one), one.currency)}</td>`)}</tr>`,
      )}</tbody>
    </table></div>
    <p class="note overview-foot">Net is captured − refunded − lost. Granted is the price of the orders that are subscribed now. What is
      left over was paid twice, waits in captured or parked, or went back in part.</p>`;
  return panel({ id: 'money', title: 'Money', aside: asOfNote(ordersAsOf), body });
}
