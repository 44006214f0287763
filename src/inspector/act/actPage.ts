// The page of one event for one order: fill it in, see what it would do, and only then say why and send it. The first two
// steps are plain reads; the third is a post to the same address. A request needs nothing filled in: its page begins with
// what it would do.
import type { Context } from 'hono';
import { html } from 'hono/html';
import { paymentOwner } from '../../../db/paymentOwner.ts';
import { explainEvents, isSendable, type SendableType } from '../../../machines/explain.ts';
import { isRequestType, MAX_BY_LENGTH, MAX_REASON_LENGTH } from '../../../machines/orderEvents.ts';
import { NotFound } from '../../errors.ts';
import { formatAmount } from '../../pages/formatAmount.ts';
import { orderHref } from '../order/pageQuery.ts';
import { type Html, type InspectorDeps, type InspectorEnv, renderPage } from '../page.ts';
import { badge, copyable, notice, panel } from '../parts.ts';
import { type DryRun, dryRun, isConflict } from './dryRun.ts';
import { dryRunView } from './dryRunView.ts';
import { EVENT_WORDS } from './eventWords.ts';
import { explanationList, outcomeSentence } from './explanation.ts';
import { type Field, fieldsOf, readEvent } from './fields.ts';
import { confirmForm, type Errors, type Typed, type WhoAndWhy, wishForm } from './formView.ts';
import { rememberedName } from './remembered.ts';
import { readSubject, type Subject } from './subject.ts';

type Ctx = Context<InspectorEnv>;

/** Facts about money that goes back are decided where it came in. */
const FOLLOWS_PAYMENT: readonly SendableType[] = ['refund.updated', 'dispute.updated'];
/** What no id can be is not asked for. */
const PAYMENT_ID = /^[\x21-\x7e]{1,255}$/;

/** @throws NotFound for what cannot be sent */
export function typeAt(c: Ctx): SendableType {
  const type = c.req.param('eventType') ?? '';
  if (!isSendable(type)) throw new NotFound(`Nobody sends ${type} by hand: it belongs to the service itself.`);
  return type;
}

export async function actPage(c: Ctx, deps: InspectorDeps): Promise<Response> {
  const type = typeAt(c);
  const id = c.req.param('id') ?? '';
  const isDry = c.req.query('dry') !== undefined;
  const param = (name: string) => c.req.query(name) ?? '';
  for (let isAgain = false; ; isAgain = true) {
    const subject = await readSubject(deps.db, id);
    try {
      return await pageOf(c, deps, { subject, type, isDry, param });
    } catch (error) {
      // It moved between two reads; once more sees it as it is now.
      if (!isConflict(error) || isAgain) throw error;
    }
  }
}

type Asked = { subject: Subject; type: SendableType; isDry: boolean; param: (name: string) => string };

async function pageOf(c: Ctx, deps: InspectorDeps, { subject, type, isDry, param }: Asked): Promise<Response> {
  const fields = subject.live ? fieldsOf(type, subject.live.state.context) : [];
  const presets = new Map(fields.map(field => [field.param, field.preset]));
  const value = (name: string) => (isDry ? param(name) : param(name) || (presets.get(name) ?? ''));
  const typed = Object.fromEntries(fields.map(field => [field.param, value(field.param)]));
  const why = { reason: param('reason'), by: param('by') || rememberedName(c) };
  const isAsked = isDry || isRequestType(type);
  const heardBy = isAsked ? await whoHears(deps, subject, type, value) : subject;
  const wish = isAsked ? wishOf(heardBy, type, name => BEFOREHAND[name] ?? value(name)) : null;
  const run = wish?.event ? await dryRun(deps, heardBy, { type, ...wish, event: wish.event }) : null;
  const errors = wish?.errors ?? {};
  const { title, means } = EVENT_WORDS[type];
  const { row } = subject;
  return await renderPage(c, {
    title: `${title} · ${row.id}`,
    nav: 'orders',
    status: Object.keys(errors).length > 0 ? 400 : 200,
    main: html`<div class="order act">
      <p class="crumbs"><a href="/inspector/orders">Orders</a> / <a href="${orderHref(row.id)}#act"><code>${row.id}</code></a></p>
      <h1>${title} <code class="quiet">${type}</code></h1>
      <p>${means}</p>
      <p class="act-order">${copyable(row.id, { href: orderHref(row.id) })} ${badge(row.state)} <span class="quiet">version ${row.version} · ${formatAmount(row.amountMinor, row.currency)} for ${row.planId} · ${row.userId}</span></p>
      ${subject.unreadable ? notice('bad', html`<b>The order cannot be read:</b> ${subject.unreadable}.`) : ''}
      ${
        heardBy === subject
          ? ''
          : notice(
              'held',
              html`<b>This payment is order <a href="${orderHref(heardBy.row.id)}"><code>${heardBy.row.id}</code></a>’s.</b> Money goes back where it came in: what is shown below happens there, and this order stays as it is.`,
            )
      }
      <div class="act-columns">
        ${fields.length > 0 ? panel({ id: 'fill-in', title: '1. Fill it in', live: false, body: wishForm({ id: row.id, type, fields, typed, why, errors, isFirst: run === null }) }) : ''}
        ${run ? runPanels(c, deps, { subject: heardBy, type, run, typed, why, step: fields.length > 0 ? 2 : 1 }) : panel({ id: 'now', title: 'As the order stands now', live: false, body: standing(subject, type) })}
      </div>
    </div>`,
  });
}

