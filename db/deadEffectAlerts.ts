// Alerts that effects died, told together. Of one effect at one provider the first opens a finding and is told at once;
// those after it are counted in one more alert, due at the end of the hour of that finding in which they came. Which of
// both an alert is stands in its own row, written by the statement that counts it: nobody is counted twice, or never.
import type { Database, Row } from './client.ts';

/** Kind of the finding that is open while such effects are dead. */
const KIND = 'effects_dead';
const provider = "coalesce(o.provider, 'none')";

export type TellDeadEffect = {
  alertId: string;
  /** New ids, for when a finding opens or is opened again, and when an alert is to be written that tells of the others. */
  findingId: string;
  togetherId: string;
  at: Date;
  /** How long those after the first are collected, in s. */
  windowS: number;
};
/** Null when nobody can say yet: the alert it belongs into was told this moment, or another process decides about it. */
export type Told = { how: 'at once' } | { how: 'together'; alertId: string } | null;

// Locks are taken in one order, own row, finding, the alert they share, and the later two only by those who hold the first.
// A finding gets a new id each time it opens, so its id tells who opened it, and its alerts are not those of the last time.
const TELL = `
with own as materialized (
  select x.id, x.order_id, x.payload, x.payload->>'effect' as effect, ${provider} as provider,
    '${KIND}:' || coalesce(x.payload->>'effect', '') || ':' || ${provider} as fingerprint
  from outbox x left join orders o on o.id = x.order_id
  where x.id = $1 and not x.payload ?| array['tells', 'toldWith'] for no key update of x),
finding as (
  insert into findings as t (id, fingerprint, kind, severity, order_id, detail, opened_at)
  select $2, fingerprint, '${KIND}', 'warning', null, 'effects ' || effect || ' at ' || provider || ' were given up', $4::text::timestamptz
  from own
  on conflict (fingerprint) do update set
    id = case when t.resolved_at is null then t.id else excluded.id end,
    opened_at = case when t.resolved_at is null then t.opened_at else excluded.opened_at end,
    acknowledged_at = case when t.resolved_at is null then t.acknowledged_at end,
    resolved_at = null
  returning t.id, t.opened_at, t.id = $2 as opened),
together as (
  insert into outbox as t (id, order_id, order_version, effect, payload, dedup_key, available_at)
  select $3, null, 0, 'alert',
    jsonb_build_object('cause', '${KIND}', 'effect', own.effect, 'provider', own.provider, 'count', 1,
      'orderId', own.order_id, 'error', own.payload->'error'),
    'alert:' || own.fingerprint || ':' || finding.id || ':' || w.ends::text, w.ends
  from own, finding cross join lateral (
    select finding.opened_at + make_interval(secs => $5::int * (1 + greatest(0,
      floor(extract(epoch from $4::text::timestamptz - finding.opened_at) / $5::int)))) as ends) w
  where not finding.opened
  on conflict (dedup_key) do update set payload = jsonb_set(t.payload, '{count}', to_jsonb((t.payload->>'count')::int + 1))
    where not t.payload ? 'counted'
  returning t.id)
update outbox x set payload = x.payload ||
  case when finding.opened then jsonb_build_object('tells', own.fingerprint) else jsonb_build_object('toldWith', together.id) end
from own cross join finding left join together on true
where x.id = own.id and (finding.opened or together.id is not null)
returning together.id as "alertId"`;

/** Decides how an alert is told that an effect died; asked at most once an alert, its payload has the answer afterwards. */
export async function tellDeadEffect(
  db: Database,
  { alertId, findingId, togetherId, at, windowS }: TellDeadEffect,
): Promise<Told> {
  const [row] = await db.query<{ alertId: string | null }>(TELL, [
    alertId,
    findingId,
    togetherId,
    at.toISOString(),
    windowS,
  ]);
  if (!row) return null;
  return row.alertId === null ? { how: 'at once' } : { how: 'together', alertId: row.alertId };
}

/** From here on nobody is counted in this alert any more: it is told with the payload that is answered, each time the same. */
export async function closeCount(db: Database, alertId: string): Promise<Row | null> {
  const [row] = await db.query<{ payload: Row }>(
    `update outbox set payload = payload || '{"counted": true}' where id = $1 returning payload`,
    [alertId],
  );
  return row?.payload ?? null;
}

// Dead ones are looked through only while such a finding is open, and OFFSET keeps it a look that ends at the first.
const RESOLVE = `
update findings f set resolved_at = $1::text::timestamptz
where f.resolved_at is null and f.kind = '${KIND}' and not exists (
  select from outbox x left join orders o on o.id = x.order_id
  where x.status = 'dead' and '${KIND}:' || x.effect || ':' || ${provider} = f.fingerprint offset 0)
returning f.fingerprint`;

/** Closes the findings none of whose effects is dead any more, so that the next one to die is told at once; answers which. */
export async function resolveDeadEffects(db: Database, at: Date): Promise<string[]> {
  const rows = await db.query<{ fingerprint: string }>(RESOLVE, [at.toISOString()]);
  return rows.map(({ fingerprint }) => fingerprint);
}
