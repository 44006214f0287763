// What is paid, to the day and to the millisecond: month ends over a year and a leap year, the edges of grace, and a life
// from trial to an end and back. The whole service on a held clock; every payment is told by webhook.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { expectSoundBooks } from './support/databaseChecks.ts';
import { expectNobodyForgotten } from './support/nobodyForgotten.ts';
import { envelope, signedWebhook } from './support/razorpayBodies.ts';
import { startWholeService, type WholeService } from './support/wholeService.ts';

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;
/** Bought on 31 January; where each month ends that is paid from there, over two years and the leap day. */
const BOUGHT = '2027-01-31T10:00:00.000Z';
const MONTH_ENDS = [
  '2027-02-28',
  '2027-03-31',
  '2027-04-30',
  '2027-05-31',
  '2027-06-30',
  '2027-07-31',
  '2027-08-31',
  '2027-09-30',
  '2027-10-31',
  '2027-11-30',
  '2027-12-31',
  '2028-01-31',
  '2028-02-29',
  '2028-03-31',
  '2028-04-30',
].map(day => `${day}T10:00:00.000Z`);

let service: WholeService;
beforeAll(async () => {
  service = await startWholeService({ at: BOUGHT, banks: ['razorpay'] });
  await service.plan({ trialDays: 14 });
});
afterAll(() => service?.close());

const ms = (iso: string) => Date.parse(iso);
const plus = (iso: string, more: number) => new Date(ms(iso) + more).toISOString();
/** The clock goes there at once, as if nobody had run in between. */
const jump = (iso: string) => service.world.clock.set(iso);
const periodsOf = async (userId: string) =>
  (
    await service.world
      .sql`select starts_at, ends_at from grants where user_id = ${userId} and revoked_at is null order by seq`
  ).map(row => [row.starts_at.toISOString(), row.ends_at.toISOString()]);
const expectSound = async () => {
  await expectSoundBooks(service.world.sql);
  await expectNobodyForgotten(service.world.sql, service.now());
};

/** Opened now and paid at `paidAt`; told by webhook when the service settles. */
async function buyAndPay(userId?: string, paidAt = service.now().toISOString()) {
  const order = await service.buy(userId === undefined ? {} : { userId });
  jump(paidAt);
  await service.pay(order);
  return order;
}

describe('bought on 31 January, month by month through a leap year', () => {
  const expected = MONTH_ENDS.map((end, n) => [n === 0 ? BOUGHT : MONTH_ENDS[n - 1], end]);

  test('by the customer, who pays again before or after each end, no day is lost and the 31st comes back', async () => {
    jump(BOUGHT);
    const { userId } = await buyAndPay();
    await service.settle();
    for (const [n, end] of MONTH_ENDS.slice(0, -1).entries()) {
      // Early, on the very instant, a millisecond before the end of grace, in turn.
      jump(plus(end, [-5 * DAY_MS, 0, 3 * DAY_MS - 2][n % 3] as number));
      await buyAndPay(userId, plus(service.now().toISOString(), 1));
      await service.settle();
    }
    expect(await periodsOf(userId)).toEqual(expected);
    expect(await service.access(userId, '2028-02-29T09:59:59.999Z')).toMatchObject({ access: true, reason: 'active' });
    expect(await service.access(userId)).toMatchObject({ until: MONTH_ENDS.at(-1) });
    await expectSound();
  });

  test('by a subscription of the provider’s, told by its webhooks alone', async () => {
    jump(BOUGHT);
    const { id, userId } = await service.buy({ provider: 'razorpay' });
    const subscription = { id: `sub_${id}`, notes: { order_id: id } };
    for (const [n, at] of [BOUGHT, ...MONTH_ENDS.slice(0, -1)].entries()) {
      jump(plus(at, n * 60_000));
      const atS = Math.floor(service.now().getTime() / 1_000);
      const payment = service.banks.razorpay.charge(subscription.id, { created_at: atS });
      const body = envelope('subscription.charged', { subscription, payment }, atS);
      const sent = signedWebhook(body, { eventId: `Evt${id}${n}` });
      const { status } = await service.call('POST', '/v1/webhooks/razorpay', sent.body, sent.headers);
      expect(status).toBe(200);
      await service.settle();
    }
    expect(await periodsOf(userId)).toEqual(expected);
    const kinds = await service.world
      .sql`select kind, count(*)::int as n from orders where user_id = ${userId} group by 1`;
    expect(Object.fromEntries(kinds.map(({ kind, n }) => [kind, n]))).toEqual({
      purchase: 1,
      renewal: MONTH_ENDS.length - 1,
    });
    await expectSound();
  });
});

