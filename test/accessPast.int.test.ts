// The past through the API and the inspector: what was answered at an instant is answered of that instant afterwards,
// whatever was cancelled, bought again, refunded or won back since.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { cancelAtEnd } from '../src/cancelAtEnd.ts';
import { expectSoundBooks, seeded } from './support/databaseChecks.ts';
import { type Answer, checkOut, type Json, pay } from './support/httpService.ts';
import { type InspectedService, startInspected } from './support/inspector.ts';
import { captured, openOrder, patiently, webhook } from './support/world.ts';

let service: InspectedService;
beforeAll(async () => {
  service = await startInspected();
});
afterAll(() => service?.close());

const at = (day: string) => (day.length === 10 ? `${day}T10:00:00.000Z` : day);

/** Somebody whose life goes on day by day; `told` is what was answered on each of them. */
async function customer() {
  const told = new Map<string, Json>();
  const orders: string[] = [];
  let userId = '';
  const ask = async (about?: string): Promise<Json> => {
    const query = about ? `&at=${at(about)}` : '';
    const { body } = await service.call('GET', `/v1/users/${userId}/access?product=pro${query}`);
    // A grant shows as what became of it; what was answered is the rest.
    return { ...body, grants: body.grants.map(({ orderId, startsAt, endsAt }: Json) => [orderId, startsAt, endsAt]) };
  };
  return {
    orders,
    ask,
    told,
    get userId() {
      return userId;
    },
    /** Goes to that day, and asks. */
    async asks(day: string): Promise<Json> {
      service.world.clock.set(at(day));
      const answer = await ask();
      told.set(day, answer);
      return answer;
    },
    async buys(day: string): Promise<Json> {
      service.world.clock.set(at(day));
      const order = await checkOut(service, userId ? { userId, another: true } : {});
      userId ||= order.userId;
      orders.push(order.id);
      const payment = pay(service, order.providerOrderId);
      expect((await service.webhook({ type: 'payment.captured', data: payment })).body.state).toBe('subscribed');
      return payment;
    },
    async hears(day: string, type: string, data: Json): Promise<Answer> {
      service.world.clock.set(at(day));
      return service.webhook({ type, data });
    },
    async cancels(day: string, body: Json = { reason: 'moving away', by: 'support/anna' }): Promise<Json> {
      service.world.clock.set(at(day));
      return (await service.call('POST', `/v1/users/${userId}/subscriptions/pro/cancel`, { body })).body;
    },
    async listed(): Promise<Json> {
      return (await service.call('GET', `/v1/users/${userId}/subscriptions`)).body.subscriptions[0];
    },
    async expectThePastToBeAsItWas(): Promise<void> {
      for (const [day, answer] of told) expect({ day, ...(await ask(day)) }).toEqual({ day, ...answer });
    },
    async page(about: string): Promise<string> {
      // Whoever goes days ahead has been signed out meanwhile.
      const operator = await service.signIn('operator');
      return (await operator.get(`/inspector/orders/${orders.at(-1)}?at=${at(about)}`)).text;
    },
  };
}

