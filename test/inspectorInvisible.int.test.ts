// Characters that nobody sees, in every field that can hold them: on every page they are shown by their names, so that no
// value looks like another one; what is copied, followed or sent stays the value.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { isHandler } from '../src/http/auth.ts';
import { showInvisible } from '../src/inspector/invisible.ts';
import { type InspectedService, type Signed, startInspected } from './support/inspector.ts';
import { dry, WHO } from './support/inspectorForms.ts';
import { parkedOrder, partlyRefundedOrder } from './support/orderStories.ts';

/** Turns round, joins nothing, and hides: `evil` is `e‹U+202E›v‹U+200B›i‹U+2066›l` with a tag behind it. */
const EVIL = 'e\u202ev\u200bi\u2066l\u{e0041}';
const SHOWN = 'e‹U+202E›v‹U+200B›i‹U+2066›l‹U+E0041›';
const INVISIBLE = /[\p{Default_Ignorable_Code_Point}\u2028\u2029]/u;

let service: InspectedService;
let operator: Signed;
let order: { id: string; paymentId: string };
let stuck: { id: string };
let eventKey: string;
beforeAll(async () => {
  service = await startInspected();
  operator = await service.signIn('operator');
  order = await partlyRefundedOrder(service);
  stuck = await parkedOrder(service);
  await service.webhook(
    {
      type: 'payment.captured',
      data: { providerOrderId: 'sbo_nobody', paymentId: 'pay_lost', amountMinor: 1, currency: 'INR' },
    },
    { id: 'evt_lost' },
  );
  const { sql } = service.world;
  const [arrived] = await sql`select event_key from inbox where order_id = ${order.id}`;
  eventKey = arrived?.event_key;
  await sql`update orders set metadata = ${sql.json({ [EVIL]: EVIL })}, provider_account = ${EVIL}, user_id = ${EVIL}, plan_id = ${EVIL}, provider_order_id = ${EVIL} where id = ${order.id}`;
  await sql`update orders set user_id = ${EVIL} where id = ${stuck.id}`;
  await sql`update inbox set detail = ${EVIL}, event_type = ${EVIL}, provider_order_id = ${EVIL}, headers = ${sql.json({ 'user-agent': EVIL })}, raw = ${Buffer.from(JSON.stringify({ reason: EVIL }))}`;
  await sql`update outbox set last_error = ${EVIL}, status = 'dead' where order_id = ${order.id}`;
  await sql`update payments set payment_id = ${EVIL} where order_id = ${order.id}`;
  await sql`update transitions set event = event || ${sql.json({ reason: EVIL, by: EVIL, more: EVIL })} where version > 1`;
  await sql`insert into findings (id, fingerprint, kind, severity, order_id, detail) values ('fnd_evil', 'evil', ${EVIL}, 'critical', ${order.id}, ${EVIL})`;
});
afterAll(() => service?.close());

/** What a person is shown or read aloud: all but the values of attributes that are copied, followed or sent. */
const read = (page: string) =>
  page.replaceAll(/(<textarea[^>]*>)[^<]*/g, '$1').replaceAll(/ (?:value|href|action|id|for|data-[a-z]+)="[^"]*"/g, '');

const WITHOUT_PAGES = ['/inspector/live', '/inspector/sign-in', '/inspector/assets/:file'];

describe('characters that nobody sees', () => {
  test('are shown by their names on every page there is', async () => {
    const id = order.id;
    const typed = { ...WHO, reason: EVIL, by: EVIL };
    const pages: Record<string, string[]> = {
      '/inspector': ['/inspector'],
      '/inspector/orders': ['/inspector/orders', `/inspector/orders?q=${encodeURIComponent(EVIL)}`],
      '/inspector/orders/:id': [`/inspector/orders/${id}`, `/inspector/orders/${stuck.id}`],
      '/inspector/orders/:id/provider': [`/inspector/orders/${id}/provider`],
      '/inspector/orders/:id/replay': [`/inspector/orders/${id}/replay?step=3`],
      '/inspector/orders/:id/events/:provider/:eventKey': [`/inspector/orders/${id}/events/sandbox/${eventKey}`],
      '/inspector/orders/:id/act/:eventType': [
        dry(id, 'refund.requested', typed),
        dry(id, 'payment.captured', { ...typed, paymentId: EVIL, amountMinor: '499', currency: 'INR' }),
      ],
      '/inspector/stuck': ['/inspector/stuck', '/inspector/stuck?cause=effect_dead'],
      '/inspector/stuck/retry': ['/inspector/stuck/retry?cause=effect_dead'],
      '/inspector/events': ['/inspector/events', '/inspector/events?verdict=unmatched'],
      '/inspector/events/:provider/:eventKey': ['/inspector/events/sandbox/evt_lost'],
      '/inspector/events/:provider/:eventKey/retry': ['/inspector/events/sandbox/evt_lost/retry'],
      '/inspector/signatures': ['/inspector/signatures'],
    };
    const routes = service.app.routes.filter(
      route => isHandler(route) && route.method === 'GET' && route.path.startsWith('/inspector'),
    );
    const names = new Set(routes.map(({ path }) => path.replaceAll(/\{[^}]*\}/g, '')));
    expect([...names].filter(name => !(name in pages || WITHOUT_PAGES.includes(name) || name.includes('*')))).toEqual(
      [],
    );
    let shown = 0;
    for (const path of Object.values(pages).flat()) {
      const { status, text } = await operator.get(path);
      // 400: a form that says which of its fields cannot be read.
      expect([path, [200, 400].includes(status)]).toEqual([path, true]);
      expect([path, INVISIBLE.exec(read(text))?.[0]]).toEqual([path, undefined]);
      if (text.includes(SHOWN)) shown += 1;
    }
    expect(shown).toBeGreaterThan(9);
  });

  test('are copied, followed and sent as they are', async () => {
    const page = (await operator.get(`/inspector/orders/${order.id}`)).text;
    expect(page).toContain(`data-copy="${EVIL}"`);
    expect(page).toContain(`aria-label="Copy ${SHOWN}"`);
    const form = (await operator.get(dry(order.id, 'refund.requested', { ...WHO, reason: EVIL }))).text;
    expect(form).toMatch(new RegExp(`<textarea[^>]*>${EVIL}</textarea>`, 'u'));
  });

  test('are nothing that the page itself is made of, nor letters of any language', () => {
    const page = '<p title="a – b">“日本語” Ελληνικά עברית ½ → ▸ ‹ok›\n\t é</p>';
    expect(showInvisible(page)).toBe(page);
    const pictures = 'ada ❤️ 👩🏽‍💻 👨‍👩‍👧';
    expect(showInvisible(`<p>${pictures}</p>\u200b`)).toBe(`<p>${pictures}</p>‹U+200B›`);
    expect(showInvisible('a\u200db 👩\u200d.')).toBe('a‹U+200D›b 👩‹U+200D›.');
    expect(showInvisible('<a href="/x\u200b" title="\u00ad">\ufeff</a>\u2028')).toBe(
      '<a href="/x\u200b" title="‹U+00AD›">‹U+FEFF›</a>‹U+2028›',
    );
  });
});
