// The merchant's and operator's calls on one service with its real core: checkout once per key, reading, events by
// hand, and what is answered when an order cannot do what is asked.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { sendableEvents } from '../machines/orderEvents.ts';
import {
  ADMIN_KEY,
  type Answer,
  API_KEY,
  checkOut,
  PLAN,
  pay,
  type Service,
  startService,
} from './support/httpService.ts';

let service: Service;
beforeAll(async () => {
  service = await startService();
  await service.call('PUT', '/v1/plans/pro-monthly', { body: PLAN });
});
afterAll(() => service.close());

const ORDER_KEYS =
  'id kind userId planId product provider providerOrderId amountMinor currency state version stuck legalEvents createdAt updatedAt'.split(
    ' ',
  );
const captured = (paymentId: string) => ({
  type: 'payment.captured',
  paymentId,
  amountMinor: PLAN.amountMinor,
  currency: 'INR',
});
const event = (id: string, body: unknown, headers: Record<string, string> = {}, query = ''): Promise<Answer> =>
  service.call('POST', `/v1/orders/${id}/events${query}`, { body, headers });

describe('checkout', () => {
  const body = (userId: string) => ({ userId, planId: 'pro-monthly', provider: 'sandbox' });
  const post = (key: string, sent: unknown) =>
    service.call('POST', '/v1/checkouts', { key: API_KEY, body: sent, headers: { 'idempotency-key': key } });

  test('answers the order and where to pay', async () => {
    const answer = await post('first', { ...body('ann'), returnUrl: 'https://shop.test/x', metadata: { basket: '1' } });
    expect(answer.status).toBe(201);
    expect(Object.keys(answer.body.order)).toEqual(ORDER_KEYS);
    const { order, checkout } = answer.body;
    expect(order).toMatchObject({ userId: 'ann', state: 'created', version: 2, amountMinor: 49_900, stuck: null });
    expect(checkout).toEqual({
      provider: 'sandbox',
      providerOrderId: order.providerOrderId,
      url: `http://sandbox.test/pay/${order.id}`,
      params: {},
    });
    expect(answer.headers.get('etag')).toBe('"2"');
    expect(answer.headers.get('cache-control')).toBe('no-store');
  });

  test('with the same key and body answers the same, with the order as it is now', async () => {
    const first = await post('again', body('bea'));
    const second = await post('again', body('bea'));
    expect(second.status).toBe(201);
    expect(second.body).toEqual(first.body);
    await event(first.body.order.id, captured('pay_again'));
    const third = await post('again', body('bea'));
    expect(third.body.order).toMatchObject({ id: first.body.order.id, state: 'subscribed' });
    expect(third.body.checkout).toEqual(first.body.checkout);
    expect(service.sandbox.opened.get(first.body.order.id)).toBe(1);
  });

  test('with the same key and another body is refused', async () => {
    await post('reused', body('cem'));
    const before = await service.books();
    const answer = await post('reused', body('dan'));
    expect(answer).toMatchObject({ status: 422, body: { code: 'idempotency_key_reused' } });
    expect(await service.books()).toBe(before);
  });

  test('asked ten times at once makes one order and one answer', async () => {
    const answers = await Promise.all(Array.from({ length: 10 }, () => post('at-once', body('eve'))));
    expect(answers.map(answer => answer.status)).toEqual(Array(10).fill(201));
    expect(new Set(answers.map(answer => answer.text)).size).toBe(1);
    const { orders } = (await service.call('GET', '/v1/orders?userId=eve')).body;
    expect(orders).toHaveLength(1);
    expect(service.sandbox.opened.get(orders[0].id)).toBe(1);
  });

  test('that could not be opened stays created, and the same key tries again', async () => {
    service.sandbox.mood = 'down';
    const down = await post('opened-late', body('fay'));
    expect(down).toMatchObject({ status: 503, body: { code: 'provider_unreachable' } });
    expect(down.headers.get('retry-after')).toBe('2');
    service.sandbox.mood = 'refusing';
    expect(await post('opened-late', body('fay'))).toMatchObject({ status: 502, body: { code: 'provider_refused' } });
    service.sandbox.mood = 'well';
    const [order] = (await service.call('GET', '/v1/orders?userId=fay')).body.orders;
    expect(order).toMatchObject({ state: 'created', version: 1 });
    const again = await post('opened-late', body('fay'));
    expect(again).toMatchObject({ status: 201, body: { order: { id: order.id, version: 2 } } });
  });

  test('from two tabs is one purchase, unless another one is wanted', async () => {
    const one = await post('tab-1', body('gus'));
    const two = await post('tab-2', body('gus'));
    const another = await post('tab-3', { ...body('gus'), another: true });
    expect(two.body.order.id).toBe(one.body.order.id);
    expect(another.body.order.id).not.toBe(one.body.order.id);
  });
});

