// What stands still without anybody having been told: orders that cannot be read, webhooks that could not be understood,
// findings that were opened without an alert.
import { arrayLiteral, statementArrays } from './arrays.ts';
import type { Database } from './client.ts';

/** How many orders, those whose deadline passed longest ago first, are looked at in one round; unreadable ones stay in front. */
const OVERDUE_LIMIT = 500;
/** How many findings are given their alert in one statement. */
const RAISE_LIMIT = 100;

/** The charts orders live on that are not among `machines`, with how many orders each. */
export function readUnknownCharts(
  db: Database,
  machines: readonly string[],
): Promise<{ machine: string; orders: number }[]> {
  return db.query(
    `select machine, count(*)::int as orders from orders
     where machine <> 'order.v1' and machine <> all ($1::text[]) group by machine order by machine`,
    [arrayLiteral(machines)],
  );
}

/** An order with its snapshot, not looked at yet. */
export type WaitingOrder = { id: string; machine: string; version: number; snapshot: unknown };

const WAITING = `
select o.id, o.machine, o.version, o.snapshot from (
  select order_id as id from inbox where verdict = 'parked' and received_at <= $1::text::timestamptz and event is not null and order_id is not null
  union
  (select id from orders where wake_at <= $1::text::timestamptz and machine = any ($2::text[]) order by wake_at, id limit ${OVERDUE_LIMIT})) k
cross join lateral (select id, machine, version, snapshot from orders where id = k.id limit 1) o
where o.machine = any ($2::text[]) order by o.id`;

/** Orders on these charts with an event that has been kept, or a deadline that has passed, since `before`. */
export function readWaiting(db: Database, before: Date, machines: readonly string[]): Promise<WaitingOrder[]> {
  return db.query<WaitingOrder>(WAITING, [before.toISOString(), arrayLiteral(machines)]);
}

/** The orders whose finding `snapshot_unreadable` stands open. */
export function readFoundUnreadable(db: Database): Promise<WaitingOrder[]> {
  return db.query<WaitingOrder>(
    `select o.id, o.machine, o.version, o.snapshot from findings f
     cross join lateral (select id, machine, version, snapshot from orders where id = f.order_id limit 1) o
     where f.resolved_at is null and f.kind = 'snapshot_unreadable'`,
    [],
  );
}

export type Undecodable = {
  provider: string;
  eventType: string;
  count: number;
  latestAt: Date;
  /** The newest event's own words about what could not be read. */
  detail: string | null;
  /** When the last finding about them was resolved; null when none was. */
  resolvedAt: Date | null;
};

export const undecodableFingerprint = (provider: string, eventType: string): string =>
  `webhook_undecodable:${provider}:${eventType}`;

const UNDECODABLE = `
select x.*, (select f.resolved_at from findings f where f.fingerprint = 'webhook_undecodable:' || x.provider || ':' || x."eventType") as "resolvedAt"
from (
  select provider, event_type as "eventType", count(*)::int as count, max(received_at) as "latestAt",
    (array_agg(detail order by received_at desc))[1] as detail
  from inbox where verdict = 'parked' and received_at >= $1::text::timestamptz and event is null
  group by provider, event_type) x
order by x.provider, x."eventType"`;

/** Webhooks received since `since` whose signature held and which could not be understood, by provider and type. */
export function readUndecodable(db: Database, since: Date): Promise<Undecodable[]> {
  return db.query<Undecodable>(UNDECODABLE, [since.toISOString()]);
}

/** The fingerprints of open findings of these kinds. */
export async function readOpenOf(db: Database, kinds: readonly string[]): Promise<string[]> {
  const rows = await db.query<{ fingerprint: string }>(
    'select fingerprint from findings where resolved_at is null and kind = any ($1::text[])',
    [arrayLiteral(kinds)],
  );
  return rows.map(row => row.fingerprint);
}

export type SilentFinding = {
  fingerprint: string;
  kind: string;
  severity: string;
  orderId: string | null;
  detail: string;
};

// Looked up one by one: `not exists` would tempt the planner to read the whole outbox into a hash.
const SILENT = `
select fingerprint, kind, severity, order_id as "orderId", detail from findings f
where resolved_at is null and kind = 'event_key_reused'
  and (select true from outbox a where a.dedup_key = 'alert:finding:' || f.fingerprint || ':raised' limit 1) is null
order by id limit ${RAISE_LIMIT}`;

/** Open findings that a decision left in its own commit, which raises no alert, a handful at a time. */
export const readSilentFindings = (db: Database): Promise<SilentFinding[]> => db.query<SilentFinding>(SILENT, []);

export type Raised = { alertId: string; fingerprint: string; payload: Record<string, unknown> };

const RAISED = statementArrays()<Raised>('x', {
  alert_id: ['text', r => r.alertId],
  fingerprint: ['text', r => r.fingerprint],
  payload: ['text', r => JSON.stringify(r.payload)],
});

const RAISE = `
insert into outbox (id, order_id, order_version, effect, payload, dedup_key, available_at)
select x.alert_id, null, 0, 'alert', x.payload::jsonb, 'alert:finding:' || x.fingerprint || ':raised', $4::text::timestamptz
from ${RAISED.from} on conflict (dedup_key) do nothing`;

/** Gives findings their alert, each once for ever, whoever else does so at the same time. */
export async function raiseFindings(db: Database, raised: readonly Raised[], at: Date): Promise<void> {
  if (raised.length > 0) await db.query(RAISE, [...RAISED.params(raised), at.toISOString()]);
}
