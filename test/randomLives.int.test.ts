// Random lives: customers, banks, operators, broken networks, lost webhooks, a service that is down, in any order. Then a
// month passes in which everything works, and every order stands where its money is.
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { expectSoundBooks, seeded } from './support/databaseChecks.ts';
import { stateByLedger } from './support/fates.ts';
import { CHAOS, type FaultPlan } from './support/faultyProxy.ts';
import type { Json } from './support/httpService.ts';
import { expectNobodyForgotten } from './support/nobodyForgotten.ts';
import type { Opened } from './support/providerService.ts';
import { type Refusal, refuse } from './support/refusals.ts';
import { type Gate, startWholeService, type WholeService } from './support/wholeService.ts';

const LIVES = 5;
const ORDERS = 5;
const MINUTE_MS = 60_000;
const DAY_MS = 1_440 * MINUTE_MS;

const DOWN: FaultPlan = [{ share: 1, fault: 'reset' }];
const NETWORKS: Readonly<Record<string, FaultPlan>> = { well: [], chaos: CHAOS, down: DOWN };
const STORIES = [
  'succeed',
  'succeed',
  'fail',
  'fail-then-succeed',
  'pay-twice',
  'wrong-amount',
  'authorize-only',
  'authorize-only',
  'refund',
  'partial-refund',
  'refund-fails',
  'dispute-opened',
  'dispute-won',
  'dispute-lost',
] as const;
const WAITS_MS = [1_000, 2 * MINUTE_MS, 6 * MINUTE_MS, 31 * MINUTE_MS, 180 * MINUTE_MS, DAY_MS, 3 * DAY_MS];
const which = fc.nat(ORDERS - 1);

const act = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('story' as const),
      which,
      story: fc.constantFrom(...STORIES),
      comesBack: fc.boolean(),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.constantFrom(...WAITS_MS), isDown: fc.boolean() }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('gate' as const),
      gate: fc.constantFrom<Gate>('pass', 'hold', 'lose', 'refuse'),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('network' as const), network: fc.constantFrom('well', 'chaos', 'down') }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('ask' as const), which, ask: fc.constantFrom('cancel', 'refund', 'retry') }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('rule' as const), stands: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('restart' as const) }) },
);
type Act = typeof act extends fc.Arbitrary<infer A> ? A : never;

let service: WholeService;
const rules: Refusal[] = [];
beforeAll(async () => {
  service = await startWholeService({ seed: 7 });
});
afterAll(() => service?.close());

async function perform(orders: readonly Opened[], told: Act): Promise<void> {
  switch (told.do) {
    case 'story': {
      const { which, story, comesBack } = told;
      // A bank cannot move money that nobody paid: then nothing happens.
      await service.pay(orders[which] as Opened, story, { comesBack }).catch(notPaid);
      return;
    }
    case 'wait': {
      const to = new Date(service.now().getTime() + told.ms).toISOString();
      if (told.isDown) return service.world.clock.set(to);
      return service.travel(to, { listEveryMs: DAY_MS });
    }
    case 'gate':
      service.gate.webhooks = told.gate;
      return;
    case 'network':
      service.proxy.plan = NETWORKS[told.network] as FaultPlan;
      return;
    case 'ask':
      await service.call('POST', `/v1/orders/${orders[told.which]?.id}/${told.ask}`, { reason: 'by chance' });
      return;
    case 'rule':
      if (told.stands) rules.push(await refuse(service.world.sql, 'grants', { when: 'true', message: 'not now' }));
      else await liftRules();
      return;
    case 'restart':
      service.restart();
  }
}

const liftRules = async () => {
  for (const rule of rules.splice(0)) await rule.remove();
};
function notPaid(error: Error): void {
  if (!/was answered 4(09|22)/.test(error.message)) throw error;
}

/** From here on everything works, for a month. What is lost stays lost. */
async function healForAMonth(): Promise<void> {
  service.proxy.plan = [];
  service.gate.webhooks = 'pass';
  await liftRules();
  await service.travel(31 * DAY_MS, { listEveryMs: DAY_MS });
}

async function expectWhereItsMoneyIs({ id, providerOrderId }: Opened): Promise<void> {
  const ledger = await service.dashboard('GET', `/orders/${providerOrderId}`);
  const { order, alerts } = { order: await service.order(id), alerts: service.alerts(id) };
  const what = `${order.state}, at the sandbox ${JSON.stringify(ledger.payments)}`;
  expect(['created', 'authorized', 'captured'], what).not.toContain(order.state);
  const byLedger = stateByLedger(ledger);
  // A reservation nobody could be asked about for a week is a person's to decide.
  const isReserved = ledger.payments.some((payment: Json) => payment.state === 'authorized');
  if (order.state === 'parked') {
    expect(alerts.length, `${what}: and somebody knows`).toBeGreaterThan(0);
    expect(byLedger === 'parked' || isReserved, what).toBe(true);
  } else expect(order.state, what).toBe(byLedger);
}

test(`${LIVES} random lives of ${ORDERS} orders each: after a month in which everything works, each order stands where its money is`, async () => {
  const { seed } = seeded();
  const lives = fc.asyncProperty(fc.array(act, { minLength: 10, maxLength: 30 }), async acts => {
    const orders: Opened[] = [];
    for (let n = 0; n < ORDERS; n++) orders.push(await service.buy());
    for (const told of acts) await perform(orders, told);
    await healForAMonth();
    for (const order of orders) await expectWhereItsMoneyIs(order);
    await expectSoundBooks(service.world.sql);
    await expectNobodyForgotten(service.world.sql, service.now());
  });
  await fc.assert(lives, { numRuns: LIVES, seed, endOnFailure: true });
}, 300_000);
