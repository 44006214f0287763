// Checkout: an order is written before its provider is asked, and then opened there under its own id (decision 0006). What is
// asked twice (two tabs, a lost answer, two replicas) ends in one order, and a key answers the same for ever.
import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { Database } from '../db/client.ts';
import {
  claimCheckoutKey,
  claimOpening,
  findOpenOrder,
  insertOrder,
  pointKeyAt,
  releaseOpening,
} from '../db/insertOrder.ts';
import { type OrderRow, readOrderRow } from '../db/orders.ts';
import { listPlans, type PlanRow, readPlan } from '../db/plans.ts';
import type { OrderCreated } from '../machines/orderEvents.ts';
import type { Clock } from './clock.ts';
import type { Dispatch } from './dispatch.ts';
import { InvalidRequest, Overloaded, PaylatchError } from './errors.ts';
import type { NewId } from './ids.ts';
import { newOrder } from './newOrder.ts';
import { orderView } from './orderView.ts';
import type { CheckoutInput, CheckoutView } from './ports.ts';
import type { PayableOrder, PaymentProvider } from './providers/provider.ts';
import { passDeadline } from './sweeper/deadlines.ts';

/**
 * How often a new order is tried in the place of an open one that comes and goes meanwhile. Each try was overtaken by
 * another order.
 */
const MAX_PLACE_TRIES = 5;
/**
 * How long a caller waits for another one that opens the same order, in ms: longer than most provider calls, shorter
 * than its own deadline.
 */
const OPENING_WAIT_MS = 6_000;
/** Pause between looks whether it is open, in ms: a person waits for the answer. */
const OPENING_POLL_MS = 50;

export type CheckoutDeps = {
  db: Database;
  /** The core's, so that what was told before the order was opened is decided with its opening. */
  dispatch: Dispatch;
  providers: ReadonlyMap<string, PaymentProvider>;
  publicUrl: string;
  clock: Clock;
  newId: NewId;
  log: Logger;
};

/**
 * @throws InvalidRequest for an unknown plan or provider; PaylatchError idempotency_key_reused, illegal_event;
 *   ProviderRefused and ProviderUnreachable, after which the same key tries again
 */
export async function checkout(deps: CheckoutDeps, input: CheckoutInput, key: string): Promise<CheckoutView> {
  const provider = deps.providers.get(input.provider);
  if (!provider) {
    throw new InvalidRequest(
      `there is no provider ${input.provider} here; there is: ${[...deps.providers.keys()].join(', ') || 'none'}`,
    );
  }
  const plan = await knownPlan(deps.db, input.planId);
  const requestHash = createHash('sha256').update(JSON.stringify(input)).digest('hex');
  const claimed = await claimCheckoutKey(deps.db, key, requestHash, deps.newId('ord'));
  if (claimed.requestHash !== requestHash) {
    throw new PaylatchError(
      'idempotency_key_reused',
      'this Idempotency-Key was used for another checkout; use a new one',
    );
  }
  const id = await ensureOrder(deps, { id: claimed.orderId, key, input, plan, provider });
  const row = await ensureOpened(deps, provider, id);
  return viewOf(row, { provider, deps });
}

async function knownPlan(db: Database, id: string): Promise<PlanRow> {
  const plan = await readPlan(db, id);
  if (plan) return plan;
  const known = (await listPlans(db)).map(entry => entry.id).join(', ');
  throw new InvalidRequest(`there is no plan ${id}; there is: ${known || 'none'}`);
}

type Wanted = { id: string; key: string; input: CheckoutInput; plan: PlanRow; provider: PaymentProvider };

/** The order this key stands for: its own, or the open one of the same user, plan and price. */
async function ensureOrder(deps: CheckoutDeps, wanted: Wanted): Promise<string> {
  const { db } = deps;
  const { id, key, input, plan } = wanted;
  for (let attempt = 0; attempt < MAX_PLACE_TRIES; attempt++) {
    const { another, returnUrl, metadata } = input;
    const origin = { another, returnUrl, metadata, source: 'checkout', eventKey: key };
    if (await insertOrder(db, newOrder(id, purchase(deps, wanted), origin))) return id;
    if (await readOrderRow(db, id)) return id;
    const open = await findOpenOrder(db, { ...input, amountMinor: plan.amountMinor, currency: plan.currency });
    if (open?.wakeAt && open.wakeAt <= deps.clock()) await expire(deps, wanted.provider, open.id);
    else if (open) {
      await pointKeyAt(db, key, open.id);
      return open.id;
    }
  }
  throw new Overloaded('open orders of this user come and go; try again');
}

/**
 * Ends an open order whose time to be paid is over but was not yet declared so, because it must not stand in the way of
 * a new one.
 */
