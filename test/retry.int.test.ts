// Retry of one order through the API: whatever failed last is run again, each part for itself, once a key, with who and
// why on record; and when there is nothing to run, the sentence that says so is the same before and after.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { expectSoundBooks } from './support/databaseChecks.ts';
import { type Answer, API_KEY, checkOut, PLAN, type Service, startService } from './support/httpService.ts';
import { operator } from './support/world.ts';

let service: Service;
beforeAll(async () => {
  service = await startService();
  const { sql } = service.world;
  await sql`alter table grants add constraint no_luck check (user_id not like 'unlucky%') not valid`;
});
afterAll(async () => {
  await expectSoundBooks(service.world.sql);
  await service.close();
});

const captured = (paymentId: string, amountMinor = PLAN.amountMinor) => ({
  type: 'payment.captured',
  paymentId,
  amountMinor,
  currency: 'INR',
});
const tell = (id: string, body: unknown) => service.call('POST', `/v1/orders/${id}/events`, { body });
const read = async (id: string) => (await service.call('GET', `/v1/orders/${id}`)).body;
const timeline = async (id: string) => (await service.call('GET', `/v1/orders/${id}/timeline`)).body;
const dryRun = (id: string, body: unknown = { reason: 'x' }) =>
  service.call('POST', `/v1/orders/${id}/retry?dryRun=true`, { body });
const retry = (id: string, body: unknown = { reason: 'mended' }, headers: Record<string, string> = {}) =>
  service.call('POST', `/v1/orders/${id}/retry`, { body, headers });
/** With the rule gone that refuses the grant. */
const lucky = async (run: () => Promise<Answer>): Promise<Answer> => {
  const { sql } = service.world;
  await sql.unsafe(`alter table grants drop constraint no_luck`);
  const answer = await run();
  await sql.unsafe(`alter table grants add constraint no_luck check (user_id not like 'unlucky%') not valid`);
  return answer;
};
const harm = (id: string) => service.world.sql`update orders set machine = 'order.v0' where id = ${id}`;
const mend = (id: string) => service.world.sql`update orders set machine = 'order.v1' where id = ${id}`;
let payments = 0;
const payment = () => `pay_retry_${payments++}`;

/** An order that is paid and cannot be granted. */
async function stuckOnGrant(): Promise<{ id: string }> {
  const order = await checkOut(service, { userId: `unlucky-${payment()}` });
  await tell(order.id, captured(payment()));
  expect((await read(order.id)).stuck).toMatchObject({ cause: 'grant_failed' });
  return order;
}
/** A paid order with an effect whose attempts are used up. */
async function withDeadEffect(): Promise<{ id: string; key: string }> {
  const { id } = await checkOut(service);
  await tell(id, captured(payment()));
  const key = `${id}:void:by-hand`;
  await service.world
    .sql`insert into outbox (id, order_id, order_version, effect, payload, dedup_key, status, attempts, last_error)
      values (${`eff_${key}`}, ${id}, 3, 'void', '{"paymentId":"p"}', ${key}, 'dead', 9, 'the bank said no')`;
  expect((await read(id)).stuck).toMatchObject({ cause: 'effect_dead', detail: 'void: the bank said no' });
  return { id, key };
}

