// The filters of a list as a plain form, and a chip for each that is set.
import { html } from 'hono/html';
import type { Html } from '../page.ts';
import { inForm, type LinkParts, linkTo } from './query.ts';

export type Choice = { value: string; label: string };
/** `kept` fields are asked for elsewhere on the page: here they only go on, and can be taken away. */
export type FilterField = {
  name: string;
  label: string;
  /** What is set now. */
  value: string | Date | undefined;
} & ({ kind: 'choice'; choices: readonly Choice[]; any: string } | { kind: 'instant' } | { kind: 'kept' });

/** Of one word each. */
export const choicesOf = (names: readonly string[]): Choice[] => names.map(value => ({ value, label: value }));

/** The form asks with GET, so that every view has an address. `kept` goes on unseen. */
export function filterForm(path: string, fields: readonly FilterField[], kept: LinkParts = {}): Html {
  return html`<form class="filters" method="get" action="${path}" aria-label="Filters">
    ${Object.entries(kept).map(([name, value]) => (value ? html`<input type="hidden" name="${name}" value="${value}" />` : ''))}
    ${fields.map(field => (field.kind === 'kept' ? (field.value ? control(field) : '') : labelled(field)))}
    <button class="button">Show</button>
  </form>`;
}

function labelled(field: FilterField): Html {
  return html`<div class="field filter-${field.kind}"><label for="filter-${field.name}">${field.label}</label>${control(field)}</div>`;
}

function control(field: FilterField): Html {
  const id = `filter-${field.name}`;
  const text = field.value instanceof Date ? inForm(field.value) : (field.value ?? '');
  if (field.kind === 'kept') return html`<input type="hidden" name="${field.name}" value="${text}" />`;
  if (field.kind === 'instant') {
    // With seconds only where somebody has given them: the field would refuse its own value.
    const step = /:\d\d:/.test(text) ? html`step="any"` : '';
    return html`<input id="${id}" type="datetime-local" name="${field.name}" value="${text}" ${step} />`;
  }
  return html`<select id="${id}" name="${field.name}">
    <option value="">${field.any}</option>
    ${field.choices.map(({ value, label }) => html`<option value="${value}" ${value === text ? html`selected` : ''}>${label}</option>`)}
  </select>`;
}

/** What is set, each to be taken away by a click. */
export function filterChips(path: string, fields: readonly FilterField[], kept: LinkParts = {}): Html | '' {
  const set = fields.filter(field => field.value !== undefined);
  if (set.length === 0) return '';
  const parts = Object.fromEntries(fields.map(field => [field.name, field.value]));
  return html`<ul class="chips" aria-label="Filters that are set">
    ${set.map(field => {
      const without = linkTo(path, { ...kept, ...parts, [field.name]: null });
      const shown = shownOf(field);
      return html`<li class="chip"><span class="quiet">${field.label}</span> ${shown}
        <a class="chip-off" href="${without}" aria-label="Remove the filter ${field.label} ${shown}">×</a></li>`;
    })}
    ${set.length > 1 ? html`<li><a href="${linkTo(path, kept)}">Clear all</a></li>` : ''}
  </ul>`;
}

function shownOf(field: FilterField): string {
  const { value } = field;
  if (value instanceof Date) return inForm(value).replace('T', ' ');
  if (field.kind === 'choice') return field.choices.find(choice => choice.value === value)?.label ?? value ?? '';
  return value ?? '';
}
