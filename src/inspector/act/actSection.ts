// The section #act of an order's page: what can be sent to it now, what would be refused and why, each with the chart's own
// conditions. It only shows; each event has a page of its own.
import { html } from 'hono/html';
import { type Explained, explainEvents, type SendableType } from '../../../machines/explain.ts';
import type { OrderContext } from '../../../machines/orderContext.ts';
import { PaylatchError } from '../../errors.ts';
import type { RetryPlanView } from '../../retry.ts';
import type { OrderModel } from '../order/model.ts';
import type { ActSection } from '../order/order.ts';
import { withInstants } from '../order/words.ts';
import { type Html, type InspectorDeps, VIEWER_SENTENCE, type Viewer } from '../page.ts';
import { notice, panel } from '../parts.ts';
import { changesNothing, EVENT_WORDS, FACTS, REQUESTS } from './eventWords.ts';
import { explanationList, outcomeSentence } from './explanation.ts';
import { actHref } from './formView.ts';
import { partWords } from './partWords.ts';

/** What a retry would run; null when that cannot be asked just now. */
type RetryLook = Pick<RetryPlanView, 'would' | 'refused'> | null;

/** The section for `addOrder`. */
export function actOn(deps: InspectorDeps): ActSection {
  return async (model, viewer) => actSection(model, viewer, await lookAtRetry(deps, model.view.id));
}

async function lookAtRetry({ core, newId }: Pick<InspectorDeps, 'core' | 'newId'>, id: string): Promise<RetryLook> {
  try {
    return await core.retry.preview(id, { reason: 'asked beforehand', by: 'inspector', eventKey: newId('evt') });
  } catch (error) {
    if (error instanceof PaylatchError) return null;
    throw error;
  }
}

function actSection({ row, live, view }: OrderModel, viewer: Viewer, retry: RetryLook): Html {
  const explained = live ? explainEvents(live, row.order.deadEffects) : [];
  const of = (type: SendableType) => explained.find(each => each.type === type);
  const one = (type: SendableType) => {
    const about = of(type);
    return eventRow(
      view.id,
      type,
      viewer,
      type === 'retry.requested' ? retryState(retry) : stateOf(about, live?.state.context),
      {
        explained: about,
        context: live?.state.context,
      },
    );
  };
  const body = html`${viewer.role === 'viewer' ? notice('held', VIEWER_SENTENCE) : ''}
    <h3>Ask for something</h3>
    <ul class="act-list">${REQUESTS.map(one)}</ul>
    <details class="act-facts" id="act-facts">
      <summary>Tell what the provider did <span class="quiet">when its webhook never came</span></summary>
      <ul class="act-list">${FACTS.map(one)}</ul>
    </details>`;
  return panel({ id: 'act', title: 'Act', aside: 'Each shows first what it would do', body });
}

/** `refused` is why its button is dead. */
type RowState = { sentence: string; refused: boolean };

function stateOf(explained: Explained | undefined, context: OrderContext | undefined): RowState {
  if (!explained || !context) return { sentence: 'The order cannot be read, so nothing is sent to it.', refused: true };
  const way = explained.taken === null ? null : explained.candidates[explained.taken];
  return { sentence: outcomeSentence(explained, context), refused: way ? changesNothing(way.verdict) : false };
}

function retryState(retry: RetryLook): RowState {
  if (!retry) return { sentence: 'What it would run cannot be told just now.', refused: false };
  if (retry.refused !== null) return { sentence: `Refused now. ${retry.refused}`, refused: true };
  return { sentence: `It ${retry.would.map(partWords).join('; it ')}.`, refused: false };
}

type About = { explained: Explained | undefined; context: OrderContext | undefined };

function eventRow(
  id: string,
  type: SendableType,
  viewer: Viewer,
  state: RowState,
  { explained, context }: About,
): Html {
  const { title } = EVENT_WORDS[type];
  const label = viewer.role === 'operator' ? 'Dry run' : 'See';
  return html`<li>
    <div class="act-row">
      <div class="act-what"><p><b>${title}</b> <code class="quiet">${type}</code></p>
        <p class="${state.refused ? 'act-refused' : ''}" id="why-${type}">${withInstants(state.sentence)}</p></div>
      ${
        state.refused
          ? html`<button type="button" class="button" disabled aria-label="${label}: ${title}" aria-describedby="why-${type}">${label}</button>`
          : html`<a class="button" href="${actHref(id, type)}" aria-label="${label}: ${title}" aria-describedby="why-${type}">${label}</a>`
      }
    </div>
    ${
      explained && context
        ? html`<details id="ways-${type}"><summary>Conditions</summary>${explanationList(explained, { context, event: null })}</details>`
        : ''
    }
  </li>`;
}
