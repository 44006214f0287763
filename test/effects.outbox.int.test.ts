// Leases on a real database: who lost one changes nothing, a lost answer loses nothing, and a row that somebody holds
// costs its neighbours nothing.
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { Database } from '../db/client.ts';
import { type LeaseRequest, leaseDue, type OutboxLease, type Settlement, settleLeases } from '../db/outbox.ts';
import type { EffectName } from '../machines/orderSetup.ts';
import { EFFECT_POLICIES, LANE_WIDTH } from '../src/effects/policies.ts';
import { startWorker, workOff } from '../src/effects/worker.ts';
import { until } from './support/databaseChecks.ts';
import { losing } from './support/gatedDatabase.ts';
import {
  addEffects,
  done,
  EFFECT_NAMES,
  endLeases,
  logLines,
  outboxRow,
  outboxRows,
  remembering,
  workerOn,
} from './support/outboxRig.ts';
import { createWorld, openOrder, operator, type World } from './support/world.ts';

const LEASE_MS = Object.fromEntries(EFFECT_NAMES.map(name => [name, 60_000])) as Record<EffectName, number>;

let world: World;
beforeAll(async () => {
  world = await createWorld();
});
beforeEach(async () => {
  await world.sql`delete from outbox`;
});
afterAll(() => world.close());

const isLease = (text: string) => text.includes('due_provider');
const isSettle = (text: string) => text.includes('held as materialized');

const lease = (name: string, more: Partial<LeaseRequest> = {}) =>
  leaseDue(world.db, { lease: name, at: world.clock(), room: LANE_WIDTH, leaseMs: LEASE_MS, ...more });
async function leaseOne(name: string): Promise<OutboxLease> {
  const [one, ...others] = await lease(name);
  if (!one || others.length > 0) throw new Error('exactly one effect should be due');
  return one;
}
const ending = ({ id, lease, attempt }: OutboxLease, more: Partial<Settlement> = {}): Settlement =>
  ({ id, lease, attempt, at: world.clock(), end: 'done', note: null, ...more }) as Settlement;
const settle = async (one: Settlement) => (await settleLeases(world.db, [one])).get(one.id);

test('an effect is leased to one worker only, until its lease ends; the next one knows that it was tried', async () => {
  await addEffects(world, [{ effect: 'capture', key: 'capture', orderId: 'ord_a' }]);
  expect(await leaseOne('a')).toMatchObject({ attempt: 1, maybeSent: false, effect: 'capture', dedupKey: 'capture' });
  expect(await lease('b')).toEqual([]);
  await endLeases(world.sql);
  expect(await leaseOne('b')).toMatchObject({ attempt: 2, maybeSent: true });
});

test('a lease that is over and was taken by another settles nothing, whatever it says', async () => {
  const order = await openOrder(world);
  await world.sql`delete from outbox`;
  await addEffects(world, [{ effect: 'capture', key: 'capture', orderId: order.id }]);
  const slow = await leaseOne('slow');
  await endLeases(world.sql);
  const quick = await leaseOne('quick');
  const before = await outboxRows(world.sql);
  expect(await settle(ending(slow))).toBe('fenced');
  expect(await settle(ending(slow, { end: 'again', error: 'x', availableAt: new Date(0) }))).toBe('fenced');
  const dead = { end: 'dead', error: 'x', alertId: world.newId('eff'), noticeId: world.newId('eff') } as const;
  expect(await settle(ending(slow, dead))).toBe('fenced');
  expect(await settle(ending(slow, { end: 'released' }))).toBe('fenced');
  expect(await outboxRows(world.sql)).toEqual(before);
  expect(await settle(ending(quick))).toBe('settled');
  expect(await settle(ending(slow))).toBe('fenced');
});

test('a lease that is over and was taken by nobody may still say how it ended', async () => {
  await addEffects(world, [{ effect: 'capture', key: 'capture' }]);
  const late = await leaseOne('late');
  await endLeases(world.sql);
  expect(await settle(ending(late))).toBe('settled');
  expect((await outboxRow(world.sql, 'capture')).status).toBe('done');
});

