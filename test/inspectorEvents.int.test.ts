// The page of one event, above all of one that belongs to no order: what arrived, which orders it could belong to and why,
// deciding it again by hand, and what wrong signatures mean.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { writeSignatureFailures } from '../db/signatureFailures.ts';
import { type InspectedService, type Signed, startInspected } from './support/inspector.ts';
import { type Lost, loseEvents } from './support/lostEvents.ts';
import { captured, openOrder, webhook } from './support/world.ts';

let service: InspectedService;
let operator: Signed;
let viewer: Signed;
let lost: Lost;
beforeAll(async () => {
  service = await startInspected();
  [operator, viewer] = [await service.signIn('operator'), await service.signIn('viewer')];
  lost = await loseEvents(service);
});
afterAll(() => service.close());

const pathOf = (eventKey: string, provider = 'sandbox') =>
  `/inspector/events/${provider}/${encodeURIComponent(eventKey)}`;
const page = async (path: string) => (await viewer.get(path)).text;
const WHY = { reason: 'She called: paid, and nothing came', by: 'sofia@ops.example' };
const dry = (eventKey: string, who = operator, provider?: string) => who.get(`${pathOf(eventKey, provider)}/retry`);
const hidden = (text: string, name: string) =>
  new RegExp(`name="${name}" value="([^"]*)"`).exec(text.slice(text.indexOf('class="confirm"')))?.[1];
/** As the form of the dry run sends it. */
async function decideAgain(eventKey: string, change: Record<string, string> = {}, provider?: string) {
  const { text } = await dry(eventKey, operator, provider);
  const version = hidden(text, 'version');
  const fields = { attempts: hidden(text, 'attempts') ?? '', ...(version && { version }), ...WHY, ...change };
  return operator.post(`${pathOf(eventKey, provider)}/retry`, fields);
}
const kept = async (eventKey: string, paymentId: string, more: Record<string, unknown> = {}) => {
  const { providerOrderId = `sbo_of_${paymentId}`, ...envelope } = more;
  const event = { ...captured(paymentId), ...(envelope.event as object) };
  await service.world.dispatch(webhook(String(providerOrderId), captured(paymentId), { eventKey, ...envelope, event }));
};

describe('an event without an order has a page', () => {
  test('with what it says, why it waits, when it is tried next, and its body, masked', async () => {
    const text = await page(pathOf(lost.nameless));
    expect(text).toContain('₹499.00 was captured as pay_Qx81LmPz03Rt at sandbox, and no order here is known for it.');
    expect(text).toContain('No order is known as sbo_renamed_at_the_till at sandbox.');
    expect(text).toContain('delivered 2 times');
    expect(text).toMatch(/Due .*decided again\./);
    expect(text).toContain('&quot;paymentId&quot;: &quot;pay_Qx81LmPz03Rt&quot;');
    expect(text).not.toContain('katherine@orbit.example&quot;');
    expect(text).toContain('sandbox/1');
  });

  test('whatever became of it: foreign, garbled, ignored', async () => {
    const foreign = await page(pathOf(lost.foreign, 'stripe'));
    expect(foreign).toContain('nothing in it says that it is ours');
    expect(foreign).toContain(
      'href="https://dashboard.stripe.com/payments/pi_3QhHb20XsWq94Kd" rel="noreferrer noopener"',
    );
    const garbled = await page(pathOf(lost.garbled));
    expect(garbled).toContain('Its signature held, but its body could not be understood.');
    expect(garbled).toContain('so there is nothing to decide');
    expect(garbled).toMatch(/<button[^>]* disabled aria-label="See: decide it again"/);
    await service.webhook({ type: 'settlement.processed', data: {} }, { id: 'evt_settled' });
    expect(await page(pathOf('evt_settled'))).toContain('Nothing here uses an event of this type.');
  });

  test('a search for its key, its payment or the provider’s order leads there', async () => {
    for (const q of [lost.nameless, 'pay_Qx81LmPz03Rt', 'sbo_renamed_at_the_till', lost.garbled]) {
      const { status, headers } = await viewer.get(`/inspector/orders?q=${q}`);
      expect([status, headers.get('location')], q).toEqual([
        303,
        pathOf(q === lost.garbled ? lost.garbled : lost.nameless),
      ]);
    }
  });

  test('what nobody sent has none, and no other order’s address shows it', async () => {
    const { id } = lost.order;
    for (const path of [pathOf('evt_none'), `/inspector/events/stripe/${lost.nameless}`, pathOf('é')])
      expect((await viewer.get(path)).status, path).toBe(404);
    expect(await page(pathOf('evt_none'))).toContain('No such event');
    expect((await viewer.get(`/inspector/orders/${id}/events/sandbox/${lost.nameless}`)).status).toBe(404);
    expect((await dry('evt_none')).status).toBe(404);
  });

  test('an event with an order has the same page at both addresses', async () => {
    const order = await openOrder(service.world, {});
    await kept('evt_decided', 'pay_decided', { providerOrderId: order.providerOrderId });
    const [here, there] = [
      await page(pathOf('evt_decided')),
      await page(`/inspector/orders/${order.id}/events/sandbox/evt_decided`),
    ];
    const body = (text: string) => text.slice(text.indexOf('<h1>'), text.indexOf('class="foot"'));
    expect(body(here).replace(/\d+ m?s ago/g, '')).toBe(body(there).replace(/\d+ m?s ago/g, ''));
    expect(here).toContain('The event was decided on this order.');
    expect(here).toContain(`/inspector/orders/${order.id}/act/retry.requested`);
    expect(there).toContain(`/inspector/orders/${order.id}#timeline`);
  });
});