describe('a retry runs', () => {
  test('the grant that could not be written, and the timeline says who asked and why', async () => {
    const { id } = await stuckOnGrant();
    const plan = await dryRun(id);
    expect(plan.body).toMatchObject({ refused: null, would: [{ what: 'grant', name: null, key: null }] });
    const answer = await lucky(() => retry(id, { reason: 'rule removed', by: 'ada' }));
    expect(answer).toMatchObject({
      status: 200,
      body: {
        verdict: 'applied',
        order: { id, state: 'subscribed', stuck: null },
        did: [{ what: 'grant', done: true, verdict: 'applied', error: null }],
      },
    });
    expect(answer.headers.get('etag')).toBe(`"${answer.body.order.version}"`);
    const asked = (await timeline(id)).transitions.filter((t: { type: string }) => t.type === 'retry.requested');
    expect(asked).toMatchObject([{ reason: 'rule removed', by: 'ada', source: 'operator', from: 'captured' }]);
  });

  test('the grant in vain, and says with the database’s own sentence why the order is as stuck as before', async () => {
    const { id } = await stuckOnGrant();
    const { status, body } = await retry(id);
    expect(status).toBe(200);
    expect(body.order).toMatchObject({ state: 'captured', stuck: { cause: 'grant_failed' } });
    expect(body.did).toMatchObject([{ what: 'grant', done: false, verdict: 'applied', error: null }]);
    expect(body.did[0].detail).toContain('no_luck');
    expect((await timeline(id)).transitions.at(-1)).toMatchObject({ reason: 'mended', by: 'admin' });
  });

  test('a dead effect, under the key it always had', async () => {
    const { id, key } = await withDeadEffect();
    expect((await dryRun(id)).body.would).toEqual([{ what: 'effect', name: 'void', key }]);
    const { status, body } = await retry(id);
    expect(status).toBe(200);
    expect(body).toMatchObject({
      verdict: 'applied',
      order: { state: 'subscribed', stuck: null },
      did: [{ what: 'effect', name: 'void', key, done: true, verdict: 'applied' }],
    });
    const effects = (await timeline(id)).effects.filter((effect: { dedupKey: string }) => effect.dedupKey === key);
    expect(effects).toMatchObject([
      { id: `eff_${key}`, status: 'pending', attempts: 0, lastError: 'the bank said no' },
    ]);
  });

  test('what was kept while the order could not be read, with a note of who asked', async () => {
    const { id, providerOrderId } = await checkOut(service);
    const paymentId = payment();
    await harm(id);
    const data = { providerOrderId, paymentId, amountMinor: PLAN.amountMinor, currency: 'INR' };
    const sent = await service.webhook({ type: 'payment.captured', data }, { id: `evt_${paymentId}` });
    expect(sent.body).toMatchObject({ verdict: 'parked', orderId: id });
    await mend(id);
    expect((await read(id)).stuck).toMatchObject({ cause: 'snapshot_unreadable' });
    const plan = await dryRun(id);
    expect(plan.body.would).toEqual([{ what: 'event', name: 'payment.captured', key: `evt_${paymentId}` }]);
    const { status, body } = await retry(id, { reason: 'chart is back', by: 'ada' });
    expect(status).toBe(200);
    expect(body).toMatchObject({
      verdict: 'applied',
      order: { state: 'subscribed', stuck: null },
      did: [{ what: 'event', key: `evt_${paymentId}`, done: true, verdict: 'applied' }],
    });
    const { received } = await timeline(id);
    expect(received).toMatchObject([
      { eventKey: `evt_${paymentId}`, verdict: 'applied', deliveries: 1 },
      { type: 'retry.requested', verdict: 'ignored', detail: expect.stringMatching(/^ada: chart is back \(.*evt_pay/) },
    ]);
  });

  test('an event that came before its order and was left behind', async () => {
    const { id, providerOrderId } = await checkOut(service);
    const paymentId = payment();
    const { sql } = service.world;
    // As a crash between the opening and the second look leaves it.
    await sql`update orders set provider_order_id = ${`x${providerOrderId}`} where id = ${id}`;
    const data = { providerOrderId, paymentId, amountMinor: PLAN.amountMinor, currency: 'INR' };
    const sent = await service.webhook({ type: 'payment.captured', data });
    expect(sent.body).toMatchObject({ verdict: 'unmatched', orderId: null });
    await sql`update orders set provider_order_id = ${providerOrderId} where id = ${id}`;
    const { body } = await retry(id);
    expect(body).toMatchObject({
      verdict: 'applied',
      order: { state: 'subscribed' },
      did: [{ what: 'event', name: 'payment.captured', done: true }],
    });
  });

  test('a deadline nobody has sent', async () => {
    const { id } = await checkOut(service);
    const { clock } = service.world;
    const now = clock().toISOString();
    clock.set('2026-01-31T11:00:00.000Z');
    expect((await read(id)).stuck).toMatchObject({ cause: 'deadline_passed' });
    const { body } = await retry(id, { reason: 'the sweeper slept', by: 'ada' });
    clock.set(now);
    expect(body).toMatchObject({
      verdict: 'applied',
      order: { state: 'failed', stuck: null },
      did: [{ what: 'deadline', name: 'paymentWindow', done: true, verdict: 'applied' }],
    });
    expect((await timeline(id)).received).toMatchObject([
      { detail: expect.stringContaining('ada: the sweeper slept') },
    ]);
  });

  test('an order parked because nobody answered, now that its authorisation stands', async () => {
    const { id } = await parkedUnanswered();
    expect((await dryRun(id)).body.would).toEqual([{ what: 'parked', name: null, key: null }]);
    const { body } = await retry(id);
    expect(body).toMatchObject({
      verdict: 'applied',
      order: { state: 'authorized', stuck: null },
      did: [{ what: 'parked', done: true, verdict: 'applied' }],
    });
  });

  test('dead effects and the parked order that has them, both by one call', async () => {
    const { id } = await parkedUnanswered();
    await service.world.sql`update outbox set status = 'dead' where order_id = ${id} and effect = 'capture'`;
    const { body } = await retry(id);
    expect(body.order).toMatchObject({ state: 'authorized', stuck: null });
    expect(body.did).toMatchObject([
      { what: 'parked', done: true },
      { what: 'effect', name: 'capture', done: true },
    ]);
  });

  test('every part, although one cannot be written', async () => {
    const { id, key } = await withDeadEffect();
    const { sql } = service.world;
    const bad = payment();
    await sql.unsafe(`alter table payments add constraint no_${bad} check (payment_id <> '${bad}') not valid`);
    await harm(id);
    for (const paymentId of [bad, payment()]) await tell(id, captured(paymentId));
    await mend(id);
    const { status, body } = await retry(id);
    expect(status).toBe(200);
    expect(body.verdict).toBe('applied');
    expect(body.did).toMatchObject([
      { what: 'event', done: false, verdict: null, error: { code: 'internal_error' } },
      { what: 'event', done: true, verdict: 'surplus' },
      { what: 'effect', key, done: true, verdict: 'applied' },
    ]);
    expect(JSON.stringify(body)).not.toContain(`no_${bad}`);
    expect(body.order.stuck).toMatchObject({ cause: 'snapshot_unreadable' });
    await sql.unsafe(`alter table payments drop constraint no_${bad}`);
    expect((await retry(id)).body).toMatchObject({ order: { stuck: null }, did: [{ what: 'event', done: true }] });
  });

  test('the dead effects of an order whose grant fails again', async () => {
    const { id } = await stuckOnGrant();
    const key = `${id}:alert:by-hand`;
    await service.world.sql`insert into outbox (id, order_id, order_version, effect, payload, dedup_key, status)
      values (${`eff_${key}`}, ${id}, 3, 'alert', '{}', ${key}, 'dead')`;
    const { body } = await retry(id);
    expect(body.did).toMatchObject([
      { what: 'grant', done: false },
      { what: 'effect', key, done: true },
    ]);
  });
});

/** Authorised, asked about as often as the chart allows, never answered. */
async function parkedUnanswered(): Promise<{ id: string }> {
  const { id } = await checkOut(service);
  const { clock, sql, dispatch } = service.world;
  const now = clock().toISOString();
  await tell(id, { ...captured(payment()), type: 'payment.authorized' });
  while ((await read(id)).state === 'authorized') {
    const [row] = await sql`select snapshot->'deadline' as deadline from orders where id = ${id}`;
    const { id: deadline, setAtVersion, dueAt } = row!.deadline;
    clock.set(dueAt);
    await dispatch(operator(id, { type: 'deadline.passed', deadline, setAtVersion }, { source: 'sweeper' }));
  }
  clock.set(now);
  expect((await read(id)).stuck).toMatchObject({ cause: 'parked' });
  return { id };
}

describe('a retry is refused, and says beforehand why,', () => {
  const refused: [string, () => Promise<string>, RegExp][] = [
    ['where nothing has failed', async () => (await checkOut(service)).id, /is created: nothing has failed.*until 20/],
    [
      'while odd money is held',
      async () => {
        const { id } = await checkOut(service);
        await tell(id, captured(payment(), 1));
        return id;
      },
      /is parked: a payment that is not what the order costs is still held; refund it first/,
    ],
    [
      'while an effect is tried again by itself',
      async () => {
        const { id } = await checkOut(service);
        await tell(id, captured(payment()));
        await service.world.sql`update outbox set attempts = 3 where order_id = ${id} and effect = 'notify'`;
        return id;
      },
      /is subscribed: .* effect notify was tried 3 times and is tried again by itself at 20/,
    ],
    [
      'where the dead refund has set its money free',
      async () => {
        const { id, key } = await withDeadEffect();
        await service.world.sql`update outbox set effect = 'refund', payload = '{}' where dedup_key = ${key}`;
        return id;
      },
      /is subscribed: .* dead effect refund is over and not sent again \(the bank said no\); ask for it anew/,
    ],
    [
      'while the order cannot be read',
      async () => {
        const { id } = await checkOut(service);
        await harm(id);
        await tell(id, captured(payment()));
        return id;
      },
      /cannot be read.*no chart named order\.v0.* 1 event is kept for it; a retry decides them once its chart is back/,
    ],
    [
      'where all that is kept could not be decoded',
      async () => {
        const { id, providerOrderId } = await checkOut(service);
        const data = { providerOrderId, paymentId: payment(), amountMinor: 'much', currency: 'INR' };
        expect((await service.webhook({ type: 'payment.captured', data })).body.verdict).toBe('parked');
        return id;
      },
      /is created: .* 1 event is kept whose body could not be decoded/,
    ],
  ];
  test.each(refused)('%s', async (_where, prepare, sentence) => {
    const id = await prepare();
    const before = await service.books();
    const beforehand = await dryRun(id);
    expect(beforehand).toMatchObject({ status: 200, body: { order: { id }, would: [] } });
    expect(beforehand.body.refused).toMatch(sentence);
    const answer = await retry(id);
    expect(answer).toMatchObject({ status: 409, body: { code: 'nothing_to_retry', order: { id } } });
    expect(answer.body.detail).toBe(beforehand.body.refused);
    expect(answer.body.legalEvents).toEqual(answer.body.order.legalEvents);
    expect(await service.books()).toBe(before);
    await mend(id);
  });

  test('to a merchant’s key, and for an order nobody knows', async () => {
    const { id } = await stuckOnGrant();
    const before = await service.books();
    const body = { reason: 'please' };
    expect((await service.call('POST', `/v1/orders/${id}/retry`, { key: API_KEY, body })).status).toBe(403);
    expect((await service.call('POST', '/v1/retry?cause=grant_failed', { key: API_KEY, body })).status).toBe(403);
    expect((await retry(`ord_${'0'.repeat(26)}`)).status).toBe(404);
    expect((await dryRun(`ord_${'0'.repeat(26)}`)).status).toBe(404);
    expect(await service.books()).toBe(before);
  });
});

describe('a retry is run once', () => {
  test('a key, however often it is sent, and the key means nothing else after that', async () => {
    const { id } = await stuckOnGrant();
    const headers = { 'idempotency-key': `retry-${id}` };
    const first = await lucky(() => retry(id, { reason: 'mended' }, headers));
    expect(first.body.verdict).toBe('applied');
    const before = await service.books();
    expect(await retry(id, { reason: 'mended' }, headers)).toMatchObject({
      status: 200,
      body: { verdict: 'duplicate', order: { state: 'subscribed', version: first.body.order.version }, did: [] },
    });
    expect(await retry(id, { reason: 'something else' }, headers)).toMatchObject({
      status: 422,
      body: { code: 'idempotency_key_reused' },
    });
    expect(await service.books()).toBe(before);
  });

  test('by 32 calls at once with one key', async () => {
    const { id, key } = await withDeadEffect();
    const { version } = await read(id);
    const headers = { 'idempotency-key': `retry-${id}` };
    const answers = await Promise.all(Array.from({ length: 32 }, () => retry(id, { reason: 'again' }, headers)));
    expect(answers.map(({ status }) => status)).toEqual(Array(32).fill(200));
    expect(answers.filter(({ body }) => body.verdict === 'applied')).toHaveLength(1);
    expect(answers.filter(({ body }) => body.verdict === 'duplicate')).toHaveLength(31);
    const after = await timeline(id);
    expect(after.order.version).toBe(version + 1);
    expect(after.effects.filter((effect: { dedupKey: string }) => effect.dedupKey === key)).toHaveLength(1);
  });

  test('by 32 people at once, and nobody is told of an error', async () => {
    const { id, providerOrderId } = await checkOut(service);
    await harm(id);
    const data = { providerOrderId, paymentId: payment(), amountMinor: PLAN.amountMinor, currency: 'INR' };
    await service.webhook({ type: 'payment.captured', data });
    await mend(id);
    await service.world.sql`insert into outbox (id, order_id, order_version, effect, payload, dedup_key, status)
      values (${`eff_${id}`}, ${id}, 2, 'close', '{}', ${`${id}:close`}, 'dead')`;
    // On a busy machine some are told to come back, and do.
    const untilTold = async (by: string): ReturnType<typeof retry> => {
      const answer = await retry(id, { reason: 'x', by });
      return answer.status === 503 ? untilTold(by) : answer;
    };
    const answers = await Promise.all(Array.from({ length: 32 }, (_, i) => untilTold(`p${i}`)));
    for (const { status, body } of answers) {
      if (status === 200) expect(['applied', 'duplicate']).toContain(body.verdict);
      else expect([status, body.code]).toEqual([409, 'nothing_to_retry']);
    }
    const { order, transitions } = await timeline(id);
    expect(order).toMatchObject({ state: 'subscribed', version: 5, stuck: null });
    expect(transitions.filter((t: { type: string }) => t.type === 'retry.requested')).toHaveLength(1);
  });

  test('at the version it was meant for', async () => {
    const { id } = await stuckOnGrant();
    const { version } = await read(id);
    const before = await service.books();
    const stale = { 'if-match': `"${version - 1}"` };
    expect(await retry(id, undefined, stale)).toMatchObject({ status: 412, body: { version } });
    const path = `/v1/orders/${id}/retry?dryRun=true`;
    expect((await service.call('POST', path, { body: { reason: 'x' }, headers: stale })).status).toBe(412);
    expect(await service.books()).toBe(before);
    expect((await retry(id, undefined, { 'if-match': `"${version}"` })).status).toBe(200);
  });
});

test('a dry run of what would be run writes nothing', async () => {
  const orders = [await stuckOnGrant(), await withDeadEffect(), await parkedUnanswered()];
  const before = await service.books();
  for (const { id } of orders) expect((await dryRun(id)).body).toMatchObject({ refused: null, would: [{}] });
  const { body } = await service.call('POST', '/v1/retry?cause=parked&dryRun=true', { body: { reason: 'x' } });
  expect(body.orders.map((order: { orderId: string }) => order.orderId)).toContain(orders[2]?.id);
  expect(await service.books()).toBe(before);
});
