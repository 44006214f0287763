// The life of an order paid by Stripe, through the HTTP API, a real database and the real SDK: told by webhooks of
// several types and by the browser in either order, twice, late, shuffled, and sent back.
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { dispute, invoice, refund } from './support/stripeFixtures.ts';
import type { StripeObject } from './support/stripeRules.ts';
import { type StripeService, startStripeService } from './support/stripeService.ts';

let service: StripeService;
beforeAll(async () => {
  service = await startStripeService();
});
afterAll(() => service?.close());

type Order = { id: string; providerOrderId: string };
type Way = 'webhook' | 'callback' | 'session' | 'poll';
const stateOf = async (id: string) => (await service.order(id)).state;
const webhook: StripeService['webhook'] = (...args) => service.webhook(...args);

const TYPES: Record<string, string> = {
  succeeded: 'payment_intent.succeeded',
  requires_payment_method: 'payment_intent.payment_failed',
  requires_capture: 'payment_intent.amount_capturable_updated',
  canceled: 'payment_intent.canceled',
  processing: 'payment_intent.processing',
};

async function hear({ id, providerOrderId }: Order, intent: StripeObject, ways: readonly Way[]): Promise<void> {
  for (const way of ways) {
    if (way === 'webhook') expect((await webhook(TYPES[intent.status]!, service.shown(intent))).status).toBe(200);
    if (way === 'callback') expect(await service.browser(providerOrderId)).toMatchObject({ status: 303 });
    if (way === 'session' && intent.status === 'succeeded') {
      const { intentData: _, ...session } = service.fake.state.sessions.get(providerOrderId)!;
      expect((await webhook('checkout.session.completed', session)).status).toBe(200);
    }
    if (way === 'poll') await poll({ id, providerOrderId });
  }
}

/** What the service would learn by asking, as reconciling does it. */
async function poll({ id, providerOrderId }: Order): Promise<void> {
  for (const payment of await service.provider.findPayments({ orderId: id, providerOrderId })) {
    const { paymentId, amountMinor, currency, refunds = [], state } = payment;
    const send = (event: Record<string, unknown>) => service.call('POST', `/v1/orders/${id}/events`, event);
    if (state === 'captured' || state === 'authorized')
      await send({ type: `payment.${state}`, paymentId, amountMinor, currency });
    else if (state !== 'pending') await send({ type: `payment.${state}`, paymentId });
    for (const refund of refunds) await send({ type: 'refund.updated', paymentId, ...refund });
  }
}

describe.each([
  ['the webhook first', ['webhook', 'session', 'callback']],
  ['the callback first', ['callback', 'webhook', 'session']],
  ['the session first', ['session', 'webhook']],
  ['the callback alone and a poll', ['callback', 'poll']],
  ['the poll alone', ['poll']],
] as const)('an order with %s', (_name, ways) => {
  it('is paid once, however often it is told', async () => {
    const order = await service.checkOut();
    const intent = service.fake.state.pay(order.providerOrderId);
    await hear(order, intent, [...ways, ...ways]);
    expect(await stateOf(order.id)).toBe('subscribed');
    const { payments, grant } = await service.timeline(order.id);
    expect(payments).toMatchObject([{ paymentId: intent.id, capturedMinor: 1_999, counts: true }]);
    expect(grant).not.toBeNull();
  });

  it('fails, and is paid at the next try on the same page', async () => {
    const order = await service.checkOut();
    const declined = { ...service.fake.state.pay(order.providerOrderId, 'declined') };
    await hear(order, declined, ways.includes('webhook' as never) ? ways : ['poll']);
    expect(await stateOf(order.id)).toBe('failed');
    await hear(order, service.fake.state.pay(order.providerOrderId), ways);
    expect(await stateOf(order.id)).toBe('subscribed');
    const late = await webhook('payment_intent.payment_failed', service.shown(declined));
    expect(late.body).toMatchObject({ state: 'subscribed' });
  });

  it('by bank debit is paid when the bank says so', async () => {
    const order = await service.checkOut();
    const intent = service.fake.state.pay(order.providerOrderId, 'processing');
    await hear(order, intent, ways);
    expect(await stateOf(order.id)).toBe('created');
    service.fake.state.settle(intent.id, 'succeeded');
    await hear(order, intent, ways.includes('session' as never) ? ['webhook', ...ways] : ways);
    expect(await stateOf(order.id)).toBe('subscribed');
  });

  it('that is only authorised is captured and paid', async () => {
    const order = await service.checkOut();
    const intent = service.fake.state.pay(order.providerOrderId, 'authorized');
    await hear(order, intent, ways.includes('session' as never) ? ['webhook'] : ways);
    expect(await stateOf(order.id)).toBe('authorized');
    const capture = { paymentId: intent.id, amountMinor: 1_999, currency: 'EUR', key: `capture:${intent.id}` };
    await service.provider.capture(capture);
    await hear(order, intent, ways);
    expect(await stateOf(order.id)).toBe('subscribed');
  });
});

