// The inspector's forms as a browser without scripts fills them in and sends them.
import type { InspectedService, Signed } from './inspector.ts';

export const WHO = { reason: 'the customer called', by: 'ada@ops.example' };
/** The page of one event. */
export const path = (id: string, type: string) => `/inspector/orders/${id}/act/${type}`;
export const dry = (id: string, type: string, fields: Record<string, string> = {}) =>
  `${path(id, type)}?${new URLSearchParams({ dry: '1', ...WHO, ...fields })}`;
/** What a person reads of it. */
export const words = (html: string) =>
  html
    .replace(/<(style|script|svg)[\s\S]*?<\/\1>/g, '')
    .replace(/<[^>]+>/g, ' ')
    .replace(/\s+/g, ' ');
export const section = (html: string, id: string) =>
  html.slice(html.indexOf(`<section class="panel" id="${id}"`)).split('</section>')[0] ?? '';
/** The button's form, as a browser would send it; null where it is dead. */
export function formIn(html: string, action: string): Record<string, string> | null {
  const form = [...html.matchAll(/<form method="post"[\s\S]*?<\/form>/g)].find(([text]) => text.includes(action))?.[0];
  if (!form) return null;
  const asTyped = (text: string) =>
    text
      .replaceAll('&quot;', '"')
      .replaceAll('&#39;', "'")
      .replaceAll('&lt;', '<')
      .replaceAll('&gt;', '>')
      .replaceAll('&amp;', '&');
  const fields = [
    ...form.matchAll(/<input (?:type="hidden"|id="[^"]+") name="([^"]+)" value="([^"]*)"/g),
    ...form.matchAll(/<textarea [^>]*name="([^"]+)"[^>]*>([^<]*)</g),
  ];
  return Object.fromEntries(fields.map(([, name = '', value = '']) => [name, asTyped(value)]));
}
export async function dryForm(operator: Signed, id: string, type: string, fields: Record<string, string> = {}) {
  const page = await operator.get(dry(id, type, fields));
  const form = formIn(page.text, `${path(id, type)}"`);
  if (!form) throw new Error(`the button is dead: ${words(section(page.text, 'send'))}`);
  return { page, form };
}
/** Sends it and follows the redirect, as a browser does. */
export async function send(operator: Signed, id: string, type: string, form: Record<string, string>) {
  const answer = await operator.post(path(id, type), form);
  const told = (answer.headers.getSetCookie() ?? []).map(cookie => cookie.split(';')[0]).join('; ');
  const next = answer.headers.get('location');
  const page = next ? await operator.get(next, { cookie: `${operator.cookie}; ${told}` }) : null;
  return {
    answer,
    told,
    page,
    flash: words(/class="just-told">([\s\S]*?)<\/div><\/div>/.exec(page?.text ?? '')?.[1] ?? '').trim(),
  };
}
export const effectsOf = ({ world }: InspectedService, id: string, effect: string) =>
  world.sql`select dedup_key, payload, status from outbox where order_id = ${id} and effect = ${effect}`;
