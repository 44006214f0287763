// Webhooks and callbacks that never come, for thirty orders of mixed fate: the service finds out by itself. What each order
// has to become is read from the sandbox's own ledger, and at the end nobody has been forgotten.
import { afterEach, expect, test } from 'vitest';
import { expectSoundBooks } from './support/databaseChecks.ts';
import { expectAsTheLedgerSays, type Fated, openFated, type Playing, playFates } from './support/fates.ts';
import { expectNobodyForgotten, expectNothingLeftToDo } from './support/nobodyForgotten.ts';
import { type Gate, startWholeService, type WholeService } from './support/wholeService.ts';

const DAY_MS = 86_400_000;
const MINUTES = 5 * 60_000;

let service: WholeService;
afterEach(() => service?.close());

async function begin(webhooks: Gate): Promise<Fated[]> {
  service = await startWholeService();
  service.gate.webhooks = webhooks;
  return openFated(service);
}

/** By which ways the service heard of what happened. */
const sources = async () =>
  new Set((await service.world.sql`select distinct source from inbox`).map(({ source }) => source as string));

async function expectAllRight(orders: Fated[]) {
  await expectAsTheLedgerSays(service, orders);
  await expectSoundBooks(service.world.sql);
  await expectNobodyForgotten(service.world.sql, service.now());
  await expectNothingLeftToDo(service.world.sql);
}

async function live(webhooks: Gate, playing: Playing = {}): Promise<Fated[]> {
  const orders = await begin(webhooks);
  await playFates(service, orders, playing);
  await service.travel(9 * DAY_MS, { listEveryMs: DAY_MS });
  return orders;
}

test(
  'no webhook and no callback ever comes: every order reaches its state by questions and lists alone',
  async () => {
    const orders = await live('lose');
    await expectAllRight(orders);
    expect(await sources()).toEqual(new Set(['reconcile']));
  },
  MINUTES,
);

test(
  'no customer ever comes back: every order reaches its state by webhooks',
  async () => {
    const orders = await live('pass');
    await expectAllRight(orders);
    expect(await sources()).toEqual(new Set(['webhook']));
  },
  MINUTES,
);

test(
  'no webhook ever comes: every order reaches its state by callbacks, questions and lists',
  async () => {
    const orders = await live('lose', { comesBack: true });
    await expectAllRight(orders);
    expect(await sources()).toEqual(new Set(['callback', 'reconcile']));
  },
  MINUTES,
);

test(
  'neither comes for three weeks, and in the last of them the service itself is down: back again, it finds everything',
  async () => {
    const orders = await begin('lose');
    const openedAt = service.now().getTime();
    const downAt = openedAt + 14 * DAY_MS;
    let isDown = false;
    const go = async (toMs: number) => {
      if (toMs >= downAt && !isDown) {
        await service.travel(new Date(downAt).toISOString(), { listEveryMs: DAY_MS });
        isDown = true;
      }
      // Nobody looks at the clock of a service that is down.
      if (isDown) service.world.clock.set(new Date(toMs).toISOString());
      else await service.travel(new Date(toMs).toISOString(), { listEveryMs: DAY_MS });
    };
    await playFates(service, orders, { stretch: 3, go });
    expect(isDown).toBe(true);
    await go(openedAt + 21 * DAY_MS);
    // Whatever was to be told meanwhile is lost for good.
    await service.dashboard('POST', '/webhooks/flush');
    service.restart();
    service.gate.webhooks = 'pass';
    const back = service.now();
    await service.settle();
    const wrongBefore = await service.world.sql`select id from orders where state in ('created', 'authorized')`;
    expect([...wrongBefore], 'after its first look nobody waits for what is known').toEqual([]);
    await service.travel(9 * DAY_MS, { listEveryMs: DAY_MS });
    await expectAllRight(orders);
    const told = await service.world.sql`
    select event_key from inbox where source in ('webhook', 'callback') and received_at < ${back}`;
    expect([...told]).toEqual([]);
  },
  MINUTES,
);
