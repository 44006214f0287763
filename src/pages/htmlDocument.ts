// The frame of the pages that the service writes itself, so that none of them forgets its encoding, its width on a phone or
// the dark colours. `html` escapes whatever is put into it.
import { html } from 'hono/html';

export type Html = ReturnType<typeof html>;

/** A whole page. `head` is what it has there of its own: styles, icon, scripts. */
export function htmlDocument({ title, head, body }: { title: string; head: Html; body: Html }): Html {
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <title>${title}</title>
        ${head}
      </head>
      <body>${body}</body>
    </html>`;
}
