// Razorpay's list of disputes. A payment does not tell of its own, and the list cannot be asked for one payment's.
import { InvalidRequest } from '../../errors.ts';
import type { DisputePage, PaymentProvider } from '../provider.ts';
import { itemsOf, type RazorpayApi } from './api.ts';
import { disputeState, fieldOf, type RazorpayDispute, readDispute, Unreadable } from './entities.ts';

/** Disputes asked for at once, the most a collection gives. */
const PAGE_SIZE = 100;
const CURSOR = /^\d{1,9}$/;

/**
 * `GET /v1/disputes` takes `count` and `skip` (razorpay-node, resources/disputes and documents/disputes.md). Razorpay's
 * command line also sends `from` and `to`, which neither the API's page nor any SDK names, and Razorpay refuses what it does
 * not expect: so they are not sent, and the newest are read first until they are too old.
 */
export function razorpayDisputes(api: RazorpayApi): Required<Pick<PaymentProvider, 'listDisputes'>> {
  return {
    async listDisputes(since, cursor) {
      const skip = cursor === null ? 0 : Number(checked(cursor));
      const query = { count: String(PAGE_SIZE), skip: String(skip) };
      const items = await api.get('/disputes', itemsOf, query);
      const sinceS = Math.floor(since.getTime() / 1_000);
      const found = items.flatMap(readable).filter(({ createdAtS }) => createdAtS === null || createdAtS >= sinceS);
      const isLast = items.length < PAGE_SIZE || isOlder(items, sinceS);
      return { disputes: found.map(listed), cursor: isLast ? null : String(skip + items.length) };
    },
  };
}

function listed(told: RazorpayDispute): DisputePage['disputes'][number] {
  const { paymentId, disputeId, amountMinor } = told;
  // Its `created_at` is when it was opened, no time of its state.
  return { paymentId, dispute: { disputeId, state: disputeState(told), amountMinor } };
}

/** Everything behind this page is older too. That the newest come first is what its sample shows, so it is looked at and not believed. */
function isOlder(items: unknown[], sinceS: number): boolean {
  const times = items.map(item => fieldOf(item, 'created_at'));
  if (!times.every(time => typeof time === 'number')) return false;
  const isNewestFirst = times.every((time, n) => n === 0 || time <= (times[n - 1] as number));
  const isMixed = times[0] !== times.at(-1);
  return isNewestFirst && isMixed && (times.at(-1) as number) < sinceS;
}

/** One that cannot be read must not hide the others. */
function readable(item: unknown): RazorpayDispute[] {
  try {
    return [readDispute(item)];
  } catch (error) {
    if (error instanceof Unreadable) return [];
    throw error;
  }
}

function checked(cursor: string): string {
  if (!CURSOR.test(cursor)) throw new InvalidRequest('This is no cursor of a list of Razorpay disputes.');
  return cursor;
}