async function expire(
  { db, dispatch, publicUrl, log }: CheckoutDeps,
  provider: PaymentProvider,
  id: string,
): Promise<void> {
  const row = await readOrderRow(db, id);
  if (!row || !(await passDeadline(dispatch, row))) return;
  await closeSuperseded({ publicUrl, log }, provider, row);
}

/**
 * Closes the old session before the new one opens, if it can be closed: with two open sessions the customer could pay
 * twice.
 */
async function closeSuperseded(
  { publicUrl, log }: Pick<CheckoutDeps, 'publicUrl' | 'log'>,
  provider: PaymentProvider,
  row: OrderRow,
): Promise<void> {
  const { providerOrderId, handle = null } = payableOf(row, publicUrl);
  if (!providerOrderId) return;
  // The order's `close` effect stays in the outbox and makes sure. A refusal here need not fail the checkout.
  await provider
    .cancel({ providerOrderId, handle, paymentId: null, key: `${row.id}:close` })
    .catch((error: unknown) => {
      log.warn(
        { err: error, orderId: row.id, provider: provider.name },
        'a superseded order could not be closed at its provider',
      );
    });
}

function purchase({ clock }: CheckoutDeps, { input, plan, provider }: Wanted): OrderCreated {
  const { id, product, amountMinor, currency, months, days, graceDays, surplusPolicy } = plan;
  return {
    type: 'order.created',
    at: clock().toISOString(),
    kind: 'purchase',
    userId: input.userId,
    plan: { id, product, amountMinor, currency, months, days, graceDays, surplusPolicy },
    provider: provider.name,
    account: provider.account,
    live: provider.live,
    amountMinor,
    currency,
  };
}

/** Opens the order at its provider, or waits for whoever is doing so. */
async function ensureOpened(deps: CheckoutDeps, provider: PaymentProvider, id: string): Promise<OrderRow> {
  for (let waited = 0; ; waited += OPENING_POLL_MS) {
    const row = await readOrderRow(deps.db, id);
    if (!row) throw new Error(`order ${id} is gone`);
    if (row.providerOrderId) return row;
    // Only a failed order is refused. One that is paid by now, because the answer to its first opening was lost, is opened
    // like any other, so that the merchant need not begin a second one.
    if (row.state === 'failed') {
      throw new PaylatchError('illegal_event', `order ${id} ended before it was opened; use a new Idempotency-Key`, {
        legalEvents: [],
      });
    }
    if (await claimOpening(deps.db, id)) await openIfNobodyDid(deps, provider, row);
    else if (waited >= OPENING_WAIT_MS) throw new Overloaded('another call is opening this order; try again');
    else await sleep(OPENING_POLL_MS);
  }
}

/**
 * Looks at the order once more before it opens it: somebody may have opened it while this caller waited for the right
 * to.
 */
async function openIfNobodyDid(deps: CheckoutDeps, provider: PaymentProvider, { id }: OrderRow): Promise<void> {
  try {
    const now = await readOrderRow(deps.db, id);
    if (now && now.providerOrderId === null) await open(deps, provider, now);
  } finally {
    await releaseOpening(deps.db, id);
  }
}

async function open(deps: CheckoutDeps, provider: PaymentProvider, row: OrderRow): Promise<void> {
  const { id, userId, planId, amountMinor, currency } = row;
  const callbackUrl = callbackUrlOf(deps.publicUrl, provider.name);
  const opened = await provider.createCheckout({ orderId: id, userId, planId, amountMinor, currency, callbackUrl });
  await deps.dispatch({
    source: 'checkout',
    orderId: id,
    provider: null,
    providerOrderId: null,
    eventKey: `opened:${opened.providerOrderId}`,
    event: { type: 'checkout.opened', ...opened },
    received: null,
  });
}

function viewOf(row: OrderRow, { provider, deps }: { provider: PaymentProvider; deps: CheckoutDeps }): CheckoutView {
  const order = payableOf(row, deps.publicUrl);
  const { providerOrderId, url } = order;
  const params = provider.checkoutParams(order);
  return {
    order: orderView(row, deps.clock()),
    checkout: { provider: provider.name, providerOrderId, ...(url !== undefined && { url }), params },
  };
}

/** An opened order as the provider's form needs it, from what its machine remembers. */
export function payableOf(row: OrderRow, publicUrl: string): PayableOrder {
  const { context } = row.snapshot as { context?: { checkoutUrl?: string | null; providerHandle?: string | null } };
  return {
    orderId: row.id,
    userId: row.userId,
    planId: row.planId,
    amountMinor: row.amountMinor,
    currency: row.currency,
    callbackUrl: callbackUrlOf(publicUrl, row.provider ?? ''),
    providerOrderId: row.providerOrderId ?? '',
    ...(context?.checkoutUrl && { url: context.checkoutUrl }),
    ...(context?.providerHandle && { handle: context.providerHandle }),
  };
}

const callbackUrlOf = (publicUrl: string, provider: string) => `${publicUrl}/v1/callbacks/${provider}`;
