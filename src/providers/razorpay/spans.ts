// Razorpay's collections by when a thing was made: `from`, `to`, `count` and `skip`, the newest first (razorpay-node,
// resources/payments and resources/refunds).
import type { Clock } from '../../clock.ts';
import { InvalidRequest } from '../../errors.ts';
import { itemsOf, type RazorpayApi } from './api.ts';
import { Unreadable } from './entities.ts';

/** Items asked for at once, the most a collection gives; the next page follows. */
export const PAGE_SIZE = 100;
const CURSOR = /^(\d{1,12})-(\d{1,12})-(\d{1,9})$/;

/**
 * A page of what was made since; `cursor` null begins and, in the answer, ends.
 * @throws InvalidRequest for a cursor that is none, ProviderRefused, ProviderUnreachable
 */
export async function madeSince(
  { api, clock }: { api: RazorpayApi; clock: Clock },
  path: string,
  { since, cursor }: { since: Date; cursor: string | null },
): Promise<{ items: unknown[]; cursor: string | null }> {
  const { from, to, skip } = cursor === null ? firstPage(since, clock) : pageAt(cursor);
  const query = { from: String(from), to: String(to), count: String(PAGE_SIZE), skip: String(skip) };
  const items = await api.get(path, itemsOf, query);
  return { items, cursor: items.length < PAGE_SIZE ? null : `${from}-${to}-${skip + items.length}` };
}

/** One that cannot be read, such as a registration over nothing, must not hide all the others. */
export function readable<T>(items: unknown[], read: (item: unknown) => T): T[] {
  return items.flatMap(item => {
    try {
      return [read(item)];
    } catch (error) {
      if (error instanceof Unreadable) return [];
      throw error;
    }
  });
}

/** `to` is held for all pages, or what is made meanwhile would push others over the edge of a page. */
function firstPage(since: Date, clock: Clock) {
  const from = Math.max(0, Math.floor(since.getTime() / 1_000));
  return { from, to: Math.ceil(clock().getTime() / 1_000), skip: 0 };
}

function pageAt(cursor: string) {
  const parts = CURSOR.exec(cursor);
  if (!parts) throw new InvalidRequest('This is no cursor of a list of Razorpay.');
  return { from: Number(parts[1]), to: Number(parts[2]), skip: Number(parts[3]) };
}
