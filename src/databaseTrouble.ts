// A database that does not answer is neither the caller's mistake nor a bug: the caller is told to come again, wherever in the
// service the query was made.
import { classOf } from '../db/sqlstate.ts';
import { DatabaseUnavailable } from './errors.ts';

/** The error as the caller should see it; null when the database is not to blame for it. */
export function asDatabaseUnavailable(error: unknown): DatabaseUnavailable | null {
  const kind = classOf(error);
  if (kind !== 'unavailable' && kind !== 'again') return null;
  return new DatabaseUnavailable('the database does not answer', error);
}
