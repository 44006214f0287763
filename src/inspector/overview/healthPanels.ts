// The parts that work by themselves: effects by lane, the sweeper, and the listing of providers' payments.
import { html } from 'hono/html';
import type { Overview } from '../../../db/inspect/overview.ts';
import type { ListingView } from '../../reconcile/progress.ts';
import type { Html } from '../page.ts';
import { age, definitionList, panel, toneBadge } from '../parts.ts';
import { COUNTED_NOW, figure, waitingFigure } from './figures.ts';
import { isLate, isSweeperSilent } from './headline.ts';

const LANE_WORDS: Readonly<Record<string, string>> = {
  provider: 'Orders and money at the provider',
  closing: 'Orders closed at the provider',
  question: 'Questions to the provider',
  merchant: 'Notifications to the merchant',
  operator: 'Alerts',
};

/** Effects that wait, by lane. */
export function outboxPanel({ outbox, now }: Overview): Html {
  const { lanes, pending, dead } = outbox;
  const body = html`<div class="scroll" tabindex="0" role="region" aria-label="Effects by lane"><table class="overview-lanes">
      <thead><tr><th scope="col">Lane</th><th scope="col" class="right">Due</th><th scope="col" class="right">Running</th><th scope="col">Oldest due</th></tr></thead>
      <tbody>${lanes.map(
        ({ lane, due, leased }) => html`<tr>
          <th scope="row" class="wide"><span class="overview-name">${lane}</span> <span class="note">${LANE_WORDS[lane] ?? ''}</span></th>
          <td class="right number" data-label="Due">${waitingFigure(due)}</td>
          <td class="right number" data-label="Running">${figure(leased)}</td>
          <td data-label="Oldest due">${due.oldestAt ? html`${age(due.oldestAt, now)}${isLate({ lane, due, leased }, now) ? html` ${toneBadge('late', 'bad')}` : ''}` : html`<span class="quiet">–</span>`}</td>
        </tr>`,
      )}</tbody>
    </table></div>
    <p class="note overview-foot">${waitingFigure(pending)} pending in all, due or planned for later.
      ${
        dead.count === 0
          ? 'None is dead.'
          : html`<a class="overview-alarm" href="/inspector/stuck?cause=effect_dead">${waitingFigure(dead)} dead</a>: tried as often as allowed, waiting for a retry.`
      }</p>`;
  return panel({ id: 'outbox', title: 'Outbox', aside: COUNTED_NOW, body });
}

/** Whether the sweeper lives, what it is behind with, and how far each provider's payments were read. */
export function sweeperPanel(overview: Overview, listings: readonly ListingView[]): Html {
  const { talliedAt, stuck, now } = overview;
  const overdue = stuck.find(({ cause }) => cause === 'deadline_passed');
  const facts = definitionList([
    {
      term: 'Last round',
      value: html`${talliedAt ? age(talliedAt, now) : 'never'} ${isSweeperSilent(overview) ? toneBadge('not running', 'bad') : toneBadge('running', 'good')}`,
    },
    {
      term: 'Overdue deadlines',
      value:
        overdue && overdue.count > 0
          ? html`<a class="overview-alarm" href="/inspector/stuck?cause=deadline_passed">${waitingFigure(overdue)}</a>${overdue.oldestAt ? html`, the oldest ${age(overdue.oldestAt, now)}` : ''}`
          : 'none',
    },
  ]);
  const body = html`${facts}
    ${
      listings.length === 0
        ? html`<p class="note">No provider’s list of payments was read yet.</p>`
        : html`<div class="scroll overview-inner" tabindex="0" role="region" aria-label="Lists of providers’ payments"><table class="cards">
            <thead><tr><th scope="col">Payments listed</th><th scope="col">Completed</th><th scope="col">Next</th><th scope="col" class="right">Read</th><th scope="col" class="right">News</th></tr></thead>
            <tbody>${listings.map(listing => listingRow(listing, now))}</tbody>
          </table></div>`
    }`;
  return panel({ id: 'sweeper', title: 'Sweeper and reconciliation', aside: COUNTED_NOW, body });
}

function listingRow(
  { provider, depth, underWay, completedAt, nextAt, payments, news, lastError }: ListingView,
  now: Date,
): Html {
  return html`<tr>
      <th scope="row" class="wide">${provider} <span class="note">${depth}</span></th>
      <td data-label="Completed">${completedAt ? age(completedAt, now) : 'never'}</td>
      <td data-label="Next">${underWay ? 'running' : age(nextAt, now)}</td>
      <td class="right number" data-label="Read">${figure(payments)}</td>
      <td class="right number" data-label="News">${figure(news)}</td>
    </tr>
    ${lastError ? html`<tr><td colspan="5" class="wide overview-error">${provider}, ${depth}: ${lastError}</td></tr>` : ''}`;
}
