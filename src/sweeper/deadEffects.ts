// Dead effects of one kind are told together while there are some; once they are mended, the next one is told at once.
import type { Logger } from 'pino';
import type { Database } from '../../db/client.ts';
import { resolveDeadEffects } from '../../db/deadEffectAlerts.ts';
import type { Clock } from '../clock.ts';

/** One round over the open findings of this kind; there is at most one for an effect and provider. */
export async function resolveMended({ db, clock, log }: { db: Database; clock: Clock; log: Logger }): Promise<void> {
  for (const fingerprint of await resolveDeadEffects(db, clock())) log.info({ fingerprint }, 'finding resolved');
}
