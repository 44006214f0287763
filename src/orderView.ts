// The order as every call answers it: the row, why it is stuck if it is, and the events that are legal now.
import type { OrderRow, TimelineRow } from '../db/orders.ts';
import { legalEvents } from '../machines/legal.ts';
import { type LiveOrder, readOrder, SnapshotUnreadable } from '../machines/snapshot.ts';
import type { OrderView, Stuck, TimelineView } from './ports.ts';

export function orderView(row: OrderRow, now: Date): OrderView {
  const { live, unreadable } = tryRead(row);
  return {
    id: row.id,
    kind: row.kind,
    userId: row.userId,
    planId: row.planId,
    product: row.product,
    provider: row.provider,
    providerOrderId: row.providerOrderId,
    amountMinor: row.amountMinor,
    currency: row.currency,
    state: row.state,
    version: row.version,
    stuck: stuckOf(row, unreadable, now),
    legalEvents: live ? legalEvents(live, row.deadEffects) : [],
    createdAt: row.createdAt.toISOString(),
    updatedAt: row.updatedAt.toISOString(),
  };
}

function tryRead(row: OrderRow): { live: LiveOrder | null; unreadable: string | null } {
  try {
    return { live: readOrder(row), unreadable: null };
  } catch (error) {
    if (error instanceof SnapshotUnreadable) return { live: null, unreadable: error.message };
    throw error;
  }
}

/** Why this order does not move by itself, the gravest cause first; computed when read, without leeway. */
function stuckOf(row: OrderRow, unreadable: string | null, now: Date): Stuck | null {
  const since = row.stateSince.toISOString();
  if (unreadable) return { cause: 'snapshot_unreadable', since: row.updatedAt.toISOString(), detail: unreadable };
  if (row.keptSince) {
    const detail = 'events that came while the order could not be read wait to be decided again';
    return { cause: 'snapshot_unreadable', since: row.keptSince.toISOString(), detail };
  }
  if (row.state === 'parked') return { cause: 'parked', since, detail: row.parkedDetail };
  if (row.state === 'captured') return { cause: 'grant_failed', since, detail: row.grantError };
  const [dead] = row.deadEffects;
  if (dead)
    return {
      cause: 'effect_dead',
      since: dead.availableAt,
      detail: `${dead.effect}: ${dead.lastError ?? 'no error was noted'}`,
    };
  if (row.wakeAt && row.wakeAt <= now) {
    return {
      cause: 'deadline_passed',
      since: row.wakeAt.toISOString(),
      detail: `the deadline of ${row.state} has passed`,
    };
  }
  return null;
}

export function timelineView({ order, ...rest }: TimelineRow, now: Date): TimelineView {
  // The statement builds each list in the shape it is answered in.
  return { order: orderView(order, now), ...(rest as Omit<TimelineView, 'order'>) };
}
