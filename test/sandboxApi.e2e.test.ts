// The sandbox's API for the service: what it allows, what it refuses, and how often it may be asked.
import { describe, expect, it } from 'vitest';
import { apiKey, type Json, secret, useSandbox } from './support/sandboxRig.ts';

const rig = useSandbox();
const { api, open, provider, received, request, scenario, types } = rig;

describe('the API', () => {
  it('is closed to whoever lacks the key', async () => {
    for (const authorization of ['', 'Bearer ', `Bearer ${'0'.repeat(64)}`, apiKey, `Bearer ${secret}`]) {
      const response = await fetch(`${rig.server.url}/api/payments`, { headers: { authorization } });
      expect(response.status).toBe(401);
    }
    expect((await fetch(`${rig.server.url}/health`)).status).toBe(200);
  });

  it('captures and voids what is authorised, as often as it is asked', async () => {
    const id = await open();
    const [one, two] = [await scenario(id, 'authorize-only'), await scenario(id, 'authorize-only')];
    const [taken, given] = [one.payments[0].paymentId, two.payments[0].paymentId];
    for (let times = 0; times < 2; times++) {
      expect(await api('POST', `/payments/${taken}/capture`)).toMatchObject({
        status: 200,
        json: { state: 'captured' },
      });
      expect(await api('POST', `/payments/${given}/void`)).toMatchObject({ status: 200, json: { state: 'canceled' } });
    }
    expect((await api('POST', `/payments/${taken}/void`)).status).toBe(409);
    expect((await api('POST', `/payments/${given}/capture`)).status).toBe(409);
    await received(4);
    expect(types().slice(2).sort()).toEqual(['payment.canceled', 'payment.captured']);
    expect(await provider().fetchPayment(given)).toMatchObject({ state: 'canceled', paymentId: given });
  });

  it('refunds up to what is held, once per key', async () => {
    const { payments } = await scenario(await open(), 'succeed');
    const path = `/payments/${payments[0].paymentId}/refunds`;
    expect((await api('POST', path, { amountMinor: 1 })).status).toBe(400);
    const first = await api('POST', path, { amountMinor: 40000 }, 'r1');
    expect(first).toMatchObject({ status: 200, json: { state: 'completed', amountMinor: 40000 } });
    expect(await api('POST', path, { amountMinor: 40000 }, 'r1')).toEqual(first);
    expect(await api('POST', path, { amountMinor: 1 }, 'r1')).toMatchObject({ status: 422 });
    expect(await api('POST', path, { amountMinor: 9901 }, 'r2')).toMatchObject({ status: 422 });
    expect(await api('POST', path, { amountMinor: 0.5 }, 'r2')).toMatchObject({ status: 400 });
    expect(await api('POST', path, undefined, 'r2')).toMatchObject({ status: 200, json: { amountMinor: 9900 } });
    expect(await api('POST', path, undefined, 'r3')).toMatchObject({ status: 422, json: { code: 'refund_too_large' } });
  });

  it('lists payments in pages along their changes', async () => {
    const id = await open();
    const made: string[] = [];
    for (let count = 0; count < 5; count++) made.push((await scenario(id, 'authorize-only')).payments[0].paymentId);
    const first = (await api('GET', '/payments?limit=2')).json;
    expect(first.payments.map((payment: Json) => payment.paymentId)).toEqual(made.slice(0, 2));
    await api('POST', `/payments/${made[0]}/capture`);
    const rest = (await api('GET', `/payments?limit=10&cursor=${first.nextCursor}`)).json;
    expect(rest.payments.map((payment: Json) => payment.paymentId)).toEqual([...made.slice(2), made[0]]);
    expect(rest.nextCursor).toBeNull();
    const since = encodeURIComponent(rest.payments.at(-1).updatedAt);
    expect((await api('GET', `/payments?since=${since}`)).json.payments).toMatchObject([{ paymentId: made[0] }]);
    for (const query of ['limit=0', 'limit=201', 'limit=x', 'since=yesterday', 'cursor=-1']) {
      expect((await api('GET', `/payments?${query}`)).status).toBe(400);
    }
  });

  it('finds an order by the service’s id and closes it while nothing is held', async () => {
    const id = await open();
    expect((await api('GET', '/orders?orderId=ord_1')).json.orders).toMatchObject([
      { providerOrderId: id, status: 'open' },
    ]);
    expect((await api('GET', '/orders?orderId=ord_9')).json.orders).toEqual([]);
    for (let times = 0; times < 2; times++) {
      expect(await api('POST', `/orders/${id}/close`)).toMatchObject({ status: 200, json: { status: 'closed' } });
    }
    await scenario(id, 'succeed');
    expect((await api('GET', `/orders/${id}`)).json.status).toBe('paid');
    expect((await api('POST', `/orders/${await open({ orderId: 'ord_2' })}/close`)).status).toBe(200);
    const held = await open({ orderId: 'ord_3' });
    await scenario(held, 'authorize-only');
    expect((await api('POST', `/orders/${held}/close`)).status).toBe(409);
  });

  it('answers nonsense with a reason and goes on', async () => {
    const bad = [
      request({ amountMinor: 0 }),
      request({ amountMinor: 1.5 }),
      request({ currency: 'inr' }),
      request({ callbackUrl: 'javascript:alert(1)' }),
      request({ orderId: 'x y' }),
      [],
      null,
    ];
    for (const body of bad) expect(await api('POST', '/orders', body, 'ord_1')).toMatchObject({ status: 400 });
    expect(await api('POST', '/orders', request(), 'ord_other')).toMatchObject({ status: 400 });
    expect(await api('POST', '/orders', { ...request(), more: 'x'.repeat(20_000) }, 'ord_1')).toMatchObject({
      status: 413,
    });
    expect(await api('GET', '/nothing')).toMatchObject({ status: 404, json: { code: 'not_found' } });
    expect(await open()).toMatch(/^sbo_/);
  });

  it('takes a bounded number of payments per order', async () => {
    await api('POST', '/webhooks/pause');
    const id = await open();
    for (let count = 0; count < 50; count++) await scenario(id, 'pay-twice');
    expect(await api('POST', `/orders/${id}/scenarios/succeed`)).toMatchObject({ status: 409 });
    expect((await api('GET', `/orders/${id}`)).json.payments).toHaveLength(100);
  });
});
