// Every webhook is lost, for good, and banks dispute: months after the payment, and decided months after that. At each
// provider that can be asked for its disputes, state and access follow by its lists alone.
import { afterEach, beforeEach, expect, test } from 'vitest';
import { expectSoundBooks } from './support/databaseChecks.ts';
import { expectNobodyForgotten, expectNothingLeftToDo } from './support/nobodyForgotten.ts';
import type { Opened } from './support/providerService.ts';
import { startWholeService, type WholeService } from './support/wholeService.ts';

const DAY_MS = 86_400_000;
const MINUTES = 5 * 60_000;

let service: WholeService;
beforeEach(async () => {
  service = await startWholeService({ banks: ['razorpay', 'stripe'] });
  service.gate.webhooks = 'lose';
  // Paid for a year, so that access is a matter of the money alone.
  await service.plan({ period: { months: 12 } });
});
afterEach(() => service?.close());

type Decision = 'opened' | 'lost' | 'won';
/** How a customer pays and a bank disputes there, and what the provider keeps of it. */
type Bank = { pay(order: Opened): void | Promise<void>; dispute(order: Opened, how: Decision): void | Promise<void> };

const nowS = () => Math.floor(service.now().getTime() / 1_000);

const banks = {
  sandbox: (): Bank => ({
    pay: async order => void (await service.pay(order)),
    dispute: async (order, how) => void (await service.pay(order, `dispute-${how}`)),
  }),
  razorpay: (): Bank => {
    const { payments, disputes, pay, dispute } = service.banks.razorpay;
    const paid = ({ providerOrderId }: Opened) => [...payments.values()].find(p => p.order_id === providerOrderId)!;
    return {
      pay: ({ providerOrderId }) => void pay(providerOrderId, { created_at: nowS() }),
      dispute(order, how) {
        const { id } = paid(order);
        if (how === 'opened') return void dispute(id, { created_at: nowS() });
        const decided = [...disputes.values()].find(entry => entry.payment_id === id)!;
        Object.assign(decided, { status: how, amount_deducted: how === 'lost' ? decided.amount : 0 });
      },
    };
  },
  stripe: (): Bank => {
    const { state } = service.banks.stripe;
    return {
      pay: ({ providerOrderId }) => void state.pay(providerOrderId),
      dispute({ providerOrderId }, how) {
        const intentId = state.sessions.get(providerOrderId)!.payment_intent;
        if (how === 'opened') return void state.disputes.open(intentId);
        const decided = [...state.disputes.byId.values()].find(entry => entry.payment_intent === intentId)!;
        decided.status = how;
      },
    };
  },
};
type Name = keyof typeof banks;

/** Lists are read once a day: a quarter of an hour a time would be ten thousand rounds. */
const pass = (days: number) => service.travel(days * DAY_MS, { listEveryMs: DAY_MS });

async function expectDisputed(order: Opened, dispute: Decision, state: string, access: boolean): Promise<void> {
  const { order: now, disputes } = await service.timeline(order.id);
  expect([now.state, disputes.map((entry: { state: string }) => entry.state)]).toEqual([state, [dispute]]);
  expect((await service.access(order.userId)).access).toBe(access);
}

test.each(['sandbox', 'razorpay', 'stripe'] satisfies Name[])(
  'at %s a dispute is opened, lost, and won after all: access stays, ends, and comes back, and each is alerted once',
  async name => {
    const bank = banks[name]();
    const order = await service.buy({ provider: name });
    const other = await service.buy({ provider: name });
    for (const each of [order, other]) await bank.pay(each);
    await pass(1);
    expect(await service.order(order.id)).toMatchObject({ state: 'subscribed' });

    // Jumps: a service that is down for months has missed everything in between.
    service.world.clock.set(new Date(service.now().getTime() + 110 * DAY_MS).toISOString());
    await bank.dispute(order, 'opened');
    await pass(2);
    await expectDisputed(order, 'opened', 'subscribed', true);

    service.world.clock.set(new Date(service.now().getTime() + 75 * DAY_MS).toISOString());
    await bank.dispute(order, 'lost');
    await pass(2);
    await expectDisputed(order, 'lost', 'refunded', false);
    expect((await service.access(order.userId)).reason).toBe('refunded');

    service.world.clock.set(new Date(service.now().getTime() + 75 * DAY_MS).toISOString());
    await bank.dispute(order, 'won');
    await pass(2);
    await expectDisputed(order, 'won', 'subscribed', true);

    expect(service.told(order.id).map(({ type }) => type)).toEqual([
      'order.subscribed',
      'order.refunded',
      'order.subscribed',
    ]);
    const alerts = service.alerts(order.id).map(({ text }) => text);
    expect(alerts).toEqual([/is opened\./, /is lost\./, /is won\./].map(end => expect.stringMatching(end)));
    expect(await service.order(other.id)).toMatchObject({ state: 'subscribed' });
    const told = await service.world.sql`select distinct source from inbox`;
    expect([...told]).toEqual([{ source: 'reconcile' }]);
    await expectSoundBooks(service.world.sql);
    await expectNobodyForgotten(service.world.sql, service.now());
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
