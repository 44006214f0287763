// Orders whose money is in and whose grant could not be written are all driven again when the service starts, whatever
// their deadline says: a start is often the repair. After that their deadlines do it.
import type { Logger } from 'pino';
import { type CapturedOrder, readCaptured } from '../../db/captured.ts';
import type { Database } from '../../db/client.ts';
import type { Dispatch } from '../dispatch.ts';

/** Orders driven at once; the next page follows when these are answered, so that live traffic is not starved. */
const PAGE_SIZE = 100;

export type CapturedDeps = { db: Database; dispatch: Dispatch; log: Logger };

/** One round over the captured orders. One that fails again stays captured, with the new reason, and the round goes on. */
export async function driveCaptured(deps: CapturedDeps, stop?: AbortSignal): Promise<void> {
  let after = '';
  while (!stop?.aborted) {
    const page = await readCaptured(deps.db, after, PAGE_SIZE);
    await Promise.all(page.map(order => drive(deps, order)));
    const last = page.at(-1);
    if (!last || page.length < PAGE_SIZE) return;
    after = last.id;
  }
}

async function drive({ dispatch, log }: CapturedDeps, { id, version }: CapturedOrder): Promise<void> {
  try {
    await dispatch({
      source: 'sweeper',
      orderId: id,
      provider: null,
      providerOrderId: null,
      // By its version two replicas that start at once try it once; by its order all of them fit into one batch.
      eventKey: `drive:${id}:${version}`,
      event: { type: 'retry.requested', reason: 'captured orders are tried again when the service starts' },
      received: null,
    });
  } catch (error) {
    log.warn({ err: error, orderId: id }, 'a captured order could not be driven');
  }
}
