// The order somebody acts on: its row, what its chart reads in it, and its path for the picture.
import type { Database } from '../../../db/client.ts';
import { type Life, readLife } from '../../../db/inspect/transitions.ts';
import { type OrderRow, readOrderRow } from '../../../db/orders.ts';
import { type LiveOrder, readOrder, SnapshotUnreadable } from '../../../machines/snapshot.ts';
import { NotFound } from '../../errors.ts';

/** Transitions drawn into the picture: more than any order walks that a person still has to act on. */
const MAX_WALKED = 500;
/** What no id can be is not asked for. */
const ORDER_ID = /^[\w-]{1,64}$/;

/** `live` is null when the order cannot be read; `unreadable` says why. */
export type Subject = { row: OrderRow; live: LiveOrder | null; unreadable: string | null; life: Life | null };

/** @throws NotFound */
export async function readSubject(db: Database, id: string): Promise<Subject> {
  const [row, life] = ORDER_ID.test(id)
    ? await Promise.all([readOrderRow(db, id), readLife(db, id, MAX_WALKED)])
    : [null, null];
  if (!row) throw new NotFound(`There is no order ${id}. The id may be cut off: search for it.`);
  try {
    return { row, life, live: readOrder(row), unreadable: null };
  } catch (error) {
    if (error instanceof SnapshotUnreadable) return { row, life, live: null, unreadable: error.message };
    throw error;
  }
}
