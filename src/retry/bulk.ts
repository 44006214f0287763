// Retry of all orders that are stuck for one cause, page by page, with a result for each order. One that stays stuck does not
// come again, because the next page begins behind it; one that fails does not keep the others from being tried.
import type { StuckCause } from '../../db/orders.ts';
import { readStuckFor } from '../../db/stuckOrders.ts';
import { KNOWN_MACHINE_IDS } from '../../machines/versions.ts';
import type { Verdict } from '../dispatch/envelope.ts';
import { PaylatchError } from '../errors.ts';
import { orderView } from '../orderView.ts';
import type { OrderView, Stuck } from '../ports.ts';
import { previewRetry, type RetryDeps, type RetryRequest, retryOrder } from '../retry.ts';
import { type RetryEnd, type RetryError, type RetryPart, retryErrorOf } from './parts.ts';

/** Orders tried at once: enough to keep both lanes of dispatch busy, few enough to leave connections to live traffic. */
const AT_ONCE = 4;
/**
 * For how long one call begins further orders, in ms. The rest of the page is left to the next call. Well below the
 * deadline of a request.
 */
const BUDGET_MS = 5_000;

export type BulkRetryRequest = Omit<RetryRequest, 'ifMatch'> & {
  cause: StuckCause;
  /** Orders a page. */
  limit: number;
  /** The nextCursor of the page before. */
  cursor: string | null;
};

/** `stuck` is null when the order moves again; `error` says why nothing was run for it. */
export type BulkRetryResult = {
  orderId: string;
  verdict: Verdict | null;
  state: string;
  stuck: Stuck | null;
  did: RetryEnd[];
  error: RetryError | null;
};
/** Each order is counted once: free again, tried and still stuck, refused (nothing to retry), or failed. */
export type BulkRetryCounts = { orders: number; free: number; stillStuck: number; refused: number; failed: number };
export type BulkRetryView = { results: BulkRetryResult[]; counts: BulkRetryCounts; nextCursor: string | null };

export type BulkRetryPlanView = {
  orders: { orderId: string; state: string; stuck: Stuck | null; would: RetryPart[]; refused: string | null }[];
  nextCursor: string | null;
};

export type BulkRetryDeps = RetryDeps & {
  /** Monotonic, in ms. */
  monotonic: () => number;
};

/**
 * Tries one page of the orders that are stuck for this cause, by id, the newest first. It does not fail when an order
 * does.
 */
export async function retryStuck(deps: BulkRetryDeps, request: BulkRetryRequest): Promise<BulkRetryView> {
  const { tried, nextCursor } = await overPage(deps, request, view => retryOne(deps, view, request));
  return { results: tried, counts: countsOf(tried), nextCursor };
}

/** What `retryStuck` would run for the same page; nothing is written. */
export async function previewRetryStuck(deps: BulkRetryDeps, request: BulkRetryRequest): Promise<BulkRetryPlanView> {
  const { tried, nextCursor } = await overPage(deps, request, async ({ id }) => {
    const { order, would, refused } = await previewRetry(deps, id, request);
    return { orderId: id, state: order.state, stuck: order.stuck, would, refused };
  });
  return { orders: tried, nextCursor };
}

async function overPage<T>(
  deps: BulkRetryDeps,
  { cause, limit, cursor }: BulkRetryRequest,
  one: (order: OrderView) => Promise<T>,
): Promise<{ tried: T[]; nextCursor: string | null }> {
  const { db, clock, monotonic } = deps;
  const now = clock();
  const rows = await readStuckFor(db, { cause, cursor, limit: limit + 1, now, machines: KNOWN_MACHINE_IDS });
  const page = rows.slice(0, limit).map(row => orderView(row, now));
  const until = monotonic() + BUDGET_MS;
  const tried: T[] = [];
  let next = 0;
  // Orders are begun in the page's own order, so that those that were begun are its first ones and the cursor can
  // follow them.
  async function workOff(): Promise<void> {
    for (let mine = next++; mine < page.length; mine = next++) {
      const order = page[mine];
      if (order) tried[mine] = await one(order);
      if (monotonic() >= until) return;
    }
  }
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, page.length) }, workOff));
  const isOver = tried.length === rows.length;
  return { tried, nextCursor: isOver ? null : (page[tried.length - 1]?.id ?? null) };
}

async function retryOne(deps: BulkRetryDeps, before: OrderView, request: BulkRetryRequest): Promise<BulkRetryResult> {
  const { reason, by, eventKey } = request;
  try {
    const { verdict, order, did } = await retryOrder(deps, before.id, { reason, by, eventKey });
    return { orderId: order.id, verdict, state: order.state, stuck: order.stuck, did, error: null };
  } catch (error) {
    const now = error instanceof PaylatchError ? (error.fields.order as OrderView | undefined) : undefined;
    const { id, state, stuck } = now ?? before;
    const known = retryErrorOf(error);
    if (known.code === 'internal_error')
      deps.log.error({ err: error, orderId: id }, 'a retry failed; the others go on');
    return { orderId: id, verdict: null, state, stuck, did: [], error: known };
  }
}

function countsOf(results: readonly BulkRetryResult[]): BulkRetryCounts {
  const counts = { orders: results.length, free: 0, stillStuck: 0, refused: 0, failed: 0 };
  for (const { error, stuck } of results) {
    if (error) counts[error.code === 'nothing_to_retry' ? 'refused' : 'failed'] += 1;
    else counts[stuck ? 'stillStuck' : 'free'] += 1;
  }
  return counts;
}
