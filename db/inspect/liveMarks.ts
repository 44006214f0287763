// What tells that something happened since one last looked: a short text that differs then. All by keys and their last
// entries, because it is asked again and again while somebody watches.
import type { Database } from '../client.ts';

/** The newest of what arrives and is done. What changes an old order without a new row here shows with the next full look. */
const SERVICE = `
select concat_ws(' ',
  (select id from orders order by id desc limit 1),
  (select id from outbox order by id desc limit 1),
  (select count(*) from (select order_id from outbox where status = 'dead' order by order_id limit 1000) dead),
  (select received_at || event_key from inbox where verdict = 'unmatched' order by received_at desc, event_key desc, provider desc limit 1),
  (select received_at || event_key from inbox where verdict = 'parked' order by received_at desc, event_key desc, provider desc limit 1)) as mark`;

/** Its version moves with each transition; what was not applied, delivered again or tried again shows in the sums. */
const ORDERS = `
select o.id, concat_ws(' ', o.version, o.updated_at,
  (select concat_ws('/', count(*), sum(i.deliveries), sum(i.attempts), max(i.decided_version)) from inbox i where i.order_id = o.id),
  (select concat_ws('/', count(*), sum(x.attempts), max(x.done_at), max(x.available_at), count(*) filter (where x.status = 'pending'))
   from outbox x where x.order_id = o.id)) as mark
from orders o where o.id = any($1::text[])`;

export async function serviceMark(db: Database): Promise<string> {
  const [row] = await db.query<{ mark: string }>(SERVICE, []);
  return row?.mark ?? '';
}

/** By order id; an order that is not known has none. `ids` are our own: letters, digits and underscores. */
export async function orderMarks(db: Database, ids: readonly string[]): Promise<Map<string, string>> {
  const rows = await db.query<{ id: string; mark: string }>(ORDERS, [`{${ids.join(',')}}`]);
  return new Map(rows.map(row => [row.id, row.mark]));
}
