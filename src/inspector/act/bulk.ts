// Retry of everything that is stuck for one cause: first what it would run on the first few orders, then a page at a time,
// with what came of each. One that fails keeps nobody else from being tried.
import type { Context } from 'hono';
import { html } from 'hono/html';
import { STUCK_CAUSES, type StuckCause } from '../../../db/orders.ts';
import { MAX_BY_LENGTH, MAX_REASON_LENGTH } from '../../../machines/orderEvents.ts';
import { InvalidRequest } from '../../errors.ts';
import type { BulkRetryCounts, BulkRetryPlanView, BulkRetryResult, BulkRetryView } from '../../retry/bulk.ts';
import { orderHref } from '../order/pageQuery.ts';
import { CAUSE_WORDS } from '../orders/causes.ts';
import {
  csrfField,
  type Html,
  type InspectorDeps,
  type InspectorEnv,
  renderPage,
  VIEWER_SENTENCE,
  type Viewer,
} from '../page.ts';
import { badge, copyable, emptyState, notice, panel, toneBadge } from '../parts.ts';
import { deadButton, whoAndWhyFields } from './formView.ts';
import { endWords, partWords } from './partWords.ts';
import { rememberedName, rememberName } from './remembered.ts';
import { FORM_KEY } from './send.ts';

/** Orders looked at beforehand: enough to see what kind of thing they wait for. */
const SAMPLE = 10;
/** Orders tried by one post: what a lane of four does within a page's deadline, and what a person still reads. */
const PAGE = 25;
const PATH = '/inspector/stuck/retry';
const CURSOR = /^[\w-]{1,64}$/;

type Ctx = Context<InspectorEnv>;

/** The way in, below the list of what is stuck for this cause. Nothing is run yet. */
export function bulkRetryForm(viewer: Viewer, cause: StuckCause, count: number): Html {
  const orders = count === 1 ? 'this order' : 'all of them';
  return html`<form method="get" action="${PATH}" class="bulk-start">
    <input type="hidden" name="cause" value="${cause}" />
    <button class="button">Retry ${orders}…</button>
    <span class="note">${viewer.role === 'viewer' ? VIEWER_SENTENCE : `Shows first what it would run on ${count === 1 ? 'it' : 'a few of them'}.`}</span>
  </form>`;
}

/** @throws InvalidRequest for a cause nobody knows */
function causeOf(text: string | undefined): StuckCause {
  const cause = STUCK_CAUSES.find(each => each === text);
  if (!cause) throw new InvalidRequest(`There is no such cause. Orders are stuck for: ${STUCK_CAUSES.join(', ')}.`);
  return cause;
}

export async function bulkPage(c: Ctx, { core, newId }: InspectorDeps): Promise<Response> {
  const cause = causeOf(c.req.query('cause'));
  const eventKey = newId('evt');
  const look = { cause, limit: SAMPLE, cursor: null, reason: 'asked beforehand', by: 'inspector', eventKey };
  const sample = await core.retry.previewStuck(look);
  return renderPage(c, {
    title: `Retry: ${CAUSE_WORDS[cause].label}`,
    nav: 'stuck',
    main: html`${bulkHead(cause)}
      ${
        sample.orders.length === 0
          ? nothingStuck(cause)
          : html`${panel({ id: 'sample', title: 'What it would run', aside: sample.nextCursor ? `The first ${sample.orders.length}; the others are like these or not` : 'All of them', live: false, body: sampleTable(sample) })}
            ${panel({ id: 'send', title: 'Retry them', live: false, body: startForm(c, cause, eventKey, sample) })}`
      }`,
  });
}

const bulkHead = (
  cause: StuckCause,
): Html => html`<div class="page-head"><p class="crumbs"><a href="/inspector/stuck?cause=${cause}">Stuck: ${CAUSE_WORDS[cause].label}</a></p></div>
  <h1>Retry what is stuck: ${CAUSE_WORDS[cause].label.toLowerCase()}</h1>
  <p class="cause"><b>${CAUSE_WORDS[cause].sentence}</b> ${CAUSE_WORDS[cause].advice}</p>`;

const nothingStuck = (cause: StuckCause): Html =>
  emptyState(`No order is stuck for this: ${CAUSE_WORDS[cause].label.toLowerCase()}`, 'There is nothing to retry.', {
    href: '/inspector/stuck',
    label: 'Every cause',
  });

function sampleTable({ orders }: BulkRetryPlanView): Html {
  return html`<div class="scroll"><table class="cards">
    <thead><tr><th scope="col">Order</th><th scope="col">State</th><th scope="col">A retry</th></tr></thead>
    <tbody>${orders.map(
      ({ orderId, state, would, refused }) => html`<tr>
        <td class="wide">${copyable(orderId, { short: true, href: orderHref(orderId) })}</td>
        <td data-label="State">${badge(state)}</td>
        <td class="wide" data-label="A retry">${refused === null ? would.map(part => html`<p>${partWords(part)}</p>`) : html`<p><span class="quiet">runs nothing.</span> ${refused}</p>`}</td>
      </tr>`,
    )}</tbody></table></div>`;
}

