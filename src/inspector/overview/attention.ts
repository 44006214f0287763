// What needs somebody: stuck orders by cause, events that nobody could decide, open findings.
import { html } from 'hono/html';
import type { Overview } from '../../../db/inspect/overview.ts';
import { CAUSE_WORDS, CAUSES } from '../orders/causes.ts';
import type { Html } from '../page.ts';
import { age, emptyState, panel, toneBadge, verdictBadge } from '../parts.ts';
import { COUNTED_NOW, waitingFigure } from './figures.ts';

/** Stuck orders, the gravest cause first. */
export function stuckPanel({ stuck, now }: Overview): Html {
  const groups = CAUSES.flatMap(cause => stuck.find(group => group.cause === cause && group.count > 0) ?? []);
  const body =
    groups.length === 0
      ? emptyState('Nothing is stuck', 'Every order has moved on, or waits for something that is still to come.')
      : html`<div class="scroll" tabindex="0" role="region" aria-label="Stuck orders by cause"><table class="overview-stuck">
          <thead><tr><th scope="col">Cause</th><th scope="col" class="right">Orders</th><th scope="col">Oldest</th></tr></thead>
          <tbody>${groups.map(
            ({ cause, oldestAt, ...waiting }) => html`<tr data-row>
              <th scope="row" class="wide"><a href="/inspector/stuck?cause=${cause}">${CAUSE_WORDS[cause].label}</a>
                <span class="note">${CAUSE_WORDS[cause].sentence}</span></th>
              <td class="right number" data-label="Orders">${waitingFigure(waiting)}</td>
              <td data-label="Oldest">${oldestAt ? age(oldestAt, now) : '–'}</td>
            </tr>`,
          )}</tbody>
        </table></div>`;
  const aside = html`${COUNTED_NOW} · <a href="/inspector/stuck">All stuck orders</a>`;
  return panel({ id: 'stuck', title: 'Stuck orders', aside, body });
}

const KEPT_SENTENCES: Readonly<Record<string, string>> = {
  unmatched: 'No order is known for them yet. Tried again for three days.',
  parked: 'Their order cannot be read, or they could not be understood.',
  foreign: 'They carry no mark of ours: somebody else’s sales.',
};

/** Events without a decision, and what the service found to be wrong. */
export function keptPanel({ kept, findings, now }: Overview): Html {
  const body = html`<div class="scroll" tabindex="0" role="region" aria-label="Events without a decision, and findings"><table class="overview-stuck">
    <thead><tr><th scope="col">What</th><th scope="col" class="right">Count</th><th scope="col">Oldest</th></tr></thead>
    <tbody>
      ${kept.map(
        ({ verdict, oldestAt, ...waiting }) => html`<tr data-row>
          <th scope="row" class="wide"><a href="/inspector/events?verdict=${verdict}" aria-label="${verdict} events">${waiting.count === 0 ? toneBadge(verdict, 'quiet') : verdictBadge(verdict)}</a>
            <span class="note">${KEPT_SENTENCES[verdict] ?? ''}</span></th>
          <td class="right number" data-label="Events">${waitingFigure(waiting)}</td>
          <td data-label="Oldest">${oldestAt ? age(oldestAt, now) : '–'}</td>
        </tr>`,
      )}
      ${findings.map(
        ({ kind, severity, unacknowledged, oldestAt, ...waiting }) => html`<tr>
          <th scope="row" class="wide">${toneBadge(severity, severity === 'critical' ? 'bad' : 'held')} <span>${findingName(kind)}</span>
            <span class="note">${unacknowledged === 0 ? 'Acknowledged.' : `${unacknowledged} not acknowledged.`}</span></th>
          <td class="right number" data-label="Findings">${waitingFigure(waiting)}</td>
          <td data-label="Oldest">${oldestAt ? age(oldestAt, now) : '–'}</td>
        </tr>`,
      )}
    </tbody>
  </table></div>
  ${findings.length === 0 ? html`<p class="note overview-foot">No finding is open.</p>` : ''}`;
  return panel({ id: 'kept', title: 'Undecided events and open findings', aside: COUNTED_NOW, body });
}

/** Kinds are names of the code: `webhook_silent` is read as two words. */
const findingName = (kind: string): string => kind.replaceAll(/[._]/g, ' ');
