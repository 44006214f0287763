// The outbox as the worker sees it: leasing what is due, and settling how it ended, each in one statement. A lease is a
// name nobody else uses; whoever lost it (paused past its end, and the row taken by another) changes nothing any more.
import type { EffectName } from '../machines/orderSetup.ts';
import { arrayLiteral, statementArrays } from './arrays.ts';
import type { Database, Param, Row } from './client.ts';

/** Lanes do not wait for each other, but for what one order has at its provider: see `queueOf`. */
export const LANES = {
  /** What changes something at the provider, and somebody waits for it. */
  provider: ['open', 'capture', 'void', 'refund'],
  /** Sessions nobody pays on: thousands may be due at once, and no customer's money may wait behind them. */
  closing: ['close'],
  /** What only asks the provider. */
  question: ['reconcile'],
  merchant: ['notify'],
  operator: ['alert'],
} as const satisfies Record<string, readonly EffectName[]>;
export type Lane = keyof typeof LANES;
export const LANE_NAMES = Object.keys(LANES) as Lane[];

/** Effects behind one that is tried again later, put off with it in one go; the rest follows when it is tried again. */
const FOLLOWERS_PUT_OFF = 100;
/** What is kept of an error, in characters: a sentence for a person, not the other side's whole page. */
const ERROR_LENGTH = 1_000;

const inLane = (alias: string, lane: Lane) => `${alias}.effect in ('${LANES[lane].join("', '")}')`;
/** Effects of one order that must not overtake each other stand in one queue: all that changes something at its provider. */
const queueNamed = (lane: Lane) => (lane === 'closing' ? 'provider' : lane);
const queueOf = (alias: string) =>
  `case ${LANE_NAMES.map(lane => `when ${inLane(alias, lane)} then '${queueNamed(lane)}'`).join(' ')} end`;
/** Its place in the queue. What is asked for together is over before the order is closed: what is reserved cannot be closed. */
const placeOf = (alias: string) => `(${alias}.order_version, (${alias}.effect = 'close')::int, ${alias}.id)`;

export type OutboxLease = {
  id: string;
  /** The name of this lease: only who knows it may settle. */
  lease: string;
  orderId: string | null;
  orderVersion: number;
  effect: EffectName;
  payload: Record<string, unknown>;
  dedupKey: string;
  attempt: number;
  maybeSent: boolean;
  availableAt: Date;
};

export type LeaseRequest = {
  /** Never used before, unless the answer to the request before was lost: then the same again finds what that one took. */
  lease: string;
  /** Effects available at this instant are due. */
  at: Date;
  /** How many more of each lane may be taken. */
  room: Readonly<Record<Lane, number>>;
  /** How long each effect may take, in ms. */
  leaseMs: Readonly<Record<EffectName, number>>;
};

/**
 * What of an earlier effect, besides standing in the same queue of the same order and being pending, makes it hold back the
 * later ones; a dead one never does. A question that is planned for later does not hold back one that is to be asked now.
 * Closing, which is tried for days, holds back no money. A message that is tried again later does not hold back the next
 * one: its handler knows which endpoint has to take the earlier one first, and the other endpoints must not wait for that.
 */
const HOLDS_BACK: Partial<Record<Lane, string>> = {
  question: 'and e.available_at <= $1::text::timestamptz',
  provider: "and e.effect <> 'close'",
  merchant: 'and e.available_at <= $1::text::timestamptz',
};

/**
 * Each lane is read by its own index, so the names of its effects stand in the text, where the planner sees them. The look for
 * earlier effects is worded so that it cannot use that index, which knows no orders, and OFFSET keeps it a look-up by order:
 * the plan is made once, while the table is empty, when reading everything that is pending for each row seems just as good.
 */
const dueInLane = (lane: Lane, n: number) => `due_${lane} as materialized (
  select o.id from outbox o
  where o.status = 'pending' and ${inLane('o', lane)} and o.available_at <= $1::text::timestamptz
    and (o.leased_until is null or o.leased_until < now() or o.leased_by = $2)
    and not exists (
      select from outbox e where e.order_id = o.order_id and e.status = 'pending' and ${queueOf('e')} = '${queueNamed(lane)}'
        and ${placeOf('e')} < ${placeOf('o')}
        ${HOLDS_BACK[lane] ?? ''}
      offset 0)
  order by o.available_at, o.id limit $${n} for update of o skip locked)`;