describe('the orders it could belong to stand there with the reason', () => {
  const reasons = async (eventKey: string, provider?: string) => {
    const text = await page(pathOf(eventKey, provider));
    return text.slice(text.indexOf('id="orders"'), text.indexOf('id="act"'));
  };

  test('by price and hour, the likeliest first, with the way to tell it by hand', async () => {
    const { world } = service;
    const paid = await openOrder(world, {});
    await world.dispatch(webhook(paid.providerOrderId, captured('pay_other')));
    const late = await openOrder(world, {});
    const yesterday = await openOrder(world, {});
    const dear = await openOrder(world, {});
    await world.sql`update orders set amount_minor = 59900 where id = ${dear.id}`;
    const at = world.clock().getTime();
    for (const [{ id }, minutes] of [
      [paid, 7],
      [late, 2],
      [yesterday, 1_500],
      [dear, 8],
    ] as const)
      await world.sql`update orders set created_at = ${new Date(at - minutes * 60_000)} where id = ${id}`;
    const text = await reasons(lost.nameless);
    const order = [...text.matchAll(/href="\/inspector\/orders\/(ord_\w+)"/g)].map(match => match[1]);
    expect(order).toEqual([lost.order.id, late.id, paid.id]);
    expect(text).toContain('It costs the same and was made 4 min before.');
    expect(text).toContain('It costs the same and was made 3 min after.');
    expect(text).toContain('It is paid already, by another payment.');
    const tell = new RegExp(`/inspector/orders/${lost.order.id}/act/payment.captured\\?[^"]+`).exec(text)?.[0] ?? '';
    const form = await page(tell.replaceAll('&amp;', '&'));
    expect(form).toContain('value="pay_Qx81LmPz03Rt"');
    expect(form).toContain('value="499.00"');
  });

  test('by our id, the provider’s order, the payment, the subscription and the customer', async () => {
    const { world } = service;
    const marked = await openOrder(world, {});
    await kept('evt_marked', 'pay_marked', { provider: 'stripe', orderId: marked.id, providerOrderId: 'cs_1' });
    expect(await reasons('evt_marked', 'stripe')).toContain('It carries the id of this order.');
    expect(await reasons('evt_marked', 'stripe')).toContain(
      'But this order is at sandbox, and the event came from stripe',
    );
    expect(await reasons('evt_marked', 'stripe')).not.toContain('/act/payment.captured');
    await kept('evt_named', 'pay_named', { provider: 'stripe', providerOrderId: marked.providerOrderId });
    expect(await reasons('evt_named', 'stripe')).toContain(`It names <code>${marked.providerOrderId}</code>`);
    await world.sql`update orders set provider_subscription_id = 'sub_1' where id = ${marked.id}`;
    await kept('evt_sub', 'pay_sub', {
      provider: 'stripe',
      event: { subscriptionId: 'sub_1' },
      payerId: marked.userId,
    });
    expect(await reasons('evt_sub', 'stripe')).toContain('the subscription of this order');
    expect(await reasons('evt_sub', 'stripe')).toContain('the stored card of');
    await world.dispatch(webhook(marked.providerOrderId, captured('pay_here')));
    await kept('evt_pay', 'pay_here', { provider: 'stripe' });
    expect(await reasons('evt_pay', 'stripe')).toContain('Its payment <code>pay_here</code> is in this order’s books.');
  });

  test('and where none fits it says what was looked at', async () => {
    expect(await reasons(lost.foreign, 'stripe')).toContain('none at stripe costs ₹1,250.00');
  });
});

