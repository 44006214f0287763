// The form of one event, and the button that a dry run brings to life.
import { html } from 'hono/html';
import type { SendableType } from '../../../machines/explain.ts';
import { MAX_BY_LENGTH, MAX_REASON_LENGTH } from '../../../machines/orderEvents.ts';
import { withInstants } from '../order/words.ts';
import { csrfField, type Html, VIEWER_SENTENCE, type Viewer } from '../page.ts';
import { notice } from '../parts.ts';
import type { DryRun } from './dryRun.ts';
import { EVENT_WORDS } from './eventWords.ts';
import type { Field } from './fields.ts';

/** What was typed, by the names in the form. */
export type Typed = Readonly<Record<string, string>>;
export type Errors = Readonly<Record<string, string>>;

export const actHref = (id: string, type: string): string =>
  `/inspector/orders/${encodeURIComponent(id)}/act/${encodeURIComponent(type)}`;

export type WhoAndWhy = { reason: string; by: string };

export type WishForm = {
  id: string;
  type: SendableType;
  fields: readonly Field[];
  typed: Typed;
  why: WhoAndWhy;
  errors: Errors;
  /** Nothing is shown yet of what it would do. */
  isFirst: boolean;
};

/** The event's own fields, in a plain form that asks: it changes nothing, so its address can be pasted into a chat. */
export function wishForm({ id, type, fields, typed, why, errors, isFirst }: WishForm): Html {
  const rare = fields.filter(({ isRare }) => isRare);
  const isRareUsed = rare.some(({ param }) => typed[param] || errors[param]);
  return html`<form method="get" action="${actHref(id, type)}#dry-run" class="stack act-form">
    <input type="hidden" name="dry" value="1" />
    ${Object.entries(why).map(([name, value]) => (value ? html`<input type="hidden" name="${name}" value="${value}" />` : ''))}
    ${fields.filter(({ isRare }) => !isRare).map(field => fieldView(field, typed, errors))}
    ${
      rare.length > 0
        ? html`<details ${isRareUsed ? html`open` : ''}><summary>Rarely needed</summary><div class="stack">${rare.map(field => fieldView(field, typed, errors))}</div></details>`
        : ''
    }
    <div class="buttons"><button class="button ${isFirst ? 'primary' : ''}">See what it would do</button><span class="note">Nothing is sent yet.</span></div>
  </form>`;
}

/** Who asks, and why: kept with whatever is done, where `kept` says. */
export function whoAndWhyFields(
  { reason, by }: WhoAndWhy,
  kept = 'It stands in the order’s timeline, for whoever looks next.',
): Html {
  return html`<div class="field">
      <label for="reason">Reason</label>
      <textarea id="reason" name="reason" required maxlength="${MAX_REASON_LENGTH}" aria-describedby="reason-note">${reason}</textarea>
      <p class="note" id="reason-note">${kept}</p>
    </div>
    <div class="field">
      <label for="by">Who you are</label>
      <input id="by" name="by" value="${by}" required maxlength="${MAX_BY_LENGTH}" autocomplete="name" aria-describedby="by-note" />
      <p class="note" id="by-note">A name or an address; this browser remembers it.</p>
    </div>`;
}

function fieldView(field: Field, typed: Typed, errors: Errors): Html {
  const { param, label, hint, isRequired, choices, suggestions, preset } = field;
  const value = typed[param] ?? preset;
  const about = html`id="f-${param}" name="${param}" ${isRequired ? html`required` : ''} ${invalid(param, errors)} ${hint ? html`aria-describedby="n-${param}"` : ''}`;
  const input = choices
    ? html`<select ${about}>${choices.map(({ value: each, label: said }) => html`<option value="${each}" ${each === value ? html`selected` : ''}>${said}</option>`)}</select>`
    : html`<input ${about} value="${value}" autocomplete="off" autocapitalize="none" spellcheck="false" ${param === 'amountMinor' ? html`inputmode="decimal"` : ''}
        maxlength="${MAX_REASON_LENGTH}" ${suggestions.length > 0 ? html`list="l-${param}"` : ''} />
      ${suggestions.length > 0 ? html`<datalist id="l-${param}">${suggestions.map(each => html`<option value="${each}"></option>`)}</datalist>` : ''}`;
  return html`<div class="field">
    <label for="f-${param}">${label}${isRequired ? '' : html` <span class="quiet">(optional)</span>`}</label>
    ${input} ${errorOf(param, errors)} ${hint ? html`<p class="note" id="n-${param}">${hint}</p>` : ''}
  </div>`;
}

const invalid = (param: string, errors: Errors) => (errors[param] ? html`aria-invalid="true"` : '');
const errorOf = (param: string, errors: Errors) =>
  errors[param] ? html`<p class="field-error" role="alert">${errors[param]}</p>` : '';

export type Confirm = {
  id: string;
  type: SendableType;
  viewer: Viewer;
  run: DryRun;
  typed: Typed;
  why: WhoAndWhy;
  /** Made for this form: whatever is sent under it is sent once. */
  eventKey: string;
};

/** The last step: bound to the version the dry run saw. Dead, with the reason, where it would be refused. */
export function confirmForm({ id, type, viewer, run, typed, why, eventKey }: Confirm): Html {
  const button = run.sendsBack === null ? EVENT_WORDS[type].button : `Send ${run.sendsBack} back`;
  if (viewer.role !== 'operator') return deadButton(button, VIEWER_SENTENCE);
  if (run.refused) return deadButton(button, run.refused);
  return html`<form method="post" action="${actHref(id, type)}" class="confirm">
    ${csrfField(viewer)}
    <input type="hidden" name="version" value="${run.version}" />
    <input type="hidden" name="key" value="${eventKey}" />
    ${Object.entries(typed).map(([name, value]) => html`<input type="hidden" name="${name}" value="${value}" />`)}
    ${whoAndWhyFields(why)}
    <div class="buttons"><button class="button primary">${button}</button></div>
    <p class="note">Sent only if the order still stands at version ${run.version}, and once, as <code>${eventKey}</code>.</p>
  </form>`;
}

export function deadButton(label: string, why: string): Html {
  return html`<div class="confirm">${notice('held', html`${withInstants(why)}`)}
    <div class="buttons"><button type="button" class="button" disabled>${label}</button></div></div>`;
}
