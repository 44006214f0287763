// An order's snapshot on both sides of the disk: what is stored (XState's persisted snapshot and the pending deadline)
// and the checks it must pass before anything is decided on it. What cannot be read is left alone, never guessed.
import type { SnapshotFrom } from 'xstate';
import { z } from 'zod';
import type { orderChart } from './order.ts';
import { orderContextSchema } from './orderContext.ts';
import { ORDER_STATES, type OrderStateName } from './orderStates.ts';
import { chartOf } from './versions.ts';

/** A deadline the chart has set: which one, when it is due, and the version of the transition that set it. */
const deadlineSchema = z.object({
  id: z.string(),
  event: z.string(),
  dueAt: z.iso.datetime({ precision: 3 }),
  setAtVersion: z.int().min(1),
});
export type Deadline = z.infer<typeof deadlineSchema>;

const storedSnapshotSchema = z.object({
  status: z.literal('active'),
  value: z.enum(ORDER_STATES),
  context: orderContextSchema,
  historyValue: z.object({}),
  children: z.object({}),
  deadline: deadlineSchema.nullable(),
});
export type StoredSnapshot = z.infer<typeof storedSnapshotSchema>;

/** An order as its row holds it; `snapshot` is JSON not yet looked at. */
export type StoredOrder = { id: string; version: number; machine: string; snapshot: unknown };

/** An order that was read and can be decided on. */
export type LiveOrder = {
  id: string;
  version: number;
  machine: string;
  state: SnapshotFrom<typeof orderChart>;
  deadline: Deadline | null;
};

/** The chart is not registered, or the snapshot does not belong to it. Nobody's fault to fix by guessing. */
export class SnapshotUnreadable extends Error {
  constructor(order: StoredOrder, why: string) {
    super(`order ${order.id} (${order.machine}, version ${order.version}): ${why}`);
    this.name = 'SnapshotUnreadable';
  }
}

/** @throws SnapshotUnreadable when the chart is unknown here or the snapshot fails its schema */
export function readOrder(stored: StoredOrder): LiveOrder {
  const chart = chartOf(stored.machine);
  if (!chart) throw new SnapshotUnreadable(stored, `no chart named ${stored.machine} is registered`);
  const parsed = storedSnapshotSchema.safeParse(stored.snapshot);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    throw new SnapshotUnreadable(stored, `its snapshot does not fit: ${issue?.path.join('.')} ${issue?.message}`);
  }
  const { value, context, deadline } = parsed.data;
  return {
    id: stored.id,
    version: stored.version,
    machine: stored.machine,
    state: chart.resolveState({ value, context }),
    deadline,
  };
}

/** The form that is written to `orders.snapshot`. */
export function storedForm(order: Pick<LiveOrder, 'state' | 'deadline'>): StoredSnapshot {
  return {
    status: 'active',
    value: stateName(order),
    context: order.state.context,
    historyValue: {},
    children: {},
    deadline: order.deadline,
  };
}

export function stateName(order: Pick<LiveOrder, 'state'>): OrderStateName {
  return order.state.value as OrderStateName;
}
