// Orders that hear nothing, over their whole lives: every question and every end on the minute, and money that turns up
// days after everybody had given up. The whole service on a held clock.
import { afterEach, expect, test } from 'vitest';
import { ASK_SCHEDULE_MS } from '../machines/askSchedule.ts';
import { PAYMENT_WINDOW_MS } from '../machines/orderSetup.ts';
import { expectSoundBooks } from './support/databaseChecks.ts';
import type { Json } from './support/httpService.ts';
import { expectNobodyForgotten, expectNothingLeftToDo } from './support/nobodyForgotten.ts';
import { startWholeService, type WholeOptions, type WholeService } from './support/wholeService.ts';

const START = '2026-02-25T08:00:00.000Z';
const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
/** When a silent order is asked about, in ms after it was opened: 5 min, then 1 h, then five times a day. */
const ASKED_AT_MS = ASK_SCHEDULE_MS.map((_, n) => ASK_SCHEDULE_MS.slice(0, n + 1).reduce((sum, wait) => sum + wait, 0));

let service: WholeService;
afterEach(() => service?.close());
const start = async (options: WholeOptions = {}) => {
  service = await startWholeService({ at: START, ...options });
  return service;
};

const at = (ms: number) => new Date(Date.parse(START) + ms).toISOString();
/** Lists are read once a day, so that what is told here is told by questions. */
const until = (ms: number) => service.travel(at(ms), { listEveryMs: DAY_MS });
const stateOf = async (id: string) => (await service.order(id)).state;
const effectOf = async (id: string, name: string) =>
  (await service.timeline(id)).effects.find(({ effect }: Json) => effect === name);
const toldTypes = (id: string) => service.told(id).map(({ type }) => type);

async function expectSound() {
  await expectSoundBooks(service.world.sql);
  await expectNobodyForgotten(service.world.sql, service.now());
}

test('an abandoned checkout is asked about, expires, is closed at its provider, and at the end nobody waits for anything', async () => {
  const { id, providerOrderId } = await (await start()).buy();
  const questions = () =>
    service.proxy.calls.filter(({ method, path }) => method === 'GET' && path.endsWith(`/orders/${providerOrderId}`));
  const sessionIs = async () => (await service.dashboard('GET', `/orders/${providerOrderId}`)).status;

  await until(5 * MINUTE_MS - 1);
  expect([await stateOf(id), questions().length]).toEqual(['created', 0]);
  await until(5 * MINUTE_MS);
  expect([await stateOf(id), questions().length]).toEqual(['created', 1]);
  await until(PAYMENT_WINDOW_MS - 1);
  expect([await stateOf(id), await sessionIs()]).toEqual(['created', 'open']);
  await until(PAYMENT_WINDOW_MS);
  expect([await stateOf(id), await sessionIs()]).toEqual(['failed', 'closed']);
  expect(toldTypes(id)).toEqual(['order.failed']);
  await expectSound();

  await until(65 * MINUTE_MS);
  expect(questions().length).toBe(2);
  expect(await effectOf(id, 'reconcile')).toMatchObject({
    status: 'done',
    lastError: 'nobody has paid, and nobody can any more',
  });
  await until(14 * DAY_MS);
  expect(questions().length, 'the provider has answered; asking is over').toBe(2);
  expect((await service.timeline(id)).transitions.length).toBe(3);
  expect(service.alerts(id)).toEqual([]);
  await expectSound();
  await expectNothingLeftToDo(service.world.sql);
}, 180_000);

test('where a provider closes no orders, an abandoned one is asked about to the end of the schedule, on the minute', async () => {
  const { id, providerOrderId } = await (await start({ banks: ['razorpay'] })).buy({ provider: 'razorpay' });
  const asked = () => service.banks.razorpay.calls.filter(call => call.includes(`/orders/${providerOrderId}/payments`));
  for (const [n, ms] of ASKED_AT_MS.entries()) {
    await until(ms - 1);
    expect(asked().length, `one millisecond before question ${n + 1}`).toBe(n);
    await until(ms);
    expect(asked().length, `question ${n + 1}`).toBe(n + 1);
  }
  expect(await stateOf(id)).toBe('failed');
  await until(14 * DAY_MS);
  expect(asked().length).toBe(ASKED_AT_MS.length);
  expect(await effectOf(id, 'reconcile')).toMatchObject({ status: 'done', attempts: ASKED_AT_MS.length });
  expect(service.alerts(id)).toEqual([]);
  await expectSound();
  await expectNothingLeftToDo(service.world.sql);
}, 180_000);

