// Findings are opened once, alert once each time they open, and are resolved when they are no longer true.
import { arrayLiteral, statementArrays } from './arrays.ts';
import type { Database, Param } from './client.ts';

export type OpenFinding = {
  id: string;
  /** What makes two sightings the same finding. */
  fingerprint: string;
  kind: string;
  severity: 'critical' | 'warning';
  orderId: string | null;
  detail: string;
  /** Of the alert that is sent when this opens. */
  alertId: string;
  alertPayload: Record<string, unknown>;
};

const FINDINGS = statementArrays()<OpenFinding>('x', {
  id: ['text', f => f.id],
  fingerprint: ['text', f => f.fingerprint],
  kind: ['text', f => f.kind],
  severity: ['text', f => f.severity],
  order_id: ['text', f => f.orderId],
  detail: ['text', f => f.detail],
  alert_id: ['text', f => f.alertId],
  alert_payload: ['text', f => JSON.stringify(f.alertPayload)],
});

/** A change that is found in the making: `change` returns the rows it changed, its parameters begin at `$10`. */
export type FoundChange = { change: string; params: readonly Param[] };

// The alert belongs to no order's queue: nothing that moves money shall wait behind it. A change that was made now is
// told now, also where the finding about the one before was never closed.
const openingFor = (change: string | null) => `
with ${change === null ? '' : `changed as (${change}),`}
x as materialized (select * from ${FINDINGS.from} ${change === null ? '' : 'where exists (select from changed)'}),
opened as (
  insert into findings as t (id, fingerprint, kind, severity, order_id, detail, opened_at)
  select id, fingerprint, kind, severity, order_id, detail, $9::text::timestamptz from x order by fingerprint
  on conflict (fingerprint) do update set kind = excluded.kind, severity = excluded.severity, order_id = excluded.order_id,
    detail = excluded.detail, opened_at = excluded.opened_at, acknowledged_at = null, resolved_at = null
  ${change === null ? 'where t.resolved_at is not null or t.kind <> excluded.kind' : ''}
  returning t.fingerprint),
alerts as (
  insert into outbox (id, order_id, order_version, effect, payload, dedup_key, available_at)
  select x.alert_id, null, 0, 'alert', x.alert_payload::jsonb, 'alert:finding:' || x.fingerprint || ':' || $9::text, $9::text::timestamptz
  from x join opened using (fingerprint)
  on conflict (dedup_key) do nothing)
select fingerprint from opened`;
const OPEN = openingFor(null);

/** Opens what is not open yet, each fingerprint at most once a call; answers those that opened now. */
export async function openFindings(db: Database, findings: readonly OpenFinding[], at: Date): Promise<string[]> {
  if (findings.length === 0) return [];
  const rows = await db.query<{ fingerprint: string }>(OPEN, [...FINDINGS.params(findings), at.toISOString()]);
  return rows.map(row => row.fingerprint);
}

/** Makes this change and opens the finding about it in one statement: nobody can die between the two. False when it changed nothing. */
export async function changeAndTell(
  db: Database,
  { change, params }: FoundChange,
  finding: OpenFinding,
  at: Date,
): Promise<boolean> {
  const rows = await db.query(openingFor(change), [...FINDINGS.params([finding]), at.toISOString(), ...params]);
  return rows.length > 0;
}

/** Closes what is no longer true; what is not open stays as it is. */
export async function resolveFindings(db: Database, fingerprints: readonly string[], at: Date): Promise<void> {
  if (fingerprints.length === 0) return;
  await db.query(
    `update findings set resolved_at = $2::text::timestamptz where fingerprint = any ($1::text[]) and resolved_at is null`,
    [arrayLiteral(fingerprints), at.toISOString()],
  );
}
