// What is kept although nobody can decide it yet, or ever: events before their order, events without a meaning, events
// of an order that cannot be read, and keys that come again with something else.
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readOrderRow } from '../db/orders.ts';
import type { Envelope, Outcome } from '../src/dispatch/envelope.ts';
import { decideEarly } from '../src/unmatched.ts';
import { expectSoundBooks, refusal, until } from './support/databaseChecks.ts';
import { gated } from './support/gatedDatabase.ts';
import { captured, createWorld, openOrder, operator, type World, webhook } from './support/world.ts';

let world: World;
beforeAll(async () => {
  world = await createWorld();
});
afterAll(() => world.close());

const inboxOf = async (key: string) => {
  const [row] =
    await world.sql`select verdict, detail, deliveries, attempts, order_id, applied_version, event is not null as kept from inbox where event_key = ${key}`;
  return row;
};
const open = (id: string, providerOrderId: string) =>
  world.dispatch(operator(id, { type: 'checkout.opened', providerOrderId }, { source: 'checkout' }));
const deps = () => ({ db: world.db, dispatch: world.dispatch, log: pino({ level: 'silent' }) });

describe('a webhook before its order', () => {
  test('is kept unmatched and decided when the order is opened, without counting as delivered again', async () => {
    const order = await openOrder(world, { opened: false });
    const early = webhook(order.providerOrderId, captured(`pay-${order.id}`));
    expect(await world.dispatch(early)).toMatchObject({ verdict: 'unmatched', orderId: null, state: null });
    expect(await inboxOf(early.eventKey)).toMatchObject({ verdict: 'unmatched', deliveries: 1, kept: true });
    expect(await world.dispatch(early)).toMatchObject({ verdict: 'unmatched' });
    await open(order.id, order.providerOrderId);
    await decideEarly(deps(), order.id);
    expect(await inboxOf(early.eventKey)).toEqual({
      verdict: 'applied',
      detail: null,
      deliveries: 2,
      attempts: 2,
      order_id: order.id,
      applied_version: 3,
      kept: false,
    });
    expect((await readOrderRow(world.db, order.id))?.state).toBe('subscribed');
    expect(await world.dispatch(early)).toMatchObject({ verdict: 'duplicate', orderId: order.id });
    expect((await inboxOf(early.eventKey))?.deliveries).toBe(3);
    await expectSoundBooks(world.sql);
  });

  test('is not left behind when the order is opened between its look and its commit', async () => {
    const order = await openOrder(world, { opened: false });
    const early = webhook(order.providerOrderId, captured(`pay-${order.id}`));
    const gate = gated(world.db);
    const call = world.dispatcherOn(gate.db).dispatch(early);
    await until('it looks for its order', () => gate.waiting() === 1);
    await gate.release();
    await open(order.id, order.providerOrderId);
    // Nothing is unmatched yet, so this finds nothing: from here the webhook has only itself.
    await decideEarly(deps(), order.id);
    gate.open();
    expect(await call).toMatchObject({ verdict: 'applied', state: 'subscribed' });
    expect(await inboxOf(early.eventKey)).toMatchObject({ verdict: 'applied', deliveries: 1 });
    await expectSoundBooks(world.sql);
  });

  test('does not overwrite what another delivery of it achieved meanwhile', async () => {
    const order = await openOrder(world, { opened: false });
    const early = webhook(order.providerOrderId, captured(`pay-${order.id}`));
    const gate = gated(world.db);
    const call = world.dispatcherOn(gate.db).dispatch(early);
    await until('it looks for its order', () => gate.waiting() === 1);
    await gate.release();
    await open(order.id, order.providerOrderId);
    expect(await world.dispatch(early)).toMatchObject({ verdict: 'applied', state: 'subscribed' });
    await until('it writes unmatched', () => gate.waiting() === 1);
    await gate.release();
    const written = { verdict: 'applied', deliveries: 2, applied_version: 3, order_id: order.id, kept: false };
    expect(await inboxOf(early.eventKey)).toMatchObject(written);
    gate.open();
    expect(await call).toMatchObject({ verdict: 'duplicate', state: 'subscribed' });
    expect(await inboxOf(early.eventKey)).toMatchObject(written);
    await expectSoundBooks(world.sql);
  });

  test('is applied once when its own second look and the opening decide it at the same moment', async () => {
    const order = await openOrder(world, { opened: false });
    const early = webhook(order.providerOrderId, captured(`pay-${order.id}`));
    const gate = gated(world.db);
    const call = world.dispatcherOn(gate.db).dispatch(early);
    await until('it looks for its order', () => gate.waiting() === 1);
    await gate.release();
    await until('it writes unmatched', () => gate.waiting() === 1);
    await gate.release();
    await open(order.id, order.providerOrderId);
    await until('it looks again', () => gate.waiting() === 1);
    gate.open();
    await Promise.all([call, decideEarly(deps(), order.id)]);
    expect(['applied', 'duplicate']).toContain((await call).verdict);
    expect(await inboxOf(early.eventKey)).toMatchObject({ verdict: 'applied', deliveries: 1, order_id: order.id });
    await expectSoundBooks(world.sql);
  });
});

