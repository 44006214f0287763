// Merchants hear what happened: over real HTTP, from the outbox, each endpoint by itself, until it has it.
import { Webhook } from 'standardwebhooks';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Param, Row } from '../db/client.ts';
import { systemRandom } from '../src/clock.ts';
import { workOff } from '../src/effects/worker.ts';
import { DatabaseUnavailable } from '../src/errors.ts';
import { createNotifications } from '../src/notifications/notifications.ts';
import { decodeSecret, verifyStandardWebhook } from '../src/providers/signatures.ts';
import { checkOut, type Json, NOTIFICATION_KEY, pay, type Service, startService } from './support/httpService.ts';
import { type Received, type Receiver, startReceiver } from './support/merchantReceiver.ts';
import { handlersOf } from './support/outboxRig.ts';
import type { HeldClock } from './support/world.ts';

/** How long an answer is waited for, in ms: however slow this machine is, or no longer than a test wants to. */
const PATIENCE_MS = 60_000;
const IMPATIENCE_MS = 2_000;

let service: Service;
let clock: HeldClock;
/** Two systems of one merchant. */
let shop: Receiver;
let books: Receiver;

beforeAll(async () => {
  service = await startService({ notifications: { timeoutMs: PATIENCE_MS } });
  clock = service.world.clock;
  [shop, books] = await Promise.all([startReceiver(), startReceiver()]);
});
afterAll(() => Promise.all([service.close(), shop.close(), books.close()]));
beforeEach(() => clock.set('2026-01-31T10:00:00.000Z'));
afterEach(async () => {
  await service.world.sql`delete from endpoints`;
  await service.world.sql`update outbox set status = 'done' where status = 'pending'`;
  for (const receiver of [shop, books]) {
    Object.assign(receiver, { calls: [], next: [], otherwise: { status: 204 } });
  }
});

/** What turns a connection into one of another protocol, and no answer to anything. */
const OTHERWISE = { connection: 'Upgrade', upgrade: 'websocket' };

let workers = 0;
/** The worker does what is due; effects other than `notify` go nowhere. */
function work(random = systemRandom, notify = service.notifications.notifyHandler) {
  const { db, newId } = service.world;
  const nothing = async () => ({ end: 'done' as const });
  const handlers = { ...handlersOf(nothing), notify };
  const { log } = silent;
  return workOff({ db, clock, newId, log, handlers, random, workerId: `teller-${workers++}` });
}
const silent = { log: { info() {}, warn() {}, error() {}, debug() {} } as never };

/** Gives up soon on who says nothing, or begins to and never ends. */
function impatient() {
  const { db, newId } = service.world;
  const how = { key: NOTIFICATION_KEY, privateAddresses: true, timeoutMs: IMPATIENCE_MS };
  return createNotifications({ db, clock, newId, log: silent.log, ...how }).notifyHandler;
}

const longestPauses = (size: number) => new Uint8Array(size).fill(255);
const later = (ms: number) => clock.set(new Date(clock().getTime() + ms).toISOString());
const DAY_MS = 86_400_000;

async function endpoint(url: string, more: object = {}): Promise<{ id: string; secret: string }> {
  const { status, body, text } = await service.call('POST', '/v1/endpoints', { body: { url, ...more } });
  expect(status, text).toBe(201);
  return { id: body.endpoint.id, secret: body.secret };
}

/** An order that was paid, so that it has something to tell; answers its notifications, oldest first. */
async function paidOrder(): Promise<{ id: string; paymentId: string; notices: Json[] }> {
  const order = await checkOut(service);
  const payment = pay(service, order.providerOrderId);
  const { status } = await service.webhook({ type: 'payment.captured', data: { ...payment, state: undefined } });
  expect(status).toBe(200);
  return { id: order.id, paymentId: String(payment.paymentId), notices: await noticesOf(order.id) };
}

async function noticesOf(orderId: string): Promise<Json[]> {
  const { body } = await service.call('GET', `/v1/notifications?orderId=${orderId}`);
  return body.notifications.reverse();
}
const detail = async (id: string): Promise<Json> => (await service.call('GET', `/v1/notifications/${id}`)).body;