describe('an order', () => {
  test('is read with its version as ETag, and its timeline from the beginning', async () => {
    const order = await checkOut(service);
    await service.webhook({ type: 'payment.captured', data: pay(service, order.providerOrderId) });
    const read = await service.call('GET', `/v1/orders/${order.id}`, { key: API_KEY });
    expect(read).toMatchObject({ status: 200, body: { id: order.id, state: 'subscribed', version: 4 } });
    expect(Object.keys(read.body)).toEqual(ORDER_KEYS);
    expect(read.headers.get('etag')).toBe('"4"');
    const { body } = await service.call('GET', `/v1/orders/${order.id}/timeline`, { key: API_KEY });
    expect(Object.keys(body)).toEqual([
      'order',
      'transitions',
      'received',
      'effects',
      'payments',
      'refunds',
      'disputes',
      'grant',
    ]);
    expect(body.transitions.map((step: { version: number; to: string }) => [step.version, step.to])).toEqual([
      [1, 'created'],
      [2, 'created'],
      [3, 'captured'],
      [4, 'subscribed'],
    ]);
    expect(body.received).toMatchObject([
      { provider: 'sandbox', verdict: 'applied', appliedVersion: 3, deliveries: 1 },
    ]);
    expect(body.grant).toMatchObject({ orderId: order.id, product: 'pro', seq: 1 });
  });

  test('that nobody has is 404, whatever its id looks like', async () => {
    const nobodys = service.world.newId('ord');
    for (const id of [nobodys, 'ord_1', 'x', '%00', `${nobodys}0`, '..%2f..%2fhealth', "ord_'%20or%20'1'='1"]) {
      for (const path of ['', '/timeline']) {
        const { status, body } = await service.call('GET', `/v1/orders/${id}${path}`);
        expect([status, body.code], id).toEqual([404, 'not_found']);
        expect(body.detail).toMatch(/no order/);
      }
      for (const call of ['events', 'retry', 'refund', 'cancel']) {
        const sent = { reason: 'test', ...(call === 'events' && { type: 'cancel.requested' }) };
        const { status } = await service.call('POST', `/v1/orders/${id}/${call}`, { body: sent });
        expect(status, `${call} ${id}`).toBe(404);
      }
    }
    const preview = await event(nobodys, { type: 'cancel.requested', reason: 'x' }, {}, '?dryRun=true');
    expect(preview.status).toBe(404);
  });
});

describe('the list of orders', () => {
  test('pages through all, newest first, each once', async () => {
    const ids: string[] = [];
    for (let i = 0; i < 5; i++) ids.push((await checkOut(service, { userId: 'pager', another: true })).id);
    const seen: string[] = [];
    let cursor = '';
    do {
      const { body } = await service.call('GET', `/v1/orders?userId=pager&limit=2${cursor}`, { key: API_KEY });
      seen.push(...body.orders.map((order: { id: string }) => order.id));
      cursor = body.nextCursor === null ? '' : `&cursor=${body.nextCursor}`;
    } while (cursor);
    expect(seen).toEqual([...ids].reverse());
  });

  test('is filtered by state, provider and what is stuck', async () => {
    const order = await checkOut(service, { userId: 'filtered' });
    const odd = { ...captured('pay_odd'), amountMinor: 1 };
    await event(order.id, odd);
    const well = await checkOut(service, { userId: 'filtered', another: true });
    const ids = async (query: string) =>
      (await service.call('GET', `/v1/orders?userId=filtered&${query}`)).body.orders.map((o: { id: string }) => o.id);
    expect(await ids('state=parked')).toEqual([order.id]);
    expect(await ids('state=created')).toEqual([well.id]);
    expect(await ids('stuck=true')).toEqual([order.id]);
    expect(await ids('provider=sandbox')).toEqual([well.id, order.id]);
    expect(await ids('provider=other')).toEqual([]);
  });
});