describe('cancelled at its end', () => {
  test('in the days of grace: before it there was access, and afterwards that is still what was', async () => {
    const ada = await customer();
    await ada.buys('2026-01-31');
    expect(await ada.asks('2026-03-01')).toMatchObject({ access: true, reason: 'in_grace' });
    expect(await ada.cancels('2026-03-02')).toMatchObject({ cancelAtEnd: true, cancelledAt: at('2026-03-02') });
    expect(await ada.asks('2026-03-02T11:00:00.000Z')).toMatchObject({ access: false, reason: 'expired' });
    await ada.expectThePastToBeAsItWas();
    expect(await ada.page('2026-03-01')).toMatch(/Yes, in grace[\s\S]*It was cancelled at its end only later/);
    expect(await ada.page('2026-03-02')).toMatch(
      /No, what was paid ended[\s\S]*It had been cancelled at its end on[\s\S]*\(by support\/anna: moving away\), so there were no days of grace/,
    );
  });

  test('asked again, the first instant stays, whoever asks and however often at once', async () => {
    const ada = await customer();
    await ada.buys('2026-01-31');
    const answers = await Promise.all(Array.from({ length: 8 }, () => ada.cancels('2026-02-10')));
    expect(new Set(answers.map(({ cancelledAt }) => cancelledAt))).toEqual(new Set([at('2026-02-10')]));
    expect(await ada.cancels('2026-02-20', { reason: 'once more' })).toMatchObject({ cancelledAt: at('2026-02-10') });
    expect(await ada.listed()).toMatchObject({ version: 2, cancelAtEnd: true, cancelledAt: at('2026-02-10') });
    const [row] = await service.world.sql`select cancellations from subscriptions where user_id = ${ada.userId}`;
    expect(row?.cancellations).toEqual([
      { at: at('2026-02-10'), afterSeq: 1, reason: 'moving away', by: 'support/anna' },
    ]);
  });

  test('and bought again, and cancelled again: each stretch of it is told as it was', async () => {
    const ada = await customer();
    await ada.buys('2026-01-31');
    await ada.cancels('2026-02-10');
    await ada.asks('2026-02-11');
    expect(await ada.asks('2026-03-01')).toMatchObject({ access: false, reason: 'expired' });
    await ada.buys('2026-05-01');
    expect(await ada.listed()).toMatchObject({ cancelAtEnd: false, cancelledAt: null });
    expect(await ada.asks('2026-06-02')).toMatchObject({ access: true, reason: 'in_grace' });
    await ada.cancels('2026-06-03');
    expect(await ada.asks('2026-06-03T10:00:00.001Z')).toMatchObject({ access: false, reason: 'expired' });
    await ada.buys('2026-07-01');
    expect(await ada.asks('2026-08-02')).toMatchObject({ access: true, reason: 'in_grace' });
    await ada.expectThePastToBeAsItWas();
  });

  test('stands in the timeline of the orders it ended, with who and why, and of no later one', async () => {
    const ada = await customer();
    await ada.buys('2026-01-31');
    await ada.cancels('2026-02-10', { reason: '<b>moving</b> away', by: 'support/<i>anna</i>' });
    const first = await ada.page('2026-02-11');
    expect(first).toContain('subscription to pro cancelled at its end');
    expect(first).toContain('“&lt;b&gt;moving&lt;/b&gt; away”');
    expect(first).not.toContain('<b>moving</b>');
    await ada.buys('2026-02-12');
    expect(await ada.page('2026-02-13')).not.toContain('subscription to pro cancelled at its end');
  });

  test('by a service that noted no instant: it is cancelled now, and the page says that nobody knows since when', async () => {
    const ada = await customer();
    await ada.buys('2026-01-31');
    await ada.cancels('2026-02-10');
    await service.world.sql`update subscriptions set cancellations = null where user_id = ${ada.userId}`;
    expect(await ada.asks('2026-03-01')).toMatchObject({ access: false, reason: 'expired' });
    expect(await ada.cancels('2026-03-02')).toMatchObject({ cancelAtEnd: true, cancelledAt: null });
    expect(await ada.page('2026-03-01')).toMatch(/since when was not noted[\s\S]*nobody noted since when/);
    await ada.buys('2026-03-10');
    expect(await ada.cancels('2026-03-11')).toMatchObject({ cancelAtEnd: true, cancelledAt: at('2026-03-11') });
  });
});

