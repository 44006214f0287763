// The pages of one order: its own, and what the provider knows of it. They only read; whatever
// acts goes through the forms of the section #act.
import type { Context } from 'hono';
import { html } from 'hono/html';
import { type OrderPageRow, readOrderPage } from '../../../db/inspect/orderPage.ts';
import { PaylatchError } from '../../errors.ts';
import { toldHere } from '../act/remembered.ts';
import { orderChartSvg } from '../chart/orderChart.ts';
import { walkedBy } from '../chart/walked.ts';
import {
  type Html,
  type InspectorApp,
  type InspectorDeps,
  type InspectorEnv,
  renderPage,
  renderPart,
  type Viewer,
} from '../page.ts';
import { notice, panel } from '../parts.ts';
import { accessPanel } from './access.ts';
import { askLimit, askTruth } from './askTruth.ts';
import { effectsPanel } from './effects.ts';
import { orderFacts, orderHead } from './head.ts';
import { modelOf, type OrderModel } from './model.ts';
import { moneyPanel } from './money.ts';
import { EFFECTS_PAGE, kindsOf, orderHref, readPageQuery, TIMELINE_PAGE, TRANSITIONS_PAGE } from './pageQuery.ts';
import { timelinePanel } from './timeline.ts';
import { transitionsPanel } from './transitions.ts';
import { compareTruth } from './truth.ts';
import { type TruthAnswer, truthView } from './truthPage.ts';

/** Our ids, and whatever else somebody may have typed where one belongs: what no id can be is not asked for. */
const ORDER_ID = /^[\w-]{1,64}$/;
/** What a script asks for that wants the provider's answer alone, and not a page around it. */
const TRUTH_FRAGMENT = 'truth';

type Ctx = Context<InspectorEnv>;

/** What can be done about an order, as the section #act of its page. */
export type ActSection = (model: OrderModel, viewer: Viewer) => Html | Promise<Html>;

/** Adds the order's page and what hangs on it; without `act` the page only shows. */
export function addOrder(app: InspectorApp, deps: InspectorDeps, act: ActSection | null = null): void {
  const limit = askLimit(deps.clock);
  app.get('/orders/:id', c => showOrder(c, deps, act));
  app.get('/orders/:id/provider', c => showTruth(c, deps, limit));
}

async function showOrder(c: Ctx, { db, clock }: InspectorDeps, act: ActSection | null) {
  const id = c.req.param('id') ?? '';
  const query = readPageQuery(new URL(c.req.url).searchParams);
  const row = await readOrder(db, id, query);
  if (!row) return noSuchOrder(c, id);
  const model = modelOf(row, query, clock());
  return renderPage(c, {
    title: `${row.order.state} · ${row.order.id}`,
    nav: 'orders',
    live: { order: id },
    main: html`${toldHere(c, id)} ${orderMain(model, act && (await act(model, c.var.viewer)))}`,
  });
}

function orderMain(model: OrderModel, act: Html | null): Html {
  const { unreadable } = model;
  return html`<div class="order">
    ${orderHead(model, act !== null)}
    ${
      unreadable
        ? notice(
            'bad',
            html`<b>The order cannot be read:</b> ${unreadable}. What is shown comes from its tables. Its events are kept, and a retry decides them once its chart is back.`,
          )
        : ''
    }
    ${panel({ id: 'chart', title: 'Chart', body: chartOf(model) })}
    <div class="order-columns">
      <div class="order-main">${timelinePanel(model)} ${transitionsPanel(model)} ${effectsPanel(model)}</div>
      <div class="order-side">${act ?? ''} ${panel({ id: 'facts', title: 'Order', body: orderFacts(model) })} ${moneyPanel(model)}
        <div id="provider-truth" aria-live="polite"></div>
        ${accessPanel(model)}</div>
    </div>
  </div>`;
}

function chartOf({ row }: OrderModel): Html {
  const { machine, state } = row.order;
  return orderChartSvg({ machineId: machine, current: state, ...walkedBy(row.transitions.toReversed()) });
}

async function showTruth(c: Ctx, deps: InspectorDeps, limit: ReturnType<typeof askLimit>) {
  const id = c.req.param('id') ?? '';
  const row = await readOrder(deps.db, id, readPageQuery(new URLSearchParams()));
  if (!row) return noSuchOrder(c, id);
  const isAllowed = limit.take();
  const answer = isAllowed ? await truthOf(deps, row) : TOO_OFTEN;
  const view = truthView(row, answer);
  const status = isAllowed ? 200 : 429;
  if (c.req.header('x-fragment') === TRUTH_FRAGMENT) return renderPart(c, view, status);
  return renderPage(c, {
    title: `What ${row.order.provider ?? 'nobody'} knows`,
    nav: 'orders',
    status,
    main: html`<div class="order"><p class="crumbs"><a href="/inspector/orders">Orders</a> / <a href="${orderHref(id)}#money"><code>${id}</code></a></p>
      <h1>${row.order.provider ?? 'No provider'} beside our books</h1>${view}
      <p><a href="${orderHref(id)}#money">Back to the order</a></p></div>`,
  });
}

const TOO_OFTEN: TruthAnswer = {
  trouble: 'It was asked often enough this minute, and live traffic needs its limits more. Ask again in a minute.',
};

async function truthOf({ core, clock }: InspectorDeps, row: OrderPageRow): Promise<TruthAnswer> {
  const name = row.order.provider;
  const provider = name === null ? undefined : core.providers.get(name);
  if (!provider)
    return {
      trouble: name === null ? 'The order has none: it costs nothing.' : 'It is not configured in this service.',
    };
  try {
    const told = await askTruth(provider, row);
    const reserved = new Map(
      modelOf(row, readPageQuery(new URLSearchParams()), clock()).live?.state.context.payments.map(p => [
        p.paymentId,
        p.amountMinor,
      ]),
    );
    return { told, rows: compareTruth(row, told.payments, reserved), at: clock() };
  } catch (error) {
    if (!(error instanceof PaylatchError)) throw error;
    return {
      trouble: `${error.message.replace(/\.$/, '')}. What it has is not known; our books are as they were.`,
    };
  }
}

function readOrder(
  db: InspectorDeps['db'],
  id: string,
  query: ReturnType<typeof readPageQuery>,
): Promise<OrderPageRow | null> {
  if (!ORDER_ID.test(id)) return Promise.resolve(null);
  return readOrderPage(db, id, {
    kinds: kindsOf(query.show),
    timelineBefore: query.before,
    timelineLimit: TIMELINE_PAGE,
    transitionsBefore: query.versionsBefore,
    transitionsLimit: TRANSITIONS_PAGE,
    effectsBefore: query.effectsBefore,
    effectsLimit: EFFECTS_PAGE,
  });
}

/** With a search: ids get cut in chats, and a payment's id is easily taken for an order's. */
function noSuchOrder(c: Ctx, id: string) {
  return renderPage(c, {
    title: 'No such order',
    nav: 'orders',
    status: 404,
    main: html`<h1>No such order</h1>
      <p>There is no order <code>${id}</code>. The id may be cut off, or be that of a payment, a user or an event: search for it.</p>
      <form class="order-find" method="get" action="/inspector/orders">
        <input type="search" name="q" value="${id}" aria-label="Any id" maxlength="255" autocapitalize="none" spellcheck="false" />
        <button class="button primary">Search</button>
      </form>`,
  });
}
