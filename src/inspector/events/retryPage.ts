// Deciding one event again, as everything is done here: see what it would do, say why, and only then send it.
import type { Context } from 'hono';
import { html } from 'hono/html';
import type { EventRef } from '../../../db/inbox.ts';
import { isSendable } from '../../../machines/explain.ts';
import { MAX_BY_LENGTH, MAX_REASON_LENGTH, type UnstampedOrderEvent } from '../../../machines/orderEvents.ts';
import type { Outcome } from '../../dispatch/envelope.ts';
import { InvalidRequest, NotFound } from '../../errors.ts';
import { type DryRun, dryRun, isConflict } from '../act/dryRun.ts';
import { dryRunView } from '../act/dryRunView.ts';
import { changesNothing } from '../act/eventWords.ts';
import { deadButton, type WhoAndWhy, whoAndWhyFields } from '../act/formView.ts';
import { rememberedName, rememberName, type Told, tellNext } from '../act/remembered.ts';
import { readSubject, type Subject } from '../act/subject.ts';
import { csrfField, type Html, type InspectorDeps, type InspectorEnv, renderPage, VIEWER_SENTENCE } from '../page.ts';
import { copyable, notice, panel, verdictBadge } from '../parts.ts';
import { leadsTo } from './eventActs.ts';
import { eventHref } from './eventHref.ts';
import { type EventModel, readEventModel } from './eventModel.ts';

type Ctx = Context<InspectorEnv>;

/** What it would do on the order that is known for it now; null while none is. */
type Run = { subject: Subject; run: DryRun } | null;

/** What stands in a dry run where the sent form has why and who asks: neither decides anything. */
const BEFOREHAND = { reason: 'asked beforehand', by: 'inspector' };

export async function eventRetryPage(c: Ctx, deps: InspectorDeps, ref: EventRef): Promise<Response> {
  for (let isAgain = false; ; isAgain = true) {
    const model = await known(deps, ref);
    try {
      return await renderRetry(c, deps, model, await runOf(deps, model));
    } catch (error) {
      // Its order moved between two reads; once more sees it as it is now.
      if (!isConflict(error) || isAgain) throw error;
    }
  }
}

/** @throws NotFound */
async function known(deps: InspectorDeps, ref: EventRef): Promise<EventModel> {
  const model = await readEventModel(deps, ref);
  if (!model) throw new NotFound('Nothing with this key arrived from this provider.');
  return model;
}

/** The event is decided beforehand where it would be decided in earnest. A renewal that is still to be opened cannot be shown. */
async function runOf(deps: InspectorDeps, { event, plan }: EventModel): Promise<Run> {
  const { orderId, renews, refused } = plan;
  const told = event.event as UnstampedOrderEvent | null;
  if (orderId === null || renews !== null || refused !== null || !told || !isSendable(told.type)) return null;
  const subject = await readSubject(deps.db, orderId);
  const run = await dryRun(deps, subject, { type: told.type, event: told, ...BEFOREHAND });
  // Known already is no reason to refuse it: it is then over, and no longer waits.
  return { subject, run: subject.live ? { ...run, refused: null } : run };
}

async function renderRetry(c: Ctx, deps: InspectorDeps, model: EventModel, run: Run): Promise<Response> {
  const { event } = model;
  const shown = html`<p>${leadsTo(model)}</p>${run ? dryRunView(run.subject, run.run, deps.clock()) : ''}`;
  return await renderPage(c, {
    title: `Decide again · ${event.eventKey}`,
    nav: 'events',
    main: html`<div class="order act">
      <p class="crumbs"><a href="/inspector/events?verdict=${event.verdict}">Events</a> / <a href="${eventHref(event)}"><code>${event.eventKey}</code></a></p>
      <h1>Decide it again <code class="quiet">${event.type}</code></h1>
      <p>The event is decided as if it arrived now, under its own key: what it did already it does not do twice.</p>
      <p class="act-order">${copyable(event.eventKey, { href: eventHref(event) })} ${verdictBadge(event.verdict)} <span class="quiet">from ${event.provider}</span></p>
      <div class="act-columns">
        ${panel({ id: 'dry-run', title: '1. What it would do', aside: 'Nothing is written yet', live: false, body: shown })}
        ${panel({ id: 'send', title: '2. Say why, and send it', live: false, body: confirm(c, model, run) })}
      </div>
    </div>`,
  });
}

