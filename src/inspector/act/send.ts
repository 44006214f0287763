// The third step: what was seen in the dry run is sent, if the order still stands where it stood. The form brings a key of
// its own, so that a second press is the same event; nothing is decided here.
import { createHash } from 'node:crypto';
import type { Context } from 'hono';
import { html } from 'hono/html';
import type { SendableType } from '../../../machines/explain.ts';
import { isRequestType, type UnstampedOrderEvent } from '../../../machines/orderEvents.ts';
import type { Outcome } from '../../dispatch/envelope.ts';
import { InvalidRequest, PaylatchError } from '../../errors.ts';
import { orderHref } from '../order/pageQuery.ts';
import { whoAndWhy } from '../order/steps.ts';
import { type InspectorDeps, type InspectorEnv, renderPage } from '../page.ts';
import { badge, instant } from '../parts.ts';
import { typeAt, typedOf, wishOf } from './actPage.ts';
import { isConflict } from './dryRun.ts';
import { changesNothing, EVENT_WORDS } from './eventWords.ts';
import { fieldsOf } from './fields.ts';
import { actHref, type Typed } from './formView.ts';
import { endWords } from './partWords.ts';
import { rememberName, type Told, tellNext } from './remembered.ts';
import { readSubject, type Subject } from './subject.ts';

type Ctx = Context<InspectorEnv>;

/** What a form made here carries as its key. */
export const FORM_KEY = /^evt_[0-9a-z]{26}$/;

type Sent = {
  id: string;
  type: SendableType;
  event: UnstampedOrderEvent;
  reason: string;
  by: string;
  eventKey: string;
  version: number;
};

export async function sendForm(c: Ctx, deps: InspectorDeps): Promise<Response> {
  const type = typeAt(c);
  const form = await c.req.parseBody();
  const param = (name: string) => (typeof form[name] === 'string' ? form[name] : '');
  const eventKey = param('key');
  const version = /^\d{1,9}$/.test(param('version')) ? Number(param('version')) : null;
  if (!FORM_KEY.test(eventKey) || version === null)
    throw new InvalidRequest(
      'This form does not come from a dry run. Open the event again and see first what it would do.',
    );
  const subject = await readSubject(deps.db, c.req.param('id') ?? '');
  const { id } = subject.row;
  const wish = wishOf(subject, type, param);
  if (!wish.event) throw new InvalidRequest(Object.values(wish.errors).join(' '));
  const typed = typedOf(subject.live ? fieldsOf(type, subject.live.state.context) : [], param);
  rememberName(c, wish.by);
  const sent: Sent = { id, type, ...wish, event: wish.event, eventKey, version };
  try {
    tellNext(c, id, type === 'retry.requested' ? await retried(deps, sent) : await told(deps, subject, sent));
  } catch (error) {
    if (isConflict(error)) return await movedPage(c, deps, sent, typed);
    throw error;
  }
  return c.redirect(orderHref(id), 303);
}

async function told(deps: InspectorDeps, subject: Subject, sent: Sent): Promise<Told> {
  const { core } = deps;
  if (!isRequestType(sent.type) && !(await isKnown(deps, sent))) await note(deps, subject, sent);
  const outcome = await core.dispatch({
    ...address(sent.id),
    eventKey: sent.eventKey,
    event: sent.event,
    ifMatch: sent.version,
  });
  return outcomeTold(sent.type, outcome);
}

const address = (orderId: string) =>
  ({ source: 'operator', orderId, provider: null, providerOrderId: null, received: null }) as const;

/** Sent before under this key: then the order has moved by it, and the note is there. @throws PaylatchError version_conflict */
async function isKnown({ core }: InspectorDeps, { id, eventKey, version }: Sent): Promise<boolean> {
  const { order, transitions } = await core.orders.timeline(id);
  if (transitions.some(each => each.eventKey === eventKey)) return true;
  if (order.version !== version)
    throw new PaylatchError('version_conflict', `the order stands at version ${order.version}, not ${version}`);
  return false;
}