const idsAt = ({ calls }: Receiver) => calls.map(call => call.headers['webhook-id']);
const headersOf = ({ headers }: Received) => headers as Record<string, string>;

describe('a paid order', () => {
  test('is told to the merchant once, signed, with what was true when it happened', async () => {
    clock.set(new Date().toISOString()); // the library's verifier has a clock of its own
    const { secret } = await endpoint(`${shop.url}/hook`);
    const { id, notices } = await paidOrder();
    expect(notices).toMatchObject([{ type: 'order.subscribed', orderId: id, status: 'pending', attempts: 0 }]);
    await work();
    await work();
    expect(shop.calls).toHaveLength(1);
    const call = shop.calls[0]!;
    expect(call.path).toBe('/hook');
    expect(call.headers['webhook-id']).toBe(notices[0].id);
    expect(call.headers['content-type']).toBe('application/json');
    expect(new Webhook(secret).verify(call.body, headersOf(call))).toEqual({
      type: 'order.subscribed',
      timestamp: expect.stringMatching(/^\d{4}-.*Z$/),
      data: {
        orderId: id,
        version: 4,
        state: 'subscribed',
        kind: 'purchase',
        userId: expect.any(String),
        product: 'pro',
        planId: 'pro-monthly',
        provider: 'sandbox',
        live: false,
        amountMinor: 49_900,
        currency: 'INR',
      },
    });
    const told = await detail(notices[0].id);
    expect(told.notification).toMatchObject({ status: 'done', attempts: 1, nextAttemptAt: null, lastError: null });
    expect(JSON.stringify(told.body)).toBe(call.body);
    expect(told.attempts).toMatchObject([{ trigger: 'scheduled', status: 204, error: null, reason: null }]);
  });

  test('is told to nobody, without a trace, where there is no endpoint or none that wants it', async () => {
    await endpoint(`${shop.url}/refunds`, { topics: ['order.refunded', 'order.stuck'] });
    const { notices } = await paidOrder();
    await work();
    expect(shop.calls).toEqual([]);
    const told = await detail(notices[0].id);
    expect(told.notification.status).toBe('done');
    expect(told.attempts).toEqual([]);
  });

  test('that is refunded before the first message gets through is told in the order it happened', async () => {
    await endpoint(shop.url);
    shop.next = [{ status: 500 }];
    const { id, paymentId } = await paidOrder();
    await work();
    const body = { type: 'refund.updated', paymentId, refundId: `re_${id}`, state: 'completed', amountMinor: 49_900 };
    expect((await service.call('POST', `/v1/orders/${id}/events`, { body })).body.order.state).toBe('refunded');
    await work();
    expect(shop.calls).toHaveLength(1);
    later(DAY_MS);
    await work();
    const bodies = shop.calls.map(call => JSON.parse(call.body));
    expect(bodies.map(({ type }) => type)).toEqual(['order.subscribed', 'order.subscribed', 'order.refunded']);
    expect(bodies.map(({ data }) => data.state)).toEqual(['subscribed', 'subscribed', 'refunded']);
    expect(bodies[2].data.version).toBeGreaterThan(bodies[1].data.version);
  });
});

