// The frame around a list. It has no title of its own: the page has one, and nothing else stands on it.
import { html } from 'hono/html';
import type { Html } from '../page.ts';

export function listPanel(body: Html): Html {
  return html`<section class="panel" id="list" aria-label="List" data-live="list"><div class="panel-body">${body}</div></section>`;
}
