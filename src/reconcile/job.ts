// Reconciliation by listing as one of the jobs of the sweeper's loop.
import { createPaymentListing, type ListingDeps } from './listPayments.ts';

/**
 * Pause between looks for a listing that is due, in ms: a look costs one statement for each provider, and due times are
 * minutes apart.
 */
const LOOK_EVERY_MS = 15_000;

/** The job that reads every provider's list of payments when it is due; any number of replicas may have it. */
export function listingJob(deps: ListingDeps): {
  name: string;
  everyMs: number;
  run(stop: AbortSignal): Promise<void>;
} {
  const listing = createPaymentListing(deps);
  return { name: 'list payments', everyMs: LOOK_EVERY_MS, run: stop => listing.run(stop) };
}
