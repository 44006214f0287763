// The outbox worker on a real database: what is run, in which order, how it ends, and who is told about it.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { readOrderRow } from '../db/orders.ts';
import { systemRandom } from '../src/clock.ts';
import { createDispatch } from '../src/dispatch.ts';
import type { EffectEnd, LeasedEffect } from '../src/effects/effect.ts';
import { EFFECT_POLICIES } from '../src/effects/policies.ts';
import { startWorker, type Worker, workOff } from '../src/effects/worker.ts';
import { ProviderRefused, ProviderUnreachable } from '../src/errors.ts';
import { orderView } from '../src/orderView.ts';
import { until } from './support/databaseChecks.ts';
import { gated } from './support/gatedDatabase.ts';
import {
  addEffects,
  done,
  endByHand,
  logLines,
  outboxRow,
  outboxRows,
  remembering,
  workerOn,
} from './support/outboxRig.ts';
import { captured, createWorld, openOrder, operator, type World, webhook } from './support/world.ts';

/** Nobody looks by himself within a test. */
const NEVER_MS = 3_600_000;
const START = '2026-01-31T10:00:00.000Z';

let world: World;
const workers: Worker[] = [];
beforeAll(async () => {
  world = await createWorld();
});
beforeEach(async () => {
  for (const worker of workers.splice(0)) await worker.close();
  await world.sql`delete from outbox`;
  world.clock.set(START);
});
afterAll(async () => {
  for (const worker of workers.splice(0)) await worker.close();
  await world.close();
});

const started = (...args: Parameters<typeof workerOn>): Worker => {
  const worker = startWorker(workerOn(...args));
  workers.push(worker);
  return worker;
};
const again = async (): Promise<EffectEnd> => ({ end: 'again', error: 'not yet' });
const later = (ms: number) => world.clock.set(new Date(world.clock().getTime() + ms).toISOString());

describe('prompt and sure', () => {
  test('a commit that writes effects wakes the worker, one that writes none does not', async () => {
    const order = await openOrder(world);
    const { handler, seen } = remembering();
    const worker = started(world, handler, { pollMs: NEVER_MS });
    let wakes = 0;
    const { dispatch } = createDispatch({
      db: world.db,
      clock: world.clock,
      random: systemRandom,
      newId: world.newId,
      log: logLines().log,
      effectsWritten: () => {
        wakes += 1;
        worker.wake();
      },
    });
    const paid = captured('pay-prompt');
    await dispatch(webhook(order.providerOrderId, paid));
    await until('the merchant was told', () => seen.length > 0);
    expect(seen.map(effect => effect.payload.type)).toContain('order.subscribed');
    expect(wakes).toBe(1);
    await dispatch(webhook(order.providerOrderId, paid));
    expect(wakes).toBe(1);
  });

  test('what another process wrote is found by the poll', async () => {
    const { handler, keys } = remembering();
    started(world, handler, { pollMs: 5 });
    await addEffects(world, [{ effect: 'alert', key: 'unannounced' }]);
    await until('it was handled', () => keys().includes('unannounced'));
  });

  test('an effect waits for its time', async () => {
    await addEffects(world, [{ effect: 'reconcile', key: 'tomorrow', at: new Date('2026-02-01T10:00:00Z') }]);
    const { handler, keys } = remembering();
    await workOff(workerOn(world, handler));
    expect(keys()).toEqual([]);
    world.clock.set('2026-02-01T10:00:00.000Z');
    await workOff(workerOn(world, handler));
    expect(keys()).toEqual(['tomorrow']);
  });

  test('ten thousand messages waiting are worked off, each once', async () => {
    await addEffects(
      world,
      Array.from({ length: 10_000 }, (_, i) => ({
        effect: 'notify' as const,
        key: `m${i}`,
        orderId: `ord_m${i % 5_000}`,
      })),
    );
    const { handler, keys } = remembering();
    const worker = started(world, handler, { pollMs: NEVER_MS });
    await until('all are done', async () => keys().length >= 10_000 && worker.running() === 0);
    expect(new Set(keys()).size).toBe(10_000);
    expect(keys().length).toBe(10_000);
    const [counts] =
      await world.sql`select count(*)::int as n from outbox where status = 'done' and done_at is not null`;
    expect(counts?.n).toBe(10_000);
  });
});

