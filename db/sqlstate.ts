// What an error of the database means for whoever asked, by SQLSTATE, in one table.

/**
 * `again`: the same statement, at once. `unavailable`: nobody knows whether it happened; the same statement until the
 * deadline. `taken`: somebody else was first; load and decide again. `data`: the statement itself cannot be written.
 * `bug`: not an error of the database at all.
 */
export type ErrorClass = 'again' | 'unavailable' | 'taken' | 'data' | 'bug';

/** No answer that tells: the statement may or may not have been done. */
export class QueryLost extends Error {
  constructor(why: string, cause?: unknown) {
    super(why, { cause });
    this.name = 'QueryLost';
  }
}

const AGAIN = new Set(['40001', '40P01']);
// 40003: the server does not know either. 28 and 3D: a new connection was refused, whatever was asked on it.
const UNAVAILABLE_CODES = new Set(['55P03', '40003']);
const UNAVAILABLE_CLASSES = new Set(['08', '25', '28', '3D', '53', '57', '58', 'XX']);
const UNIQUE_VIOLATION = '23505';

/** Classifies whatever a query rejected with. */
export function classOf(error: unknown): ErrorClass {
  if (error instanceof QueryLost) return 'unavailable';
  const code = sqlStateOf(error);
  if (code === null) return 'bug';
  if (AGAIN.has(code)) return 'again';
  if (code === UNIQUE_VIOLATION) return 'taken';
  if (UNAVAILABLE_CODES.has(code) || UNAVAILABLE_CLASSES.has(code.slice(0, 2))) return 'unavailable';
  return 'data';
}

/** The five-character SQLSTATE, or null when the server never answered. Only the server's own errors have one: EPIPE, too, has five letters. */
export function sqlStateOf(error: unknown): string | null {
  if (!(error instanceof Error) || error.name !== 'PostgresError' || !('code' in error)) return null;
  return typeof error.code === 'string' && /^[0-9A-Z]{5}$/.test(error.code) ? error.code : null;
}

/** The database's own sentence, without the parameters of the statement. */
export function databaseMessage(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