describe('deciding it again by hand', () => {
  test('shows first where it leads, is decided once, and says who asked and why', async () => {
    const { world } = service;
    const order = await openOrder(world, {});
    await kept('evt_again', 'pay_again');
    expect((await dry('evt_again')).text).toContain('No order is known for it yet: it would stay unmatched.');
    // As when somebody repairs the order by hand.
    await world.sql`update orders set provider_order_id = 'sbo_of_pay_again' where id = ${order.id}`;
    const before = await service.books();
    const shown = await dry('evt_again');
    expect(shown.text).toContain(`it would be decided on <a href="/inspector/orders/${order.id}"`);
    expect(shown.text).toMatch(/The order goes from .*created.* to .*subscribed/);
    expect(await service.books()).toBe(before);
    const [attempts, version] = [hidden(shown.text, 'attempts') ?? '', hidden(shown.text, 'version') ?? ''];
    const fields = { attempts, version, ...WHY };
    const sent = await operator.post(`${pathOf('evt_again')}/retry`, fields);
    expect([sent.status, sent.headers.get('location')]).toEqual([303, pathOf('evt_again')]);
    const timeline = (await service.call('GET', `/v1/orders/${order.id}/timeline`)).body;
    expect(timeline.order.state).toBe('subscribed');
    expect(timeline.received.map((row: { type: string; verdict: string }) => `${row.type} ${row.verdict}`)).toEqual(
      expect.arrayContaining(['payment.captured applied', 'retry.requested ignored']),
    );
    const text = await page(pathOf('evt_again'));
    expect(text).toContain('sofia@ops.example: She called: paid, and nothing came (decided again: event evt_again)');
    const after = await service.books();
    expect((await operator.post(`${pathOf('evt_again')}/retry`, fields)).status).toBe(409);
    expect(await service.books()).toBe(after);
  });

  test('that finds no order leaves it as it was, tried again by itself, and says so', async () => {
    await kept('evt_still', 'pay_still');
    const { headers } = await decideAgain('evt_still');
    const cookie = `${operator.cookie}; ${headers
      .getSetCookie()
      .map(set => set.split(';')[0])
      .join('; ')}`;
    const text = (await operator.get(pathOf('evt_still'), { cookie })).text;
    expect(text).toContain('Decided again, and as before: unmatched');
    expect(text).toContain('decided again once');
    expect(text).toMatch(/Due .*decided again\./);
  });

  test('of somebody else’s sale leaves it somebody else’s', async () => {
    expect((await decideAgain(lost.foreign, {}, 'stripe')).status).toBe(303);
    const [row] = await service.world.sql`select verdict from inbox where event_key = ${lost.foreign}`;
    expect(row?.verdict).toBe('foreign');
  });

  test('is refused when somebody was faster, without a reason, to a viewer, and where nothing is open', async () => {
    await kept('evt_raced', 'pay_raced');
    const before = await service.books();
    expect((await decideAgain('evt_raced', { attempts: '7' })).status).toBe(409);
    expect((await decideAgain('evt_raced', { reason: ' ' })).status).toBe(400);
    expect((await decideAgain('evt_raced', { attempts: '' })).status).toBe(400);
    expect((await viewer.post(`${pathOf('evt_raced')}/retry`, { attempts: '0', ...WHY })).status).toBe(403);
    expect((await dry('evt_raced', viewer)).text).toContain('You are signed in to look only');
    expect((await operator.post(`${pathOf('evt_decided')}/retry`, { attempts: '0', ...WHY })).status).toBe(409);
    expect((await operator.post(`${pathOf(lost.garbled)}/retry`, { attempts: '0', ...WHY })).status).toBe(409);
    expect(await service.books()).toBe(before);
  });

  test('says beforehand that a recurring charge would open a renewal', async () => {
    const { world } = service;
    const first = await openOrder(world, {});
    await world.dispatch(webhook(first.providerOrderId, captured('pay_first')));
    await kept('evt_renewal', 'pay_second');
    await world.sql`update orders set provider_subscription_id = 'sub_monthly' where id = ${first.id}`;
    await world.sql`update inbox set event = event || '{"subscriptionId":"sub_monthly"}' where event_key = 'evt_renewal'`;
    const before = await service.books();
    expect((await dry('evt_renewal')).text).toContain('a renewal of');
    expect(await service.books()).toBe(before);
    await decideAgain('evt_renewal');
    const rows = await world.sql`select state, kind from orders where user_id = ${first.userId} and kind = 'renewal'`;
    expect(rows).toMatchObject([{ state: 'subscribed' }]);
  });
});