const LEASE = `
with ${LANE_NAMES.map((lane, index) => dueInLane(lane, index + 5)).join(',\n')}
update outbox t set
  attempts = t.attempts + case when t.leased_by = $2 and t.leased_until is not null then 0 else 1 end,
  leased_by = $2, leased_until = now() + make_interval(secs => l.lease_ms / 1000.0)
from unnest($3::text[], $4::int[]) as l(effect, lease_ms), (
  ${LANE_NAMES.map(lane => `select id from due_${lane}`).join(' union all ')}) due
where t.id = due.id and l.effect = t.effect
returning t.id, t.leased_by as lease, t.order_id, t.order_version, t.effect, t.payload, t.dedup_key, t.attempts,
  t.last_error, t.available_at`;

/** Takes due effects, oldest first, for as long as each may take; nobody else gets them meanwhile. */
export async function leaseDue(db: Database, { lease, at, room, leaseMs }: LeaseRequest): Promise<OutboxLease[]> {
  const rows = await db.query<Row>(LEASE, [
    at.toISOString(),
    lease,
    arrayLiteral(Object.keys(leaseMs)),
    arrayLiteral(Object.values(leaseMs)),
    ...LANE_NAMES.map(lane => room[lane]),
  ]);
  return rows.map(leaseFrom).sort(oldestFirst);
}

function leaseFrom(row: Row): OutboxLease {
  const attempt = row.attempts as number;
  return {
    id: row.id as string,
    lease: row.lease as string,
    orderId: row.order_id as string | null,
    orderVersion: row.order_version as number,
    effect: row.effect as EffectName,
    payload: row.payload as Record<string, unknown>,
    dedupKey: row.dedup_key as string,
    attempt,
    maybeSent: attempt > 1 || row.last_error !== null,
    availableAt: row.available_at as Date,
  };
}

const oldestFirst = (a: OutboxLease, b: OutboxLease) =>
  a.availableAt.getTime() - b.availableAt.getTime() || (a.id < b.id ? -1 : 1);

/** How a leased effect ended. `noticeId` is null where the merchant is not to be told. */
export type Settlement = Pick<OutboxLease, 'id' | 'lease' | 'attempt'> & { at: Date } & (
    | { end: 'done'; note: string | null }
    /** `untried`: nothing was attempted, so it does not count as a try. */
    | { end: 'again'; error: string; availableAt: Date; untried?: boolean }
    | { end: 'dead'; error: string; alertId: string | null; noticeId: string | null }
    | { end: 'released' }
  );

/** `fenced`: the lease was somebody else's by then and nothing was changed. `held`: the row is locked; settle again. */
export type Settled = 'settled' | 'fenced' | 'held';

const arrays = statementArrays();
const SETTLEMENTS = arrays<Settlement>('x', {
  id: ['text', s => s.id],
  lease: ['text', s => s.lease],
  attempt: ['int', s => s.attempt],
  ended: ['text', s => s.end],
  at: ['text', s => s.at.toISOString()],
  available_at: ['text', s => (s.end === 'again' ? s.availableAt.toISOString() : null)],
  error: ['text', s => (s.end === 'done' ? s.note && storable(s.note) : 'error' in s ? storable(s.error) : null)],
  alert_id: ['text', s => (s.end === 'dead' ? s.alertId : null)],
  notice_id: ['text', s => (s.end === 'dead' ? s.noticeId : null)],
  untried: ['boolean', s => s.end === 'released' || (s.end === 'again' && s.untried === true)],
});

/** The database refuses U+0000 and lone surrogates, and what the other side said must not cost its neighbours their end. */
const storable = (text: string) => text.slice(0, ERROR_LENGTH).toWellFormed().replaceAll('\0', '\ufffd');

const COLUMNS = `id, order_id, order_version, effect, payload, dedup_key, status, attempts, available_at, leased_by, leased_until, last_error, done_at`;

