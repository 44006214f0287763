// Trials through the API: one per user and product, granted at once, followed by what is paid without a lost day.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { API_KEY, checkOut, pay, type Service, startService } from './support/httpService.ts';

let service: Service;
const START = '2026-01-17T10:00:00.000Z';
beforeAll(async () => {
  service = await startService();
  const plan = { product: 'pro', amountMinor: 49_900, currency: 'INR', period: { months: 1 }, graceDays: 3 };
  await service.call('PUT', '/v1/plans/pro-yearly', { body: { ...plan, period: { months: 12 }, trialDays: 14 } });
  await service.call('PUT', '/v1/plans/team-monthly', { body: { ...plan, product: 'team', trialDays: 7 } });
  await service.call('PUT', '/v1/plans/team-yearly', { body: { ...plan, product: 'team', trialDays: 30 } });
  await service.call('PUT', '/v1/plans/plain', { body: { ...plan, product: 'plain' } });
});
afterAll(() => service.close());

let users = 0;
const newUser = () => `trial-user-${users++}`;
const ask = (userId: string, body: object = {}, product = 'pro') =>
  service.call('POST', `/v1/users/${userId}/subscriptions/${product}/trial`, { body, key: API_KEY });
const access = async (userId: string) => (await service.call('GET', `/v1/users/${userId}/access?product=pro`)).body;

test('a trial is granted at once, without a provider and without money', async () => {
  service.world.clock.set(START);
  const userId = newUser();
  const { status, body, headers } = await ask(userId);
  expect({ status, etag: headers.get('etag') }).toEqual({ status: 201, etag: '"3"' });
  expect(body.order).toMatchObject({ kind: 'trial', state: 'subscribed', provider: null, amountMinor: 0, stuck: null });
  expect(body.order).toMatchObject({ planId: 'pro-yearly', product: 'pro', userId });
  expect(await access(userId)).toMatchObject({ access: true, reason: 'trial', until: '2026-01-31T10:00:00.000Z' });
  service.world.clock.set('2026-01-31T10:00:00.000Z');
  expect(await access(userId)).toMatchObject({ access: false, reason: 'expired' });
});

test('asked again while it runs, it is the same one; afterwards there is no second', async () => {
  service.world.clock.set(START);
  const userId = newUser();
  const { order } = (await ask(userId)).body;
  expect(await ask(userId)).toMatchObject({ status: 200, body: { order: { id: order.id, version: order.version } } });
  service.world.clock.set('2026-02-01T10:00:00.000Z');
  const late = await ask(userId);
  expect(late).toMatchObject({ status: 409, body: { code: 'illegal_event', order: { id: order.id } } });
  expect(late.body.detail).toContain(order.id);
});

test('thirty-two calls at once make one trial', async () => {
  service.world.clock.set(START);
  const userId = newUser();
  const answers = await Promise.all(Array.from({ length: 32 }, () => ask(userId)));
  expect(answers.map(({ status }) => status).sort()).toEqual([...Array(31).fill(200), 201]);
  expect(new Set(answers.map(({ body }) => body.order.id)).size).toBe(1);
  const rows = await service.world.sql`select o.state from orders o join grants g on g.order_id = o.id
    where o.user_id = ${userId}`;
  expect(rows.map(row => row.state)).toEqual(['subscribed']);
});

test('whoever pays during the trial loses no day of it', async () => {
  service.world.clock.set(START);
  const userId = newUser();
  await ask(userId);
  service.world.clock.set('2026-01-20T10:00:00.000Z');
  const order = await checkOut(service, { userId, another: true });
  const payment = pay(service, order.providerOrderId);
  const told = await service.webhook({ type: 'payment.captured', data: payment });
  expect(told.body).toMatchObject({ verdict: 'applied', state: 'subscribed' });
  expect(await access(userId)).toMatchObject({ reason: 'trial', until: '2026-02-28T10:00:00.000Z' });
  service.world.clock.set('2026-02-01T10:00:00.000Z');
  expect(await access(userId)).toMatchObject({ access: true, reason: 'active', until: '2026-02-28T10:00:00.000Z' });
});

test('whoever has paid for the product, even if it was refunded, has no trial of it', async () => {
  service.world.clock.set(START);
  const userId = newUser();
  const order = await checkOut(service, { userId });
  const payment = pay(service, order.providerOrderId);
  await service.webhook({ type: 'payment.captured', data: payment });
  const refused = { status: 409, body: { code: 'illegal_event', order: { id: order.id } } };
  expect(await ask(userId)).toMatchObject(refused);
  await service.webhook({ type: 'refund.completed', data: { ...payment, refundId: `rf-${userId}` } });
  expect(await ask(userId)).toMatchObject({ ...refused, body: { order: { state: 'refunded' } } });
});

test('the plan is named where there is a choice, and has to have a trial', async () => {
  service.world.clock.set(START);
  const userId = newUser();
  const choice = await ask(userId, {}, 'team');
  expect(choice.status).toBe(400);
  expect(choice.body.detail).toContain('team-monthly, team-yearly');
  expect((await ask(userId, { planId: 'pro-yearly' }, 'team')).status).toBe(400);
  expect((await ask(userId, {}, 'plain')).body.detail).toContain('no plan of plain has a trial');
  expect((await ask(userId, { planId: 'team-yearly' }, 'team')).body.order.planId).toBe('team-yearly');
  expect((await ask(userId, { plan: 'team-yearly' }, 'team')).status).toBe(400);
});

test('a trial that was written and not granted, because the service died in between, is granted when it is asked for', async () => {
  service.world.clock.set(START);
  const userId = newUser();
  const [product, planId] = ['pro', 'pro-yearly'];
  await service.world.sql.unsafe(
    `alter table grants add constraint no_grant_now check (user_id <> '${userId}' or product <> '${product}') not valid`,
  );
  const stuck = await ask(userId, { planId });
  expect(stuck.body.order).toMatchObject({ state: 'captured', stuck: { cause: 'grant_failed' } });
  await service.world.sql.unsafe('alter table grants drop constraint no_grant_now');
  expect(await ask(userId)).toMatchObject({
    status: 200,
    body: { order: { id: stuck.body.order.id, state: 'subscribed', stuck: null } },
  });
});
