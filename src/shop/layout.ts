// What every page of the shop has around its content. No JavaScript; `html` escapes whatever is put into it.
import { html } from 'hono/html';
import { type Html, htmlDocument } from '../pages/htmlDocument.ts';

/** `refreshS`: the page is loaded again after so many seconds; null leaves it alone. */
export function layout(title: string, content: Html, refreshS: number | null = null): Html {
  return htmlDocument({
    title: `${title} · Paylatch`,
    head: html`${refreshS === null ? '' : html`<meta http-equiv="refresh" content="${refreshS}" />`}
        <link rel="stylesheet" href="/shop.css" />
        <link rel="icon" href="/shop.svg" />`,
    body: html`<header class="brand"><a href="/"><img src="/shop.svg" alt="" width="28" height="28" /> Paylatch</a> <nav><a href="/inspector">Inspector</a> <a href="/docs">API reference</a></nav></header>
        <main>${content}</main>`,
  });
}