// Only what is pending is leased, so the status need not be asked, and the row is found by its id alone.
// One INSERT for the rows that end, those put off behind them and those that are new, because no statement changes a
// table twice. Nobody waits for a row while holding others: a row that is locked is left for the next time.
const SETTLE = `
with x as materialized (
  select * from ${SETTLEMENTS.from}),
held as materialized (
  select k.*, x.ended, x.at, x.available_at as next_at, x.error, x.alert_id, x.notice_id, x.untried from x cross join lateral (
    select t.* from outbox t
    where t.id = x.id and t.leased_by = x.lease and t.leased_until is not null and t.attempts = x.attempt
    for no key update skip locked) k),
-- Behind an effect that is put off the later ones of its queue could not run anyhow: out of the way of those that can.
behind as materialized (
  select k.*, h.next_at from held h cross join lateral (
    select t.* from outbox t
    where t.order_id = h.order_id and t.status = 'pending' and ${queueOf('t')} = ${queueOf('h')}
      and ${placeOf('t')} > ${placeOf('h')} and t.available_at < h.next_at::timestamptz
      and (t.leased_until is null or t.leased_until < now())
    order by t.order_version, t.id limit ${FOLLOWERS_PUT_OFF} for no key update skip locked) k
  where h.ended = 'again' and ${queueOf('h')} not in ('question', 'merchant') and h.effect <> 'close'),
w as (
  insert into outbox as t (${COLUMNS})
  select h.id, h.order_id, h.order_version, h.effect, h.payload, h.dedup_key,
    case when h.ended in ('done', 'dead') then h.ended else 'pending' end,
    case when h.untried then h.attempts - 1 else h.attempts end,
    coalesce(h.next_at::timestamptz, h.available_at), h.leased_by, null::timestamptz, case when h.ended = 'released' then h.last_error else h.error end,
    case when h.ended = 'done' then h.at::timestamptz end
  from held h
  union all
  select id, order_id, order_version, effect, payload, dedup_key, status, attempts, next_at::timestamptz, leased_by, null, last_error, done_at
  from (select distinct on (id) * from behind order by id, next_at desc) b where id not in (select id from x)
  union all
  select h.alert_id, h.order_id, h.order_version, 'alert',
    jsonb_build_object('cause', 'effect_dead', 'effect', h.effect, 'dedupKey', h.dedup_key, 'error', h.error),
    h.dedup_key || ':dead:' || h.alert_id, 'pending', 0, h.at::timestamptz, null, null::timestamptz, null, null::timestamptz
  from held h where h.alert_id is not null
  union all
  select h.notice_id, h.order_id, h.order_version, 'notify',
    jsonb_build_object('type', 'order.stuck', 'cause', 'effect_dead', 'effect', h.effect, 'userId', o.user_id, 'product', o.product, 'planId', o.plan_id),
    h.dedup_key || ':stuck:' || h.notice_id, 'pending', 0, h.at::timestamptz, null, null::timestamptz, null, null::timestamptz
  from held h join orders o on o.id = h.order_id where h.notice_id is not null
  on conflict (id) do update set status = excluded.status, attempts = excluded.attempts, available_at = excluded.available_at,
    leased_until = excluded.leased_until, last_error = excluded.last_error, done_at = excluded.done_at)
-- Settled by this very lease before, and only the answer was lost: that is settled, too.
select x.id, case when h.id is not null or (t.leased_by = x.lease and t.leased_until is null) then 'settled'
  when t.leased_by = x.lease and t.attempts = x.attempt then 'held' else 'fenced' end as settled
from x left join held h on h.id = x.id left join outbox t on t.id = x.id`;

/** Writes how leased effects ended; says of each whether that still was this lease's to say. */
export async function settleLeases(db: Database, settlements: readonly Settlement[]): Promise<Map<string, Settled>> {
  if (settlements.length === 0) return new Map();
  const params: Param[] = SETTLEMENTS.params(settlements);
  const rows = await db.query<{ id: string; settled: Settled }>(SETTLE, params);
  return new Map(rows.map(row => [row.id, row.settled]));
}
