// Money that is here and cannot be worked with for hours or days: a grant the database refuses, a payment whose order is
// not in our books, a refund that a bank takes days for. The whole service on a held clock.
import { afterEach, expect, test } from 'vitest';
import { ASK_SCHEDULE_MS } from '../machines/askSchedule.ts';
import { FOREIGN_AFTER_MS, UNMATCHED_TRIED_FOR_MS } from '../src/dispatch/unmatchedSchedule.ts';
import { expectSoundBooks } from './support/databaseChecks.ts';
import type { Json } from './support/httpService.ts';
import { expectNobodyForgotten, expectNothingLeftToDo } from './support/nobodyForgotten.ts';
import { envelope, signedWebhook } from './support/razorpayBodies.ts';
import { refuse } from './support/refusals.ts';
import { startWholeService, type WholeOptions, type WholeService } from './support/wholeService.ts';

const START = '2026-02-25T08:00:00.000Z';
const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
/** When what is silent is asked about, in ms: 5 min, then 1 h, then five times a day. */
const ASKED_AT_MS = ASK_SCHEDULE_MS.map((_, n) => ASK_SCHEDULE_MS.slice(0, n + 1).reduce((sum, wait) => sum + wait, 0));

let service: WholeService;
afterEach(() => service?.close());
const start = async (options: WholeOptions = {}) => {
  service = await startWholeService({ at: START, ...options });
  return service;
};

const at = (ms: number) => new Date(Date.parse(START) + ms).toISOString();
const until = (ms: number) => service.travel(at(ms), { listEveryMs: DAY_MS });
async function expectSound() {
  await expectSoundBooks(service.world.sql);
  await expectNobodyForgotten(service.world.sql, service.now());
}
/** Razorpay tells of a payment, and where it has one, of its order. */
async function razorpayTells(event: string, told: { payment: Json; order?: Json }, eventId: string): Promise<void> {
  const sent = signedWebhook(envelope(event, told, Math.floor(service.now().getTime() / 1_000)), { eventId });
  expect((await service.call('POST', '/v1/webhooks/razorpay', sent.body, sent.headers)).status).toBe(200);
}

test('a grant that a rule of the database refuses is tried at doubling pauses for hours, and given by itself once the rule is gone', async () => {
  const order = await (await start()).buy();
  const rule = await refuse(service.world.sql, 'grants', { when: 'true', message: 'quota of the year is used up' });
  await service.pay(order);
  await service.settle();
  expect(await service.order(order.id)).toMatchObject({
    state: 'captured',
    stuck: { cause: 'grant_failed', detail: expect.stringContaining('quota of the year') },
  });
  const tries = [2, 6, 14, 30, 62, 122, 182].map(minutes => minutes * MINUTE_MS);
  for (const ms of tries) {
    await until(ms);
    await expectSound();
  }
  const told = await service.world.sql`
    select at from transitions where order_id = ${order.id} and event_type = 'deadline.passed' order by version`;
  expect(told.map(row => row.at.toISOString())).toEqual(tries.map(at));
  expect(service.alerts(order.id).map(({ cause }) => cause)).toContain('grant_overdue');
  expect(await service.access(order.userId)).toMatchObject({ access: false, reason: 'never_paid' });

  await rule.remove();
  await until(242 * MINUTE_MS - 1);
  expect((await service.order(order.id)).state).toBe('captured');
  await until(242 * MINUTE_MS);
  expect(await service.order(order.id)).toMatchObject({ state: 'subscribed', stuck: null });
  // Four hours without access: nobody pays for them.
  expect(await service.access(order.userId)).toMatchObject({ access: true, until: '2026-03-25T12:02:00.000Z' });
  await until(14 * DAY_MS);
  await expectSound();
  await expectNothingLeftToDo(service.world.sql);
}, 180_000);

test('a payment whose order is not in our books is tried for three days and told to operators once; another’s is foreign and told to nobody', async () => {
  await start({ banks: ['razorpay'] });
  const missing = service.world.newId('ord');
  const created_at = Math.floor(Date.parse(START) / 1_000);
  const { razorpay } = service.banks;
  const request = { orderId: missing, userId: 'ada', planId: 'pro-monthly', amountMinor: 49_900, currency: 'INR' };
  const opened = await service.core.providers
    .get('razorpay')
    ?.createCheckout({ ...request, callbackUrl: 'http://self.test/back' });
  const { providerOrderId } = opened as { providerOrderId: string };
  const ours = razorpay.pay(providerOrderId, { created_at });
  const theirs = razorpay.pay(null, { created_at, order_id: 'order_of_another_shop' });
  await razorpayTells('order.paid', { payment: ours, order: razorpay.orders.get(providerOrderId) }, 'EvtOurs');
  await razorpayTells('payment.captured', { payment: theirs }, 'EvtTheirs');
  const kept = async () =>
    Object.fromEntries(
      (
        await service.world
          .sql`select event_key, verdict, attempts, next_attempt_at from inbox where source = 'webhook'`
      ).map(row => [/Ours/.test(row.event_key) ? 'ours' : 'theirs', row]),
    ) as Json;
  const told = () => service.alerts(null).filter(({ cause }) => cause === 'unmatched_event');

  await until(FOREIGN_AFTER_MS - 1);
  expect(await kept()).toMatchObject({ ours: { verdict: 'unmatched' }, theirs: { verdict: 'unmatched' } });
  expect(told()).toEqual([]);
  await until(2 * FOREIGN_AFTER_MS);
  expect(await kept()).toMatchObject({
    ours: { verdict: 'unmatched', next_attempt_at: expect.any(Date) },
    theirs: { verdict: 'foreign', next_attempt_at: null },
  });
  expect(told().length).toBe(1);
  await expectSound();

  await until(UNMATCHED_TRIED_FOR_MS - HOUR_MS);
  expect(await kept()).toMatchObject({ ours: { verdict: 'unmatched', next_attempt_at: expect.any(Date) } });
  await until(UNMATCHED_TRIED_FOR_MS + 2 * HOUR_MS);
  const { ours: last } = await kept();
  expect(last).toMatchObject({ verdict: 'unmatched', next_attempt_at: null });
  // Doubling from ten seconds to an hour, then hourly.
  expect(last.attempts).toBeGreaterThan(70);
  expect(last.attempts).toBeLessThan(90);
  await until(10 * DAY_MS);
  expect(told().length, 'told once, however long it lasts').toBe(1);
  const { body } = await service.call('GET', '/v1/events?verdict=unmatched');
  expect(new Set(body.events.map(({ mark }: Json) => mark))).toEqual(new Set([missing]));
  await expectSound();
  await expectNothingLeftToDo(service.world.sql);
}, 180_000);