const BUTTON = 'Decide it again';

function confirm(c: Ctx, { event, plan }: EventModel, run: Run): Html {
  if (c.var.viewer.role !== 'operator') return deadButton(BUTTON, VIEWER_SENTENCE);
  const refused = plan.refused ?? run?.run.refused ?? null;
  if (refused !== null) return deadButton(BUTTON, refused);
  const why = { reason: c.req.query('reason') ?? '', by: c.req.query('by') || rememberedName(c) };
  return html`<form method="post" action="${eventHref(event)}/retry" class="confirm">
    ${csrfField(c.var.viewer)}
    <input type="hidden" name="attempts" value="${event.attempts}" />
    ${run ? html`<input type="hidden" name="version" value="${run.run.version}" />` : ''}
    ${whoAndWhyFields(why, 'It stands on the event’s page and in its order’s timeline, for whoever looks next.')}
    <div class="buttons"><button class="button primary">${BUTTON}</button></div>
    <p class="note">Sent only if nobody has decided it meanwhile${run ? `, and its order still stands at version ${run.run.version}` : ''}.</p>
  </form>`;
}

/** @throws InvalidRequest */
function assertTold({ reason, by }: WhoAndWhy): void {
  if (reason === '' || reason.length > MAX_REASON_LENGTH)
    throw new InvalidRequest(`Say why, in at most ${MAX_REASON_LENGTH} characters: it is kept with what is done.`);
  if (by === '' || by.length > MAX_BY_LENGTH)
    throw new InvalidRequest(`Say who you are, in at most ${MAX_BY_LENGTH} characters: it is kept with what is done.`);
}

export async function sendEventRetry(c: Ctx, deps: InspectorDeps, ref: EventRef): Promise<Response> {
  const form = await c.req.parseBody();
  const param = (name: string) => (typeof form[name] === 'string' ? form[name].trim() : '');
  const typed = { reason: param('reason'), by: param('by') };
  assertTold(typed);
  const attempts = wholeNumber(param('attempts'));
  const ifMatch = wholeNumber(param('version'));
  if (attempts === null)
    throw new InvalidRequest(
      'This form does not come from a dry run. Open the event again and see first what it would do.',
    );
  rememberName(c, typed.by);
  try {
    const request = { ...typed, attempts, ...(ifMatch !== null && { ifMatch }) };
    const outcome = await deps.core.events.retry(ref, request);
    tellNext(c, eventHref(ref), toldOf(outcome));
    return c.redirect(eventHref(ref), 303);
  } catch (error) {
    if (!isConflict(error)) throw error;
    return movedPage(c, ref, typed);
  }
}

const wholeNumber = (text: string): number | null => (/^\d{1,9}$/.test(text) ? Number(text) : null);

function toldOf({ verdict, detail, orderId, state }: Outcome): Told {
  const because = detail ? `: ${detail.replace(/\.$/, '')}` : '';
  if (orderId === null) return { tone: 'held', sentence: `Decided again, and as before: ${verdict}${because}.` };
  const tone = verdict === 'applied' ? 'good' : 'held';
  const order = changesNothing(verdict)
    ? `The order ${orderId} is ${state}, as before.`
    : `The order ${orderId} is ${state} now.`;
  return { tone, sentence: `Decided again: ${verdict}${because}. ${order}` };
}

/** Sent twice, or somebody was faster: what was decided stands on the event's page. */
function movedPage(c: Ctx, ref: EventRef, typed: WhoAndWhy): Response | Promise<Response> {
  const again = `${eventHref(ref)}/retry?${new URLSearchParams(typed)}`;
  return renderPage(c, {
    title: 'It was decided meanwhile',
    nav: 'events',
    status: 409,
    main: html`<h1>It was decided meanwhile</h1>
      ${notice('held', 'Somebody else, the sweeper, or this very form sent twice has decided the event since the dry run, or its order has moved. Nothing was done now.')}
      <p class="buttons"><a class="button primary" href="${eventHref(ref)}">See what became of it</a> <a class="button" href="${again}">See what it would do now</a></p>`,
  });
}
