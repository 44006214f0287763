// The check that nobody waits for ever finds each way of being forgotten: in sound books, one row after the other is made
// wrong and put right again.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { expectNobodyForgotten, expectNothingLeftToDo } from './support/nobodyForgotten.ts';
import { startWholeService, type WholeService } from './support/wholeService.ts';

let service: WholeService;
let ids: Record<'open' | 'paid' | 'parked' | 'twice', string>;
beforeAll(async () => {
  service = await startWholeService();
  const buyAndPay = async (story: string) => {
    const order = await service.buy();
    await service.pay(order, story);
    return order.id;
  };
  const paid = await buyAndPay('succeed');
  const parked = await buyAndPay('wrong-amount');
  const twice = await buyAndPay('pay-twice');
  await service.settle();
  ids = { open: (await service.buy()).id, paid, parked, twice };
  await service.settle();
});
afterAll(() => service?.close());

class PutRight extends Error {}

/** What the check says of the books while this has been done to them. */
async function saidAfter(...changes: string[]): Promise<string> {
  let said = '';
  const wrong = service.world.sql.begin(async tx => {
    for (const change of changes) await tx.unsafe(change);
    said = await expectNobodyForgotten(tx as never, service.now()).then(
      () => 'all is well',
      (error: Error) => error.message,
    );
    throw new PutRight();
  });
  await expect(wrong).rejects.toThrow(PutRight);
  return said;
}

test('sound books are sound, and still have something to do', async () => {
  await expectNobodyForgotten(service.world.sql, service.now());
  await expect(expectNothingLeftToDo(service.world.sql)).rejects.toThrow(/orders on their way/);
});

test('each way of being forgotten is named', async () => {
  const { open, paid, parked, twice } = ids;
  const noAlerts = (id: string) => `delete from outbox where effect = 'alert' and order_id = '${id}'`;
  const reserved = `insert into payments (payment_id, provider, order_id, state, currency, captured_minor, refunded_minor, lost_minor, counts)
    values ('pay_reserved', 'sandbox', '${paid}', 'authorized', 'INR', 0, 0, 0, false)`;
  const unmatched = `insert into inbox (event_key, provider, event_type, source, raw, body_hash, headers, verdict)
    values ('evt_lost', 'sandbox', 'payment.captured', 'webhook', '', '', '{}', 'unmatched')`;
  const finding = `insert into findings (id, fingerprint, kind, severity, detail) values ('fnd_1', 'x:1', 'odd', 'warning', 'odd')`;
  const parkedEvent = `insert into inbox (event_key, provider, event_type, source, raw, body_hash, headers, verdict, received_at)
    values ('evt_odd', 'sandbox', 'charge.odd', 'webhook', '', '', '{}', 'parked', '2026-01-01')`;
  expect({
    noDeadline: await saidAfter(`update orders set wake_at = null where id = '${open}'`),
    overdue: await saidAfter(`update orders set wake_at = '2026-01-01' where id = '${open}'`),
    overdueEffect: await saidAfter(`update outbox set available_at = '2026-01-01' where order_id = '${open}'`),
    parked: await saidAfter(noAlerts(parked)),
    dead: await saidAfter(`update outbox set status = 'dead' where order_id = '${open}'`),
    finding: await saidAfter(finding),
    heldWhileFailed: await saidAfter(`update orders set state = 'failed' where id = '${parked}'`, noAlerts(parked)),
    surplus: await saidAfter(`update payments set refunded_minor = 0 where order_id = '${twice}'`, noAlerts(twice)),
    reserved: await saidAfter(reserved),
    unmatched: await saidAfter(unmatched),
    chart: await saidAfter(`update orders set machine = 'order.v0' where id = '${paid}'`),
    parkedEvent: await saidAfter(parkedEvent),
  }).toEqual({
    noDeadline: expect.stringContaining('has a deadline'),
    overdue: expect.stringContaining('overdue'),
    overdueEffect: expect.stringContaining('overdue'),
    parked: expect.stringContaining('has been told to somebody'),
    dead: expect.stringContaining('died has been told'),
    finding: expect.stringContaining('finding that is open'),
    heldWhileFailed: expect.stringContaining('on its way back'),
    surplus: expect.stringContaining('more money than'),
    reserved: expect.stringContaining('only reserved'),
    unmatched: expect.stringContaining('without an order'),
    chart: expect.stringContaining('not registered'),
    parkedEvent: expect.stringContaining('event that is parked'),
  });
});

test('what cannot be read reaches the operator in words, and nobody is forgotten over it', async () => {
  const { world } = service;
  const [unknown, damaged] = [await service.buy(), await service.buy()];
  await service.settle();
  await world.sql`update orders set machine = 'order.v0' where id = ${unknown.id}`;
  await world.sql`update orders set snapshot = snapshot #- '{context,payments}' where id = ${damaged.id}`;
  for (const order of [unknown, damaged]) await service.pay(order);
  expect(await service.forge('payment.captured', { paymentId: 17 })).toMatchObject({ status: 200 });
  // Once is first sight, so that minutes of a release being rolled out go by.
  await service.travel(60_000);
  await service.travel(11 * 60_000);
  await expectNobodyForgotten(world.sql, service.now());
  const causes = (orderId: string | null) => service.alerts(orderId).map(({ cause }) => cause);
  expect(causes(null)).toEqual(expect.arrayContaining(['chart_unknown', 'webhook_undecodable']));
  expect(causes(damaged.id)).toEqual(['snapshot_unreadable']);
  expect(service.alerts(damaged.id)[0]?.text).toMatch(/^An order cannot be read, .* Order ord_\w+ of /);
});