describe('money that goes back and returns', () => {
  test('while a dispute was lost there was no access; won in the end, that is still what was', async () => {
    const ada = await customer();
    const payment = await ada.buys('2026-01-31');
    await ada.asks('2026-02-01');
    const dispute = { ...payment, disputeId: `dp_${ada.userId}` };
    await ada.hears('2026-02-05', 'dispute.lost', dispute);
    expect(await ada.asks('2026-02-06')).toMatchObject({ access: false, reason: 'refunded', until: null });
    await ada.hears('2026-02-10', 'dispute.won', dispute);
    expect(await ada.asks('2026-02-11')).toMatchObject({ access: true, until: at('2026-02-28') });
    await ada.expectThePastToBeAsItWas();
    expect(await ada.page('2026-02-06')).toMatch(/No, the money for it went back[\s\S]*and with it the grant, on/);
  });

  test('as often as it goes and returns', async () => {
    const ada = await customer();
    const payment = await ada.buys('2026-01-31');
    for (const [index, [lost, won]] of [
      ['2026-02-03', '2026-02-05'],
      ['2026-02-07', '2026-02-09'],
      ['2026-02-11', '2026-02-13'],
    ].entries()) {
      const dispute = { ...payment, disputeId: `dp_${index}_${ada.userId}` };
      await ada.hears(lost ?? '', 'dispute.lost', dispute);
      expect(await ada.asks(lost ?? '')).toMatchObject({ access: false, reason: 'refunded' });
      await ada.hears(won ?? '', 'dispute.won', dispute);
      expect(await ada.asks(won ?? '')).toMatchObject({ access: true, reason: 'active' });
    }
    const last = { ...payment, disputeId: `dp_last_${ada.userId}` };
    await ada.hears('2026-02-20', 'dispute.lost', last);
    expect(await ada.asks('2026-02-21')).toMatchObject({ access: false, reason: 'refunded' });
    await ada.expectThePastToBeAsItWas();
  });

  test('the second of four months is refunded, and comes back: the third and fourth move, and each day says what was so then', async () => {
    const ada = await customer();
    await ada.buys('2026-01-31');
    const second = await ada.buys('2026-02-20');
    await ada.buys('2026-03-20');
    await ada.buys('2026-04-20');
    expect(await ada.asks('2026-04-21')).toMatchObject({ access: true, until: at('2026-05-31') });
    const back = { ...second, refundId: `rf_${ada.userId}` };
    await ada.hears('2026-04-22', 'refund.completed', back);
    // Without it the first month lapsed with its grace on 3 March, and the third begins when it was paid.
    const moved = await ada.asks('2026-04-23');
    expect(moved).toMatchObject({ access: true, reason: 'active', until: at('2026-05-20') });
    expect(moved.grants.map(([, from, to]: string[]) => `${from?.slice(0, 10)} ${to?.slice(0, 10)}`)).toEqual([
      '2026-01-31 2026-02-28',
      '2026-03-20 2026-04-20',
      '2026-04-20 2026-05-20',
    ]);
    await ada.asks('2026-05-22');
    await ada.hears('2026-05-26', 'refund.failed', back);
    expect(await ada.asks('2026-05-27')).toMatchObject({ access: true, reason: 'active', until: at('2026-05-31') });
    await ada.asks('2026-06-02');
    await ada.asks('2026-06-04');
    await ada.expectThePastToBeAsItWas();
  });
});

test('a clock that is ten minutes behind refuses nobody who has just paid, and still says of the past what was so', async () => {
  const ada = await customer();
  const payment = await ada.buys('2026-01-31');
  const tenMinutesBehind = '2026-01-31T09:50:00.000Z';
  service.world.clock.set(tenMinutesBehind);
  expect(await ada.ask()).toMatchObject({ access: true, reason: 'active' });
  expect(await ada.ask(tenMinutesBehind)).toMatchObject({ access: false, reason: 'never_paid' });
  await ada.hears('2026-02-10', 'refund.completed', { ...payment, refundId: `rf-${ada.userId}` });
  service.world.clock.set('2026-02-10T09:50:00.000Z');
  expect(await ada.ask()).toMatchObject({ access: false, reason: 'refunded' });
});

test('wishes, purchases and renewals in the same instant, from two processes: what stands is what the history says', async () => {
  const { shuffle } = seeded();
  const { world } = service;
  const other = world.dispatcher();
  const { clock, newId, db } = world;
  const log = { info: () => {} } as never;
  world.clock.set(at('2026-01-31'));
  const users = await Promise.all(
    Array.from({ length: 20 }, async () => {
      const first = await openOrder(world);
      await world.dispatch(webhook(first.providerOrderId, captured(`pay-${first.id}`)));
      return { ...first, next: await openOrder(world, { userId: first.userId }) };
    }),
  );
  const acts = users.flatMap(({ userId, next }, index) => {
    const wish = () => cancelAtEnd({ db, clock, newId, log }, { userId, product: 'pro', reason: 'moving away' });
    const dispatch = index % 2 === 0 ? world.dispatch : other.dispatch;
    const paid = webhook(next.providerOrderId, captured(`pay-${next.id}`));
    return [wish, wish, () => patiently(() => dispatch(paid))];
  });
  await Promise.all(shuffle(acts).map(act => act()));
  await expectSoundBooks(world.sql);
  const rows = await world.sql`select cancel_at_end, jsonb_array_length(cancellations) as wishes from subscriptions
    where user_id = any (${users.map(({ userId }) => userId)})`;
  expect(rows.length).toBe(users.length);
  // Both before the purchase, or both after it, are one wish; one on either side of it are two, and the last one stands.
  for (const { cancel_at_end, wishes } of rows) expect(wishes).toBeLessThanOrEqual(cancel_at_end ? 2 : 1);
});
