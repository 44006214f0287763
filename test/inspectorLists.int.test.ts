// The pages of the inspector that list: what stands in them, where a search leads, what they say when they are empty.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ADMIN_KEY } from './support/httpService.ts';
import { type InspectedService, type Signed, startInspected } from './support/inspector.ts';
import { fillLists, HOSTILE, type Named } from './support/inspectorLists.ts';

let service: InspectedService;
let viewer: Signed;
let ids: Named;
beforeAll(async () => {
  service = await startInspected();
  viewer = await service.signIn('viewer');
});
afterAll(() => service.close());

const page = async (path: string) => (await viewer.get(`/inspector/${path}`)).text;
/** The orders that a page lists, from the top. */
const listed = (text: string) =>
  [...text.matchAll(/<tr data-row>\s*<td data-label="Order"[^>]*>.*?href="\/inspector\/orders\/(ord_[^"]+)"/gs)].map(
    m => m[1],
  );
const leadsTo = async (path: string) => {
  const { status, headers } = await viewer.get(`/inspector/${path}`);
  return status === 303 ? headers.get('location') : status;
};

describe('while there is nothing', () => {
  test('each list says what that means and what to do', async () => {
    expect(await page('orders')).toContain('There is no order yet');
    expect(await page('orders?state=parked')).toContain('No order fits these filters');
    expect(await page('stuck')).toContain('No order is stuck');
    expect(await page('stuck?cause=effect_dead')).toContain('No order is stuck for this');
    expect(await page('events')).toContain('No event is unmatched');
    const nothing = await page('orders?q=pay_unknown');
    expect(nothing).toContain('Nothing found for “pay_unknown”');
    expect(nothing).toContain('payments, refunds, disputes');
  });
});