const subscribed = async () => {
  const order = await service.checkOut();
  const intent = service.fake.state.pay(order.providerOrderId);
  await hear(order, intent, ['webhook']);
  return { ...order, intent };
};

describe('money that goes back', () => {
  const refund = async (intent: StripeObject, amountMinor: number) => {
    const key = service.world.newId('eff');
    const { refundId } = await service.provider.refund({ paymentId: intent.id, amountMinor, currency: 'EUR', key });
    return service.fake.state.refunds.get(refundId)!;
  };

  it('whole ends the subscription, and comes back when the refund fails', async () => {
    const { id, intent } = await subscribed();
    const back = await refund(intent, 1_999);
    await webhook('refund.created', { ...back, status: 'pending' });
    expect(await stateOf(id)).toBe('subscribed');
    await webhook('refund.updated', back);
    expect(await stateOf(id)).toBe('refunded');
    await webhook('refund.created', { ...back, status: 'pending' });
    expect(await stateOf(id)).toBe('refunded');
    await webhook('refund.failed', { ...back, status: 'failed' });
    expect(await stateOf(id)).toBe('subscribed');
  });

  it('in part leaves the subscription, in two parts ends it', async () => {
    const { id, intent } = await subscribed();
    await webhook('refund.created', await refund(intent, 999));
    expect(await stateOf(id)).toBe('subscribed');
    await webhook('refund.created', await refund(intent, 1_000));
    expect(await stateOf(id)).toBe('refunded');
  });

  it('is learned by a poll alone', async () => {
    const order = await subscribed();
    await refund(order.intent, 1_999);
    await poll(order);
    expect(await stateOf(order.id)).toBe('refunded');
  });

  it.each(['won', 'lost'] as const)('by a dispute that is %s', async status => {
    const { id, intent } = await subscribed();
    const about = (more: StripeObject) => dispute({ id: `du_${intent.id}`, payment_intent: intent.id, ...more });
    await webhook('charge.dispute.created', about({}));
    await webhook('charge.dispute.funds_withdrawn', about({ status: 'under_review' }));
    expect(await stateOf(id)).toBe('subscribed');
    await webhook('charge.dispute.closed', about({ status }));
    await webhook('charge.dispute.updated', about({ status: 'under_review' }));
    expect(await stateOf(id)).toBe(status === 'won' ? 'subscribed' : 'refunded');
  });
});

it('a second payment of the order is sent back', async () => {
  const { id, providerOrderId, intent } = await subscribed();
  const second = service.fake.state.addIntent({ ...intent, id: `${intent.id}B` });
  await hear({ id, providerOrderId }, second, ['webhook', 'webhook']);
  expect(await stateOf(id)).toBe('subscribed');
  const { effects } = await service.timeline(id);
  expect(effects.filter((effect: { effect: string }) => effect.effect === 'refund')).toHaveLength(1);
});

it('a page that ran out fails the order, and a payment that came all the same pays for it', async () => {
  const order = await service.checkOut();
  const { intentData: _, ...session } = service.fake.state.sessions.get(order.providerOrderId)!;
  await webhook('checkout.session.expired', { ...session, status: 'expired' });
  expect(await stateOf(order.id)).toBe('failed');
  await hear(order, service.fake.state.pay(order.providerOrderId), ['callback']);
  expect(await stateOf(order.id)).toBe('subscribed');
});

it.each([
  ['another amount', { amount: 2_000, amount_received: 2_000 }],
  ['another currency', { currency: 'usd' }],
  ['live money', { livemode: true }],
])('%s does not pay for the order', async (_name, more) => {
  const order = await service.checkOut();
  await hear(order, { ...service.fake.state.pay(order.providerOrderId), ...more }, ['webhook']);
  expect(await stateOf(order.id)).toBe('parked');
});

it('a subscription is renewed by each paid invoice, once', async () => {
  const order = await service.checkOut();
  const bill = (id: string, billing_reason: string) => {
    const subscription_details = { subscription: `sub_${order.id}`, metadata: { order_id: order.id } };
    return invoice({ id, billing_reason, parent: { subscription_details } });
  };
  const first = await webhook('invoice.paid', bill(`in_1${order.id}`, 'subscription_create'));
  expect(first.body).toMatchObject({ orderId: order.id, state: 'subscribed' });
  const second = await webhook('invoice.paid', bill(`in_2${order.id}`, 'subscription_cycle'));
  expect(second.body).toMatchObject({ verdict: 'applied', state: 'subscribed' });
  expect(second.body.orderId).not.toBe(order.id);
  const again = await webhook('invoice.paid', bill(`in_2${order.id}`, 'subscription_cycle'));
  expect(again.body).toMatchObject({ verdict: 'duplicate', orderId: second.body.orderId });
});

