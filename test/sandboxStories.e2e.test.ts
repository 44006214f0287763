// What service and sandbox tell each other: orders, callbacks, and every story over real HTTP.
import { describe, expect, it } from 'vitest';
import { BadSignature, ProviderRefused, ProviderUnreachable } from '../src/errors.ts';
import { PAY_SCENARIOS } from '../src/providers/sandbox/serverScenarios.ts';
import { type Json, timing, useSandbox } from './support/sandboxRig.ts';

const rig = useSandbox();
const { allDelivered, api, bodies, open, provider, received, request, scenario, start, types, webhooks } = rig;

describe('the service and the sandbox', () => {
  it('agree on an order, and on it being one however often it is asked for', async () => {
    const [first, second] = await Promise.all([
      provider().createCheckout(request()),
      provider().createCheckout(request()),
    ]);
    expect(first).toEqual(second);
    expect(first.providerOrderId).toMatch(/^sbo_[0-9a-z]+$/);
    expect(first.url).toBe(`${rig.server.url}/pay/${first.providerOrderId}`);
    await expect(provider().createCheckout(request({ amountMinor: 1 }))).rejects.toThrow(ProviderRefused);
    const moved = await provider().createCheckout(request({ callbackUrl: 'http://elsewhere.test/' }));
    expect(moved.providerOrderId).toBe(first.providerOrderId);
  });

  it('agree on the payment when the browser comes back', async () => {
    const id = await open();
    const { callback, payments } = await scenario(id, 'succeed');
    const call = {
      body: Buffer.from(JSON.stringify(callback)),
      headers: {},
      query: {},
      rawQuery: '',
      contentType: 'application/json',
      kind: null,
    };
    const event = {
      type: 'payment.captured',
      paymentId: payments[0].paymentId,
      amountMinor: 49900,
      currency: 'INR',
      occurredAt: payments[0].occurredAt,
    };
    expect(await provider().parseCallback(call)).toMatchObject({ providerOrderId: id, event });
    await received(1);
    // The webhook says the very same thing: time and all.
    expect(provider().parseWebhook(rig.receiver.calls[0]!)).toMatchObject({ providerOrderId: id, event });
  });

  it('do not agree on payments of other orders or on unknown ones', async () => {
    const [one, two] = [await open(), await open({ orderId: 'ord_2' })];
    const { callback } = await scenario(one, 'succeed');
    const swapped = { ...callback, providerOrderId: two };
    const call = { body: Buffer.from(''), headers: {}, query: swapped, rawQuery: '', contentType: '', kind: null };
    await expect(provider().parseCallback(call)).rejects.toThrow(BadSignature);
    await expect(provider().fetchPayment('pay_nobody')).rejects.toThrow(ProviderRefused);
  });

  it('know that no answer is not a no', async () => {
    const away = provider();
    await rig.server.close();
    await expect(away.createCheckout(request())).rejects.toThrow(ProviderUnreachable);
    await start();
  });
});