describe('an endpoint that fails', () => {
  test('keeps no other one from hearing the rest of the order, and hears it itself in the order it happened', async () => {
    await endpoint(shop.url);
    await endpoint(books.url);
    books.otherwise = { status: 500 };
    const { id, paymentId } = await paidOrder();
    await work();
    const body = { type: 'refund.updated', paymentId, refundId: `re_${id}`, state: 'completed', amountMinor: 49_900 };
    await service.call('POST', `/v1/orders/${id}/events`, { body });
    await work();
    const topicsAt = ({ calls }: Receiver) => calls.map(call => JSON.parse(call.body).type);
    expect(topicsAt(shop)).toEqual(['order.subscribed', 'order.refunded']);
    expect(topicsAt(books)).toEqual(['order.subscribed']);
    for (let tries = 2; tries <= 4; tries++) {
      later(DAY_MS);
      await work();
      expect(topicsAt(books), 'is not told what came after').toEqual(Array(tries).fill('order.subscribed'));
    }
    const [, refunded] = await noticesOf(id);
    expect(refunded, 'and not having been told costs it no try').toMatchObject({ status: 'pending', attempts: 0 });
    books.otherwise = { status: 204 };
    later(DAY_MS);
    await work();
    later(5_000);
    await work();
    expect(topicsAt(books).slice(4)).toEqual(['order.subscribed', 'order.refunded']);
    expect((await noticesOf(id)).map(({ status }) => status)).toEqual(['done', 'done']);
    expect(shop.calls).toHaveLength(2);
  });

  test('is tried again with the same id and the same bytes, freshly signed, until it has taken it', async () => {
    const { secret } = await endpoint(shop.url);
    shop.next = [{ status: 500, body: 'no\u0000 room' }, 'cut', { status: 503 }];
    const { notices } = await paidOrder();
    for (let tries = 1; tries <= 4; tries++) {
      await work();
      expect(shop.calls).toHaveLength(tries);
      const call = shop.calls.at(-1)!;
      const signed = { body: Buffer.from(call.body), headers: headersOf(call) };
      verifyStandardWebhook(signed, [decodeSecret(secret)], clock);
      later(DAY_MS);
    }
    await work();
    expect(shop.calls).toHaveLength(4);
    expect(new Set(idsAt(shop))).toEqual(new Set([notices[0].id]));
    expect(new Set(shop.calls.map(call => call.body)).size).toBe(1);
    expect(new Set(shop.calls.map(call => call.headers['webhook-timestamp'])).size).toBe(4);
    const told = await detail(notices[0].id);
    expect(told.notification).toMatchObject({ status: 'done', attempts: 4 });
    expect(told.attempts.map((attempt: Json) => [attempt.status, attempt.answer, attempt.error])).toEqual([
      [500, 'no\ufffd room', null],
      [null, null, 'could not be reached (ECONNRESET)'],
      [503, '', null],
      [204, '', null],
    ]);
  });

  test('never makes another one hear the same twice', async () => {
    await endpoint(shop.url);
    const { id: failing } = await endpoint(books.url);
    books.otherwise = { status: 500 };
    const { notices } = await paidOrder();
    for (let round = 0; round < 3; round++) {
      await work();
      later(DAY_MS);
    }
    expect(books.calls).toHaveLength(3);
    expect(shop.calls).toHaveLength(1);
    const [notice] = await noticesOf(notices[0].orderId);
    expect(notice).toMatchObject({ status: 'pending', attempts: 3, lastError: `${failing} answered 500` });
    books.otherwise = { status: 200 };
    await work();
    expect([shop.calls.length, books.calls.length]).toEqual([1, 4]);
    expect((await noticesOf(notices[0].orderId))[0].status).toBe('done');
  });

  test('and asks to wait is left alone until then, also when another one has to be tried meanwhile', async () => {
    await endpoint(shop.url);
    await endpoint(books.url);
    shop.next = [{ status: 429, headers: { 'retry-after': '7200' } }];
    books.next = [{ status: 500 }];
    const { notices } = await paidOrder();
    await work();
    later(3_600_000);
    await work();
    expect([shop.calls.length, books.calls.length]).toEqual([1, 2]);
    const [notice] = await noticesOf(notices[0].orderId);
    expect(notice.nextAttemptAt).toBe('2026-01-31T12:00:00.000Z');
    later(3_600_000);
    await work();
    expect([shop.calls.length, books.calls.length]).toEqual([2, 2]);
  });

  test('and asks to wait a second each time, as a full server does, is not given up within a minute', async () => {
    await endpoint(shop.url);
    shop.otherwise = { status: 503, headers: { 'retry-after': '1' } };
    const { notices } = await paidOrder();
    for (let second = 0; second < 60; second++, later(1_000)) await work(longestPauses);
    const [notice] = await noticesOf(notices[0].orderId);
    expect([notice.status, shop.calls.length]).toEqual(['pending', 3]);
    shop.otherwise = { status: 204 };
    later(DAY_MS);
    await work();
    expect((await noticesOf(notices[0].orderId))[0].status).toBe('done');
  });

  test('but has said that it takes it has taken it, however long it keeps the line', async () => {
    await endpoint(shop.url);
    shop.next = [{ status: 200, headers: { 'content-length': '100' }, body: 'wel', hangs: true }];
    const { notices } = await paidOrder();
    await work(systemRandom, impatient());
    expect((await noticesOf(notices[0].orderId))[0]).toMatchObject({ status: 'done' });
  });

  test.each([
    ['redirects', { status: 302, headers: { location: 'http://127.0.0.1:1/elsewhere' } }, /302, and redirects are not/],
    ['redirects for good', { status: 308, headers: { location: '/there' } }, /308, and redirects are not followed/],
    ['answers with no 2xx', { status: 304 }, /304/],
    ['says no', { status: 404 }, /answered 404/],
    ['says nothing', 'silence' as const, /did not answer in time/],
    ['wants to talk otherwise', { status: 101, headers: OTHERWISE }, /could not be reached \(no answer\)/],
  ])('because it %s has not taken it', async (_how, mood, error) => {
    await endpoint(shop.url);
    shop.next = [mood];
    const { notices } = await paidOrder();
    await work(systemRandom, mood === 'silence' ? impatient() : undefined);
    expect(shop.calls).toHaveLength(1);
    const [notice] = await noticesOf(notices[0].orderId);
    expect(notice).toMatchObject({ status: 'pending', lastError: expect.stringMatching(error) });
  });

  test('by a long answer has only its beginning kept', async () => {
    await endpoint(shop.url);
    shop.next = [{ status: 500, body: 'é'.repeat(100_000) }];
    const { notices } = await paidOrder();
    await work();
    const [attempt] = (await detail(notices[0].id)).attempts;
    expect(attempt.answer).toBe('é'.repeat(512));
  });

  test('for good is given up, and an operator is told', async () => {
    await endpoint(shop.url);
    shop.otherwise = { status: 500 };
    const { id } = await paidOrder();
    for (let round = 0; round < 12; round++) {
      await work();
      later(2 * DAY_MS);
    }
    const [notice] = await noticesOf(id);
    expect(notice).toMatchObject({ status: 'dead', attempts: 10, nextAttemptAt: null });
    expect(shop.calls).toHaveLength(10);
    const alerts = await service.world
      .sql`select payload from outbox where order_id = ${id} and effect = 'alert' and payload->>'cause' = 'effect_dead'`;
    expect(alerts).toHaveLength(1);
  });
});