describe('one order, one lane, one after the other', () => {
  test('a capture that is tried again holds back the void behind it, and nothing else', async () => {
    await addEffects(world, [
      { effect: 'capture', key: 'capture', orderId: 'ord_a', version: 2 },
      { effect: 'void', key: 'void', orderId: 'ord_a', version: 3 },
      { effect: 'notify', key: 'notify', orderId: 'ord_a', version: 3 },
      { effect: 'reconcile', key: 'ask', orderId: 'ord_a', version: 3 },
      { effect: 'refund', key: 'refund of another order', orderId: 'ord_b', version: 9 },
    ]);
    const first = remembering(effect => (effect.effect === 'capture' ? again() : done()));
    await workOff(workerOn(world, first.handler));
    expect(first.keys().toSorted()).toEqual(['ask', 'capture', 'notify', 'refund of another order']);
    later(NEVER_MS);
    const second = remembering();
    await workOff(workerOn(world, second.handler));
    expect(second.keys()).toEqual(['capture', 'void']);
  });

  test('what waits behind an effect that is put off is put off with it, and is not looked at over and over', async () => {
    await addEffects(world, [
      { effect: 'refund', key: 'first', orderId: 'ord_a', version: 2 },
      { effect: 'refund', key: 'second', orderId: 'ord_a', version: 3 },
      { effect: 'notify', key: 'message', orderId: 'ord_a', version: 3, at: new Date('2026-01-31T10:00:01Z') },
    ]);
    await workOff(workerOn(world, again));
    const first = await outboxRow(world.sql, 'first');
    expect(first.availableAt > world.clock()).toBe(true);
    expect(await outboxRow(world.sql, 'second')).toMatchObject({
      availableAt: first.availableAt,
      attempts: 0,
      status: 'pending',
    });
    expect((await outboxRow(world.sql, 'message')).availableAt).toEqual(new Date('2026-01-31T10:00:01Z'));
  });

  test('a question planned for tomorrow does not hold back the one to be asked now', async () => {
    await addEffects(world, [
      { effect: 'reconcile', key: 'planned', orderId: 'ord_a', version: 2, at: new Date('2026-02-01T10:00:00Z') },
      { effect: 'reconcile', key: 'now', orderId: 'ord_a', version: 3 },
    ]);
    const { handler, keys } = remembering();
    await workOff(workerOn(world, handler));
    expect(keys()).toEqual(['now']);
  });

  test('an endpoint of a merchant that answers nobody delays no refund', async () => {
    const silent = endByHand();
    await addEffects(
      world,
      Array.from({ length: 40 }, (_, i) => ({ effect: 'notify' as const, key: `n${i}`, orderId: `ord_n${i}` })),
    );
    await addEffects(world, [{ effect: 'refund', key: 'refund', orderId: 'ord_n0', version: 3 }]);
    const { handler, keys } = remembering(effect => (effect.effect === 'notify' ? silent.promise : done()));
    const worker = started(world, handler, { pollMs: NEVER_MS });
    await until('the refund is done', async () => (await outboxRow(world.sql, 'refund')).status === 'done');
    await until('only the silent ones run', () => worker.running() === 32);
    silent.resolve({ end: 'done' });
    await until('the messages are out', () => keys().length === 41 && worker.running() === 0);
  });
});

