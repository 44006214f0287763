// Small pieces that only an order's page is made of.
import { html } from 'hono/html';
import type { Html } from '../page.ts';
import { instant } from '../parts.ts';
import type { Words } from './waitsFor.ts';

/** A sentence with its instants shown like all others. */
export const sentence = (words: Words): Html[] =>
  words.map(word => (typeof word === 'string' ? html`${word}` : word.at === '' ? html`–` : instant(word.at)));

const ISO_INSTANT = /(\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d{1,3})?Z)/;

/** A sentence of the service's with its instants shown like all others. */
export const withInstants = (text: string): Html[] =>
  sentence(text.split(ISO_INSTANT).map((part, i) => (i % 2 === 1 ? { at: part } : part)));

/** Longest value shown in a difference, in characters: the whole snapshot is on the replay's page. */
const MAX_VALUE = 160;

/** A value of JSON in one line; nothing is a dash. */
export function jsonValue(value: unknown): string {
  if (value === null || value === undefined) return '–';
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return text.length > MAX_VALUE ? `${text.slice(0, MAX_VALUE)}…` : text;
}

/** The link at the end of a list that has older rows, or a way back to its newest ones. */
export function olderLinks(older: string | null, newest: string | null): Html | '' {
  if (!older && !newest) return '';
  return html`<p class="order-more">
    ${newest ? html`<a href="${newest}">Back to the newest</a>` : ''}
    ${older ? html`<a href="${older}" rel="next">Older</a>` : ''}
  </p>`;
}