describe('each story', () => {
  it.each([
    ['succeed', ['captured'], ['payment.captured']],
    ['fail', ['failed'], ['payment.failed']],
    ['fail-then-succeed', ['failed', 'captured'], ['payment.failed', 'payment.captured']],
    ['pay-twice', ['captured', 'captured'], ['payment.captured', 'payment.captured']],
    ['wrong-amount', ['captured'], ['payment.captured']],
    ['authorize-only', ['authorized'], ['payment.authorized']],
    ['webhook-first', ['captured'], ['payment.captured']],
    ['webhook-twice', ['captured'], ['payment.captured', 'payment.captured']],
    ['callback-never', ['captured'], ['payment.captured']],
  ])('%s: payments %j, webhooks %j', async (name, states, expected) => {
    const id = await open();
    const { payments, callback } = await scenario(id, name);
    expect(payments.map((payment: Json) => payment.state)).toEqual(states);
    expect(callback).toMatchObject({ providerOrderId: id, paymentId: payments.at(-1).paymentId });
    const amounts = payments.map((payment: Json) => payment.amountMinor);
    expect(amounts).toEqual(states.map(() => (name === 'wrong-amount' ? 24950 : 49900)));
    await received(expected.length);
    await allDelivered();
    expect(types()).toEqual(expected);
    for (const call of rig.receiver.calls) expect(provider().parseWebhook(call).event).not.toBeNull();
    const ids = new Set(rig.receiver.calls.map(call => call.headers['webhook-id']));
    expect(ids.size).toBe(name === 'webhook-twice' ? 1 : expected.length);
  });

  it('has a test or a place in the table above', () => {
    const elsewhere = ['webhook-late', 'webhook-never'];
    expect(PAY_SCENARIOS.size).toBe(9 + elsewhere.length);
  });

  it('webhook-first answers only once the webhook was answered', async () => {
    const id = await open();
    let answer = (_status: number) => {};
    rig.receiver.answers.push(new Promise(resolve => (answer = resolve)));
    let finished = false;
    const story = scenario(id, 'webhook-first').finally(() => (finished = true));
    await received(1);
    // A full round trip to the server in between: had it answered, we would know.
    await webhooks();
    expect(finished).toBe(false);
    answer(200);
    await story;
  });

  it('fail-then-succeed tells of the success only after the failure was told', async () => {
    const id = await open();
    let answer = (_status: number) => {};
    rig.receiver.answers.push(new Promise(resolve => (answer = resolve)));
    await scenario(id, 'fail-then-succeed');
    await received(1);
    await webhooks();
    expect(types()).toEqual(['payment.failed']);
    answer(500);
    await received(3);
    await allDelivered();
    expect(types().slice(1).sort()).toEqual(['payment.captured', 'payment.failed']);
  });

  it('webhook-late is not due for a while, and can be hurried', async () => {
    await scenario(await open(), 'webhook-late');
    const [late] = await webhooks();
    expect(late).toMatchObject({ status: 'pending', attempts: 0 });
    expect(new Date(late.nextAttemptAt).getTime()).toBeGreaterThan(Date.now() + timing.lateMs / 2);
    expect((await api('POST', '/webhooks/flush')).json.sent).toEqual([
      { webhookId: late.webhookId, status: 'delivered', lastAnswer: '200' },
    ]);
    expect(types()).toEqual(['payment.captured']);
  });

  it('webhook-never is never sent, unless it is sent by name', async () => {
    await scenario(await open(), 'webhook-never');
    expect((await api('POST', '/webhooks/flush')).json.sent).toEqual([]);
    const [withheld] = await webhooks();
    expect(withheld.status).toBe('withheld');
    expect(rig.receiver.calls).toHaveLength(0);
    await api('POST', `/webhooks/${withheld.webhookId}/deliver`);
    expect(types()).toEqual(['payment.captured']);
  });

  it('is told once per key', async () => {
    const id = await open();
    const [first, second] = await Promise.all([scenario(id, 'pay-twice', 'k1'), scenario(id, 'pay-twice', 'k1')]);
    expect(second.payments).toEqual(first.payments);
    expect((await scenario(id, 'pay-twice', 'k2')).payments).not.toEqual(first.payments);
    expect((await api('GET', `/orders/${id}`)).json.payments).toHaveLength(4);
  });

  it('of money that was paid: refunds and disputes, each later than the one before even within one millisecond', async () => {
    await rig.server.close();
    const instant = new Date();
    await start({ clock: () => instant });
    const id = await open();
    const before = await api('POST', `/orders/${id}/scenarios/refund`);
    expect(before).toMatchObject({ status: 409, json: { code: 'not_captured' } });
    await scenario(id, 'succeed');
    await api('POST', '/webhooks/pause');
    const stories = ['partial-refund', 'refund', 'refund-fails', 'dispute-opened', 'dispute-lost', 'dispute-won'];
    const states: Json[] = [];
    for (const name of stories) states.push((await scenario(id, name)).payments[0]);
    expect(states.map(payment => payment.heldMinor)).toEqual([24950, 0, 24950, 24950, 24950, 24950]);
    expect(states.at(-1).disputes).toMatchObject([{ state: 'won', amountMinor: 49900 }]);
    const times = states.at(-1).refunds.map((refund: Json) => refund.occurredAt);
    expect(new Set(times).size).toBe(times.length);

    await api('POST', '/webhooks/flush');
    await allDelivered();
    const seen = bodies().slice(1);
    expect(seen.map(body => [body.type, body.data.amountMinor])).toEqual([
      ['refund.completed', 24950],
      ['refund.completed', 24950],
      ['refund.failed', 24950],
      ['dispute.opened', 49900],
      ['dispute.lost', 49900],
      ['dispute.won', 49900],
    ]);
    expect(seen[2].data.refundId).toBe(seen[1].data.refundId);
    expect(new Set(seen.slice(3).map(body => body.data.disputeId)).size).toBe(1);
    const timestamps = seen.map(body => body.timestamp);
    expect([...new Set(timestamps)].sort()).toEqual(timestamps);
    expect((await api('POST', `/orders/${id}/scenarios/nonsense`)).status).toBe(404);
  });
});