describe('an event without a meaning for the machine', () => {
  const bare = (because: 'ignored' | 'undecodable', providerOrderId: string | null, key: string): Envelope => ({
    ...webhook('', captured('pay-none')),
    providerOrderId,
    eventKey: key,
    event: null,
    because,
    detail: `it is ${because}`,
  });

  test('is stored as ignored when its type is not used, and counted when it comes again', async () => {
    const order = await openOrder(world);
    const envelope = bare('ignored', order.providerOrderId, 'evt-ignored');
    expect(await world.dispatch(envelope)).toMatchObject({ verdict: 'ignored', orderId: order.id });
    expect(await world.dispatch(envelope)).toMatchObject({ verdict: 'duplicate' });
    expect(await inboxOf('evt-ignored')).toMatchObject({ verdict: 'ignored', deliveries: 2, detail: 'it is ignored' });
  });

  test('is stored as parked with its bytes when it cannot be decoded, as often as it comes', async () => {
    const envelope = bare('undecodable', null, 'evt-broken');
    expect(await world.dispatch(envelope)).toMatchObject({ verdict: 'parked', orderId: null });
    expect(await world.dispatch(envelope)).toMatchObject({ verdict: 'parked', orderId: null });
    expect(await inboxOf('evt-broken')).toMatchObject({
      verdict: 'parked',
      deliveries: 2,
      detail: 'it is undecodable',
    });
    const [row] = await world.sql`select raw from inbox where event_key = 'evt-broken'`;
    expect(Buffer.from(row?.raw)).toEqual(Buffer.from(envelope.received?.raw ?? []));
  });
});