describe('an endpoint that answers 410', () => {
  test('is disabled with the reason, not called again, and an operator is told once', async () => {
    const { id } = await endpoint(shop.url);
    await endpoint(books.url);
    shop.next = [{ status: 410 }];
    await paidOrder();
    await work();
    const { body } = await service.call('GET', `/v1/endpoints/${id}`);
    expect(body).toMatchObject({
      enabled: false,
      disabledReason: 'It answered 410 Gone.',
      disabledAt: expect.any(String),
    });
    const next = await paidOrder();
    await work();
    expect([shop.calls.length, books.calls.length]).toEqual([1, 2]);
    expect((await noticesOf(next.id))[0].status).toBe('done');
    const findings = await service.world
      .sql`select * from findings where kind = 'endpoint_disabled' and resolved_at is null`;
    expect(findings).toMatchObject([{ fingerprint: `endpoint_disabled:${id}` }]);
    const alerts = await service.world.sql`select 1 from outbox where payload->>'endpointId' = ${id}`;
    expect(alerts).toHaveLength(1);

    await service.call('PATCH', `/v1/endpoints/${id}`, { body: { enabled: true } });
    await paidOrder();
    await work();
    expect(shop.calls).toHaveLength(2);
    const open = await service.world
      .sql`select 1 from findings where kind = 'endpoint_disabled' and resolved_at is null`;
    expect(open).toHaveLength(0);
  });

  test('is told of by the very statement that disables it: a process that dies right after it has left nothing to tell', async () => {
    const { id } = await endpoint(shop.url);
    shop.next = [{ status: 410 }];
    await paidOrder();
    const { db } = service.world;
    let isDead = false;
    const dying = async <R extends Row>(text: string, params: readonly Param[]) => {
      if (isDead) throw new DatabaseUnavailable('the process has died');
      isDead = /update endpoints/.test(text);
      return db.query<R>(text, params);
    };
    const deps = { ...silent, clock, newId: service.world.newId, key: NOTIFICATION_KEY, privateAddresses: true };
    const { notifyHandler } = createNotifications({ ...deps, db: { ...db, query: dying } });
    await work(systemRandom, notifyHandler);
    expect([isDead, (await service.call('GET', `/v1/endpoints/${id}`)).body.enabled]).toEqual([true, false]);
    const told = await service.world.sql`
      select f.fingerprint, x.payload->>'endpointId' as endpoint from findings f
      join outbox x on starts_with(x.dedup_key, 'alert:finding:' || f.fingerprint) where f.resolved_at is null`;
    expect(told).toEqual([{ fingerprint: `endpoint_disabled:${id}`, endpoint: id }]);
  });

  test('again is told of again, also where the finding about the last time was never closed', async () => {
    const { id } = await endpoint(shop.url);
    const alerts = () => service.world.sql`select 1 from outbox where payload->>'endpointId' = ${id}`;
    for (const times of [1, 2]) {
      shop.next = [{ status: 410 }];
      await paidOrder();
      await work();
      expect(await alerts()).toHaveLength(times);
      // Enabled by a process that died before it closed the finding.
      await service.world.sql`update endpoints set disabled_at = null, disabled_reason = null where id = ${id}`;
      later(60_000);
    }
  });

  test('after it was given another address in the meantime stays enabled, and hears it there', async () => {
    const { id } = await endpoint(`${shop.url}/old`);
    const receiver = await startReceiver();
    // The merchant changes the address while the old one is being asked.
    const sql = service.world.sql;
    await sql.unsafe(`create function move() returns trigger language plpgsql as $$ begin
      update endpoints set url = '${receiver.url}/' where id = new.endpoint_id; return new; end $$`);
    await sql.unsafe('create trigger move after insert on notification_attempts for each row execute function move()');
    try {
      shop.next = [{ status: 410 }];
      const { id: orderId } = await paidOrder();
      await work();
      expect((await service.call('GET', `/v1/endpoints/${id}`)).body.enabled).toBe(true);
      expect(await sql`select 1 from findings where fingerprint = ${`endpoint_disabled:${id}`}`).toHaveLength(0);
      expect((await noticesOf(orderId))[0].status).toBe('pending');
      later(DAY_MS);
      await work();
      expect(receiver.calls).toHaveLength(1);
      expect((await noticesOf(orderId))[0].status).toBe('done');
    } finally {
      await sql.unsafe('drop trigger move on notification_attempts; drop function move');
      await receiver.close();
    }
  });
});

