// What was received and belongs to no order is not hidden: an operator lists it, page by page.
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createHoldOff } from '../src/sweeper/holdOff.ts';
import { retryUnmatched } from '../src/sweeper/unmatchedEvents.ts';
import { API_KEY, type Json, PLAN, type Service, startService } from './support/httpService.ts';

let service: Service;
beforeAll(async () => {
  service = await startService();
});
afterAll(() => service.close());

const data = (providerOrderId: string) => ({
  providerOrderId,
  paymentId: `pay_${providerOrderId}`,
  amountMinor: 49_900,
  currency: 'INR',
});
const paid = (providerOrderId: string, id: string) =>
  service.webhook({ type: 'payment.captured', data: data(providerOrderId) }, { id });
const list = async (query: string) => (await service.call('GET', `/v1/events?${query}`)).body;
const keysOf = (page: Json) => page.events.map((event: Json) => event.eventKey);
const sweep = (iso: string) => {
  service.world.clock.set(iso);
  const { world } = service;
  const log = pino({ level: 'silent' });
  return retryUnmatched({ ...world, providers: new Map(), log, holdOff: createHoldOff(world.clock) });
};

describe('kept events', () => {
  test('are listed by their verdict with when they are tried again, newest first and page by page', async () => {
    const start = service.world.clock().getTime();
    for (let n = 0; n < 5; n++) {
      service.world.clock.set(new Date(start + n * 1_000).toISOString());
      expect((await paid(`sbo_nobody_${n}`, `evt_list_${n}`)).body).toMatchObject({
        verdict: 'unmatched',
        orderId: null,
      });
    }
    const first = await list('verdict=unmatched&limit=2');
    expect(keysOf(first)).toEqual(['evt_list_4', 'evt_list_3']);
    expect(first.events[0]).toEqual({
      provider: 'sandbox',
      eventKey: 'evt_list_4',
      type: 'payment.captured',
      verdict: 'unmatched',
      detail: 'no order is known as sbo_nobody_4 at sandbox',
      orderId: null,
      mark: null,
      providerOrderId: 'sbo_nobody_4',
      receivedAt: new Date(start + 4_000).toISOString(),
      attempts: 0,
      nextAttemptAt: new Date(start + 14_000).toISOString(),
      deliveries: 1,
    });
    const second = await list(`verdict=unmatched&limit=2&cursor=${first.nextCursor}`);
    const third = await list(`verdict=unmatched&limit=2&cursor=${second.nextCursor}`);
    expect([...keysOf(second), ...keysOf(third)]).toEqual(['evt_list_2', 'evt_list_1', 'evt_list_0']);
    expect(third.nextCursor).toBeNull();
    expect(await list('verdict=foreign')).toEqual({ events: [], nextCursor: null });
    expect(await list('verdict=parked')).toEqual({ events: [], nextCursor: null });
  });

  test('move from one list to the other, and out of both into the timeline of their order', async () => {
    await sweep('2026-01-31T11:00:00.000Z');
    expect(keysOf(await list('verdict=unmatched'))).toEqual([]);
    const [foreign] = (await list('verdict=foreign&limit=1')).events;
    expect(foreign).toMatchObject({ eventKey: 'evt_list_4', attempts: 1, nextAttemptAt: null });
    // A checkout whose provider does not answer: the order is there, and its payment is told before it is opened.
    await service.call('PUT', '/v1/plans/pro-monthly', { body: PLAN });
    const body = { userId: 'early-buyer', planId: 'pro-monthly', provider: 'sandbox' };
    const checkOut = () =>
      service.call('POST', '/v1/checkouts', { body, headers: { 'idempotency-key': 'early-checkout' } });
    service.sandbox.mood = 'down';
    expect((await checkOut()).status).toBe(503);
    const { id } = (await service.call('GET', '/v1/orders?userId=early-buyer')).body.orders[0];
    await paid(`sbo_${id.slice(4)}`, 'evt_early');
    expect(keysOf(await list('verdict=unmatched'))).toEqual(['evt_early']);
    await sweep('2026-01-31T11:20:00.000Z');
    expect(keysOf(await list('verdict=foreign&limit=1'))).toEqual(['evt_early']);
    service.sandbox.mood = 'well';
    expect((await checkOut()).body.order).toMatchObject({ id, state: 'subscribed' });
    expect(keysOf(await list('verdict=foreign'))).not.toContain('evt_early');
    const { received } = (await service.call('GET', `/v1/orders/${id}/timeline`)).body;
    expect(received).toMatchObject([{ eventKey: 'evt_early', verdict: 'applied', deliveries: 1 }]);
  });

  test('are not for a merchant’s key, and a wrong question is told what would be right', async () => {
    const asMerchant = await service.call('GET', '/v1/events?verdict=unmatched', { key: API_KEY });
    expect(asMerchant.status).toBe(403);
    for (const [query, said] of [
      ['', 'verdict'],
      ['verdict=applied', '"unmatched" or "foreign" or "parked"'],
      ['verdict=parked&limit=201', 'limit must be at most 200'],
      ['verdict=parked&cursor=%20', 'nextCursor'],
      ['verdict=parked&cursor=bm9wZQ', 'nextCursor'],
      ['verdict=parked&cursor=c2FuZGJveDoA', 'nextCursor'],
    ]) {
      const answer = await service.call('GET', `/v1/events?${query}`);
      expect(answer.status, query).toBe(400);
      expect(answer.body.detail).toContain(said);
    }
  });
});
