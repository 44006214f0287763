// A migrated database with a dispatcher on it, and orders in it: what most tests that touch SQL start from.
import { pino } from 'pino';
import postgres from 'postgres';
import { type Database, openDatabase } from '../../db/client.ts';
import { insertOrder } from '../../db/insertOrder.ts';
import { migrate } from '../../db/migrate.ts';
import { decideCreation } from '../../machines/decide.ts';
import type { OrderCreated, PlanTerms, UnstampedOrderEvent } from '../../machines/orderEvents.ts';
import { noSubscription } from '../../machines/subscription.ts';
import { type Clock, systemRandom } from '../../src/clock.ts';
import type { Envelope, Outcome } from '../../src/dispatch/envelope.ts';
import { createDispatch, type Dispatcher } from '../../src/dispatch.ts';
import { Overloaded } from '../../src/errors.ts';
import { idsFrom, type NewId } from '../../src/ids.ts';
import { openGates } from './gatedDatabase.ts';
import { createTestDatabase } from './testDatabase.ts';

export const MONTHLY: PlanTerms = {
  id: 'pro-monthly',
  product: 'pro',
  amountMinor: 49900,
  currency: 'INR',
  months: 1,
  days: 0,
  graceDays: 3,
  surplusPolicy: 'refund',
};

/** A clock that stands still until it is told. */
export type HeldClock = Clock & { set(iso: string): void };
export function heldClock(iso = '2026-01-31T10:00:00.000Z'): HeldClock {
  let now = new Date(iso);
  const set = (next: string) => {
    now = new Date(next);
  };
  return Object.assign(() => now, { set });
}

export type World = {
  url: string;
  db: Database;
  /** For looking, past the service. */
  sql: postgres.Sql;
  clock: HeldClock;
  newId: NewId;
  /** One more dispatcher on the same database, as another process would have. */
  dispatcher(): Dispatcher;
  /** A dispatcher on a database that behaves as the test wants. */
  dispatcherOn(db: Database): Dispatcher;
  dispatch: Dispatcher['dispatch'];
  close(): Promise<void>;
};

/** Whoever only looks, or plays an operator by hand, is not what is tested: not under the isolation of the run either. */
const LOOKING = { TimeZone: 'UTC', default_transaction_isolation: 'read committed' } as const;

/** `idsAtClock`: ids carry the held time, for what is looked for by the time in its id. */
export async function createWorld(options: { clock?: HeldClock; idsAtClock?: true } = {}): Promise<World> {
  const { url, drop } = await createTestDatabase();
  await migrate(url);
  const clock = options.clock ?? heldClock();
  const newId = idsFrom(options.idsAtClock ? clock : () => new Date(), systemRandom);
  const open: (() => Promise<void>)[] = [];
  const log = pino({ level: 'silent' });
  const dispatcherOn = (db: Database) => {
    const made = createDispatch({ db, clock, random: systemRandom, newId, log });
    open.push(() => made.close());
    return made;
  };
  const dispatcher = () => {
    const db = openDatabase({ url, connections: 6, applicationName: 'paylatch-test' });
    const made = dispatcherOn(db);
    open.push(() => db.close());
    return made;
  };
  const db = openDatabase({ url, connections: 6, applicationName: 'paylatch-test' });
  const sql = postgres(url, { max: 3, onnotice: () => {}, connection: LOOKING });
  const main = dispatcherOn(db);
  return {
    url,
    db,
    sql,
    clock,
    newId,
    dispatcher,
    dispatcherOn,
    dispatch: main.dispatch,
    async close() {
      openGates();
      for (const end of open) await end();
      await db.close();
      await sql.end({ timeout: 1 });
      await drop();
    },
  };
}

/** Orders made at once: a query does not wait long for a free connection, and a test may want hundreds. */
const MADE_AT_ONCE = 3;
const madeInTurn: Promise<unknown>[] = Array.from({ length: MADE_AT_ONCE }, () => Promise.resolve());
let users = 0;