test('an old lease is fenced even where the effect died, was revived, and counts its tries anew', async () => {
  const order = await openOrder(world);
  await world.sql`delete from outbox`;
  await addEffects(world, [{ effect: 'close', key: `${order.id}:close`, orderId: order.id }]);
  const old = await leaseOne('w#1');
  await endLeases(world.sql);
  await settle(ending(await leaseOne('other#1'), { end: 'dead', error: 'no', alertId: null, noticeId: null }));
  await world.dispatch(operator(order.id, { type: 'retry.requested', reason: 'again' }));
  const revived = (await lease('w#2')).find(({ effect }) => effect === 'close');
  expect(revived).toMatchObject({ attempt: 1, maybeSent: true });
  expect(old.attempt).toBe(1);
  expect(await settle(ending(old))).toBe('fenced');
  expect(await outboxRow(world.sql, `${order.id}:close`)).toMatchObject({
    status: 'pending',
    leasedBy: 'w#2',
    leased: true,
  });
});

test('a lease whose answer was lost is found by asking the same again, and counts one try', async () => {
  await addEffects(world, [
    { effect: 'capture', key: 'a', orderId: 'ord_a' },
    { effect: 'notify', key: 'b', orderId: 'ord_a' },
  ]);
  let lost = 0;
  const db = losing(world.db, text => (isLease(text) && lost++ === 0 ? 'after' : null));
  const { handler, seen } = remembering();
  const worker = startWorker(workerOn({ ...world, db }, handler, { pollMs: 1 }));
  await until('both were handled', () => seen.length === 2);
  await worker.close();
  expect(seen.map(({ attempt, maybeSent }) => ({ attempt, maybeSent }))).toEqual([
    { attempt: 1, maybeSent: false },
    { attempt: 1, maybeSent: false },
  ]);
});

test('an end whose answer was lost is settled once, told once, and not taken for fenced', async () => {
  const order = await openOrder(world);
  await world.sql`delete from outbox`;
  await addEffects(world, [{ effect: 'void', key: 'void', orderId: order.id }]);
  const losses: ('before' | 'after')[] = ['before', 'after', 'after'];
  const db = losing(world.db, text => (isSettle(text) ? (losses.shift() ?? null) : null));
  const { log, lines } = logLines();
  await workOff(
    workerOn({ ...world, db }, async ({ effect }) => (effect === 'void' ? { end: 'dead', error: 'no' } : done()), {
      log,
    }),
  );
  expect(losses).toEqual([]);
  const rows = await outboxRows(world.sql, { orderId: order.id });
  expect(rows.map(row => `${row.effect} ${row.status} ${row.attempts}`).toSorted()).toEqual([
    'alert done 1',
    'notify done 1',
    'void dead 1',
  ]);
  expect(lines.filter(line => String(line.msg).includes('fenced'))).toEqual([]);
});

test('a row that somebody holds is settled when it is let go, and its neighbours at once', async () => {
  await addEffects(world, [
    { effect: 'alert', key: 'held' },
    { effect: 'alert', key: 'free' },
  ]);
  const { handler, seen } = remembering();
  let worker: ReturnType<typeof startWorker> | undefined;
  const sql = await world.sql.reserve();
  try {
    const leased = workerOn(world, async effect => {
      await sql`begin`.catch(() => {});
      await sql`select 1 from outbox where dedup_key = 'held' for update`;
      return handler(effect);
    });
    worker = startWorker({ ...leased, pollMs: 3_600_000 });
    await until('the neighbour is settled', async () => (await outboxRow(world.sql, 'free')).status === 'done');
    expect((await outboxRow(world.sql, 'held')).status).toBe('pending');
    await sql`commit`;
    await until('the held one is settled', async () => (await outboxRow(world.sql, 'held')).status === 'done');
  } finally {
    sql.release();
    await worker?.close();
  }
  expect(seen).toHaveLength(2);
});

