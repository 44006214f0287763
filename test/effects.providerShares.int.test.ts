// The outage of one provider is its own: what waits for it leaves places in each lane for the others.
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import type { EffectEnd } from '../src/effects/effect.ts';
import { providerHandlers } from '../src/effects/handlers/providerHandlers.ts';
import { startWorker, type Worker } from '../src/effects/worker.ts';
import { ProviderUnreachable } from '../src/errors.ts';
import type { PaymentProvider } from '../src/providers/provider.ts';
import { until } from './support/databaseChecks.ts';
import { done, logLines, outboxRow, outboxRows, workerOn } from './support/outboxRig.ts';
import { captured, createWorld, openOrder, operator, type World, webhook } from './support/world.ts';

const NEVER_MS = 3_600_000;
const SILENT = 'silent';

let world: World;
let worker: Worker | null = null;
/** Ends all calls that the silent provider left hanging. */
let hangUp: () => void = () => {};
beforeAll(async () => {
  world = await createWorld();
});
afterEach(async () => {
  hangUp();
  await worker?.close();
  await world.sql`delete from outbox`;
});
afterAll(() => world.close());

/** Takes every refund it is asked for, and never answers. */
function silentProvider() {
  const asked: string[] = [];
  const hanging = new Promise<never>((_, reject) => {
    hangUp = () => reject(new ProviderUnreachable('the line was cut'));
  });
  hanging.catch(() => {});
  const hang = (what: { key?: string; providerOrderId?: string }) => {
    asked.push(what.key ?? what.providerOrderId ?? '');
    return hanging;
  };
  const provider = { name: SILENT, refund: hang, findRefund: hang, findPayments: hang, cancel: hang };
  return { asked, provider: provider as unknown as PaymentProvider };
}

const capturing = {
  name: 'sandbox',
  capture: async ({
    paymentId,
    amountMinor,
    currency,
  }: {
    paymentId: string;
    amountMinor: number;
    currency: string;
  }) => ({
    paymentId,
    providerOrderId: null,
    orderId: null,
    state: 'captured',
    amountMinor,
    currency,
  }),
} as unknown as PaymentProvider;

function start(...providers: PaymentProvider[]): Worker {
  const { log } = logLines();
  const { db, dispatch, clock } = world;
  const byName = new Map(providers.map(provider => [provider.name, provider]));
  const told = async (): Promise<EffectEnd> => done();
  const handlers = { ...providerHandlers({ db, dispatch, clock, log, providers: byName }), notify: told, alert: told };
  worker = startWorker({ ...workerOn(world, told), handlers, pollMs: NEVER_MS });
  return worker;
}

/** Refunds due at the provider that is silent. */
async function refundsDue(count: number): Promise<void> {
  for (let i = 0; i < count; i++) {
    const { id, providerOrderId } = await openOrder(world);
    await world.dispatch(webhook(providerOrderId, captured(`pay_${id}`)));
    await world.dispatch(operator(id, { type: 'refund.requested', reason: 'asked' }));
    await world.sql`update orders set provider = ${SILENT} where id = ${id}`;
  }
}

async function authorized(): Promise<string> {
  const { id, providerOrderId } = await openOrder(world);
  const { amountMinor, currency } = { amountMinor: 49_900, currency: 'INR' };
  const paymentId = `pay_${id}`;
  await world.dispatch(webhook(providerOrderId, { type: 'payment.authorized', paymentId, amountMinor, currency }));
  return id;
}

const refunds = async () => (await outboxRows(world.sql)).filter(({ effect }) => effect === 'refund');
const capturesOf = async (id: string) =>
  (await outboxRows(world.sql, { orderId: id })).filter(({ effect }) => effect === 'capture');

test('captures at one provider go through while 300 refunds wait for another that answers nobody', async () => {
  await refundsDue(300);
  const ids = [await authorized(), await authorized(), await authorized()];
  const { asked, provider } = silentProvider();
  const running = start(provider, capturing);
  for (const id of ids) {
    await until('it is captured', async () => (await capturesOf(id)).every(({ status }) => status === 'done'));
  }
  await until('only the silent one is waited for', () => running.running() === 5);
  expect(asked).toHaveLength(5);
  const waiting = (await refunds()).filter(({ leased }) => !leased);
  expect(waiting).toHaveLength(295);
  expect(waiting.every(({ status, attempts }) => status === 'pending' && attempts === 0)).toBe(true);
  expect(waiting.every(({ availableAt }) => availableAt > world.clock())).toBe(true);
});

test('what waited its turn is sent when there is room again, and a single provider has the whole lane', async () => {
  await refundsDue(20);
  const { asked, provider } = silentProvider();
  const running = start(provider);
  await until('the lane is full', () => asked.length === 8 && running.running() === 8);
  hangUp();
  await until('all were asked for', async () => asked.length === 20 && running.running() === 0);
  expect(new Set((await refunds()).map(({ attempts }) => attempts))).toEqual(new Set([1]));
  expect(await outboxRow(world.sql, (await refunds())[0]!.dedupKey)).toMatchObject({ lastError: 'the line was cut' });
});
