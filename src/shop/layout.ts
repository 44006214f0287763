// What every page of the shop has around its content. No JavaScript; `html` escapes whatever is put into it.
import { html } from 'hono/html';

export type Html = ReturnType<typeof html>;

/** `refreshS`: the page is loaded again after so many seconds; null leaves it alone. */
export function layout(title: string, content: Html, refreshS: number | null = null): Html {
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        ${refreshS === null ? '' : html`<meta http-equiv="refresh" content="${refreshS}" />`}
        <title>${title} · Paylatch</title>
        <link rel="stylesheet" href="/shop.css" />
        <link rel="icon" href="/shop.svg" />
      </head>
      <body>
        <header class="brand"><a href="/"><img src="/shop.svg" alt="" width="28" height="28" /> Paylatch</a> <nav><a href="/inspector">Inspector</a> <a href="/docs">API reference</a></nav></header>
        <main>${content}</main>
      </body>
    </html>`;
}