/** The order that is asked for, or the one that owns the payment whose money goes back: dispatch decides it there. */
async function whoHears(
  { db }: InspectorDeps,
  subject: Subject,
  type: SendableType,
  param: (name: string) => string,
): Promise<Subject> {
  const { id, provider } = subject.row;
  const paymentId = param('paymentId').trim();
  if (!FOLLOWS_PAYMENT.includes(type) || provider === null || !PAYMENT_ID.test(paymentId)) return subject;
  const owner = await paymentOwner(db, provider, paymentId);
  return owner === null || owner === id ? subject : readSubject(db, owner);
}

/** What stands in a dry run where the sent event has why and who asks: neither decides anything. */
const BEFOREHAND: Readonly<Record<string, string>> = { reason: 'asked beforehand', by: 'inspector' };

type Run = { subject: Subject; type: SendableType; run: DryRun; typed: Typed; why: WhoAndWhy; step: number };

function runPanels(c: Ctx, deps: InspectorDeps, { subject, type, run, typed, why, step }: Run): Html {
  const confirm = { id: subject.row.id, type, viewer: c.var.viewer, run, typed, why, eventKey: deps.newId('evt') };
  return html`${panel({ id: 'dry-run', title: `${step}. What it would do`, aside: 'Nothing is written yet', live: false, body: dryRunView(subject, run, deps.clock()) })}
    ${panel({ id: 'send', title: `${step + 1}. Say why, and send it`, live: false, body: confirmForm(confirm) })}`;
}

/** What is known before anything is filled in. */
function standing({ live, row }: Subject, type: SendableType): Html {
  if (!live) return html`<p>Nothing is decided on an order that cannot be read; facts are kept until it can be.</p>`;
  const explained = explainEvents(live, row.deadEffects).find(each => each.type === type);
  if (!explained) return html``;
  return html`<p>${outcomeSentence(explained, live.state.context)}</p>
    ${explanationList(explained, { context: live.state.context, event: null })}`;
}

/** Everything that was typed, by the names in the forms. */
export function typedOf(fields: readonly Field[], param: (name: string) => string): Record<string, string> {
  return Object.fromEntries([...fields.map(field => field.param), 'reason', 'by'].map(name => [name, param(name)]));
}

export type ReadWish = { event: ReturnType<typeof readEvent>['event']; reason: string; by: string; errors: Errors };

/** What somebody asks for, with who and why, or a sentence for each field that cannot be read. */
export function wishOf({ live }: Subject, type: SendableType, param: (name: string) => string): ReadWish {
  const [reason, by] = [param('reason').trim(), param('by').trim()];
  const errors: Record<string, string> = {};
  const filled = live ? readEvent(type, live.state.context, param) : unreadable(type, { reason, by });
  Object.assign(errors, filled.errors);
  if (reason === '') errors.reason = 'Say why: it is kept with what is done.';
  if (reason.length > MAX_REASON_LENGTH) errors.reason = `At most ${MAX_REASON_LENGTH} characters.`;
  if (by === '') errors.by = 'Say who you are: it is kept with what is done.';
  if (by.length > MAX_BY_LENGTH) errors.by = `At most ${MAX_BY_LENGTH} characters.`;
  return { event: Object.keys(errors).length > 0 ? null : filled.event, reason, by, errors };
}

/** Of an order that cannot be read only a retry says something: what is kept for it, and why that waits. */
function unreadable(type: SendableType, why: { reason: string; by: string }): ReturnType<typeof readEvent> {
  if (type === 'retry.requested' && isRequestType(type)) return { event: { type, ...why }, errors: null };
  return { event: null, errors: { reason: 'The order cannot be read, so nothing is sent to it.' } };
}
