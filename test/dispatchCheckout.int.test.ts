// Checkout against the database: whatever is asked twice, at once, or after a crash ends in one order and one key's answer.
import { pino } from 'pino';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { claimCheckoutKey } from '../db/insertOrder.ts';
import { putPlan } from '../db/plans.ts';
import { type CheckoutDeps, checkout } from '../src/checkout.ts';
import { withCompany } from '../src/company.ts';
import { ProviderRefused, ProviderUnreachable } from '../src/errors.ts';
import type { CheckoutInput } from '../src/ports.ts';
import type { CheckoutRequest, PaymentProvider } from '../src/providers/provider.ts';
import { expectSoundBooks, refusal, until } from './support/databaseChecks.ts';
import { gated } from './support/gatedDatabase.ts';
import { captured, createWorld, type World, webhook } from './support/world.ts';

let world: World;
beforeAll(async () => {
  world = await createWorld();
  const terms = { product: 'pro', currency: 'INR', months: 1, days: 0, graceDays: 3, trialDays: 0 };
  await putPlan(world.db, { id: 'pro-monthly', amountMinor: 49900, surplusPolicy: 'refund', ...terms });
});
afterAll(() => world.close());

/** A provider of which the test knows what it was asked, and decides what it answers. */
function madeUpProvider() {
  const asked: CheckoutRequest[] = [];
  const closed: string[] = [];
  let answer: (request: CheckoutRequest) => Promise<void> = async () => {};
  const never = () => Promise.reject(new Error('not asked here'));
  const provider: PaymentProvider = {
    name: 'sandbox',
    account: 'sandbox',
    live: false,
    closesOrders: true,
    async createCheckout(request) {
      asked.push(request);
      await answer(request);
      return { providerOrderId: `sbo_${request.orderId.slice(4)}`, url: `https://pay.example/${request.orderId}` };
    },
    checkoutParams: opened => ({ key: opened.providerOrderId }),
    parseCallback: never,
    parseWebhook: () => {
      throw new Error('not asked here');
    },
    fetchPayment: never,
    findPayments: never,
    listPayments: never,
    capture: never,
    refund: never,
    findRefund: never,
    async cancel(request) {
      closed.push(request.providerOrderId);
    },
  };
  return {
    provider,
    asked,
    /** Provider orders it was told to close. */
    closed,
    /** What happens while the provider is asked; it may refuse by throwing. */
    answers(next: typeof answer) {
      answer = next;
    },
  };
}

let shop: ReturnType<typeof madeUpProvider>;
let deps: CheckoutDeps;
beforeEach(() => {
  shop = madeUpProvider();
  deps = depsWith(world.dispatch);
});

const log = pino({ level: 'silent' });
const depsWith = (dispatch: World['dispatch']): CheckoutDeps => ({
  db: world.db,
  dispatch: withCompany({ ...world, dispatch, log }),
  providers: new Map([['sandbox', shop.provider]]),
  publicUrl: 'http://127.0.0.1:3000',
  clock: world.clock,
  newId: world.newId,
  log,
});

let count = 0;
const newKey = () => `checkout-${count++}`;
const inputFor = (more: Partial<CheckoutInput> = {}): CheckoutInput => ({
  userId: `buyer-${count++}`,
  planId: 'pro-monthly',
  provider: 'sandbox',
  another: false,
  returnUrl: null,
  metadata: null,
  ...more,
});
const ordersOf = (userId: string) =>
  world.sql`select id, state, version from orders where user_id = ${userId} order by id`;

describe('the same key', () => {
  test('asked twice at once opens one order once and answers both the same', async () => {
    const [input, key] = [inputFor(), newKey()];
    const [one, two] = await Promise.all([checkout(deps, input, key), checkout(deps, input, key)]);
    expect(two).toEqual(one);
    expect(one.order).toMatchObject({ state: 'created', version: 2, userId: input.userId });
    expect(shop.asked.length).toBe(1);
    expect(await checkout(deps, input, key)).toEqual(one);
    expect((await ordersOf(input.userId)).length).toBe(1);
  });

  test('asked of two services at once opens one order once, round after round', async () => {
    const other = depsWith(world.dispatcher().dispatch);
    for (let round = 0; round < 20; round++) {
      const [input, key] = [inputFor(), newKey()];
      shop.asked.length = 0;
      const views = await Promise.all([deps, other, deps, other].map(service => checkout(service, input, key)));
      for (const view of views) expect(view).toEqual(views[0]);
      expect(shop.asked.length).toBe(1);
      expect((await ordersOf(input.userId)).length).toBe(1);
    }
    await expectSoundBooks(world.sql);
  });

  test('does not open an order that another service opened between its look and its turn', async () => {
    const [input, key] = [inputFor(), newKey()];
    const gate = gated(world.db);
    const slow = checkout({ ...deps, db: gate.db }, input, key);
    let first: unknown;
    while (!first) {
      await until('the slow one asks the database', () => gate.waiting() > 0);
      // Its look at the order is done, and what waits is its claim of the right to open it.
      if (gate.next().includes('opening_until')) first = await checkout(deps, input, key);
      else await gate.release();
    }
    gate.open();
    expect(await slow).toEqual(first);
    expect(shop.asked.length).toBe(1);
  });

  test('with another body is refused and changes nothing', async () => {
    const [input, key] = [inputFor(), newKey()];
    await checkout(deps, input, key);
    const call = checkout(deps, { ...input, metadata: { cart: '7' } }, key);
    expect((await refusal(call)).code).toBe('idempotency_key_reused');
    expect(shop.asked.length).toBe(1);
  });

  test('answers the order as it is now, paid or not', async () => {
    const [input, key] = [inputFor(), newKey()];
    const { order, checkout: opened } = await checkout(deps, input, key);
    await world.dispatch(webhook(opened.providerOrderId, captured(`pay-${order.id}`)));
    expect(await checkout(deps, input, key)).toMatchObject({
      order: { id: order.id, state: 'subscribed', version: 4 },
    });
  });

  test('works after a crash between its claim and its order', async () => {
    const [input, key] = [inputFor(), newKey()];
    // What the crashed call had done: asking again with the very same words must find the same hash.
    const probe = newKey();
    await checkout(deps, input, probe);
    const [kept] = await world.sql`select request_hash from idempotency_keys where key = ${probe}`;
    await world.sql`delete from transitions where order_id in (select id from orders where user_id = ${input.userId})`;
    await world.sql`delete from orders where user_id = ${input.userId}`;
    const id = world.newId('ord');
    await claimCheckoutKey(world.db, key, kept?.request_hash, id);
    const view = await checkout(deps, input, key);
    expect(view.order).toMatchObject({ id, version: 2 });
    expect((await ordersOf(input.userId)).map(order => order.id)).toEqual([id]);
  });
});

