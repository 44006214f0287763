// Which terminal of CloudPayments this deployment speaks for, and whether its money is real.
import type { CloudPaymentsSettings } from '../settings.ts';

/** `test` as a word of the id: `test_api_…`, the older form of a test terminal's id, `pk_test_…`, or the mark below. */
const SAYS_TEST = /(^|_)test(_|$)/;
/** Written by the merchant in front of the id of a site that is still in test mode; CloudPayments does not know it. */
const MARKED_AS_TEST = /^test_(?=pk_)/;

export type Terminal = {
  /** The id as it is set, mark and all: orders of the same site before and after it went live are kept apart. */
  account: string;
  live: boolean;
  /** The id as CloudPayments knows it. */
  publicId: string;
  secrets: readonly string[];
};

/**
 * A Public ID such as `pk_…` does not tell test from live: every new site begins in test mode under the id it keeps, and
 * only its notifications carry TestMode. So the mode must be said: an id is live unless it says `test`, and a site in test
 * mode is tried out by writing `test_` before its id. A payment that tells the other mode does not fit the order, whichever
 * way round: test money never pays a real order, and real money never vanishes into a test.
 */
export function terminalOf({ publicId, apiSecrets }: CloudPaymentsSettings): Terminal {
  if (apiSecrets.length === 0 || apiSecrets.includes('')) throw new Error('CloudPayments needs an API secret.');
  return {
    account: publicId,
    live: !SAYS_TEST.test(publicId),
    publicId: publicId.replace(MARKED_AS_TEST, ''),
    secrets: apiSecrets,
  };
}