describe('with orders of every kind', () => {
  beforeAll(async () => {
    ids = await fillLists(service);
  });

  test('orders stand newest first, each with state, user, amount and what was heard last', async () => {
    const text = await page('orders');
    expect(listed(text)[0]).toBe(ids.waiting);
    expect(listed(text)).toHaveLength(8);
    expect(listed(text).at(-1)).toBe(ids.overdue);
    for (const shown of [
      'ada@shop.example',
      '₹499.00',
      'payment.captured',
      '>duplicate<',
      '>mismatch<',
      'Grant failed',
      '50 orders a page',
    ])
      expect(text).toContain(shown);
  });

  test('filters narrow, stand as chips, and each can be taken away by itself', async () => {
    const text = await page('orders?state=parked&provider=sandbox&verdict=mismatch&cause=parked');
    expect(listed(text)).toEqual([ids.parked]);
    expect(text).toContain('Remove the filter State parked');
    expect(text).toContain('href="/inspector/orders?state=parked&amp;verdict=mismatch&amp;cause=parked"');
    expect(listed(await page('orders?cause=grant_failed'))).toEqual([ids.grantFailed]);
    expect(listed(await page('orders?from=2000-01-01&to=2000-01-02T10:00'))).toEqual([]);
    expect(listed(await page('orders?from=2000-01-01'))).toHaveLength(8);
  });

  test('a search that can mean one order only goes straight to it', async () => {
    const to = `/inspector/orders/${ids.parked}`;
    for (const q of [
      ids.parked,
      ids.parked.toUpperCase(),
      ids.parked.slice(0, -4),
      `sbo_${ids.parked.slice(4)}`,
      'pay_short',
      ' wrong-amount ',
      `https://pay.example${to}#money`,
    ])
      expect(await leadsTo(`orders?q=${encodeURIComponent(q)}`), q).toBe(to);
    const [event] = await service.world.sql`select event_key from inbox where order_id = ${ids.parked}`;
    expect(await leadsTo(`orders?q=${event?.event_key}`)).toBe(to);
  });

  test('a search for a user with several orders lists them, and says as what they were found', async () => {
    const text = await page('orders?q=twice');
    expect(listed(text)).toHaveLength(2);
    expect(text).toContain('Orders with the user twice');
    expect(listed(await page('orders?q=twice&state=failed'))).toHaveLength(1);
  });

  test('a search for money that shows nowhere finds the event that is kept', async () => {
    for (const q of ['pay_nobody_2', 'evt_nobody_2', 'sbo_nobody_2'])
      expect(await leadsTo(`orders?q=${q}`), q).toBe('/inspector/events/sandbox/evt_nobody_2');
    const text = await page('orders?q=pay_nobody_2&state=failed');
    expect(text).toContain('No order has pay_nobody_2');
    expect(text).toContain('waits for its order');
    expect(text).toContain('evt_nobody_2');
  });

  test('stuck orders stand under each cause, with the detail and the next try', async () => {
    const text = await page('stuck');
    expect(new Set(listed(text))).toEqual(new Set([ids.parked, ids.grantFailed, ids.dead, ids.overdue]));
    expect(text).toContain('violates check constraint');
    expect(text).toContain('by hand only');
    expect(text).toContain('now, by the sweeper');
    // That an order waits for its grant explains that it has missed the deadline for it.
    const byCause = {
      parked: [ids.parked],
      grant_failed: [ids.grantFailed],
      effect_dead: [ids.dead],
      deadline_passed: [ids.overdue],
    };
    for (const [cause, stuck] of Object.entries(byCause))
      expect(listed(await page(`stuck?cause=${cause}`)), cause).toEqual(stuck);
  });

  test('events stand under their verdict with the reason, and lead to what they name', async () => {
    const text = await page('events');
    expect(text).toContain('no order is known as sbo_nobody_1 at sandbox');
    expect(text).toContain('href="/inspector/orders?q=pay_nobody_1"');
    expect(text.match(/<tr data-row>/g) ?? []).toHaveLength(3);
    expect(text).toContain('href="/inspector/events/sandbox/evt_nobody_1"');
    const mismatch = await page('events?verdict=mismatch');
    expect(mismatch).toContain(`href="/inspector/orders/${ids.parked}"`);
    expect(mismatch).toContain(`/inspector/events/sandbox/`);
    expect(await page('events?verdict=any&provider=sandbox')).toContain('>duplicate<');
    expect(await page('events?verdict=any&provider=stripe')).toContain('No event fits');
  });

  test('what cannot be meant is answered with a sentence, and no page changes anything', async () => {
    const before = await service.books();
    for (const [path, said] of [
      ['orders?state=sold', 'The state must be one of created'],
      ['orders?cause=bad', 'The cause must be one of any'],
      ['orders?from=yesterday', 'The time from is not a date'],
      ['orders?to=2026-02-31T99:00', 'The time until is not a date'],
      ['orders?cursor=%00', 'The place in the list'],
      ['orders?q=a%00b', 'holds characters that no id has'],
      [`orders?q=${'a'.repeat(256)}`, 'at most 255 characters'],
      ['stuck?cause=any', 'The cause must be one of'],
      ['events?verdict=lost', 'The verdict must be one of'],
      ['events?cursor=bm9wZQ', 'The place in the list'],
      ['events?cursor=c2FuZGJveDoA', 'The place in the list'],
    ] as const) {
      const answer = await viewer.get(`/inspector/${path}`);
      expect(answer.status, path).toBe(400);
      expect(answer.text, path).toContain(said);
    }
    await viewer.get(`/inspector/orders?cursor=ord_nobody`);
    expect(await service.books()).toBe(before);
  });

  test('an unknown place in a list is its end and no error', async () => {
    expect(await page('orders?cursor=ord_nobody')).toContain('The list ends here');
  });

  test('hostile text is text, wherever it comes from', async () => {
    const q = encodeURIComponent(HOSTILE);
    await service.webhook({ type: HOSTILE, data: { providerOrderId: HOSTILE } }, { id: `evt_${HOSTILE.slice(0, 20)}` });
    for (const path of [
      `orders?q=${q}`,
      `stuck?cause=effect_dead`,
      'events?verdict=any',
      'events?verdict=ignored',
      'events?verdict=parked',
    ]) {
      const text = await page(path);
      expect(text, path).not.toContain('<img src=x');
      expect(text, path).not.toContain('<script>document.title');
    }
    expect(await page('stuck?cause=effect_dead')).toContain('&lt;img src=x');
  });

  test('nobody sees them without signing in', async () => {
    for (const path of ['orders', 'stuck', 'events']) {
      const answer = await service.call('GET', `/inspector/${path}`, { key: ADMIN_KEY });
      expect(answer.status, path).toBe(401);
    }
  });
});
