// Razorpay's lists of disputes and of refunds. A payment does not tell of its disputes, and their list cannot be asked for
// one payment's.
import type { Clock } from '../../clock.ts';
import { InvalidRequest } from '../../errors.ts';
import type { MoneyBack, MoneyBackList, PaymentProvider } from '../provider.ts';
import { itemsOf, type RazorpayApi } from './api.ts';
import { disputeState, fieldOf, type RazorpayDispute, readDispute, readRefund } from './entities.ts';
import { madeSince, PAGE_SIZE, readable } from './spans.ts';

const CURSOR = /^\d{1,9}$/;

export function razorpayMoneyBack(api: RazorpayApi, clock: Clock): Required<Pick<PaymentProvider, 'listMoneyBack'>> {
  return {
    listMoneyBack: {
      disputes: disputes(api),
      // By when a refund was made, says the API's page (api/refunds/fetch-all); the SDKs' tables say the payment. Were that
      // so, a late refund would be told by the deep run, which reads a year of either.
      async refunds(since, cursor) {
        const page = await madeSince({ api, clock }, '/refunds', { since, cursor });
        const found = readable(page.items, readRefund);
        return { found: found.map(({ paymentId, refund }) => ({ paymentId, refunds: [refund] })), cursor: page.cursor };
      },
    },
  };
}

/**
 * `GET /v1/disputes` takes `count` and `skip` (razorpay-node, resources/disputes and documents/disputes.md). Razorpay's
 * command line also sends `from` and `to`, which neither the API's page nor any SDK names, and Razorpay refuses what it does
 * not expect: so they are not sent, and the newest are read first until they are too old.
 */
function disputes(api: RazorpayApi): MoneyBackList {
  return async (since, cursor) => {
    const skip = cursor === null ? 0 : Number(checked(cursor));
    const query = { count: String(PAGE_SIZE), skip: String(skip) };
    const items = await api.get('/disputes', itemsOf, query);
    const sinceS = Math.floor(since.getTime() / 1_000);
    const all = readable(items, readDispute);
    const found = all.filter(({ createdAtS }) => createdAtS === null || createdAtS >= sinceS);
    const isLast = items.length < PAGE_SIZE || isOlder(items, sinceS);
    return { found: found.map(listed), cursor: isLast ? null : String(skip + items.length) };
  };
}

function listed(told: RazorpayDispute): MoneyBack {
  const { paymentId, disputeId, amountMinor } = told;
  // Its `created_at` is when it was opened, no time of its state.
  return { paymentId, disputes: [{ disputeId, state: disputeState(told), amountMinor }] };
}

/** Everything behind this page is older too. That the newest come first is what its sample shows, so it is looked at and not believed. */
function isOlder(items: unknown[], sinceS: number): boolean {
  const times = items.map(item => fieldOf(item, 'created_at'));
  if (!times.every(time => typeof time === 'number')) return false;
  const isNewestFirst = times.every((time, n) => n === 0 || time <= (times[n - 1] as number));
  const isMixed = times[0] !== times.at(-1);
  return isNewestFirst && isMixed && (times.at(-1) as number) < sinceS;
}

function checked(cursor: string): string {
  if (!CURSOR.test(cursor)) throw new InvalidRequest('This is no cursor of a list of Razorpay disputes.');
  return cursor;
}
