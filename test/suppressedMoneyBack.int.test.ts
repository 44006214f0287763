// Every webhook is lost, for good, and money goes back: a bank disputes months after the payment and decides months after
// that; the merchant refunds on the provider's pages, and the refund comes back. At each provider that can be asked, state
// and access follow by its lists alone.
import { afterEach, beforeEach, expect, test } from 'vitest';
import { expectSoundBooks } from './support/databaseChecks.ts';
import { expectNobodyForgotten, expectNothingLeftToDo } from './support/nobodyForgotten.ts';
import type { Opened } from './support/providerService.ts';
import { startWholeService, type WholeService } from './support/wholeService.ts';

const DAY_MS = 86_400_000;
const MINUTES = 5 * 60_000;

let service: WholeService;
beforeEach(async () => {
  service = await startWholeService({ banks: ['razorpay', 'stripe', 'cloudpayments'] });
  service.gate.webhooks = 'lose';
  // Paid for a year, so that access is a matter of the money alone.
  await service.plan({ period: { months: 12 } });
});
afterEach(() => service?.close());

type Decision = 'opened' | 'lost' | 'won';
type Done = void | Promise<void>;
/** How a customer pays there, a bank disputes, and the merchant refunds on the provider's pages. */
type Bank = {
  pay(order: Opened): Done;
  dispute?(order: Opened, how: Decision): Done;
  refund(order: Opened, amountMinor: number): Done;
  /** The last refund comes back. */
  failRefund?(order: Opened): Done;
};

/** A service that is down for so long has missed everything in between. */
const jump = (days: number) => service.world.clock.set(new Date(service.now().getTime() + days * DAY_MS).toISOString());

const nowS = () => Math.floor(service.now().getTime() / 1_000);

const banks = {
  sandbox: (): Bank => ({
    pay: async order => void (await service.pay(order)),
    dispute: async (order, how) => void (await service.pay(order, `dispute-${how}`)),
    async refund({ providerOrderId }, amountMinor) {
      const { payments } = await service.dashboard('GET', `/orders/${providerOrderId}`);
      await service.dashboard('POST', `/payments/${payments[0].paymentId}/refunds`, { amountMinor });
    },
  }),
  razorpay: (): Bank => {
    const bank = service.banks.razorpay;
    const paid = ({ providerOrderId }: Opened) =>
      [...bank.payments.values()].find(p => p.order_id === providerOrderId)!.id;
    const lastOf = (map: Map<string, Record<string, unknown>>, order: Opened) =>
      [...map.values()].findLast(entry => entry.payment_id === paid(order))!;
    return {
      pay: ({ providerOrderId }) => void bank.pay(providerOrderId, { created_at: nowS() }),
      dispute(order, how) {
        if (how === 'opened') return void bank.dispute(paid(order), { created_at: nowS() });
        const decided = lastOf(bank.disputes, order);
        Object.assign(decided, { status: how, amount_deducted: how === 'lost' ? decided.amount : 0 });
      },
      refund: (order, amount) => void bank.refund(paid(order), { amount, created_at: nowS() }),
      failRefund: order => bank.failRefund(lastOf(bank.refunds, order).id),
    };
  },
  stripe: (): Bank => {
    const { state } = service.banks.stripe;
    const paid = ({ providerOrderId }: Opened) => state.sessions.get(providerOrderId)!.payment_intent;
    const lastOf = (map: Map<string, Record<string, unknown>>, order: Opened) =>
      [...map.values()].findLast(entry => entry.payment_intent === paid(order))!;
    return {
      pay: ({ providerOrderId }) => void state.pay(providerOrderId),
      dispute(order, how) {
        if (how === 'opened') return void state.disputes.open(paid(order));
        lastOf(state.disputes.byId, order).status = how;
      },
      refund: (order, amount) => void state.sendBack(paid(order), { amount }),
      failRefund(order) {
        lastOf(state.refunds, order).status = 'failed';
      },
    };
  },
  cloudpayments: (): Bank => {
    const bank = service.banks.cloudpayments;
    const paid = ({ id }: Opened) => [...bank.rows.values()].find(row => row.InvoiceId === id && row.Type === 0)!;
    return {
      pay: ({ id }) => void bank.charge(id, { Amount: 499 }),
      refund(order, amountMinor) {
        const { TransactionId } = paid(order);
        bank.byHand('/payments/refund', { TransactionId, Amount: amountMinor / 100 });
      },
      failRefund(order) {
        bank.refundsOf(paid(order)).at(-1)!.Status = 'Declined';
      },
    };
  },
} satisfies Record<string, () => Bank>;
type Name = keyof typeof banks;
const at = (name: Name): Bank => banks[name]();

