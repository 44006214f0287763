// What an error of the database means for whoever asked, by SQLSTATE, in one table.

/**
 * `again`: the same statement, at once. `unavailable`: nobody knows whether it happened; the same statement until the
 * deadline. `taken`: somebody else was first; load and decide again. `data`: the statement itself cannot be written.
 */
export type ErrorClass = 'again' | 'unavailable' | 'taken' | 'data';

const AGAIN = new Set(['40001', '40P01']);
const UNAVAILABLE_CODES = new Set(['55P03', '25006']);
const UNAVAILABLE_CLASSES = new Set(['08', '53', '57', '58', 'XX']);
const UNIQUE_VIOLATION = '23505';

/** Classifies whatever a query rejected with. Everything without a SQLSTATE is a connection that told nothing. */
export function classOf(error: unknown): ErrorClass {
  const code = sqlStateOf(error);
  if (code === null) return 'unavailable';
  if (AGAIN.has(code)) return 'again';
  if (code === UNIQUE_VIOLATION) return 'taken';
  if (UNAVAILABLE_CODES.has(code) || UNAVAILABLE_CLASSES.has(code.slice(0, 2))) return 'unavailable';
  return 'data';
}

/** The five-character SQLSTATE, or null when the server never answered. */
export function sqlStateOf(error: unknown): string | null {
  const code = error instanceof Error && 'code' in error ? error.code : null;
  return typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code) ? code : null;
}

/** The database's own sentence, without the parameters of the statement. */
export function databaseMessage(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