/** A fact carries nobody's reason, so that stands in the inbox beside it, written first: who told it, and why. */
async function note(
  { core }: InspectorDeps,
  { row }: Subject,
  { id, type, reason, by, eventKey }: Sent,
): Promise<void> {
  const raw = Buffer.from(JSON.stringify({ reason, by }));
  await core.dispatch({
    ...address(id),
    provider: row.provider,
    eventKey: `told:${eventKey}`,
    event: null,
    because: 'ignored',
    detail: `${by}: ${reason} (told by hand: ${type}, as ${eventKey})`,
    received: { eventType: type, raw, bodyHash: createHash('sha256').update(raw).digest('hex'), headers: {} },
  });
}

function outcomeTold(type: SendableType, { verdict, detail, state, version }: Outcome): Told {
  const { title } = EVENT_WORDS[type];
  const because = detail ? `: ${detail.replace(/\.$/, '')}` : '';
  if (verdict === 'duplicate')
    return {
      tone: 'held',
      sentence: `${title}: known already${because}. Nothing was done twice; the order is ${state}.`,
    };
  if (verdict === 'illegal') return { tone: 'bad', sentence: `${title}: refused${because}. Nothing was changed.` };
  if (changesNothing(verdict))
    return { tone: 'held', sentence: `${title}: ${verdict}${because}. The order is ${state}, as before.` };
  const tone = verdict === 'applied' ? 'good' : 'held';
  return { tone, sentence: `${title}: ${verdict}${because}. The order is ${state} now, version ${version}.` };
}

async function retried({ core }: InspectorDeps, { id, reason, by, eventKey, version }: Sent): Promise<Told> {
  try {
    const { verdict, order, did } = await core.retry.order(id, { reason, by, eventKey, ifMatch: version });
    const ends = did.map(endWords).join('; ');
    const now = `The order is ${order.state}${order.stuck ? ', and still stuck' : ''}.`;
    if (verdict === 'duplicate')
      return { tone: 'held', sentence: `Retry: done already${ends ? `: ${ends}` : ''}. Nothing was run twice. ${now}` };
    const tone = did.every(({ done }) => done) ? 'good' : 'bad';
    return { tone, sentence: `Retry: ${ends || verdict}. ${now}` };
  } catch (error) {
    if (error instanceof PaylatchError && error.code === 'nothing_to_retry')
      return { tone: 'bad', sentence: `Retry: refused. ${error.message}` };
    throw error;
  }
}

/** Transitions told on the page of an order that moved; more than that happened in no minute. */
const MOVES_SHOWN = 10;

/** Somebody or something was faster: what, and the way to look again with what was typed. */
async function movedPage(c: Ctx, { core }: InspectorDeps, { id, type, version }: Sent, typed: Typed) {
  const { order, transitions } = await core.orders.timeline(id);
  const since = transitions.filter(each => each.version > version).slice(-MOVES_SHOWN);
  const again = `${actHref(id, type)}?${new URLSearchParams({ ...typed, dry: '1' })}#dry-run`;
  return renderPage(c, {
    title: 'The order has moved on',
    nav: 'orders',
    status: 412,
    main: html`<div class="order act">
      <p class="crumbs"><a href="/inspector/orders">Orders</a> / <a href="${orderHref(id)}#act"><code>${id}</code></a></p>
      <h1>The order moved from version ${version} to ${order.version}</h1>
      <p>Nothing was sent: what you saw in the dry run is no longer what would happen. It is ${badge(order.state)} now, because:</p>
      <ol class="moves">${since.map(
        each => html`<li><p><b>${each.type}</b> ${each.from === each.to ? 'stays ' : each.from ? html`${badge(each.from)} <span aria-hidden="true">→</span> ` : ''}${badge(each.to)}
          <span class="quiet">version ${each.version}, by ${each.source}, ${instant(each.at)}</span></p>${whoAndWhy({ event: each })}</li>`,
      )}</ol>
      <p class="buttons"><a class="button primary" href="${again}">Look again</a> <a class="button" href="${orderHref(id)}">Go to the order</a></p>
    </div>`,
  });
}