test('a dry run of a refund on another order says whose payment it is, and sends it there', async () => {
  const { world } = service;
  const [owner, other] = [await openOrder(world, {}), await openOrder(world, {})];
  await world.dispatch(webhook(owner.providerOrderId, captured('pay_mine')));
  const form = { paymentId: 'pay_mine', refundId: 'rf_mine', amountMinor: '499.00', state: 'completed', ...WHY };
  const shown = await operator.get(
    `/inspector/orders/${other.id}/act/refund.updated?${new URLSearchParams({ dry: '1', ...form })}`,
  );
  expect(shown.text).toContain('This payment is order');
  expect(shown.text).toContain(`action="/inspector/orders/${owner.id}/act/refund.updated"`);
  expect(shown.text).toMatch(/The order goes from .*subscribed.* to .*refunded/);
  const [key, version] = [hidden(shown.text, 'key') ?? '', hidden(shown.text, 'version') ?? ''];
  const sent = await operator.post(`/inspector/orders/${owner.id}/act/refund.updated`, { ...form, key, version });
  expect(sent.headers.get('location')).toBe(`/inspector/orders/${owner.id}`);
  expect((await service.call('GET', `/v1/orders/${owner.id}`)).body.state).toBe('refunded');
});

describe('wrong signatures', () => {
  test('are counted and dated beside the webhooks that held, with what that means and what to do', async () => {
    const { db, clock } = service.world;
    expect(await page('/inspector/signatures')).toContain(
      'Every call of the last seven days was signed as it must be.',
    );
    const now = clock().getTime();
    const counted = (provider: string, failures: number, hoursAgo: number) => {
      const latestAt = new Date(now - hoursAgo * 3_600_000 + 1);
      const bucketAt = new Date(Math.floor(latestAt.getTime() / 3_600_000) * 3_600_000);
      return { provider, bucketAt, failures, latestAt };
    };
    await writeSignatureFailures(db, 'wrk_1', [
      counted('razorpay', 3, 200),
      counted('cloudpayments', 1_204, 2),
      counted('stripe', 7, 0),
      counted('sandbox', 5, 30),
    ]);
    const text = await page('/inspector/signatures');
    const of = (provider: string) => text.slice(text.indexOf(`id="${provider}"`)).split('</section>')[0];
    expect(text).not.toContain('id="razorpay"');
    expect(of('cloudpayments')).toContain('1,204');
    expect(of('cloudpayments')).toContain('No webhook of this provider has ever held.');
    expect(of('stripe')).toContain('Webhooks held once, and none has since the last wrong one.');
    expect(of('sandbox')).toContain('Webhooks hold again, or beside these');
    expect(of('sandbox')).toContain('<dt>Wrong, 24 hours</dt><dd>0</dd>');
    for (const told of [
      'STRIPE_WEBHOOK_SECRETS',
      'The clocks differ',
      'The secret was rolled',
      'A proxy in front of us',
    ])
      expect(text).toContain(told);
    expect(await page('/inspector')).toContain('href="/inspector/signatures#stripe"');
  });
});