it('a refund that is told before its payment, and names nothing else, is applied once the payment is heard', async () => {
  const order = await service.checkOut();
  const intent = service.fake.state.pay(order.providerOrderId);
  const back = refund({
    id: `re_early_${order.id}`,
    payment_intent: intent.id,
    amount: 1_999,
    status: 'succeeded',
    metadata: {},
  });
  expect((await webhook('refund.updated', back)).body).toMatchObject({ verdict: 'unmatched', orderId: null });
  expect((await webhook('payment_intent.succeeded', service.shown(intent))).body).toMatchObject({ verdict: 'applied' });
  expect(await stateOf(order.id)).toBe('refunded');
  const { received } = await service.timeline(order.id);
  expect(received.map((row: { verdict: string; deliveries: number }) => [row.verdict, row.deliveries])).toEqual([
    ['applied', 1],
    ['applied', 1],
  ]);
});

it('a renewal is known by its payment, so that a refund begun in the dashboard finds it', async () => {
  const order = await service.checkOut();
  const bill = (id: string, billing_reason: string) => {
    const subscription_details = { subscription: `sub_${order.id}`, metadata: { order_id: order.id } };
    return invoice({ id, billing_reason, parent: { subscription_details } });
  };
  await webhook('invoice.paid', bill(`in_1${order.id}`, 'subscription_create'));
  const intent = `pi_renewal_${order.id}`;
  const payments = { data: [{ status: 'paid', payment: { payment_intent: intent } }] };
  service.fake.state.invoices.set(`in_2${order.id}`, { ...bill(`in_2${order.id}`, 'subscription_cycle'), payments });
  service.fake.faults.push({ path: /invoices/, fault: 'drop' }, { path: /invoices/, fault: 'drop' });
  const untold = await webhook('invoice.paid', bill(`in_2${order.id}`, 'subscription_cycle'));
  expect(untold).toMatchObject({ status: 503, body: { code: 'provider_unreachable' } });
  const renewal = await webhook('invoice.paid', bill(`in_2${order.id}`, 'subscription_cycle'));
  expect(renewal.body).toMatchObject({ verdict: 'applied', state: 'subscribed' });
  expect((await service.timeline(renewal.body.orderId)).payments).toMatchObject([{ paymentId: intent }]);
  const back = refund({
    id: `re_${order.id}`,
    payment_intent: intent,
    amount: 1_999,
    status: 'succeeded',
    metadata: {},
  });
  expect((await webhook('refund.updated', back)).body).toMatchObject({
    orderId: renewal.body.orderId,
    state: 'refunded',
  });
  expect(await stateOf(order.id)).toBe('subscribed');
});

it('every way at the same time is one payment', async () => {
  for (let round = 0; round < 5; round++) {
    const order = await service.checkOut();
    const intent = service.fake.state.pay(order.providerOrderId);
    const ways: Way[] = ['webhook', 'session', 'callback', 'webhook', 'callback', 'session'];
    await Promise.all(ways.map(way => hear(order, intent, [way])));
    const { state, version } = await service.order(order.id);
    expect({ state, version }).toEqual({ state: 'subscribed', version: 4 });
  }
});

it('in any order ends in the same state', async () => {
  const ways = fc.shuffledSubarray(['succeeded', 'refunded', 'disputed', 'failed', 'session'], { minLength: 5 });
  await fc.assert(
    fc.asyncProperty(ways, async order => {
      const { id, providerOrderId } = await service.checkOut();
      const intent = service.fake.state.pay(providerOrderId);
      const { intentData: _, ...session } = service.fake.state.sessions.get(providerOrderId)!;
      const tell: Record<string, () => Promise<unknown>> = {
        succeeded: () => webhook('payment_intent.succeeded', service.shown(intent)),
        session: () => webhook('checkout.session.completed', session),
        failed: () =>
          webhook('payment_intent.payment_failed', { ...service.shown(intent), status: 'requires_payment_method' }),
        disputed: () =>
          webhook('charge.dispute.created', dispute({ id: `du_${intent.id}`, payment_intent: intent.id })),
        refunded: () =>
          webhook('refund.updated', {
            id: `re_${intent.id}`,
            amount: 500,
            currency: 'eur',
            status: 'succeeded',
            payment_intent: intent.id,
          }),
      };
      for (const what of order) await tell[what]!();
      expect(await stateOf(id)).toBe('subscribed');
    }),
    { numRuns: 15 },
  );
});

it('what is not signed leaves nothing behind', async () => {
  const count = async () => (await service.world.sql`select count(*)::int as n from inbox`)[0]!.n;
  const before = await count();
  await fc.assert(
    fc.asyncProperty(
      fc.string(),
      fc.oneof(
        fc.string().filter(text => /^[\x21-\x7e]*$/.test(text)),
        fc.constant('t=1,v1=00'),
      ),
      async (body, header) => {
        const { status } = await service.call('POST', '/v1/webhooks/stripe', body, { 'stripe-signature': header });
        expect(status).toBe(401);
      },
    ),
    { numRuns: 60 },
  );
  expect(await count()).toBe(before);
});
