// How an order begins: a key is claimed for it, its row and transition 1 are written in one statement. Everything after
// that goes through commit.ts.
import type { Database } from './client.ts';
import { paidOrders } from './trials.ts';

/** A checkout key as it stands. */
export type CheckoutKey = { requestHash: string; orderId: string };

const CLAIM_KEY = `
with claimed as (
  insert into idempotency_keys (key, request_hash, order_id) values ($1, $2, $3) on conflict (key) do nothing returning request_hash, order_id)
select request_hash as "requestHash", order_id as "orderId" from claimed
union all select request_hash, order_id from idempotency_keys where key = $1 limit 1`;

/** Reserves the key for an order id, or answers what it stands for already. The order itself may not exist yet. */
export async function claimCheckoutKey(
  db: Database,
  key: string,
  requestHash: string,
  orderId: string,
): Promise<CheckoutKey> {
  for (;;) {
    const [row] = await db.query<CheckoutKey>(CLAIM_KEY, [key, requestHash, orderId]);
    // None: somebody inserted it after this statement's snapshot was taken; the next one sees it.
    if (row) return row;
  }
}

/** Points a key at the open order that is answered again instead of a new one. */
export async function pointKeyAt(db: Database, key: string, orderId: string): Promise<void> {
  await db.query('update idempotency_keys set order_id = $2 where key = $1', [key, orderId]);
}

export type NewOrder = {
  id: string;
  kind: string;
  userId: string;
  product: string;
  planId: string;
  plan: unknown;
  provider: string | null;
  providerAccount: string | null;
  live: boolean;
  amountMinor: number;
  currency: string;
  machine: string;
  state: string;
  snapshot: unknown;
  wakeAt: Date | null;
  another: boolean;
  returnUrl: string | null;
  metadata: Record<string, string> | null;
  event: unknown;
  source: string;
  eventKey: string;
  at: string;
};

// A trial is written only where nothing was paid for by then, and this statement is the one place that says so: what is
// paid later is later, whichever of the two grants is written first, and both count in full.
const INSERT_ORDER = `
with o as (
  insert into orders (id, kind, user_id, product, plan_id, plan, provider, provider_account, live, amount_minor, currency, machine, state, version, snapshot, wake_at, another, return_url, metadata)
  select $1, $2, $3, $4, $5, $6::text::jsonb, $7, $8, $9::boolean, $10::bigint, $11, $12, $13, 1, $14::text::jsonb, $15::text::timestamptz, $16::boolean, $17, $18::text::jsonb
  where $2::text <> 'trial' or not exists (${paidOrders('$3', '$4')})
  on conflict do nothing returning id),
t as (
  insert into transitions (order_id, version, event_type, event, from_state, to_state, source, event_key, at)
  select o.id, 1, 'order.created', $19::text::jsonb, null, $13, $20, $21, $22::text::timestamptz from o)
select id from o`;

/** Writes the order and its first transition. False when it exists, another one stands in its place, or it is a trial of what was paid for. */
export async function insertOrder(db: Database, order: NewOrder): Promise<boolean> {
  const rows = await db.query(INSERT_ORDER, [
    order.id,
    order.kind,
    order.userId,
    order.product,
    order.planId,
    JSON.stringify(order.plan),
    order.provider,
    order.providerAccount,
    order.live,
    order.amountMinor,
    order.currency,
    order.machine,
    order.state,
    JSON.stringify(order.snapshot),
    order.wakeAt?.toISOString() ?? null,
    order.another,
    order.returnUrl,
    order.metadata && JSON.stringify(order.metadata),
    JSON.stringify(order.event),
    order.source,
    order.eventKey,
    order.at,
  ]);
  return rows.length === 1;
}

/** The order that waits to be paid for the same thing, if there is one. */
export async function findOpenOrder(
  db: Database,
  wanted: { userId: string; planId: string; provider: string; amountMinor: number; currency: string },
): Promise<{ id: string; wakeAt: Date | null } | null> {
  const [row] = await db.query<{ id: string; wakeAt: Date | null }>(
    `select id, wake_at as "wakeAt" from orders
     where user_id = $1 and plan_id = $2 and provider = $3 and amount_minor = $4 and currency = $5
       and state = 'created' and kind = 'purchase' and not another`,
    [wanted.userId, wanted.planId, wanted.provider, wanted.amountMinor, wanted.currency],
  );
  return row ?? null;
}

/** How long one caller may take to open an order at the provider, in s, before another one may try. */
const OPENING_LEASE_S = 5;

/** Takes the right to open the order at its provider. It is kept in the key that made the order: one row, whatever other keys come to name it. False when somebody has it. */
export async function claimOpening(db: Database, orderId: string): Promise<boolean> {
  const rows = await db.query(
    `with claimed as (
       update idempotency_keys set opening_until = now() + make_interval(secs => $2)
       where key = (select event_key from transitions where order_id = $1 and version = 1)
         and (opening_until is null or opening_until < now())
         -- Whoever waited may have looked before it was opened: opened is opened.
         and not exists (select from orders where id = $1 and provider_order_id is not null) returning key)
     select key from claimed`,
    [orderId, OPENING_LEASE_S],
  );
  return rows.length === 1;
}

export async function releaseOpening(db: Database, orderId: string): Promise<void> {
  await db.query('update idempotency_keys set opening_until = null where order_id = $1 and opening_until is not null', [
    orderId,
  ]);
}
