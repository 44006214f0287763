// Every error a caller can meet, with the status and code it is answered with. One place renders them (http/problem.ts).

export type ErrorCode =
  | 'invalid_request'
  | 'unauthorized'
  | 'bad_signature'
  | 'forbidden'
  | 'not_found'
  | 'illegal_event'
  | 'nothing_to_retry'
  | 'version_conflict'
  | 'body_too_large'
  | 'unsupported_media_type'
  | 'idempotency_key_reused'
  | 'provider_refused'
  | 'overloaded'
  | 'provider_unreachable'
  | 'database_unavailable'
  | 'internal_error';

const STATUS: Record<ErrorCode, number> = {
  invalid_request: 400,
  unauthorized: 401,
  bad_signature: 401,
  forbidden: 403,
  not_found: 404,
  illegal_event: 409,
  nothing_to_retry: 409,
  version_conflict: 412,
  body_too_large: 413,
  unsupported_media_type: 415,
  idempotency_key_reused: 422,
  internal_error: 500,
  provider_refused: 502,
  overloaded: 503,
  provider_unreachable: 503,
  database_unavailable: 503,
};

/**
 * How long a caller is asked to wait before it tries again, in s: long enough for a database to fail over, short enough
 * for a shopper.
 */
export const RETRY_AFTER_S = 2;

/** An error with an answer. `detail` is a sentence for the caller, `fields` are extra members of the problem document. */
export class PaylatchError extends Error {
  readonly code: ErrorCode;
  readonly status: number;
  readonly fields: Record<string, unknown>;

  constructor(code: ErrorCode, detail: string, fields: Record<string, unknown> = {}, cause?: unknown) {
    super(detail, cause === undefined ? undefined : { cause });
    this.name = new.target.name;
    this.code = code;
    this.status = STATUS[code];
    this.fields = fields;
  }

  get retryAfterS(): number | null {
    return this.status === 503 ? RETRY_AFTER_S : null;
  }
}

/** The call's own fault: says what was wrong and what is legal. */
export class InvalidRequest extends PaylatchError {
  constructor(detail: string, fields: Record<string, unknown> = {}) {
    super('invalid_request', detail, fields);
  }
}

/** The signature over a callback or webhook is missing, wrong, or outside its time window. Nothing of it is stored. */
export class BadSignature extends PaylatchError {
  constructor(detail: string) {
    super('bad_signature', detail);
  }
}

/** The provider answered, and the answer is no. Final for this request. */
export class ProviderRefused extends PaylatchError {
  constructor(detail: string, cause?: unknown) {
    super('provider_refused', detail, {}, cause);
  }
}

/**
 * The provider did not answer, or its answer does not tell: it may or may not have done what was asked. Never treated
 * as a no.
 */
export class ProviderUnreachable extends PaylatchError {
  constructor(detail: string, cause?: unknown) {
    super('provider_unreachable', detail, {}, cause);
  }
}

/** Too much is waiting, or an order stays held by others. Nothing was written; the caller may come again. */
export class Overloaded extends PaylatchError {
  constructor(detail: string) {
    super('overloaded', detail);
  }
}

/** The database did not answer in time. The caller may come again with the same key. */
export class DatabaseUnavailable extends PaylatchError {
  constructor(detail: string, cause?: unknown) {
    super('database_unavailable', detail, {}, cause);
  }
}

/**
 * Checks that an order stands at the version that the caller has asked for; undefined means any.
 * @throws PaylatchError version_conflict
 */
export function assertVersion({ version }: { version: number }, asked: number | undefined): void {
  if (asked === undefined || asked === version) return;
  throw new PaylatchError('version_conflict', `the order stands at version ${version}, not ${asked}`, { version });
}

/** What the call names does not exist. */
export class NotFound extends PaylatchError {
  constructor(detail: string) {
    super('not_found', detail);
  }
}
