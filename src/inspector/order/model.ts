// An order as its page shows it: the rows, what the chart reads in them, and what follows from both. Pure.
import type { OrderPageRow } from '../../../db/inspect/orderPage.ts';
import { type Replay, type ReplayStep, replayOrder } from '../../../machines/replay.ts';
import { type LiveOrder, readOrder, SnapshotUnreadable } from '../../../machines/snapshot.ts';
import { orderView } from '../../orderView.ts';
import type { OrderView } from '../../ports.ts';
import type { PageQuery } from './pageQuery.ts';

export type OrderModel = {
  row: OrderPageRow;
  view: OrderView;
  /** Null when the snapshot cannot be read; `unreadable` says why. */
  live: LiveOrder | null;
  unreadable: string | null;
  /** Null when the order has too many transitions to be walked again for a page. */
  replay: Replay | null;
  /** What the replay says of each version, as far as it walked. */
  stepAt: ReadonlyMap<number, ReplayStep>;
  /** The state the order was in at each version that was read. */
  stateAt: ReadonlyMap<number, string>;
  query: PageQuery;
  now: Date;
};

export function modelOf(row: OrderPageRow, query: PageQuery, now: Date): OrderModel {
  const { live, unreadable } = tryRead(row);
  const replay = row.transitions.length === row.order.version ? replayOf(row) : null;
  return {
    row,
    view: orderView(row.order, now),
    live,
    unreadable,
    replay,
    stepAt: new Map(replay?.steps.map(step => [step.version, step])),
    stateAt: new Map(row.transitions.map(({ version, to }) => [version, to])),
    query,
    now,
  };
}

function tryRead({ order }: OrderPageRow): Pick<OrderModel, 'live' | 'unreadable'> {
  try {
    return { live: readOrder(order), unreadable: null };
  } catch (error) {
    if (error instanceof SnapshotUnreadable) return { live: null, unreadable: error.message };
    throw error;
  }
}

function replayOf({ order, transitions }: OrderPageRow): Replay {
  const { id, machine, version, state, snapshot, wakeAt } = order;
  return replayOrder(
    { id, machine, version, state, snapshot, wakeAt: wakeAt?.toISOString() ?? null },
    transitions.toReversed().map(({ type, ...rest }) => ({ ...rest, eventType: type })),
  );
}
