// The clock's side of the chart: an order whose deadline has passed is told so. Timers live nowhere but in `wake_at`; the
// chart decides what the deadline means.
import type { Logger } from 'pino';
import type { Database } from '../../db/client.ts';
import { type DueOrder, readDueOrders } from '../../db/deadlines.ts';
import { readOrder, SnapshotUnreadable, type StoredOrder } from '../../machines/snapshot.ts';
import type { Clock } from '../clock.ts';
import type { Outcome } from '../dispatch/envelope.ts';
import type { Dispatch } from '../dispatch.ts';
import { DatabaseUnavailable } from '../errors.ts';
import { retryErrorOf } from '../retry/parts.ts';
import type { HoldOff } from './holdOff.ts';

/** Orders told at once; the next page follows when these are answered. Half a batch of dispatch: a live event waits behind no more than that. */
const PAGE_SIZE = 100;

export type DeadlineDeps = { db: Database; dispatch: Dispatch; clock: Clock; log: Logger; holdOff: HoldOff };

/** One round over all orders that are due now, oldest deadline first. What fails is left alone for a while. */
export async function passDeadlines(deps: DeadlineDeps, stop?: AbortSignal): Promise<void> {
  const dueAt = deps.clock();
  let cursor: DueOrder | null = null;
  while (!stop?.aborted) {
    const page: DueOrder[] = await readDueOrders(deps.db, dueAt, cursor, PAGE_SIZE);
    const told = await Promise.all(page.map(order => tell(deps, order)));
    // Nobody is to blame when the database is away, and the rest need not be asked.
    if (told.includes('away')) throw new DatabaseUnavailable('the database does not answer');
    cursor = page.at(-1) ?? null;
    if (!cursor || page.length < PAGE_SIZE) return;
  }
}

async function tell({ dispatch, log, holdOff }: DeadlineDeps, order: DueOrder): Promise<'told' | 'held' | 'away'> {
  const name = `${order.id}:${order.version}`;
  if (holdOff.holds(name)) return 'held';
  try {
    const outcome = await passDeadline(dispatch, order);
    // Told before, or not due by its snapshot, and still due by its row: asking every round would change nothing.
    if (outcome?.verdict === 'applied') holdOff.succeeded(name);
    else holdOff.failed(name, `it is due and was answered ${outcome?.verdict ?? 'that it has no deadline'}`);
    return 'told';
  } catch (error) {
    if (error instanceof DatabaseUnavailable) return 'away';
    holdOff.failed(name, error instanceof SnapshotUnreadable ? null : retryErrorOf(error).detail);
    log.warn({ err: error, orderId: order.id }, 'an order could not be told that its deadline has passed');
    return 'held';
  }
}

/**
 * Tells one order that its pending deadline has passed; null when it has none. The key names the version that set it, so
 * that replicas that sweep at once tell it once; and the order, because one key for several orders cannot share a batch.
 * @throws SnapshotUnreadable, and whatever dispatch throws
 */
export async function passDeadline(dispatch: Dispatch, order: StoredOrder): Promise<Outcome | null> {
  const { deadline } = readOrder(order);
  if (!deadline) return null;
  const { id, setAtVersion } = deadline;
  return dispatch({
    source: 'sweeper',
    orderId: order.id,
    provider: null,
    providerOrderId: null,
    eventKey: `deadline:${order.id}:${setAtVersion}`,
    event: { type: 'deadline.passed', deadline: id, setAtVersion },
    received: null,
  });
}
