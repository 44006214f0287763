// Where merchants want to be told what happened. A handful of rows, and no secret in any of them.
import type { Database, Row } from './client.ts';
import { changeAndTell, type OpenFinding } from './findings.ts';

export type EndpointRow = {
  id: string;
  url: string;
  topics: string[] | null;
  generation: number;
  previousUntil: Date | null;
  disabledAt: Date | null;
  disabledReason: string | null;
  createdAt: Date;
  updatedAt: Date;
};

const COLUMNS =
  'id, url, topics, generation, previous_until, disabled_at, disabled_reason, created_at, updated_at' as const;

export type InsertedEndpoint =
  | { row: EndpointRow }
  /** There are `limit` already. */
  | { row: null; full: true }
  /** This one has the same URL. */
  | { row: null; full: false; sameUrl: string };

/** The count is looked at in the same statement; two at the very same moment may end one above the limit, which harms nobody. */
export async function insertEndpoint(
  db: Database,
  endpoint: { id: string; url: string; topics: string[] | null; at: Date; limit: number },
): Promise<InsertedEndpoint> {
  const { id, url, topics, at, limit } = endpoint;
  const [row] = await db.query<Row>(
    `with present as (select count(*)::int as n, max(e.id) filter (where e.url = $2) as same_url from endpoints e),
     written as (
       insert into endpoints (id, url, topics, created_at, updated_at)
       select $1, $2, $3, $4::timestamptz, $4::timestamptz from present where n < $5::int and same_url is null
       returning ${COLUMNS})
     select present.n, present.same_url, written.* from present left join written on true`,
    [id, url, topics?.join(',') ?? null, at.toISOString(), limit],
  );
  if (!row) throw new Error(`endpoint ${id} was not written`);
  if (row.id) return { row: endpointRow(row) };
  return row.same_url ? { row: null, full: false, sameUrl: row.same_url as string } : { row: null, full: true };
}

export async function readEndpoint(db: Database, id: string): Promise<EndpointRow | null> {
  const [row] = await db.query<Row>(`select ${COLUMNS} from endpoints where id = $1`, [id]);
  return row ? endpointRow(row) : null;
}

/** All of them, oldest first. */
export async function listEndpoints(db: Database): Promise<EndpointRow[]> {
  return (await db.query<Row>(`select ${COLUMNS} from endpoints order by id`, [])).map(endpointRow);
}

export type EndpointUpdate = {
  url?: string;
  topics?: string[] | null;
  /** `null` enables it; a reason disables it, and leaves an earlier reason as it is. */
  disabledReason?: string | null;
};

/** Answers the row as it is now; null when there is none. */
export async function updateEndpoint(
  db: Database,
  id: string,
  { url, topics, disabledReason }: EndpointUpdate,
  at: Date,
): Promise<EndpointRow | null> {
  const [row] = await db.query<Row>(
    `with written as (
       update endpoints set
         url = coalesce($2, url),
         topics = case when $3::boolean then $4 else topics end,
         disabled_at = case when not $5::boolean then disabled_at when $6::text is null then null else coalesce(disabled_at, $7::timestamptz) end,
         disabled_reason = case when not $5::boolean then disabled_reason when $6::text is null then null else coalesce(disabled_reason, $6) end,
         updated_at = $7::timestamptz
       where id = $1
       returning ${COLUMNS})
     select ${COLUMNS} from written`,
    [
      id,
      url ?? null,
      topics !== undefined,
      topics?.join(',') ?? null,
      disabledReason !== undefined,
      disabledReason ?? null,
      at.toISOString(),
    ],
  );
  return row ? endpointRow(row) : null;
}

/** Takes the next secret; the one before signs too until `previousUntil`. Null when there is no such endpoint. */
export async function rotateEndpoint(
  db: Database,
  id: string,
  previousUntil: Date,
  at: Date,
): Promise<EndpointRow | null> {
  const [row] = await db.query<Row>(
    `with written as (
       update endpoints set generation = generation + 1, previous_until = $2::timestamptz, updated_at = $3::timestamptz
       where id = $1 returning ${COLUMNS})
     select ${COLUMNS} from written`,
    [id, previousUntil.toISOString(), at.toISOString()],
  );
  return row ? endpointRow(row) : null;
}

const DISABLE = `
  update endpoints set disabled_at = $12::timestamptz, disabled_reason = $13, updated_at = $12::timestamptz
  where id = $10 and url = $11 and disabled_at is null returning id`;

/**
 * Disables the endpoint that said so about itself, unless it has moved to another URL meanwhile, and opens the finding that
 * says so. True when this call did it.
 */
export function disableEndpoint(
  db: Database,
  endpoint: { id: string; url: string },
  reason: string,
  finding: OpenFinding,
  at: Date,
): Promise<boolean> {
  const params = [endpoint.id, endpoint.url, at.toISOString(), reason];
  return changeAndTell(db, { change: DISABLE, params }, finding, at);
}

/** False when there was none. */
export async function deleteEndpoint(db: Database, id: string): Promise<boolean> {
  const rows = await db.query<Row>(
    `with gone as (delete from endpoints where id = $1 returning id) select id from gone`,
    [id],
  );
  return rows.length > 0;
}

export type DueEndpoint = EndpointRow & {
  /** It asked not to be tried with this notification before then. */
  retryAt: Date | null;
  /** When the last one before this of the same order is tried again, which it has not taken either; null when it has them all. */
  waitsUntil: Date | null;
};

/** Who is enabled, wants this topic, and has not taken this notification yet. */
export async function endpointsWithout(db: Database, notificationId: string, topic: string): Promise<DueEndpoint[]> {
  const rows = await db.query<Row>(
    `select ${COLUMNS}, (
       select a.retry_at from notification_attempts a
       where a.notification_id = $1 and a.endpoint_id = e.id order by a.id desc limit 1) as retry_at, (
       select max(b.available_at) from outbox n join outbox b on b.order_id = n.order_id
       where n.id = $1 and b.status = 'pending' and b.effect = 'notify' and (b.order_version, b.id) < (n.order_version, n.id)
         and (e.topics is null or b.payload->>'type' = any(string_to_array(e.topics, ',')))
         and not exists (
           select 1 from notification_attempts a
           where a.notification_id = b.id and a.endpoint_id = e.id and a.status between 200 and 299)) as waits_until
     from endpoints e
     where disabled_at is null and (topics is null or $2 = any(string_to_array(topics, ',')))
       and not exists (
         select 1 from notification_attempts a
         where a.notification_id = $1 and a.endpoint_id = e.id and a.status between 200 and 299)
     order by e.id`,
    [notificationId, topic],
  );
  return rows.map(row => ({
    ...endpointRow(row),
    retryAt: row.retry_at as Date | null,
    waitsUntil: row.waits_until as Date | null,
  }));
}

function endpointRow(row: Row): EndpointRow {
  return {
    id: row.id as string,
    url: row.url as string,
    topics: row.topics === null ? null : (row.topics as string).split(','),
    generation: row.generation as number,
    previousUntil: row.previous_until as Date | null,
    disabledAt: row.disabled_at as Date | null,
    disabledReason: row.disabled_reason as string | null,
    createdAt: row.created_at as Date,
    updatedAt: row.updated_at as Date,
  };
}
