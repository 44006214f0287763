// The nastiest cases, last part: repair that meets reality. Case 15, as far as retries, bulk retries and effects go: what
// was looked at may be over by the time it is acted on, and acting on it must not make it worse.
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { expectNoLastGuard, expectSoundBooks } from './support/databaseChecks.ts';
import type { Json } from './support/httpService.ts';
import type { Opened } from './support/providerService.ts';
import { startWholeService, type WholeService } from './support/wholeService.ts';

const MINUTE = 60_000;
const DAY = 86_400_000;

let service: WholeService;
beforeAll(async () => {
  service = await startWholeService({ at: '2026-03-10T09:00:00.000Z' });
});
afterEach(() => expectSoundBooks(service.world.sql));
afterAll(async () => {
  await expectNoLastGuard(service.world.sql);
  await service?.close();
});

const retry = (id: string, headers: Record<string, string> = {}) =>
  service.call('POST', `/v1/orders/${id}/retry`, { reason: 'mended' }, headers);
const stateOf = async ({ id }: { id: string }) => (await service.order(id)).state;
const there = (paymentId: string) => service.dashboard('GET', `/payments/${paymentId}`);
const effectsOf = async ({ id }: { id: string }, effect: string) =>
  (await service.timeline(id)).effects.filter((row: Json) => row.effect === effect);
const granted = async ({ id }: { id: string }) =>
  (await service.timeline(id)).transitions.filter(({ type }: Json) => type === 'grant.recorded').length;
async function tellNow(order: Opened) {
  for (const { webhookId, status } of await service.webhooks(order)) {
    if (status === 'pending') await service.deliver(webhookId);
  }
}

/** Paid orders of users without luck, and how to take the cause away. */
async function paidAndStuck(count: number): Promise<{ orders: Opened[]; mend(): Promise<void> }> {
  const { sql } = service.world;
  await sql`alter table grants add constraint no_luck check (user_id not like 'unlucky%') not valid`;
  const orders: Opened[] = [];
  for (let n = 0; n < count; n++) {
    const order = await service.buy({ userId: `unlucky-${service.world.newId('req')}` });
    await service.pay(order);
    await tellNow(order);
    expect(await service.order(order.id)).toMatchObject({ state: 'captured', stuck: { cause: 'grant_failed' } });
    orders.push(order);
  }
  return {
    orders,
    async mend() {
      await sql`alter table grants drop constraint no_luck`;
    },
  };
}