describe('how an effect ends', () => {
  test('a no of the provider is dead at once: the operator and the merchant are told, and the order is stuck', async () => {
    const order = await openOrder(world);
    await addEffects(world, [
      { effect: 'void', key: 'void', orderId: order.id },
      { effect: 'refund', key: 'refund behind it', orderId: order.id, version: 3 },
    ]);
    const told = remembering(async effect => {
      if (effect.effect === 'void') throw new ProviderRefused('the authorisation is gone');
      return { end: 'done' };
    });
    const { log, lines } = logLines();
    await workOff(workerOn(world, told.handler, { log }));
    const find = (effect: string) => told.seen.find(seen => seen.effect === effect);
    expect(told.keys()).toContain('refund behind it');
    expect(find('alert')?.payload).toEqual({
      cause: 'effect_dead',
      effect: 'void',
      dedupKey: 'void',
      error: 'the authorisation is gone',
    });
    expect(find('notify')).toMatchObject({
      orderId: order.id,
      payload: {
        type: 'order.stuck',
        cause: 'effect_dead',
        userId: order.userId,
        product: 'pro',
        planId: 'pro-monthly',
      },
    });
    const view = orderView((await readOrderRow(world.db, order.id))!, world.clock());
    expect(view.stuck).toMatchObject({ cause: 'effect_dead', detail: 'void: the authorisation is gone' });
    expect(lines.find(line => line.msg === 'effect dead')).toMatchObject({
      level: 50,
      orderId: order.id,
      effect: 'void',
      attempt: 1,
    });
    expect(lines.find(line => line.effect === 'refund')).toMatchObject({ level: 30, msg: 'effect done', end: 'done' });
  });

  test('a retry revives it, the new try knows that the old one may have reached the other side, and a second death is told again', async () => {
    const order = await openOrder(world);
    await addEffects(world, [{ effect: 'close', key: `${order.id}:close`, orderId: order.id }]);
    const refused = remembering(async effect => {
      if (effect.effect === 'close') throw new ProviderRefused('it is being paid');
      return { end: 'done' };
    });
    await workOff(workerOn(world, refused.handler));
    expect((await outboxRow(world.sql, `${order.id}:close`)).status).toBe('dead');
    const { verdict } = await world.dispatch(operator(order.id, { type: 'retry.requested', reason: 'asked the bank' }));
    expect(verdict).toBe('applied');
    expect(await outboxRow(world.sql, `${order.id}:close`)).toMatchObject({ status: 'pending', attempts: 0 });
    await workOff(workerOn(world, refused.handler));
    const closes = refused.seen.filter(effect => effect.effect === 'close');
    expect(closes.map(({ attempt, maybeSent }) => ({ attempt, maybeSent }))).toEqual([
      { attempt: 1, maybeSent: false },
      { attempt: 1, maybeSent: true },
    ]);
    expect(refused.seen.filter(effect => effect.effect === 'alert')).toHaveLength(2);
  });

  test('unreachable is again, a bug is again and an error in the log, and neither is ever a no', async () => {
    await addEffects(world, [
      { effect: 'capture', key: 'no answer', orderId: 'ord_a' },
      { effect: 'capture', key: 'bug', orderId: 'ord_b' },
    ]);
    const { log, lines } = logLines();
    const handler = async ({ dedupKey }: LeasedEffect): Promise<EffectEnd> => {
      if (dedupKey === 'bug') throw new TypeError('x is not a function');
      throw new ProviderUnreachable('no answer in 3.5 s');
    };
    await workOff(workerOn(world, handler, { log }));
    expect(await outboxRow(world.sql, 'no answer')).toMatchObject({
      status: 'pending',
      lastError: 'no answer in 3.5 s',
    });
    expect(await outboxRow(world.sql, 'bug')).toMatchObject({ status: 'pending', lastError: 'x is not a function' });
    expect(lines.filter(line => line.level === 50).map(line => line.dedupKey)).toEqual(['bug']);
    expect(
      lines
        .filter(line => line.level === 40)
        .map(line => line.dedupKey)
        .toSorted(),
    ).toEqual(['bug', 'no answer']);
  });

  test('each pause is twice the one before, up to the longest; when the tries are used up it is dead', async () => {
    await addEffects(world, [{ effect: 'capture', key: 'capture', orderId: null }]);
    // Chance at its highest: full jitter then is the longest pause, rounded down.
    const deps = workerOn(world, effect => (effect.effect === 'alert' ? done() : again()), {
      random: size => new Uint8Array(size).fill(255),
    });
    const pauses: number[] = [];
    for (let tries = 1; tries < EFFECT_POLICIES.capture.maxAttempts; tries++) {
      await workOff(deps);
      const { availableAt, attempts } = await outboxRow(world.sql, 'capture');
      expect(attempts).toBe(tries);
      pauses.push(availableAt.getTime() - world.clock().getTime() + 1);
      world.clock.set(availableAt.toISOString());
    }
    expect(pauses).toEqual([2, 4, 8, 16, 32, 64, 128, 256, 512, 1_024, 1_800].map(s => s * 1_000));
    await workOff(deps);
    expect(await outboxRow(world.sql, 'capture')).toMatchObject({ status: 'dead', attempts: 12, lastError: 'not yet' });
  });

  test('a handler that knows when to come back is asked then', async () => {
    await addEffects(world, [{ effect: 'reconcile', key: 'ask' }]);
    const at = new Date('2026-01-31T11:00:00Z');
    await workOff(workerOn(world, async () => ({ end: 'again', error: 'still pending there', at })));
    expect((await outboxRow(world.sql, 'ask')).availableAt).toEqual(at);
  });

  test('one that only knows when not to come back is asked then, or when its own pause is over where that is later', async () => {
    await addEffects(world, [{ effect: 'reconcile', key: 'wait' }]);
    const now = world.clock().getTime();
    const from = (ms: number) => new Date(now + ms);
    const longest = { random: (size: number) => new Uint8Array(size).fill(255) };
    const asks = (notBefore: Date) =>
      workerOn(world, async () => ({ end: 'again', error: 'busy', notBefore }), longest);
    await workOff(asks(from(1_000)));
    const pauseMs = EFFECT_POLICIES.reconcile.firstPauseMs - 1;
    expect((await outboxRow(world.sql, 'wait')).availableAt).toEqual(from(pauseMs));
    world.clock.set(from(pauseMs).toISOString());
    await workOff(asks(from(86_400_000)));
    expect((await outboxRow(world.sql, 'wait')).availableAt).toEqual(from(86_400_000));
  });

  test('a message and an alert that die are not told by messages and alerts for ever', async () => {
    const order = await openOrder(world);
    await addEffects(world, [{ effect: 'notify', key: 'message', orderId: order.id }]);
    await workOff(workerOn(world, async () => ({ end: 'dead', error: 'nobody there' })));
    const rows = await outboxRows(world.sql, { orderId: order.id });
    const tried = rows.filter(row => row.attempts > 0);
    expect(rows.filter(row => row.effect === 'alert' || row.effect === 'notify')).toHaveLength(2);
    expect(tried.map(row => `${row.effect} ${row.status}`).toSorted()).toEqual(['alert dead', 'notify dead']);
  });

  test('an error with what no text column takes costs neither it nor its neighbours their end', async () => {
    await addEffects(world, [
      { effect: 'alert', key: 'odd' },
      { effect: 'alert', key: 'even' },
    ]);
    const handler = async ({ dedupKey }: LeasedEffect): Promise<EffectEnd> =>
      dedupKey === 'odd' ? { end: 'again', error: `\0${'\ud800'}${'x'.repeat(5_000)}` } : { end: 'done', note: 'told' };
    await workOff(workerOn(world, handler));
    expect((await outboxRow(world.sql, 'odd')).lastError).toMatch(/^\ufffd\ufffdx{998}$/);
    expect(await outboxRow(world.sql, 'even')).toMatchObject({
      status: 'done',
      lastError: 'told',
      doneAt: world.clock(),
    });
  });

  test('a handler that never ends is given up before its lease is over', async () => {
    await addEffects(world, [{ effect: 'open', key: 'hangs' }]);
    const policies = { ...EFFECT_POLICIES, open: { ...EFFECT_POLICIES.open, leaseMs: 40 } };
    await workOff(workerOn(world, () => new Promise(() => {}), { policies }));
    expect(await outboxRow(world.sql, 'hangs')).toMatchObject({
      status: 'pending',
      lastError: 'no end within 20 ms',
      leased: false,
    });
  });
});