/** Lists are read once a day: a quarter of an hour a time would be ten thousand rounds. */
const pass = (days: number) => service.travel(days * DAY_MS, { listEveryMs: DAY_MS });

async function expectDisputed(order: Opened, dispute: Decision, state: string, access: boolean): Promise<void> {
  const { order: now, disputes } = await service.timeline(order.id);
  expect([now.state, disputes.map((entry: { state: string }) => entry.state)]).toEqual([state, [dispute]]);
  expect((await service.access(order.userId)).access).toBe(access);
}

/** Nobody told us but the lists, the books are sound, and what did not concern the neighbour left it as it was. */
async function expectToldByListsAlone(neighbour: string): Promise<void> {
  expect(await service.order(neighbour)).toMatchObject({ state: 'subscribed' });
  const told = await service.world.sql`select distinct source from inbox`;
  expect([...told]).toEqual([{ source: 'reconcile' }]);
  await expectSoundBooks(service.world.sql);
  await expectNobodyForgotten(service.world.sql, service.now());
  await expectNothingLeftToDo(service.world.sql);
}

test.each(['sandbox', 'razorpay', 'stripe'] satisfies Name[])(
  'at %s a dispute is opened, lost, and won after all: access stays, ends, and comes back, and each is alerted once',
  async name => {
    const { pay, dispute } = at(name) as Required<Bank>;
    const order = await service.buy({ provider: name });
    const other = await service.buy({ provider: name });
    for (const each of [order, other]) await pay(each);
    await pass(1);
    expect(await service.order(order.id)).toMatchObject({ state: 'subscribed' });

    jump(110);
    await dispute(order, 'opened');
    await pass(2);
    await expectDisputed(order, 'opened', 'subscribed', true);

    jump(75);
    await dispute(order, 'lost');
    await pass(2);
    await expectDisputed(order, 'lost', 'refunded', false);
    expect((await service.access(order.userId)).reason).toBe('refunded');

    jump(75);
    await dispute(order, 'won');
    await pass(2);
    await expectDisputed(order, 'won', 'subscribed', true);

    expect(service.told(order.id).map(({ type }) => type)).toEqual([
      'order.subscribed',
      'order.refunded',
      'order.subscribed',
    ]);
    const alerts = service.alerts(order.id).map(({ text }) => text);
    expect(alerts).toEqual([/is opened\./, /is lost\./, /is won\./].map(end => expect.stringMatching(end)));
    await expectToldByListsAlone(other.id);
  },
  MINUTES,
);

test.each(['sandbox', 'razorpay', 'stripe', 'cloudpayments'] satisfies Name[])(
  'at %s a year’s plan is refunded on the provider’s pages after 200 days: in part it stays, whole it ends, and if that comes back so does access',
  async name => {
    const { pay, refund, failRefund } = at(name);
    const order = await service.buy({ provider: name });
    const other = await service.buy({ provider: name });
    for (const each of [order, other]) await pay(each);
    await pass(1);
    expect(await service.order(order.id)).toMatchObject({ state: 'subscribed' });

    const expectRefunded = async (refunds: string[], state: string, access: boolean) => {
      const { order: now, refunds: listed } = await service.timeline(order.id);
      const told = listed.map((entry: { state: string }) => entry.state).sort();
      expect([now.state, told]).toEqual([state, refunds]);
      expect((await service.access(order.userId)).access).toBe(access);
    };
    jump(198);
    await pass(1);
    await refund(order, 10_000);
    await pass(1);
    await expectRefunded(['completed'], 'subscribed', true);
    await refund(order, 39_900);
    await pass(1);
    await expectRefunded(['completed', 'completed'], 'refunded', false);
    expect((await service.access(order.userId)).reason).toBe('refunded');
    if (failRefund) {
      jump(6);
      await failRefund(order);
      await pass(2);
      await expectRefunded(['completed', 'failed'], 'subscribed', true);
    }
    await expectToldByListsAlone(other.id);
  },
  MINUTES,
);

