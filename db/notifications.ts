// Notifications are outbox rows of the effect `notify`; beside them, every try to deliver one.
import type { Database, Row } from './client.ts';

export type NotificationRow = {
  id: string;
  payload: Record<string, unknown>;
  status: 'pending' | 'done' | 'dead';
  attempts: number;
  availableAt: Date;
  lastError: string | null;
  doneAt: Date | null;
  /** What the transition that it tells of made of the order, and when. */
  orderId: string;
  version: number;
  state: string;
  at: Date;
  /** Of the order, and the same for ever. */
  kind: string;
  provider: string | null;
  live: boolean;
  amountMinor: number;
  currency: string;
};

const NOTIFICATION = `
  x.id, x.payload, x.status, x.attempts, x.available_at, x.last_error, x.done_at, x.order_id, x.order_version,
  t.to_state, t.at, o.kind, o.provider, o.live, o.amount_minor, o.currency`;
const ITS_ORDER = `
  join orders o on o.id = x.order_id
  join transitions t on t.order_id = x.order_id and t.version = x.order_version`;

export async function readNotification(db: Database, id: string): Promise<NotificationRow | null> {
  const [row] = await db.query<Row>(
    `select ${NOTIFICATION} from outbox x ${ITS_ORDER} where x.id = $1 and x.effect = 'notify'`,
    [id],
  );
  return row ? notificationRow(row) : null;
}

export type NotificationSearch = {
  endpointId: string | null;
  orderId: string | null;
  status: string | null;
  /** Only those before this id. */
  cursor: string | null;
  limit: number;
  /** Rows looked at, at most: what is asked for may be rare among very many. */
  scan: number;
};

/** Comes after every id of ours under any collation. */
const AFTER_ALL = 'z';

/**
 * Newest first. `oldest` is the last one looked at, null when there is nothing before it: a page that found little goes
 * on from there.
 */
export async function searchNotifications(
  db: Database,
  search: NotificationSearch,
): Promise<{ rows: NotificationRow[]; oldest: string | null }> {
  const { endpointId, orderId, status, cursor, limit, scan } = search;
  const of = orderId === null ? '' : 'and x.order_id = $6';
  const found = await db.query<Row>(
    `with looked as materialized (
       select x.* from outbox x where x.effect = 'notify' and x.id < $1 ${of} order by x.id desc limit $2::int),
     seen as (select count(*)::int as n, min(id) as oldest from looked),
     hits as (
       select ${NOTIFICATION} from looked x ${ITS_ORDER}
       where ($3::text is null or x.status = $3)
         and ($4::text is null or exists (
           select 1 from notification_attempts a where a.notification_id = x.id and a.endpoint_id = $4))
       order by x.id desc limit $5::int)
     select seen.n as looked, seen.oldest, hits.* from seen left join hits on true order by hits.id desc`,
    [cursor ?? AFTER_ALL, scan, status, endpointId, limit, ...(orderId === null ? [] : [orderId])],
  );
  const [first] = found;
  return {
    rows: found.filter(row => row.id !== null).map(notificationRow),
    oldest: Number(first?.looked ?? 0) < scan ? null : (first?.oldest as string | null),
  };
}

/** A dead one that every endpoint has after all, or that nobody wants any more, is done. */
export async function settleDeadNotification(db: Database, id: string, at: Date): Promise<void> {
  await db.query(
    `with written as (
       update outbox set status = 'done', done_at = $2::timestamptz where id = $1 and effect = 'notify' and status = 'dead' returning id)
     select id from written`,
    [id, at.toISOString()],
  );
}

export type AttemptRow = {
  id: string;
  notificationId: string;
  endpointId: string;
  trigger: 'scheduled' | 'manual';
  reason: string | null;
  at: Date;
  status: number | null;
  answer: string | null;
  error: string | null;
  retryAt: Date | null;
  ms: number;
};

export async function insertAttempt(db: Database, attempt: AttemptRow): Promise<void> {
  const { id, notificationId, endpointId, trigger, reason, at, status, answer, error, retryAt, ms } = attempt;
  await db.query(
    `insert into notification_attempts (id, notification_id, endpoint_id, trigger, reason, at, status, answer, error, retry_at, ms)
     values ($1, $2, $3, $4, $5, $6::timestamptz, $7::int, $8, $9, $10::timestamptz, $11::int)
     on conflict (id) do nothing`,
    [
      id,
      notificationId,
      endpointId,
      trigger,
      reason,
      at.toISOString(),
      status,
      answer,
      error,
      retryAt?.toISOString() ?? null,
      ms,
    ],
  );
}

/** The newest `limit` of one notification, oldest first. */
export async function readAttempts(db: Database, notificationId: string, limit: number): Promise<AttemptRow[]> {
  const rows = await db.query<Row>(
    `select id, notification_id, endpoint_id, trigger, reason, at, status, answer, error, retry_at, ms
     from notification_attempts where notification_id = $1 order by id desc limit $2::int`,
    [notificationId, limit],
  );
  return rows.reverse().map(row => ({
    id: row.id as string,
    notificationId: row.notification_id as string,
    endpointId: row.endpoint_id as string,
    trigger: row.trigger as AttemptRow['trigger'],
    reason: row.reason as string | null,
    at: row.at as Date,
    status: row.status as number | null,
    answer: row.answer as string | null,
    error: row.error as string | null,
    retryAt: row.retry_at as Date | null,
    ms: row.ms as number,
  }));
}

function notificationRow(row: Row): NotificationRow {
  return {
    id: row.id as string,
    payload: row.payload as Record<string, unknown>,
    status: row.status as NotificationRow['status'],
    attempts: row.attempts as number,
    availableAt: row.available_at as Date,
    lastError: row.last_error as string | null,
    doneAt: row.done_at as Date | null,
    orderId: row.order_id as string,
    version: row.order_version as number,
    state: row.to_state as string,
    at: row.at as Date,
    kind: row.kind as string,
    provider: row.provider as string | null,
    live: row.live as boolean,
    amountMinor: Number(row.amount_minor),
    currency: row.currency as string,
  };
}
