// What people tell by hand: it stands in the order's timeline whatever became of it, and a dry run decides it where it would
// be decided in earnest, on the order that owns the payment.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { checkOut, PLAN, type Service, startService } from './support/httpService.ts';

let service: Service;
beforeAll(async () => {
  service = await startService();
});
afterAll(() => service.close());

const tell = (id: string, body: Record<string, unknown>, headers: Record<string, string> = {}, query = '') =>
  service.call('POST', `/v1/orders/${id}/events${query}`, { body, headers });
const receivedOf = async (id: string) => (await service.call('GET', `/v1/orders/${id}/timeline`)).body.received;
const capture = (paymentId: string) => ({
  type: 'payment.captured',
  paymentId,
  amountMinor: PLAN.amountMinor,
  currency: 'INR',
});
const refund = (paymentId: string) => ({
  type: 'refund.updated',
  paymentId,
  refundId: `rf_${paymentId}`,
  state: 'completed',
  amountMinor: PLAN.amountMinor,
});
async function paid(paymentId: string) {
  const order = await checkOut(service);
  expect((await tell(order.id, capture(paymentId))).body.verdict).toBe('applied');
  return order;
}

describe('a fact that changed nothing', () => {
  test('stands in the timeline with its verdict, once a key', async () => {
    const { id } = await paid('pay_known');
    expect(await receivedOf(id)).toEqual([]);
    for (const _ of [1, 2])
      expect((await tell(id, capture('pay_known'), { 'idempotency-key': 'told-1' })).body.verdict).toBe('duplicate');
    expect((await tell(id, { type: 'payment.failed', paymentId: 'pay_late' })).body.verdict).toBe('stale');
    const received: { type: string }[] = await receivedOf(id);
    expect(received.toSorted((a, b) => (a.type < b.type ? -1 : 1))).toMatchObject([
      { provider: 'sandbox', type: 'payment.captured', verdict: 'duplicate', deliveries: 2, appliedVersion: null },
      { provider: 'sandbox', type: 'payment.failed', verdict: 'stale', deliveries: 1 },
    ]);
  });

  test('under a key that another order was told under says nothing of that one', async () => {
    const [one, two] = [await paid('pay_one'), await paid('pay_two')];
    const headers = { 'idempotency-key': 'the-same' };
    expect((await tell(one.id, capture('pay_one'), headers)).body.verdict).toBe('duplicate');
    const answer = await tell(two.id, refund('pay_two'), headers);
    expect(answer.body).toMatchObject({ verdict: 'applied', order: { id: two.id, state: 'refunded' } });
  });

  test('leaves the key free: what comes under it later is decided for itself', async () => {
    const { id } = await checkOut(service);
    const headers = { 'idempotency-key': `later-${id}` };
    await tell(id, { type: 'cancel.requested', reason: 'changed their mind' });
    expect((await tell(id, { type: 'payment.canceled' }, headers)).body.verdict).toBe('stale');
    expect((await tell(id, capture('pay_later'), headers)).body).toMatchObject({ verdict: 'applied' });
  });

  test('a request that is heard and needless says who asked and why', async () => {
    const { id } = await checkOut(service);
    const cancel = async (by: string) =>
      (await tell(id, { type: 'cancel.requested', reason: 'tidying up', by })).body.verdict;
    while ((await cancel('ada')) === 'applied');
    expect(await cancel('grace')).toBe('duplicate');
    const told = (await receivedOf(id)).map((row: { detail: string }) => row.detail);
    expect(told).toHaveLength(2);
    expect(told).toContainEqual(expect.stringMatching(/ada asked: “tidying up”$/));
    expect(told).toContainEqual(expect.stringMatching(/grace asked: “tidying up”$/));
  });
});

test('a retry of several orders under one key is noted with each, with who asked and why', async () => {
  const { sql } = service.world;
  const orders = [await checkOut(service), await checkOut(service)];
  for (const { id } of orders) {
    await sql`update orders set machine = 'order.v0' where id = ${id}`;
    expect((await tell(id, capture(`pay_kept_${id}`))).body.verdict).toBe('parked');
    await sql`update orders set machine = 'order.v1' where id = ${id}`;
  }
  const headers = { 'idempotency-key': 'one-retry-of-all' };
  for (const { id } of orders) {
    const body = { reason: 'the chart is back', by: 'grace' };
    expect((await service.call('POST', `/v1/orders/${id}/retry`, { body, headers })).body.verdict).toBe('applied');
    const notes = (await receivedOf(id)).filter((row: { type: string }) => row.type === 'retry.requested');
    expect(notes).toMatchObject([
      { detail: expect.stringMatching(/^grace: the chart is back \(decided again: event /) },
    ]);
  }
});

describe('money that goes back is the business of the order that owns the payment', () => {
  test('a dry run says on which order it would be decided, and what would come of it there', async () => {
    const [owner, other] = [await paid('pay_owned'), await checkOut(service)];
    const before = await service.books();
    const dry = await tell(other.id, refund('pay_owned'), {}, '?dryRun=true');
    expect(dry.body).toMatchObject({ orderId: owner.id, verdict: 'applied', from: 'subscribed', to: 'refunded' });
    expect((await tell(owner.id, refund('pay_owned'), {}, '?dryRun=true')).body).toEqual(dry.body);
    expect((await tell(other.id, capture('pay_owned'), {}, '?dryRun=true')).body).toMatchObject({
      orderId: other.id,
      verdict: 'mismatch',
    });
    expect(await service.books()).toBe(before);
  });

  test('and If-Match is about the order that is named, beforehand and in earnest', async () => {
    const [owner, other] = [await paid('pay_matched'), await checkOut(service)];
    const at = (version: number) => ({ 'if-match': `"${version}"` });
    for (const query of ['?dryRun=true', '']) {
      expect((await tell(other.id, refund('pay_matched'), at(7), query)).status, query).toBe(412);
      expect((await tell(other.id, refund('pay_matched'), at(2), query)).body.verdict, query).toBe('applied');
    }
    expect((await service.call('GET', `/v1/orders/${owner.id}`)).body.state).toBe('refunded');
    expect((await service.call('GET', `/v1/orders/${other.id}`)).body).toMatchObject({ state: 'created', version: 2 });
  });
});
