// Which orders an id could mean, whoever gave it out: looked for among everything that is known by a name, each name by
// the key of its own table. Nothing here is a pattern: an id is whole, or it is the beginning of one of ours.
import type { Database, Row } from '../client.ts';
import { type EventListRow, SHOWN } from './eventList.ts';

/** Orders one search may find, each looked up by its key: more than any person has. */
export const FOUND_LIMIT = 2_000;

const byUser = `select id, 'user' as name from orders where user_id = $1 order by id desc limit ${FOUND_LIMIT}`;
const bySubscription = `select id, 'provider subscription' as name from orders
  where provider_subscription_id is not null and provider_subscription_id = $1 limit ${FOUND_LIMIT}`;

/** Keys: orders, unique (provider_order_id, provider), payments, refunds, disputes, inbox, idempotency_keys, outbox; orders_user_id, orders_provider_subscription_id. */
const FIND = `
select id, name from (
  select id, 'order' as name from orders where id = $1
  union all select id, 'provider order' from orders where provider_order_id = $1
  union all select order_id, 'payment' from payments where payment_id = $1
  union all select p.order_id, 'refund' from refunds r cross join lateral (
    select t.order_id from payments t where t.payment_id = r.payment_id and t.provider = r.provider) p where r.refund_id = $1
  union all select p.order_id, 'dispute' from disputes d cross join lateral (
    select t.order_id from payments t where t.payment_id = d.payment_id and t.provider = d.provider) p where d.dispute_id = $1
  union all select order_id, 'event' from inbox where event_key = $1 and order_id is not null
  -- A checkout that died before it wrote its order has left its key.
  union all select k.order_id, 'checkout key' from idempotency_keys k where k.key = $1 and exists (select from orders t where t.id = k.order_id)
  union all select order_id, 'effect' from outbox where id = $1 and order_id is not null
  union all (${bySubscription})
  union all (${byUser})) found limit ${FOUND_LIMIT}`;

/** What beginnings of our ids are padded with: the first and the last of the characters they are made of. */
const FIRST = '0';
const LAST = 'z';
const ID_LENGTH = 'ord_'.length + 26;
/** A beginning shorter than the prefix and this many characters names a year's orders, not one. */
const SHORTEST_BEGINNING = 'ord_'.length + 2;

/** Orders found by the beginning of their id, the newest: whoever typed so little of it types more. */
export const BEGINNING_LIMIT = 1_000;

// Between two ids of full length: comparing is then the same in every collation a database may have. Down from the last one
// in order, and the first one only looked at afterwards: a beginning that fits all orders must not have them sorted.
const FIND_BEGINNING = `
select id, 'order' as name from (select id from orders where id <= $2 order by id desc limit ${BEGINNING_LIMIT}) o where id >= $1`;

/** An order, and as what it is known by the id that was looked for. */
export type Found = { id: string; name: string };

/** Every order this id belongs to. */
export async function findOrders(db: Database, id: string): Promise<Found[]> {
  const found = await db.query<Found>(FIND, [id]);
  if (found.length > 0 || !isBeginning(id)) return found;
  return db.query<Found>(FIND_BEGINNING, [id.padEnd(ID_LENGTH, FIRST), id.padEnd(ID_LENGTH, LAST)]);
}

const isBeginning = (id: string) =>
  id.length >= SHORTEST_BEGINNING && id.length < ID_LENGTH && /^ord_[0-9a-z]+$/.test(id);

/** Events named at once below a search: whoever has more looks into the list. */
const KEPT_LIMIT = 20;

const waiting = (name: string) =>
  `(select * from inbox where verdict in ('unmatched', 'foreign') and ${name} = $1 limit ${KEPT_LIMIT})`;

/** Keys: inbox, inbox_unmatched, inbox_unmatched_mark, …_payer, …_payment, …_subscription. */
const FIND_KEPT = `
select distinct ${SHOWN} from (
  (select * from inbox where event_key = $1 and order_id is null)
  union all ${['provider_order_id', 'mark', 'payer_id', `(event->>'paymentId')`, `(event->>'subscriptionId')`].map(waiting).join(' union all ')}) kept
order by "receivedAt" desc, "eventKey", provider limit ${KEPT_LIMIT}`;

/** Events that carry this id and belong to no order: money that shows nowhere is often one of them. */
export function findKept(db: Database, id: string): Promise<EventListRow[]> {
  return db.query<Row & EventListRow>(FIND_KEPT, [id]);
}