type OrderOptions = { userId?: string; plan?: PlanTerms; opened?: boolean; another?: boolean };
type Orderly = Pick<World, 'db' | 'clock' | 'newId' | 'dispatch'>;

/** Creates an order and opens it at the provider `sandbox`; answers its ids. Any number may be asked for at once. */
export async function openOrder(world: Orderly, options: OrderOptions = {}) {
  const turn = users % MADE_AT_ONCE;
  const userId = options.userId ?? `user-${process.pid}-${users}`;
  users += 1;
  const made = madeInTurn[turn]!.then(() => makeOrder(world, { ...options, userId }));
  madeInTurn[turn] = made.catch(() => {});
  return made;
}

async function makeOrder(
  world: Orderly,
  { userId, ...options }: OrderOptions & { userId: string },
): Promise<{ id: string; userId: string; providerOrderId: string }> {
  const id = world.newId('ord');
  const plan = options.plan ?? MONTHLY;
  const at = world.clock().toISOString();
  const created: OrderCreated = {
    type: 'order.created',
    at,
    kind: 'purchase',
    userId,
    plan,
    provider: 'sandbox',
    account: 'sandbox',
    live: false,
    amountMinor: plan.amountMinor,
    currency: plan.currency,
  };
  const { steps } = decideCreation(id, created, noSubscription(userId, plan.product));
  const first = steps[0]!;
  const inserted = await insertOrder(world.db, {
    id,
    kind: 'purchase',
    userId,
    product: plan.product,
    planId: plan.id,
    plan,
    provider: 'sandbox',
    providerAccount: 'sandbox',
    live: false,
    amountMinor: plan.amountMinor,
    currency: plan.currency,
    machine: 'order.v1',
    state: first.to,
    snapshot: first.snapshot,
    wakeAt: first.wakeAt,
    another: options.another ?? true,
    returnUrl: null,
    metadata: null,
    event: first.event,
    source: 'checkout',
    eventKey: `key-${id}`,
    at,
  });
  if (!inserted) throw new Error('the order was not inserted');
  const providerOrderId = `sbo_${id.slice(4)}`;
  if (options.opened !== false) {
    await world.dispatch(operator(id, { type: 'checkout.opened', providerOrderId }, { source: 'checkout' }));
  }
  return { id, userId, providerOrderId };
}

let keys = 0;

/** An event addressed by our id, as the API would send it. */
export function operator(orderId: string, event: UnstampedOrderEvent, more: Partial<Envelope> = {}): Envelope {
  return {
    source: 'operator',
    orderId,
    provider: null,
    providerOrderId: null,
    eventKey: `key-${process.pid}-${keys++}`,
    event,
    received: null,
    ...more,
  };
}

/** A verified webhook of the sandbox, as its endpoint would send it. */
export function webhook(providerOrderId: string, event: UnstampedOrderEvent, more: Partial<Envelope> = {}): Envelope {
  const raw = Buffer.from(JSON.stringify(event));
  return {
    source: 'webhook',
    orderId: null,
    provider: 'sandbox',
    providerOrderId,
    eventKey: `evt-${process.pid}-${keys++}`,
    event,
    received: { eventType: event.type, raw, bodyHash: raw.toString('base64').slice(0, 40), headers: {} },
    ...more,
  };
}

export const captured = (paymentId: string, amountMinor = MONTHLY.amountMinor): UnstampedOrderEvent => ({
  type: 'payment.captured',
  paymentId,
  amountMinor,
  currency: 'INR',
});

/** A caller told to come back comes back this often, with the same key: a machine that stands still for a while, and no longer. */
const COMES_BACK = 5;

/** As callers do: told to come back, they come back. */
export async function patiently<T>(act: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await act();
    } catch (error) {
      if (!(error instanceof Overloaded) || tries === COMES_BACK) throw error;
    }
  }
}

export type { Outcome };