describe('redelivery by hand', () => {
  const redeliver = (id: string, body: object) => service.call('POST', `/v1/notifications/${id}/redeliver`, { body });

  test('brings a dead notification to who did not get it, and to nobody who did, and it is done', async () => {
    await endpoint(shop.url);
    await endpoint(books.url);
    books.otherwise = { status: 500 };
    const { id, notices } = await paidOrder();
    await work();
    await service.world.sql`update outbox set status = 'dead' where id = ${notices[0].id}`;
    books.otherwise = { status: 200, body: 'thanks' };
    const { status, body } = await redeliver(notices[0].id, { reason: 'their disk was full' });
    expect(status).toBe(200);
    expect(body.attempts).toMatchObject([
      { trigger: 'manual', reason: 'their disk was full', status: 200, answer: 'thanks', error: null },
    ]);
    expect([shop.calls.length, books.calls.length]).toEqual([1, 2]);
    expect(idsAt(books)[1]).toBe(notices[0].id);
    expect((await noticesOf(id))[0].status).toBe('done');
    expect((await redeliver(notices[0].id, { reason: 'again' })).body.attempts).toEqual([]);
    expect((await detail(notices[0].id)).attempts).toHaveLength(3);
  });

  test('to a named endpoint sends it again, the same bytes, even if that one has it', async () => {
    const { id: endpointId } = await endpoint(shop.url);
    const { notices } = await paidOrder();
    await work();
    const { body } = await redeliver(notices[0].id, { endpointId, reason: 'they lost a day' });
    expect(body.attempts).toMatchObject([{ endpointId, status: 204 }]);
    expect(shop.calls[1]!.body).toBe(shop.calls[0]!.body);
    expect(idsAt(shop)).toEqual([notices[0].id, notices[0].id]);
  });

  test('that fails is answered as it was and leaves the notification as it stood', async () => {
    const { id: endpointId } = await endpoint(shop.url);
    const { notices } = await paidOrder();
    await work();
    await service.world.sql`update outbox set status = 'dead' where id = ${notices[0].id}`;
    await service.world.sql`delete from notification_attempts where notification_id = ${notices[0].id}`;
    shop.next = [{ status: 503 }];
    const { status, body } = await redeliver(notices[0].id, { endpointId, reason: 'x' });
    expect(status).toBe(200);
    expect(body.attempts).toMatchObject([{ status: 503 }]);
    expect((await detail(notices[0].id)).notification.status).toBe('dead');
  });

  test('is refused to an endpoint that is disabled or not there, and for what is no notification', async () => {
    const { id: endpointId } = await endpoint(shop.url);
    const { notices } = await paidOrder();
    await service.call('PATCH', `/v1/endpoints/${endpointId}`, { body: { enabled: false } });
    const disabled = await redeliver(notices[0].id, { endpointId, reason: 'x' });
    expect([disabled.status, disabled.body.detail]).toEqual([400, expect.stringContaining('disabled')]);
    const unknown = await redeliver(notices[0].id, { endpointId: service.world.newId('ept'), reason: 'x' });
    expect(unknown.status).toBe(404);
    expect((await redeliver(service.world.newId('eff'), { reason: 'x' })).status).toBe(404);
    expect((await redeliver(notices[0].id, {})).status).toBe(400);
    expect(shop.calls).toEqual([]);
  });
});

