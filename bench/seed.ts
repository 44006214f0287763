// Orders that wait to be paid: created and opened, with the snapshots and transitions that the machine really writes.
// Every name in an order ends in the same 26 characters, ordered by time like real ids, so that all loads write alike.
import { createHash } from 'node:crypto';
import { arrayLiteral } from '../db/arrays.ts';
import type { Database } from '../db/client.ts';
import { decide, decideCreation } from '../machines/decide.ts';
import type { PlanTerms } from '../machines/orderEvents.ts';
import { noSubscription } from '../machines/subscription.ts';
import { CURRENT_MACHINE_ID } from '../machines/versions.ts';

/** Orders written by one statement: large enough to be fast, small enough for the statement's time limit. */
const SEED_CHUNK = 500;
/** Length of what follows the prefix in an id. */
const TAIL_LENGTH = 26;
/** The time part of a tail: as many base-32 digits as our ids have. */
const TIME_LENGTH = 10;
/** Digits that count the orders of one part. */
export const COUNT_LENGTH = TAIL_LENGTH - TIME_LENGTH;

export const PROVIDER = 'sandbox';
/** What the sandbox calls itself when it sends a webhook. */
export const USER_AGENT = 'node';
export const PLAN: PlanTerms = {
  id: 'pro-monthly',
  product: 'pro',
  amountMinor: 49_900,
  currency: 'INR',
  months: 1,
  days: 0,
  graceDays: 3,
  surplusPolicy: 'refund',
};

/** The orders of one part of one round: their tails begin with `time` and go on with a number from 0. */
export type Orders = { time: string; count: number };

export const tailOf = ({ time }: Orders, n: number) => `${time}${String(n).padStart(COUNT_LENGTH, '0')}`;

/** The webhook body that pays an order, as the sandbox sends it. */
export function webhookBody(tail: string): Buffer {
  const data = {
    providerOrderId: `sbo_${tail}`,
    paymentId: `pay_${tail}`,
    amountMinor: PLAN.amountMinor,
    currency: PLAN.currency,
  };
  return Buffer.from(JSON.stringify({ type: 'payment.captured', timestamp: new Date().toISOString(), data }));
}

export const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

let lastTime = 0;

/** Seeds `count` orders and answers where their ids lie: after those of every earlier call. */
export async function seedOrders(db: Database, count: number): Promise<Orders> {
  lastTime = Math.max(Date.now(), lastTime + 1);
  const orders = { time: lastTime.toString(32).padStart(TIME_LENGTH, '0'), count };
  for (let from = 0; from < count; from += SEED_CHUNK) {
    const tails = Array.from({ length: Math.min(SEED_CHUNK, count - from) }, (_, i) => tailOf(orders, from + i));
    await insertOpened(db, tails);
  }
  return orders;
}

const INSERT_OPENED = `
with x as materialized (
  select * from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[]) as x(tail, snapshot, wake_at, created, opened, at)),
o as (
  insert into orders (id, kind, user_id, product, plan_id, plan, provider, provider_account, live, provider_order_id,
    amount_minor, currency, machine, state, version, snapshot, wake_at)
  select 'ord_' || tail, 'purchase', 'user_' || tail, $7, $8, $9::text::jsonb, $10, $10, false, 'sbo_' || tail,
    $11::text::bigint, $12, $13, 'created', 2, snapshot::jsonb, wake_at::timestamptz from x returning id)
insert into transitions (order_id, version, event_type, event, from_state, to_state, source, event_key, at)
select 'ord_' || tail, 1, 'order.created', created::jsonb, null, 'created', 'checkout', 'key_' || tail, at::timestamptz from x
union all
select 'ord_' || tail, 2, 'checkout.opened', opened::jsonb, 'created', 'created', 'checkout', 'open_' || tail, at::timestamptz from x`;

async function insertOpened(db: Database, tails: string[]): Promise<void> {
  const at = new Date().toISOString();
  const rows = tails.map(tail => openedRow(tail, at));
  await db.query(INSERT_OPENED, [
    arrayLiteral(tails),
    arrayLiteral(rows.map(row => row.snapshot)),
    arrayLiteral(rows.map(row => row.wakeAt)),
    arrayLiteral(rows.map(row => row.created)),
    arrayLiteral(rows.map(row => row.opened)),
    arrayLiteral(rows.map(() => at)),
    PLAN.product,
    PLAN.id,
    JSON.stringify(PLAN),
    PROVIDER,
    String(PLAN.amountMinor),
    PLAN.currency,
    CURRENT_MACHINE_ID,
  ]);
}

function openedRow(tail: string, at: string) {
  const userId = `user_${tail}`;
  const nothing = noSubscription(userId, PLAN.product);
  const { amountMinor, currency } = PLAN;
  const terms = { kind: 'purchase', userId, plan: PLAN, provider: PROVIDER, account: PROVIDER, live: false } as const;
  const created = decideCreation(
    `ord_${tail}`,
    { type: 'order.created', at, ...terms, amountMinor, currency },
    nothing,
  );
  const url = `http://127.0.0.1:3001/pay/sbo_${tail}`;
  const opened = decide(created.order, { type: 'checkout.opened', at, providerOrderId: `sbo_${tail}`, url }, nothing);
  const [first] = created.steps;
  const [second] = opened.steps;
  if (!first || second?.version !== 2) throw new Error('a new order stands at version 2 once it is opened');
  return {
    snapshot: JSON.stringify(second.snapshot),
    wakeAt: second.wakeAt?.toISOString() ?? null,
    created: JSON.stringify(first.event),
    opened: JSON.stringify(second.event),
  };
}
