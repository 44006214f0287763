// Which orders are stuck for which cause, as conditions that all lists and counts share, so that they agree with what an order
// says of itself (`stuck.cause`, src/orderView.ts). Where one cause explains another, the order has the first one only: an
// order that cannot be read misses its deadlines and gets no grant because of that, and no retry helps before it can be read.
// A dead effect is trouble of its own, whatever else an order is stuck for.

/**
 * Orders that cannot be read and are left out under the other causes, of each sort. Comparing with more would cost every page
 * tens of milliseconds on a night on which thousands cannot be read; then some stand under two causes, and the count of those
 * that cannot be read says why.
 */
const UNREADABLE_READ = 1_000;

/** On a chart that is not among `machines`, a parameter. */
export const otherChart = (machines: string, order = ''): string =>
  `${order}machine <> 'order.v1' and ${order}machine <> all (${machines}::text[])`;
/** Of the inbox: an event that could not be decided because its order could not be read. */
export const KEPT_FOR_ORDER = `verdict = 'parked' and event is not null and order_id is not null`;

/** The ids of orders that cannot be read, of each sort no more than `limit`, by the index of each. */
export const unreadableIds = (machines: string, limit: string | number): string =>
  `(select id from orders where ${otherChart(machines)} order by machine, id limit ${limit})
  union (select order_id from inbox where ${KEPT_FOR_ORDER} order by received_at, event_key, provider limit ${limit})`;

// What the planner does not know when it plans (`select`): told the limit, it would rather sort all of them than walk the index
// in its order. Told of the limit around both, it knows that they fit into memory.
const UNREADABLE_LIMIT = `(select ${UNREADABLE_READ})`;

/** The common table `unreadable` that the conditions below look into; for `with`. */
export const unreadable = (machines: string): string => `unreadable(id) as materialized (
  select id from (${unreadableIds(machines, UNREADABLE_LIMIT)}) k
  limit ${2 * UNREADABLE_READ})`;

const isReadable = (order: string) => `${order}id not in (select u.id from unreadable u)`;

/** Of `orders`, by the index orders_wake_at; `now` is a parameter. Whoever is captured waits for a grant, deadline or not. */
export const deadlinePassed = (now: string, order = ''): string =>
  `${order}wake_at is not null and ${order}wake_at <= ${now}::text::timestamptz and ${order}state not in ('captured', 'parked') and ${isReadable(order)}`;
/** Of `orders`, by the index orders_unsettled_by_state. */
export const isParked = (order = ''): string => `${order}state = 'parked' and ${isReadable(order)}`;
export const grantFailed = (order = ''): string => `${order}state = 'captured' and ${isReadable(order)}`;
/** Of `outbox`, by the index outbox_dead. */
export const DEAD_FOR_ORDER = `status = 'dead' and order_id is not null`;