describe('two tabs', () => {
  test('with keys of their own share the open order, which is opened once', async () => {
    const input = inputFor();
    const keys = [newKey(), newKey(), newKey()];
    const views = await Promise.all(keys.map(key => checkout(deps, input, key)));
    for (const view of views) expect(view).toEqual(views[0]);
    expect((await ordersOf(input.userId)).length).toBe(1);
    expect(shop.asked.length).toBe(1);
  });

  test('share it also when the second one claimed its key before the first', async () => {
    const input = inputFor();
    const [early, late] = [newKey(), newKey()];
    await world.sql`insert into idempotency_keys (key, request_hash, order_id, created_at) values (${early}, 'nobody', 'ord_none', '2026-01-01')`;
    let inside = 0;
    shop.answers(async () => {
      inside += 1;
      if (inside > 1) return;
      // While the first tab's order is being opened, the early key is pointed at it.
      const [row] = await ordersOf(input.userId);
      await world.sql`update idempotency_keys set order_id = ${row?.id} where key = ${early}`;
      second = checkout(deps, input, newKey());
      await until('the second tab looks', async () => {
        const keys = await world.sql`select from idempotency_keys where order_id = ${row?.id}`;
        return keys.length >= 3;
      });
    });
    let second: Promise<unknown> = Promise.resolve();
    const first = await checkout(deps, input, late);
    expect(await second).toEqual(first);
    expect(inside).toBe(1);
  });

  test('with another: true buy a second one', async () => {
    const input = inputFor();
    const first = await checkout(deps, input, newKey());
    const second = await checkout(deps, { ...input, another: true }, newKey());
    expect(second.order.id).not.toBe(first.order.id);
    expect((await ordersOf(input.userId)).length).toBe(2);
  });

  test('get a new order once the open one is paid or its time is over', async () => {
    world.clock.set('2026-02-01T10:00:00.000Z');
    const input = inputFor();
    const first = await checkout(deps, input, newKey());
    world.clock.set('2026-02-01T10:29:59.999Z');
    expect((await checkout(deps, input, newKey())).order.id).toBe(first.order.id);
    world.clock.set('2026-02-01T10:30:00.000Z');
    const second = await checkout(deps, input, newKey());
    expect(second.order.id).not.toBe(first.order.id);
    expect((await ordersOf(input.userId)).map(order => order.state)).toEqual(['failed', 'created']);
    // Two sessions that can be paid are two payments waiting to happen.
    expect(shop.closed).toEqual([first.checkout.providerOrderId]);
    await world.dispatch(webhook(second.checkout.providerOrderId, captured(`pay-${second.order.id}`)));
    const third = await checkout(deps, input, newKey());
    expect((await ordersOf(input.userId)).map(order => order.state)).toEqual(['failed', 'subscribed', 'created']);
    expect(third.order.state).toBe('created');
    await expectSoundBooks(world.sql);
  });
});

describe('a provider that does not open the order', () => {
  test.each([
    ['provider_refused', new ProviderRefused('not with us')],
    ['provider_unreachable', new ProviderUnreachable('no answer')],
  ])('with %s leaves it created, and the same key opens it later', async (code, error) => {
    const [input, key] = [inputFor(), newKey()];
    shop.answers(() => Promise.reject(error));
    expect((await refusal(checkout(deps, input, key))).code).toBe(code);
    const [order] = await ordersOf(input.userId);
    expect(order).toMatchObject({ state: 'created', version: 1 });
    shop.answers(async () => {});
    expect((await checkout(deps, input, key)).order).toMatchObject({ id: order?.id, version: 2 });
    expect(new Set(shop.asked.map(request => request.orderId))).toEqual(new Set([order?.id]));
  });

  test('but took the money meanwhile has its early webhook decided when the order is opened', async () => {
    const [input, key] = [inputFor(), newKey()];
    shop.answers(async ({ orderId }) => {
      const early = webhook(`sbo_${orderId.slice(4)}`, captured(`pay-${orderId}`));
      expect(await world.dispatch(early)).toMatchObject({ verdict: 'unmatched' });
    });
    expect((await checkout(deps, input, key)).order).toMatchObject({ state: 'subscribed', version: 4 });
    await expectSoundBooks(world.sql);
  });
});

test('an unknown plan or provider is refused, and the key is still free', async () => {
  const key = newKey();
  expect((await refusal(checkout(deps, inputFor({ planId: 'no-plan' }), key))).code).toBe('invalid_request');
  expect((await refusal(checkout(deps, inputFor({ provider: 'nobody' }), key))).code).toBe('invalid_request');
  expect((await checkout(deps, inputFor(), key)).order.state).toBe('created');
});
