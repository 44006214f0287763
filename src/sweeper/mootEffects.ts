// Dead effects whose purpose was reached without them are ended, so that nobody is called to an order that is well.
import type { Logger } from 'pino';
import type { Database } from '../../db/client.ts';
import { resolveMootEffects } from '../../db/mootEffects.ts';
import type { Clock } from '../clock.ts';

/** One round over all dead effects; they are few. */
export async function endMootEffects({ db, clock, log }: { db: Database; clock: Clock; log: Logger }): Promise<void> {
  for (const effect of await resolveMootEffects(db, clock())) log.info(effect, 'a dead effect is not needed any more');
}