function startForm(c: Ctx, cause: StuckCause, eventKey: string, { orders, nextCursor }: BulkRetryPlanView): Html {
  const isAll = nextCursor === null;
  const button = isAll ? `Retry ${orders.length === 1 ? 'it' : `these ${orders.length}`}` : `Retry the first ${PAGE}`;
  if (isAll && orders.every(({ refused }) => refused !== null))
    return deadButton(
      button,
      'It would be refused for each of them: nothing of theirs can be run again. Each says why.',
    );
  if (c.var.viewer.role !== 'operator')
    return html`${notice('held', VIEWER_SENTENCE)}<div class="buttons"><button type="button" class="button" disabled>${button}</button></div>`;
  return html`<form method="post" action="${PATH}" class="stack act-form">
    ${csrfField(c.var.viewer)}
    <input type="hidden" name="cause" value="${cause}" /><input type="hidden" name="key" value="${eventKey}" />
    ${whoAndWhyFields({ reason: '', by: rememberedName(c) })}
    <div class="buttons"><button class="button primary">${button}</button>
      <span class="note">Each on its own: one that fails stops no other. Sent twice, it runs once.</span></div>
  </form>`;
}

export async function bulkRun(c: Ctx, { core }: InspectorDeps): Promise<Response> {
  const form = await c.req.parseBody();
  const param = (name: string) => (typeof form[name] === 'string' ? form[name].trim() : '');
  const cause = causeOf(param('cause'));
  const [reason, by, eventKey, cursor] = [param('reason'), param('by'), param('key'), param('cursor')];
  if (reason === '' || reason.length > MAX_REASON_LENGTH)
    throw new InvalidRequest(`Say why, in at most ${MAX_REASON_LENGTH} characters: it is kept with each order.`);
  if (by === '' || by.length > MAX_BY_LENGTH)
    throw new InvalidRequest(`Say who you are, in at most ${MAX_BY_LENGTH} characters: it is kept with each order.`);
  if (!FORM_KEY.test(eventKey) || (cursor !== '' && !CURSOR.test(cursor)))
    throw new InvalidRequest('This form was not made here. Go to the stuck orders and begin again.');
  rememberName(c, by);
  const page = await core.retry.stuck({ cause, limit: PAGE, cursor: cursor || null, reason, by, eventKey });
  return renderPage(c, {
    title: `Retried: ${CAUSE_WORDS[cause].label}`,
    nav: 'stuck',
    main: html`${bulkHead(cause)}
      ${
        page.results.length === 0
          ? nothingStuck(cause)
          : html`<div role="status">${notice(page.counts.free === page.counts.orders ? 'good' : 'held', countsSentence(page.counts))}</div>
            ${panel({ id: 'results', title: 'What came of each', live: false, body: resultTable(page) })}`
      }
      ${goOn(c.var.viewer, page, { cause, reason, by, key: eventKey })}`,
  });
}

function countsSentence({ orders, free, stillStuck, refused, failed }: BulkRetryCounts): string {
  const parts = [
    `${free} ${free === 1 ? 'moves' : 'move'} again`,
    stillStuck > 0 && `${stillStuck} ${stillStuck === 1 ? 'is' : 'are'} still stuck`,
    refused > 0 && `${refused} had nothing to retry`,
    failed > 0 && `${failed} could not be tried`,
  ];
  return `${orders === 1 ? '1 order' : `${orders} orders`}: ${parts.filter(Boolean).join(', ')}.`;
}

function resultTable({ results }: BulkRetryView): Html {
  return html`<div class="scroll"><table class="cards">
    <thead><tr><th scope="col">Order</th><th scope="col">State</th><th scope="col">Result</th><th scope="col">What was run</th></tr></thead>
    <tbody>${results.map(
      result => html`<tr>
        <td class="wide">${copyable(result.orderId, { short: true, href: orderHref(result.orderId) })}</td>
        <td data-label="State">${badge(result.state)}</td>
        <td data-label="Result">${resultBadge(result)}</td>
        <td class="wide" data-label="What was run">${result.error ? html`<p>${result.error.detail}</p>` : result.did.length > 0 ? result.did.map(end => html`<p>${endWords(end)}</p>`) : html`<p class="quiet">done already, nothing was run twice</p>`}</td>
      </tr>`,
    )}</tbody></table></div>`;
}

function resultBadge({ error, stuck }: BulkRetryResult): Html {
  if (error)
    return toneBadge(
      error.code === 'nothing_to_retry' ? 'nothing to retry' : 'failed',
      error.code === 'nothing_to_retry' ? 'held' : 'bad',
    );
  return stuck ? toneBadge('still stuck', 'bad') : toneBadge('moves again', 'good');
}

/** The next page begins behind this one, so that what stays stuck is not tried for ever. Under the same key: it is one retry. */
function goOn(viewer: Viewer, { nextCursor }: BulkRetryView, fields: Record<string, string>): Html {
  const back = html`<a class="button" href="/inspector/stuck?cause=${fields.cause ?? ''}">Back to what is stuck</a>`;
  if (nextCursor === null)
    return html`<div class="buttons bulk-on"><span class="quiet">The end of the list is reached.</span> ${back}</div>`;
  return html`<form method="post" action="${PATH}" class="buttons bulk-on">
    ${csrfField(viewer)}
    ${Object.entries({ ...fields, cursor: nextCursor }).map(([name, value]) => html`<input type="hidden" name="${name}" value="${value}" />`)}
    <button class="button primary">Go on with the next ${PAGE}</button> ${back}
  </form>`;
}