test('an end that the database refuses costs its neighbours nothing', async () => {
  await addEffects(world, [
    { effect: 'alert', key: 'refused' },
    { effect: 'alert', key: 'b' },
    { effect: 'alert', key: 'c' },
  ]);
  await world.sql`alter table outbox add constraint no_end check (dedup_key <> 'refused' or status = 'pending')`;
  const { log, lines } = logLines();
  await workOff(workerOn(world, done, { log }));
  await world.sql`alter table outbox drop constraint no_end`;
  expect((await outboxRows(world.sql)).map(row => `${row.dedupKey} ${row.status}`)).toEqual([
    'b done',
    'c done',
    'refused pending',
  ]);
  expect(lines.filter(line => line.level === 50)).toMatchObject([{ msg: 'how an effect ended cannot be written' }]);
  await endLeases(world.sql);
  await workOff(workerOn(world, done));
  expect((await outboxRow(world.sql, 'refused')).status).toBe('done');
});

test('an effect that takes every worker down with it is not tried for ever', async () => {
  await addEffects(world, [{ effect: 'capture', key: 'poison' }]);
  const { maxAttempts } = EFFECT_POLICIES.capture;
  for (let tries = 0; tries < maxAttempts; tries++) {
    expect(await lease(`killed#${tries}`)).toHaveLength(1);
    await endLeases(world.sql);
  }
  const { handler, seen } = remembering();
  await workOff(workerOn(world, handler));
  expect(seen.map(effect => effect.effect)).toEqual(['alert']);
  expect(await outboxRow(world.sql, 'poison')).toMatchObject({
    status: 'dead',
    lastError: `none of ${maxAttempts} tries came to an end`,
  });
});

test('what is due is found by look-ups alone, by a plan that was made while the table was empty', async () => {
  const texts: string[] = [];
  const params: unknown[][] = [];
  const listening: Database = {
    ...world.db,
    query(text, given) {
      texts.push(text);
      params.push([...given]);
      return world.db.query(text, given);
    },
  };
  await addEffects(world, [{ effect: 'notify', key: 'one', orderId: 'ord_a' }]);
  await workOff(workerOn({ ...world, db: listening }, done));
  await world.sql`delete from outbox`;
  for (const n of [0, 1]) {
    const rows = await world.db.query<Record<string, string>>(`explain ${texts[n]}`, params[n] as string[]);
    const plan = rows.map(row => row['QUERY PLAN'] ?? '');
    expect(plan.filter(line => /Seq Scan|Bitmap/.test(line))).toEqual([]);
    // Each index is entered by a key: none is read from one end to the other.
    const scans = plan.flatMap((line, at) =>
      /Index (Only )?Scan using/.test(line) ? [{ line, next: plan[at + 1] }] : [],
    );
    expect(scans.length).toBeGreaterThan(2);
    for (const { line, next } of scans) expect(next, line).toMatch(/Index Cond: \(+(available_at <=|order_id =|id =)/);
    if (n === 0) expect(plan.filter(line => /Sort/.test(line))).toEqual([]);
  }
});

test('what an order has reserved is let go before its session is closed, however the two were written', async () => {
  const order = { orderId: 'ord_a', version: 4 };
  await addEffects(world, [
    { effect: 'close', key: 'close', ...order },
    { effect: 'void', key: 'void', ...order },
  ]);
  const first = await leaseOne('a');
  expect(first.effect).toBe('void');
  const later = new Date(world.clock().getTime() + 60_000);
  await settle(ending(first, { end: 'again', error: 'not now', availableAt: later }));
  expect((await outboxRow(world.sql, 'close')).availableAt, 'put off with what it waits for').toEqual(later);
  expect(await lease('b', { at: later })).toMatchObject([{ effect: 'void' }]);
});

test('closing that is tried again later holds back no capture that is asked for meanwhile', async () => {
  await addEffects(world, [{ effect: 'close', key: 'close', orderId: 'ord_a', version: 3 }]);
  const closing = await leaseOne('a');
  await addEffects(world, [{ effect: 'capture', key: 'capture', orderId: 'ord_a', version: 5 }]);
  const later = new Date(world.clock().getTime() + 3_600_000);
  await settle(ending(closing, { end: 'again', error: 'away', availableAt: later }));
  expect(await lease('b')).toMatchObject([{ effect: 'capture' }]);
});
