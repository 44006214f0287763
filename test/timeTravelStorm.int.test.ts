// Ten thousand orders are due in the same instant, and each of them wants its session closed and its merchant told. The
// running service works them off, while customers go on paying and hardly notice. Counted in places, never in seconds.
import { setTimeout as sleep } from 'node:timers/promises';
import { pino } from 'pino';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { systemRandom } from '../src/clock.ts';
import { createCore } from '../src/core.ts';
import { createDispatch, type Dispatch } from '../src/dispatch.ts';
import type { EffectHandlers } from '../src/effects/effect.ts';
import { providerHandlers } from '../src/effects/handlers/providerHandlers.ts';
import { startWorker, type Worker } from '../src/effects/worker.ts';
import type { Core } from '../src/ports.ts';
import { createSandboxProvider } from '../src/providers/sandbox/adapter.ts';
import { startSweeper } from '../src/sweeper/sweeper.ts';
import { expectSoundBooks, ofMost, until } from './support/databaseChecks.ts';
import { SECRET } from './support/httpService.ts';
import { copyOrders } from './support/manyOrders.ts';
import { expectNobodyForgotten } from './support/nobodyForgotten.ts';
import { captured, createWorld, MONTHLY, openOrder, patiently, type World, webhook } from './support/world.ts';

const OPENED = '2026-01-31T10:00:00.000Z';
/** The payment window is 30 min. */
const DUE = '2026-01-31T10:30:00.000Z';
const STORM = 10_000;
const LIVE = 24;
/** What may pass of the storm while a live purchase makes its few steps: two pages of deadlines before each of four. */
const FEW_PAGES = 800;
/** Sessions closed while a reservation is taken: those that run at once, and their followers, over its few steps. */
const FEW_CLOSINGS = 200;

let world: World;
beforeAll(async () => {
  world = await createWorld();
});
afterAll(() => world.close());

/** The sandbox, as far as it is needed here: orders are opened and closed, and what is reserved can be taken. */
function playedSandbox(): typeof fetch {
  return (async (url: URL, init: RequestInit) => {
    const [, paymentId] = /^\/api\/payments\/([^/]+)\/capture$/.exec(url.pathname) ?? [];
    if (url.pathname.endsWith('/close')) return Response.json({});
    if (url.pathname === '/api/orders') {
      const { orderId } = JSON.parse(String(init.body));
      return Response.json({ providerOrderId: `sbo_${orderId.slice(4)}`, url: 'http://sandbox.test/pay' });
    }
    const { amountMinor, currency } = MONTHLY;
    const payment = { paymentId, providerOrderId: `sbo_${paymentId?.slice(4)}`, amountMinor, currency };
    return paymentId ? Response.json({ ...payment, state: 'captured' }) : Response.json({}, { status: 404 });
  }) as typeof fetch;
}

/** The service's own parts on the world's database, and how much of the storm has passed so far. */
function startParts() {
  const { db, clock, newId } = world;
  const log = pino({ level: 'silent' });
  const passed = { deadlines: 0, closings: 0 };
  let worker: Worker | null = null;
  const effectsWritten = () => worker?.wake();
  const dispatcher = createDispatch({ db, clock, random: systemRandom, newId, log, effectsWritten });
  const provider = createSandboxProvider({
    url: 'http://sandbox.test',
    secret: SECRET,
    clock,
    fetch: playedSandbox(),
  });
  const providers = new Map([['sandbox', provider]]);
  const readiness = async () => ({});
  const publicUrl = 'http://self.test';
  const base = { db, providers, clock, newId, log };
  const core = createCore({ ...base, dispatch: dispatcher.dispatch, publicUrl, readiness });
  const counted: Dispatch = async envelope => {
    const outcome = await patiently(() => core.dispatch(envelope));
    if (envelope.event?.type === 'deadline.passed') passed.deadlines += 1;
    return outcome;
  };
  const nobodyToTell = async () => ({ end: 'done' as const });
  const atProvider = providerHandlers({ ...base, dispatch: core.dispatch });
  const handlers: EffectHandlers = {
    ...atProvider,
    async close(effect) {
      passed.closings += 1;
      return atProvider.close(effect);
    },
    notify: nobodyToTell,
    alert: nobodyToTell,
  };
  const sweeper = startSweeper({ ...base, dispatch: counted });
  worker = startWorker({ db, handlers, clock, random: systemRandom, newId, log, workerId: 'storm' });
  return {
    core,
    passed,
    async close() {
      await worker?.close();
      await sweeper.close();
      await dispatcher.close();
    },
  };
}