describe('an event by hand', () => {
  test('is applied, and its Idempotency-Key is the event key', async () => {
    const order = await checkOut(service);
    const key = { 'idempotency-key': 'by hand 1' };
    const first = await event(order.id, captured('pay_hand'), key);
    expect(first).toMatchObject({
      status: 200,
      body: { verdict: 'applied', order: { state: 'subscribed', version: 4 } },
    });
    expect(first.headers.get('etag')).toBe('"4"');
    const again = await event(order.id, captured('pay_hand'), key);
    expect(again).toMatchObject({ status: 200, body: { verdict: 'duplicate', order: { version: 4 } } });
    const other = await event(order.id, captured('pay_other'), key);
    expect(other).toMatchObject({ status: 422, body: { code: 'idempotency_key_reused' } });
    const { body } = await service.call('GET', `/v1/orders/${order.id}/timeline`);
    expect(body.transitions[2]).toMatchObject({ eventKey: 'by hand 1', source: 'operator' });
  });

  test('is only applied to the version If-Match names', async () => {
    const order = await checkOut(service);
    const before = await service.books();
    for (const wrong of ['"1"', 'W/"3"', '"99"']) {
      const answer = await event(order.id, captured('pay_if'), { 'if-match': wrong });
      expect(answer).toMatchObject({ status: 412, body: { code: 'version_conflict', version: 2 } });
    }
    const dry = await event(order.id, captured('pay_if'), { 'if-match': '"1"' }, '?dryRun=true');
    expect(dry.status).toBe(412);
    expect(await service.books()).toBe(before);
    expect((await event(order.id, captured('pay_if'), { 'if-match': 'W/"2"' })).body.verdict).toBe('applied');
    expect((await event(order.id, captured('pay_if2'), { 'if-match': '*' })).body.verdict).toBe('surplus');
    expect((await event(order.id, captured('pay_if2'), { 'if-match': '5' })).status).toBe(400);
  });

  test('with dryRun says what would happen and writes nothing', async () => {
    const order = await checkOut(service);
    const before = await service.books();
    const { status, body, headers } = await event(order.id, captured('pay_dry'), {}, '?dryRun=true');
    expect(status).toBe(200);
    expect(Object.keys(body)).toEqual(
      expect.arrayContaining(['verdict', 'from', 'to', 'version', 'diff', 'effects', 'wakeAt', 'legalEvents']),
    );
    expect(body).toMatchObject({ verdict: 'applied', from: 'created', to: 'subscribed', version: 4 });
    expect(body.diff.length).toBeGreaterThan(0);
    expect(headers.get('etag')).toBeNull();
    const refund = await service.call('POST', `/v1/orders/${order.id}/refund?dryRun=true`, { body: { reason: 'x' } });
    expect(refund).toMatchObject({ status: 200, body: { verdict: 'illegal' } });
    expect(await service.books()).toBe(before);
  });

  test('that asks for what the order cannot do is 409 and names what it can', async () => {
    const order = await checkOut(service);
    const before = await service.books();
    const answer = await event(order.id, { type: 'refund.requested', reason: 'no' });
    expect(answer).toMatchObject({
      status: 409,
      body: { code: 'illegal_event', order: { id: order.id, state: 'created', version: 2 } },
    });
    expect(answer.body.legalEvents).toEqual(Object.keys(sendableEvents).filter(type => !/refund.req|retry/.test(type)));
    expect(answer.body.detail).toContain('cancel.requested');
    expect(await service.books()).toBe(before);
  });
});