describe('closing', () => {
  test('what runs is waited for, and nothing more is taken', async () => {
    const end = endByHand();
    await addEffects(world, [{ effect: 'refund', key: 'running', orderId: 'ord_a' }]);
    const { handler, keys } = remembering(() => end.promise);
    // Without polls: one under way while closing may still take a row, and gives it back, as the next test shows.
    const worker = started(world, handler, { pollMs: NEVER_MS });
    await until('it runs', () => keys().length === 1);
    const closed = worker.close();
    await addEffects(world, [{ effect: 'refund', key: 'too late', orderId: 'ord_b' }]);
    worker.wake();
    end.resolve({ end: 'done' });
    await closed;
    expect((await outboxRow(world.sql, 'running')).status).toBe('done');
    expect(await outboxRow(world.sql, 'too late')).toMatchObject({ status: 'pending', attempts: 0, leasedBy: null });
  });

  test('what was leased and not begun is given back and does not count as a try', async () => {
    const gate = gated(world.db);
    await addEffects(world, [{ effect: 'refund', key: 'refund' }]);
    const { handler, keys } = remembering();
    const worker = started({ ...world, db: gate.db }, handler, { pollMs: NEVER_MS });
    await until('the worker asks for leases', () => gate.waiting() === 1);
    const closed = worker.close();
    gate.open();
    await closed;
    expect(keys()).toEqual([]);
    expect(await outboxRow(world.sql, 'refund')).toMatchObject({ status: 'pending', attempts: 0, leased: false });
    const next = remembering();
    await workOff(workerOn(world, next.handler));
    expect(next.seen).toMatchObject([{ attempt: 1, maybeSent: false }]);
  });

  test('a handler that does not end is not waited for longer than it may; its lease stands', async () => {
    await addEffects(world, [{ effect: 'refund', key: 'hangs' }]);
    const { handler, keys } = remembering(() => new Promise(() => {}));
    const worker = started(world, handler, { drainMs: 10 });
    await until('it runs', () => keys().length === 1);
    await worker.close();
    expect(await outboxRow(world.sql, 'hangs')).toMatchObject({ status: 'pending', attempts: 1, leased: true });
  });
});