/** One customer, from checkout to access; `how` the money comes. Answers what passed of the storm meanwhile. */
async function purchase(core: Core, passed: { deadlines: number; closings: number }, how: 'paid' | 'reserved') {
  const before = { ...passed };
  const userId = world.newId('req');
  const wanted = { userId, planId: MONTHLY.id, provider: 'sandbox', another: false, returnUrl: null, metadata: null };
  const { order } = await patiently(() => core.checkout(wanted, userId));
  const paymentId = `pay_${order.id.slice(4)}`;
  const { amountMinor, currency } = MONTHLY;
  const event =
    how === 'paid' ? captured(paymentId) : ({ type: 'payment.authorized', paymentId, amountMinor, currency } as const);
  const told = webhook(order.providerOrderId as string, event);
  const { state } = await patiently(() => core.dispatch(told));
  expect(state).toBe(how === 'paid' ? 'subscribed' : 'authorized');
  const deadlines = passed.deadlines - before.deadlines;
  if (how === 'reserved') {
    const isTaken = async () =>
      (await world.sql`select from orders where id = ${order.id} and state = 'subscribed'`).length > 0;
    await until('the reserved money is taken', isTaken);
  }
  return { how, deadlines, closings: passed.closings - before.closings, late: passed.deadlines >= STORM };
}

test('ten thousand deadlines at once are worked off by the running service while customers pay and get what they paid for', async () => {
  world.clock.set(OPENED);
  const { months, days: _, ...plan } = MONTHLY;
  const template = await openOrder(world, { another: false });
  await copyOrders(world, template.id, STORM - 1);
  world.clock.set(DUE);
  const parts = startParts();
  await parts.core.plans.put(plan.id, { ...plan, period: { months }, trialDays: 0 } as never);
  const served = [];
  for (let n = 0; n < LIVE; n++) served.push(await purchase(parts.core, parts.passed, n % 2 ? 'reserved' : 'paid'));
  const left = async () =>
    (
      await world.sql`select (select count(*)::int from orders where wake_at <= ${DUE}::timestamptz) as deadlines,
      (select count(*)::int from outbox where status = 'pending' and available_at <= ${DUE}::timestamptz) as effects`
    )[0];
  for (let counts = await left(); counts?.deadlines > 0 || counts?.effects > 0; counts = await left()) await sleep(100);
  await parts.close();
  for (const sort of ['paid', 'reserved'] as const) {
    const those = served.filter(({ how }) => how === sort);
    expect(ofMost(those.map(({ deadlines }) => deadlines)), `deadlines while somebody ${sort}`).toBeLessThanOrEqual(
      FEW_PAGES,
    );
    expect(ofMost(those.map(({ closings }) => closings)), `closings while somebody ${sort}`).toBeLessThanOrEqual(
      FEW_CLOSINGS,
    );
  }
  expect(parts.passed).toEqual({ deadlines: STORM, closings: STORM });
  const during = served.filter(({ late }) => !late);
  expect(during.length, 'they came while the storm lasted').toBeGreaterThan(LIVE / 4);
  const [states] = await world.sql`
    select count(*) filter (where state = 'failed')::int as failed, count(*) filter (where state = 'subscribed')::int as subscribed from orders`;
  expect(states).toEqual({ failed: STORM, subscribed: LIVE });
  await expectSoundBooks(world.sql);
  await expectNobodyForgotten(world.sql, world.clock());
}, 300_000);
