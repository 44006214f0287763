// The bench's own way to the database, for seeding and counting: without the service's time limits, which a busy machine
// would overstep between two measurements.
import { type Logger, pino } from 'pino';
import postgres from 'postgres';
import type { Database, Param, Row } from '../db/client.ts';

export function openBenchDatabase(url: string): Database {
  const connection = { application_name: 'paylatch-bench', TimeZone: 'UTC' };
  const client = postgres(url, { max: 1, fetch_types: false, onnotice: () => {}, connection });
  return {
    query: async <R extends Row>(text: string, params: readonly Param[]) => [
      ...(await client.unsafe<R[]>(text, params as Param[], { prepare: true })),
    ],
    close: () => client.end({ timeout: 1 }),
  };
}

/** For parts that log what nobody reads here. */
export const silentLog = (): Logger => pino({ level: 'silent' });