test('secrets and the key they are made of are in no table and no log', async () => {
  const { id, secret } = await endpoint(`${shop.url}/hook?token=capability`);
  const rotated = await service.call('POST', `/v1/endpoints/${id}/rotate`);
  shop.next = [{ status: 500 }, 'cut', { status: 410 }];
  await paidOrder();
  for (let round = 0; round < 3; round++) {
    await work();
    later(DAY_MS);
  }
  expect(shop.calls).toHaveLength(3);
  const { sql } = service.world;
  const tables = await sql`select table_name as name from information_schema.tables where table_schema = 'public'`;
  const rows: string[] = [];
  for (const { name } of tables)
    rows.push(...(await sql.unsafe(`select t::text as row from ${name} t`)).map(r => r.row));
  const signature = String(shop.calls[0]!.headers['webhook-signature']).split(',')[1]!;
  for (const canary of [secret, rotated.body.secret, NOTIFICATION_KEY, secret.slice(6), signature]) {
    expect(rows.filter(row => row.includes(canary))).toEqual([]);
    expect(service.log.filter(line => line.includes(canary))).toEqual([]);
  }
  expect(service.log.some(line => line.includes('an endpoint did not take a notification'))).toBe(true);
  expect(service.log.filter(line => line.includes('capability'))).toEqual([]);
});