test('money that arrives on day four, for an order that expired, and of which no webhook tells, is found and granted from then on', async () => {
  const order = await (await start()).buy();
  await until(4 * DAY_MS);
  expect(await stateOf(order.id)).toBe('failed');
  service.gate.webhooks = 'lose';
  // It was on its way when the session was closed.
  await service.pay(order);
  await service.travel(15 * MINUTE_MS, { listEveryMs: 15 * MINUTE_MS });
  const day4 = at(4 * DAY_MS);
  expect(await service.order(order.id)).toMatchObject({ state: 'subscribed', stuck: null });
  // Heard of within the quarter of an hour, so it counts from the instant it was paid: nobody loses a minute of it.
  expect(await service.access(order.userId)).toMatchObject({ access: true, until: '2026-04-01T08:00:00.000Z' });
  expect(day4).toBe('2026-03-01T08:00:00.000Z');
  const { transitions } = await service.timeline(order.id);
  expect(transitions.map(({ to, source }: Json) => `${to} by ${source}`).slice(-3)).toEqual([
    'failed by sweeper',
    'captured by reconcile',
    'subscribed by reconcile',
  ]);
  expect(toldTypes(order.id)).toEqual(['order.failed', 'order.subscribed']);
  expect(service.alerts(order.id)).toEqual([]);
  await expectSound();
}, 180_000);

test('a reservation whose capture nobody answers is asked about by the schedule, parked with an alert, and granted when its money turns up after all', async () => {
  const order = await (await start()).buy();
  const paymentId = await service.pay(order, 'authorize-only');
  // From here on nobody is answered who asks about this payment, or for it.
  const silence = { to: new RegExp(`/payments/${paymentId}`), fault: 'reset' } as const;
  service.proxy.faults.push(...Array(2_000).fill(silence));
  await service.settle();
  expect(await stateOf(order.id)).toBe('authorized');

  const last = ASKED_AT_MS.at(-1) as number;
  for (const [n, ms] of ASKED_AT_MS.entries()) {
    await until(ms);
    expect(await stateOf(order.id), `after question ${n + 1}`).toBe('authorized');
    await expectSound();
  }
  const asked = await service.world.sql`
    select at from transitions where order_id = ${order.id} and event_type = 'deadline.passed' order by version`;
  expect(asked.map(row => row.at.toISOString())).toEqual(ASKED_AT_MS.map(at));
  const calls = (method: string) => service.proxy.calls.filter(call => call.method === method).map(({ path }) => path);
  expect(
    calls('POST').filter(path => path.endsWith(`/payments/${paymentId}/capture`)).length,
    'nothing is sent again before somebody says what became of the first',
  ).toBe(1);
  expect(calls('GET').filter(path => path.endsWith(`/payments/${paymentId}`)).length).toBeGreaterThan(12);

  await until(last + DAY_MS);
  expect(await service.order(order.id)).toMatchObject({ state: 'parked', stuck: { cause: 'parked' } });
  const alerts = service.alerts(order.id).map(({ cause }) => cause);
  expect(alerts).toContain('unanswered');
  expect(service.told(order.id)).toContainEqual(
    expect.objectContaining({ type: 'order.stuck', data: expect.objectContaining({ cause: 'unanswered' }) }),
  );
  await expectSound();
  await until(last + 2 * DAY_MS);
  expect(await stateOf(order.id)).toBe('parked');
  expect(service.alerts(order.id).filter(({ cause }) => cause === 'unanswered').length).toBe(1);
  await expectSound();

  // The first call had arrived all along, and only now somebody can be asked.
  service.gate.webhooks = 'lose';
  await service.dashboard('POST', `/payments/${paymentId}/capture`);
  service.proxy.faults.length = 0;
  await until(last + 3 * DAY_MS);
  expect(await service.order(order.id)).toMatchObject({ state: 'subscribed' });
  const { payments } = await service.timeline(order.id);
  expect(payments).toMatchObject([{ paymentId, capturedMinor: 49_900 }]);
  expect(toldTypes(order.id)).toContain('order.subscribed');
  await expectSound();
}, 180_000);