describe('a key that comes again with something else', () => {
  const changed = (envelope: Envelope): Envelope => ({
    ...envelope,
    received: { ...envelope.received!, raw: Buffer.from('another body'), bodyHash: 'another-hash' },
  });
  const findings = async (key: string) =>
    (await world.sql`select kind, order_id from findings where detail like ${`%${key} %`}`).map(row => row.kind);

  test('keeps its first body and is a finding, once', async () => {
    const order = await openOrder(world);
    const first = webhook(order.providerOrderId, captured(`pay-${order.id}`));
    await world.dispatch(first);
    expect(await world.dispatch(changed(first))).toMatchObject({ verdict: 'duplicate' });
    expect(await world.dispatch(changed(first))).toMatchObject({ verdict: 'duplicate' });
    const [row] = await world.sql`select body_hash from inbox where event_key = ${first.eventKey}`;
    expect(row?.body_hash).toBe(first.received?.bodyHash);
    expect(await findings(first.eventKey)).toEqual(['event_key_reused']);
  });

  test('is a finding also when both come at the same moment', async () => {
    const order = await openOrder(world);
    const first = webhook(order.providerOrderId, captured(`pay-${order.id}`));
    const outcomes = await Promise.all(together([first, changed(first)]));
    expect(outcomes.map(outcome => outcome.verdict)).toEqual(['applied', 'duplicate']);
    expect(await findings(first.eventKey)).toEqual(['event_key_reused']);
    expect((await inboxOf(first.eventKey))?.deliveries).toBe(2);
  });

  test('costs neither its neighbours nor itself an answer when two orders use it in one batch', async () => {
    const [one, other, neighbour] = await Promise.all([openOrder(world), openOrder(world), openOrder(world)]);
    const eventKey = `cb:pay-shared-${one.id}:captured`;
    const pay = (order: typeof one) => webhook(order.providerOrderId, captured(`pay-shared-${one.id}`), { eventKey });
    const outcomes = await Promise.all(
      together([pay(one), pay(other), webhook(neighbour.providerOrderId, captured(`pay-${neighbour.id}`))]),
    );
    expect(outcomes.map(outcome => outcome.verdict)).toEqual(['applied', 'duplicate', 'applied']);
    expect(await inboxOf(eventKey)).toMatchObject({ verdict: 'applied', order_id: one.id, deliveries: 2 });
    await expectSoundBooks(world.sql);
  });

  test('costs nobody an answer when one of the two orders is not known', async () => {
    const [known, neighbour] = await Promise.all([openOrder(world), openOrder(world)]);
    const eventKey = `evt-half-known-${known.id}`;
    const outcomes = await Promise.all(
      together([
        webhook(`sbo-unknown-${known.id}`, captured(`pay-u-${known.id}`), { eventKey }),
        webhook(known.providerOrderId, captured(`pay-${known.id}`), { eventKey }),
        webhook(neighbour.providerOrderId, captured(`pay-${neighbour.id}`)),
      ]),
    );
    expect(outcomes.map(outcome => outcome.verdict)).toEqual(['unmatched', 'applied', 'applied']);
    await expectSoundBooks(world.sql);
  });

  test('is refused for a person who asks for something else under it, and repeated for the same', async () => {
    const order = await openOrder(world);
    const asked = operator(order.id, { type: 'cancel.requested', reason: 'changed my mind' });
    expect(await world.dispatch(asked)).toMatchObject({ verdict: 'applied', state: 'failed' });
    expect(await world.dispatch(asked)).toMatchObject({ verdict: 'duplicate', state: 'failed' });
    const other = { ...asked, event: { type: 'cancel.requested', reason: 'no, another reason' } } as Envelope;
    expect((await refusal(world.dispatch(other))).code).toBe('idempotency_key_reused');
  });

  test('is refused for a person also when both are asked at the same moment', async () => {
    const order = await openOrder(world);
    const asked = operator(order.id, { type: 'cancel.requested', reason: 'changed my mind' });
    const other = { ...asked, event: { type: 'cancel.requested', reason: 'another reason' } } as Envelope;
    const [first, second] = together([asked, other]);
    expect((await refusal(second!)).code).toBe('idempotency_key_reused');
    expect(await first).toMatchObject({ verdict: 'applied', state: 'failed' });
  });
});

describe('the same payment', () => {
  test('told by two orders one after the other, or in one batch, pays for one and is a mismatch on the other', async () => {
    for (const atOnce of [false, true]) {
      const [one, other] = await Promise.all([openOrder(world), openOrder(world)]);
      const pair = [one, other].map(order => webhook(order.providerOrderId, captured(`pay-twice-${one.id}`)));
      const outcomes = atOnce
        ? await Promise.all(together(pair))
        : [await world.dispatch(pair[0]!), await world.dispatch(pair[1]!)];
      expect(outcomes.map(outcome => outcome.verdict)).toEqual(['applied', 'mismatch']);
      expect(outcomes[1]?.detail).toContain(one.id);
    }
    await expectSoundBooks(world.sql);
  });
});

describe('a call that names its order', () => {
  test('is told when there is none', async () => {
    const call = world.dispatch(operator('ord_nobody', { type: 'cancel.requested', reason: 'no order' }));
    expect((await refusal(call)).code).toBe('not_found');
  });

  test('is refused when the order does not stand where the caller saw it', async () => {
    const order = await openOrder(world);
    const asked = operator(order.id, { type: 'cancel.requested', reason: 'as seen' }, { ifMatch: 1 });
    expect((await refusal(world.dispatch(asked))).code).toBe('version_conflict');
    expect(await world.dispatch({ ...asked, ifMatch: 2 })).toMatchObject({ verdict: 'applied', version: 3 });
  });
});

/** Dispatches in one batch: both lanes are kept busy until all of them wait. */
function together(envelopes: Envelope[]): Promise<Outcome>[] {
  const gate = gated(world.db);
  const dispatcher = world.dispatcherOn(gate.db);
  for (const lane of [0, 1]) void dispatcher.dispatch(webhook(`sbo-busy-${lane}`, captured('pay-busy')));
  const calls = envelopes.map(envelope => dispatcher.dispatch(envelope));
  gate.open();
  return calls;
}