describe('grace', () => {
  const END = '2026-02-28T10:00:00.000Z';
  const GRACE_END = '2026-03-03T10:00:00.000Z';
  const LAST = plus(GRACE_END, -1);
  const NEXT_MONTH = [END, '2026-03-31T10:00:00.000Z'];

  async function paidInJanuary(): Promise<string> {
    jump('2026-01-31T10:00:00.000Z');
    const { userId } = await buyAndPay();
    await service.settle();
    expect(await service.access(userId)).toMatchObject({ access: true, until: END, graceUntil: GRACE_END });
    return userId;
  }

  test('gives access up to its last millisecond and not at the next one, by the clock and asked about later', async () => {
    const userId = await paidInJanuary();
    for (const [at, access, reason] of [
      [plus(END, -1), true, 'active'],
      [END, true, 'in_grace'],
      [LAST, true, 'in_grace'],
      [GRACE_END, false, 'expired'],
    ] as const) {
      jump(at);
      expect(await service.access(userId), at).toMatchObject({ access, reason });
    }
    jump('2026-06-01T00:00:00.000Z');
    expect(await service.access(userId, LAST)).toMatchObject({ access: true, reason: 'in_grace' });
    expect(await service.access(userId, GRACE_END)).toMatchObject({ access: false, reason: 'expired' });
  });

  test('paid at its last millisecond, the next month begins where the last one ended', async () => {
    const userId = await paidInJanuary();
    jump(plus(LAST, -1));
    await buyAndPay(userId, LAST);
    await service.settle();
    expect((await periodsOf(userId))[1]).toEqual(NEXT_MONTH);
    expect(await service.access(userId, GRACE_END)).toMatchObject({ access: true, reason: 'active' });
    await expectSound();
  });

  test('paid one millisecond later, everything begins anew, and nobody pays for the days without access', async () => {
    const userId = await paidInJanuary();
    jump(LAST);
    await buyAndPay(userId, GRACE_END);
    await service.settle();
    expect((await periodsOf(userId))[1]).toEqual([GRACE_END, '2026-04-03T10:00:00.000Z']);
    await expectSound();
  });

  test('paid in time and told within the hour counts as in time; told later, what counts is when we knew', async () => {
    const [inTime, tooLate] = [await paidInJanuary(), await paidInJanuary()];
    service.gate.webhooks = 'hold';
    jump(plus(LAST, -1));
    const bought = await Promise.all([inTime, tooLate].map(userId => service.buy({ userId })));
    jump(LAST);
    for (const order of bought) await service.pay(order);
    // Who asks for access just then is not refused: the provider is asked first.
    jump(plus(LAST, HOUR_MS - 1));
    expect(await service.access(inTime)).toMatchObject({ access: true, reason: 'active', until: NEXT_MONTH[1] });
    jump(plus(LAST, HOUR_MS + 1));
    service.gate.webhooks = 'pass';
    await service.settle();
    expect((await periodsOf(inTime))[1]).toEqual(NEXT_MONTH);
    expect((await periodsOf(tooLate))[1]?.[0]).toBe(plus(LAST, HOUR_MS + 1));
    await expectSound();
  });
});

test('a trial turns into paid time, is renewed, cancelled at its end, and begun again months later', async () => {
  jump('2028-01-17T08:00:00.000Z');
  const userId = service.world.newId('req');
  const subscription = `/v1/users/${userId}/subscriptions/pro`;
  expect((await service.call('POST', `${subscription}/trial`, {})).status).toBe(201);
  await service.travel('2028-01-25T08:00:00.000Z', { listEveryMs: DAY_MS });
  expect(await service.access(userId)).toMatchObject({ reason: 'trial', until: '2028-01-31T08:00:00.000Z' });

  const first = await buyAndPay(userId);
  await service.travel('2028-02-28T08:00:00.000Z', { listEveryMs: DAY_MS });
  expect(await service.access(userId)).toMatchObject({ reason: 'active', until: '2028-02-29T08:00:00.000Z' });

  const renewal = await buyAndPay(userId);
  await service.travel('2028-03-10T08:00:00.000Z', { listEveryMs: DAY_MS });
  const cancelled = await service.call('POST', `${subscription}/cancel`, { reason: 'on the road' });
  expect(cancelled.body).toMatchObject({ cancelAtEnd: true, endsAt: '2028-03-31T08:00:00.000Z' });
  await service.travel('2028-03-31T07:59:59.999Z', { listEveryMs: DAY_MS });
  expect(await service.access(userId)).toMatchObject({ access: true, reason: 'active' });
  jump('2028-03-31T08:00:00.000Z');
  expect(await service.access(userId)).toMatchObject({ access: false, reason: 'expired' });

  await service.travel('2028-05-31T12:00:00.000Z', { listEveryMs: DAY_MS });
  expect((await service.call('POST', `${subscription}/trial`, {})).status).toBe(409);
  const back = await buyAndPay(userId);
  await service.settle();
  expect(await periodsOf(userId)).toEqual([
    ['2028-01-17T08:00:00.000Z', '2028-01-31T08:00:00.000Z'],
    ['2028-01-31T08:00:00.000Z', '2028-02-29T08:00:00.000Z'],
    ['2028-02-29T08:00:00.000Z', '2028-03-31T08:00:00.000Z'],
    ['2028-05-31T12:00:00.000Z', '2028-06-30T12:00:00.000Z'],
  ]);
  const { subscriptions } = (await service.call('GET', `/v1/users/${userId}/subscriptions`)).body;
  expect(subscriptions).toMatchObject([{ cancelAtEnd: false, grants: 4 }]);
  expect(
    [first, renewal, back].map(({ id }) =>
      service
        .told(id)
        .map(({ type }) => type)
        .sort(),
    ),
  ).toEqual([
    ['order.subscribed', 'subscription.extended'],
    ['order.subscribed', 'subscription.extended'],
    ['order.subscribed'],
  ]);
  await expectSound();
});
