// The rig for whole lives, held to what it promises: a purchase settles, and weeks pass in seconds.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { expectSoundBooks } from './support/databaseChecks.ts';
import { startWholeService, type WholeService } from './support/wholeService.ts';

let service: WholeService;
beforeAll(async () => {
  service = await startWholeService();
});
afterAll(() => service?.close());

test('a purchase settles: the webhook is sent, the subscription stands, the merchant was told', async () => {
  const order = await service.buy();
  await service.pay(order);
  await service.settle();
  expect(await service.order(order.id)).toMatchObject({ state: 'subscribed', stuck: null });
  expect(await service.access(order.userId)).toMatchObject({ access: true, until: '2026-02-28T10:00:00.000Z' });
  expect(service.told(order.id).map(({ type }) => type)).toEqual(['order.subscribed']);
  await expectSoundBooks(service.world.sql);
});

test('five weeks pass in which a forgotten order expires, and access ends after its grace', async () => {
  const paid = await service.buy();
  const forgotten = await service.buy();
  await service.pay(paid);
  await service.travel('2026-03-07T10:00:00.000Z');
  expect(await service.order(forgotten.id)).toMatchObject({ state: 'failed', stuck: null });
  expect(await service.access(paid.userId)).toMatchObject({ access: false, reason: 'expired' });
  await expectSoundBooks(service.world.sql);
});

test('a webhook that is lost is found by the lists', async () => {
  const order = await service.buy();
  service.gate.webhooks = 'lose';
  await service.pay(order);
  await service.settle();
  service.gate.webhooks = 'pass';
  await service.travel(60_000);
  await service.travel(24 * 3_600_000);
  expect(await service.order(order.id)).toMatchObject({ state: 'subscribed' });
  await expectSoundBooks(service.world.sql);
});