describe('what people ask of an order', () => {
  test('cancel is the merchant’s, once', async () => {
    const order = await checkOut(service);
    const cancel = () =>
      service.call('POST', `/v1/orders/${order.id}/cancel`, { key: API_KEY, body: { reason: 'bored' } });
    expect(await cancel()).toMatchObject({ status: 200, body: { verdict: 'applied', order: { state: 'failed' } } });
    await event(order.id, captured('pay_after_cancel'));
    expect(await cancel()).toMatchObject({ status: 409, body: { code: 'illegal_event' } });
  });

  test('refund is the operator’s and leaves an effect', async () => {
    const order = await checkOut(service);
    await event(order.id, captured('pay_back'));
    const refund = (key: string) =>
      service.call('POST', `/v1/orders/${order.id}/refund`, { key, body: { reason: 'unhappy', amountMinor: 100 } });
    expect((await refund(API_KEY)).status).toBe(403);
    expect(await refund(ADMIN_KEY)).toMatchObject({ status: 200, body: { verdict: 'applied' } });
    const { body } = await service.call('GET', `/v1/orders/${order.id}/timeline`);
    expect(body.effects.map((effect: { effect: string }) => effect.effect)).toContain('refund');
  });

  test('retry of an order that is stuck on nothing is 409 nothing_to_retry', async () => {
    const order = await checkOut(service);
    const answer = await service.call('POST', `/v1/orders/${order.id}/retry`, { body: { reason: 'hope' } });
    expect(answer).toMatchObject({ status: 409, body: { code: 'nothing_to_retry', order: { state: 'created' } } });
    expect(answer.body.legalEvents).not.toContain('retry.requested');
  });

  test('retry gives the grant that could not be written', async () => {
    const { sql } = service.world;
    const order = await checkOut(service, { userId: 'unlucky' });
    await sql`alter table grants add constraint no_luck check (user_id <> 'unlucky') not valid`;
    await event(order.id, captured('pay_stuck'));
    const stuck = (await service.call('GET', `/v1/orders/${order.id}`)).body;
    expect(stuck).toMatchObject({ state: 'captured', stuck: { cause: 'grant_failed' } });
    expect(stuck.legalEvents).toContain('retry.requested');
    await sql`alter table grants drop constraint no_luck`;
    const retried = await service.call('POST', `/v1/orders/${order.id}/retry`, { body: { reason: 'mended' } });
    expect(retried).toMatchObject({ status: 200, body: { verdict: 'applied', order: { state: 'subscribed' } } });
  });
});

describe('users', () => {
  test('strangers have no access and an answer', async () => {
    const { status, body } = await service.call('GET', '/v1/users/nobody@shop.test/access?product=pro', {
      key: API_KEY,
    });
    expect(status).toBe(200);
    expect(body).toEqual({
      access: false,
      product: 'pro',
      until: null,
      graceUntil: null,
      reason: 'never_paid',
      grants: [],
    });
    expect((await service.call('GET', '/v1/users/nobody/subscriptions')).body).toEqual({ subscriptions: [] });
  });

  test('have access from the grant to the end of grace, at any instant asked for', async () => {
    const order = await checkOut(service);
    await event(order.id, captured('pay_access'));
    const at = async (instant: string) =>
      (await service.call('GET', `/v1/users/${order.userId}/access?product=pro&at=${encodeURIComponent(instant)}`))
        .body;
    expect(await at('2026-01-31T15:29:59+05:30')).toMatchObject({ access: false });
    expect(await at('2026-01-31T15:30:00+05:30')).toMatchObject({ access: true, reason: 'active' });
    expect(await at('2026-02-28T10:00:00Z')).toMatchObject({ access: true, reason: 'in_grace' });
    expect(await at('2026-03-03T10:00:00Z')).toMatchObject({ access: false, reason: 'expired' });
    const { body } = await service.call('GET', `/v1/users/${order.userId}/subscriptions`, { key: API_KEY });
    expect(body.subscriptions).toMatchObject([
      { userId: order.userId, product: 'pro', endsAt: '2026-02-28T10:00:00.000Z', cancelAtEnd: false },
    ]);
  });
});

describe('plans', () => {
  test('are set by the operator and read by the merchant', async () => {
    const put = await service.call('PUT', '/v1/plans/yearly', { body: { ...PLAN, period: { days: 365 } } });
    expect(put).toMatchObject({
      status: 200,
      body: { ...PLAN, id: 'yearly', period: { days: 365 }, trialDays: 0, surplusPolicy: 'refund' },
    });
    const { body } = await service.call('GET', '/v1/plans', { key: API_KEY });
    expect(body.plans).toContainEqual(put.body);
  });
});