/** Paid at Razorpay, and sent back by us; the bank takes its time. Answers the order and how to have the bank settle. */
async function slowRefund() {
  await start({ banks: ['razorpay'] });
  const { razorpay } = service.banks;
  const order = await service.buy({ provider: 'razorpay' });
  const payment = razorpay.pay(order.providerOrderId, { created_at: Math.floor(Date.parse(START) / 1_000) });
  await razorpayTells('payment.captured', { payment }, `Evt${order.id}`);
  await service.settle();
  expect((await service.order(order.id)).state).toBe('subscribed');
  const keep = razorpay.refunds.set.bind(razorpay.refunds);
  razorpay.refunds.set = (id, refund) => keep(id, Object.assign(refund, { status: 'pending' }));
  await service.call('POST', `/v1/orders/${order.id}/refund`, { reason: 'changed their mind' });
  await service.settle();
  return {
    id: order.id,
    userId: order.userId,
    settleAtBank() {
      for (const refund of razorpay.refunds.values()) refund.status = 'processed';
    },
    /** The question about the refund, as the timeline shows it. */
    question: async () =>
      (await service.timeline(order.id)).effects.find(({ dedupKey }: Json) =>
        /:reconcile:refund/.test(dedupKey),
      ) as Json,
  };
}

test('a refund the bank takes days for is asked about on schedule until it is over, and access ends when the money is back', async () => {
  const { id, userId, settleAtBank, question } = await slowRefund();
  for (const [n, ms] of ASKED_AT_MS.slice(0, -2).entries()) {
    await until(ms - 1);
    expect(await question()).toMatchObject({ status: 'pending', attempts: n });
    await until(ms);
    expect(await question(), `asked at ${at(ms)}`).toMatchObject({ status: 'pending', attempts: n + 1 });
    await expectSound();
  }
  expect((await service.order(id)).state, 'what is not back is still here').toBe('subscribed');
  expect(service.banks.razorpay.refunds.size, 'asked for once').toBe(1);
  expect(service.alerts(id), 'a slow bank is nobody’s alarm').toEqual([]);

  settleAtBank();
  await until(ASKED_AT_MS.at(-2) as number);
  expect(await service.order(id)).toMatchObject({ state: 'refunded', stuck: null });
  expect(await service.access(userId)).toMatchObject({ access: false, reason: 'refunded' });
  expect(service.told(id).map(({ type }) => type)).toEqual(['order.subscribed', 'order.refunded']);
  await until(14 * DAY_MS);
  await expectSound();
  await expectNothingLeftToDo(service.world.sql);
}, 180_000);

test('a refund the bank does not settle in five days is given to a person, its money still set aside, and found when it is settled after all', async () => {
  const { id, settleAtBank, question } = await slowRefund();
  await until((ASKED_AT_MS.at(-1) as number) - 1);
  expect((await service.order(id)).stuck).toBeNull();
  await until(6 * DAY_MS);
  expect(await question()).toMatchObject({ status: 'dead', attempts: ASKED_AT_MS.length });
  expect(await service.order(id)).toMatchObject({ state: 'subscribed', stuck: { cause: 'effect_dead' } });
  expect(service.alerts(id)).toMatchObject([{ cause: 'effect_dead' }]);
  expect(service.told(id).map(({ type }) => type)).toContain('order.stuck');
  const again = await service.call('POST', `/v1/orders/${id}/refund`, { reason: 'once more' });
  expect(again).toMatchObject({ status: 409, body: { code: 'illegal_event' } });
  await expectSound();

  settleAtBank();
  await until(8 * DAY_MS);
  expect(await service.order(id)).toMatchObject({ state: 'refunded' });
  expect(service.banks.razorpay.refunds.size).toBe(1);
  await expectSound();
  await expectNothingLeftToDo(service.world.sql);
}, 180_000);