const refundEvents = () =>
  service.world
    .sql`select source, verdict, deliveries from inbox where event_type = 'refund.updated' order by received_at`;

test.each(['razorpay', 'stripe'] satisfies Name[])(
  'at %s a refund of our own is nothing new when it is listed',
  async name => {
    const order = await service.buy({ provider: name });
    await at(name).pay(order);
    jump(60);
    await pass(1);
    const { status } = await service.call('POST', `/v1/orders/${order.id}/refund`, { reason: 'asked for' });
    expect(status).toBe(200);
    await service.settle();
    expect(await service.order(order.id)).toMatchObject({ state: 'refunded' });
    const before = [...(await refundEvents())];
    await pass(2);
    expect([...(await refundEvents())]).toEqual(before);
    const listings = await service.core.reconciliation.progress();
    expect(listings.filter(({ provider }) => provider === name).map(({ news }) => news)).toEqual([0, 0]);
  },
  MINUTES,
);

test(
  'a refund of our own of which no answer ever came is known by the list, and is not sent again',
  async () => {
    const bank = service.banks.razorpay;
    const order = await service.buy({ provider: 'razorpay' });
    await at('razorpay').pay(order);
    jump(60);
    await pass(1);
    // It is made, and nobody hears of it; nor can the payment be asked for its refunds afterwards.
    bank.faults.push({ to: /POST .*\/refund$/, fault: 'lost' });
    const { status } = await service.call('POST', `/v1/orders/${order.id}/refund`, { reason: 'asked for' });
    expect(status).toBe(200);
    service.gate.lists = 'rest';
    await service.settle();
    Object.assign([...bank.refunds.values()][0]!, { created_at: nowS() });
    for (let n = 0; n < 1_000; n++) bank.faults.push({ to: /GET .*\/payments\/\w+\/refunds/, fault: 503 });
    expect(await service.order(order.id)).toMatchObject({ state: 'subscribed' });
    service.gate.lists = 'read';
    await service.travel(30 * 60_000, { listEveryMs: 15 * 60_000 });
    expect(await service.order(order.id)).toMatchObject({ state: 'refunded' });
    bank.faults.length = 0;
    await pass(2);
    expect(bank.refunds.size).toBe(1);
    expect(bank.calls.filter(call => /^POST .*\/refund$/.test(call))).toHaveLength(1);
    await expectSoundBooks(service.world.sql);
    await expectNothingLeftToDo(service.world.sql);
  },
  MINUTES,
);

test(
  'a renewal of last month is disputed and lost: that month ends, and the paid ones beside it stay',
  async () => {
    await service.plan();
    const { userId } = await service.buy({ provider: 'razorpay' });
    const { pay, payments, dispute } = service.banks.razorpay;
    const months = [];
    for (let month = 0; month < 3; month++) {
      const order = await service.buy({ userId, provider: 'razorpay', another: true });
      pay(order.providerOrderId, { created_at: nowS() });
      await pass(1);
      months.push(order);
    }
    const until = async () => (await service.access(userId)).until;
    expect(await until()).toBe('2026-04-30T10:00:00.000Z');
    const [, second] = months;
    const paid = [...payments.values()].find(payment => payment.order_id === second?.providerOrderId)!;
    dispute(paid.id, { created_at: nowS(), status: 'lost', amount_deducted: paid.amount });
    await pass(1);
    expect(await until()).toBe('2026-03-31T10:00:00.000Z');
    expect((await Promise.all(months.map(({ id }) => service.order(id)))).map(({ state }) => state)).toEqual([
      'subscribed',
      'refunded',
      'subscribed',
    ]);
    await expectSoundBooks(service.world.sql);
  },
  MINUTES,
);