describe('case 15: repair races reality', () => {
  test('a plan that was looked at is refused once the order has moved: nothing is done twice, nothing half', async () => {
    const { orders, mend } = await paidAndStuck(1);
    const [order] = orders as [Opened];
    const seen = await service.call('POST', `/v1/orders/${order.id}/retry?dryRun=true`, { reason: 'look' });
    expect(seen.body).toMatchObject({ refused: null, would: [{ what: 'grant' }] });
    const { version } = await service.order(order.id);
    await mend();
    // Meanwhile the sweeper comes to it by itself.
    await service.travel(3 * MINUTE);
    expect(await stateOf(order)).toBe('subscribed');
    expect(await retry(order.id, { 'if-match': `"${version}"` })).toMatchObject({ status: 412 });
    expect(await retry(order.id)).toMatchObject({ status: 409, body: { code: 'nothing_to_retry' } });
    expect(await granted(order)).toBe(1);
    expect((await service.access(order.userId)).grants).toHaveLength(1);
  });

  test('retry by hand, retry in bulk, the sweeper and the webhook at the same instant grant it once', async () => {
    const { orders, mend } = await paidAndStuck(4);
    await mend();
    service.world.clock.set(new Date(service.now().getTime() + 3 * MINUTE).toISOString());
    const told = await Promise.all(orders.map(order => service.webhooks(order)));
    const answers = await Promise.all([
      service.settle().then(() => ({ status: 200 })),
      ...orders.map(order => retry(order.id)),
      service.call('POST', '/v1/retry?cause=grant_failed', { reason: 'rule removed' }),
      ...told.flat().map(({ webhookId }) => service.deliver(webhookId).then(() => ({ status: 200 }))),
    ]);
    expect(answers.map(({ status }) => status).filter(status => ![200, 409].includes(status))).toEqual([]);
    for (const order of orders) {
      expect(await service.order(order.id)).toMatchObject({ state: 'subscribed', stuck: null });
      expect(await granted(order)).toBe(1);
      expect(await effectsOf(order, 'notify')).toHaveLength(1);
    }
  });

  test('in bulk each order has its own result: one that cannot be mended holds up no other', async () => {
    const { orders, mend } = await paidAndStuck(3);
    const [broken, ...others] = orders as [Opened, ...Opened[]];
    const { sql } = service.world;
    await mend();
    await sql.unsafe(`alter table grants add constraint still_no_luck check (user_id <> '${broken.userId}') not valid`);
    const { status, body } = await service.call('POST', '/v1/retry?cause=grant_failed', { reason: 'rule removed' });
    expect(status).toBe(200);
    expect(body.results.map(({ orderId }: Json) => orderId).sort()).toEqual(orders.map(({ id }) => id).sort());
    expect(await Promise.all(others.map(stateOf))).toEqual(['subscribed', 'subscribed']);
    expect(await service.order(broken.id)).toMatchObject({ state: 'captured', stuck: { cause: 'grant_failed' } });
    await sql`alter table grants drop constraint still_no_luck`;
    await service.travel(20 * MINUTE);
    expect(await stateOf(broken)).toBe('subscribed');
    expect(await granted(broken)).toBe(1);
  });

  test('the second completion of an order is made good without touching the first: only the surplus goes back', async () => {
    const order = await service.buy();
    const first = await service.pay(order);
    const second = await service.pay(order);
    // Both are told at once, by both ways; whichever is later is the surplus.
    await Promise.all([
      tellNow(order),
      service.comeBack(order, first),
      service.comeBack(order, second),
      service.comeBack(order, second),
    ]);
    await service.settle();
    await service.travel(DAY);
    const held = await Promise.all([first, second].map(async id => (await there(id)).heldMinor));
    expect(held.sort()).toEqual([0, 49_900]);
    const { grant } = await service.timeline(order.id);
    expect(await there(grant.paymentId)).toMatchObject({ heldMinor: 49_900, refunds: [] });
    expect(await stateOf(order)).toBe('subscribed');
    expect(await service.access(order.userId)).toMatchObject({ access: true, grants: [{ orderId: order.id }] });
  });

  test('an effect of yesterday’s decision looks at today: a capture finds the order given up, and takes nothing', async () => {
    const order = await service.buy();
    const paymentId = await service.pay(order, 'authorize-only');
    await tellNow(order);
    expect(await effectsOf(order, 'capture')).toMatchObject([{ status: 'pending' }]);
    const asked = await service.call('POST', `/v1/orders/${order.id}/cancel`, { reason: 'changed my mind' });
    expect(asked.status).toBe(200);
    await service.settle();
    await service.travel(DAY);
    expect(await there(paymentId)).toMatchObject({ state: 'canceled', heldMinor: 0 });
    expect(await stateOf(order)).toBe('failed');
    expect(await service.access(order.userId)).toMatchObject({ access: false });
  });

  test('a dead effect that is run again keeps its key: what the provider had done already is not done twice', async () => {
    const order = await service.buy();
    const paymentId = await service.pay(order);
    await service.settle();
    await service.call('POST', `/v1/orders/${order.id}/refund`, { reason: 'asked for it' });
    // The refund goes through, and from then on nobody hears from the sandbox until the worker gives up.
    service.gate.webhooks = 'lose';
    service.gate.lists = 'rest';
    service.proxy.faults.push({ to: /^POST .*\/refunds$/, fault: 'lost' });
    await service.settle();
    service.proxy.plan = [{ share: 1, fault: 500 }];
    await service.travel(2 * DAY);
    expect(await service.order(order.id)).toMatchObject({ state: 'subscribed', stuck: { cause: 'effect_dead' } });
    const [dead] = await effectsOf(order, 'refund');
    expect(dead).toMatchObject({ status: 'dead' });
    service.proxy.plan = [];
    const answers = await Promise.all([retry(order.id), retry(order.id)]);
    // Whoever is second is told that it was done meanwhile, or that there is nothing left to do.
    for (const { status } of answers) expect([200, 409]).toContain(status);
    expect(answers.filter(({ body }) => body.verdict === 'applied')).toHaveLength(1);
    await service.settle();
    service.gate.webhooks = 'pass';
    service.gate.lists = 'read';
    await service.settle();
    expect((await there(paymentId)).refunds).toHaveLength(1);
    expect(await effectsOf(order, 'refund')).toMatchObject([{ dedupKey: dead.dedupKey, status: 'done' }]);
    expect(await service.order(order.id)).toMatchObject({ state: 'refunded', stuck: null });
  });

  test('young orders are left in peace: in their first minutes nobody is told of them', async () => {
    await service.settle();
    const before = service.operators.calls.length;
    const orders: Opened[] = [];
    for (let n = 0; n < 20; n++) orders.push(await service.buy());
    await service.pay(orders[0] as Opened, 'authorize-only');
    await service.pay(orders[1] as Opened, 'fail');
    await service.pay(orders[2] as Opened);
    await service.travel(MINUTE);
    expect(service.operators.calls).toHaveLength(before);
    const { orders: stuck } = (await service.call('GET', '/v1/orders?stuck=true')).body;
    expect(stuck).toEqual([]);
  });
});
