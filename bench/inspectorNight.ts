// A night on which everything stands still at once: more is stuck for each cause than the pages' own limits let them look
// at. What is written is not what a machine would have written; it is there to be counted and listed.
import type { Database } from '../db/client.ts';

/** Orders stuck for each cause: more than CANDIDATES of db/inspect/orderList.ts. */
const STUCK = 15_000;

const of = (state: string) =>
  `(select id from orders where state = '${state}' order by created_at desc limit ${STUCK})`;

const CHANGES = [
  `update orders set wake_at = created_at + interval '30 min' where id in ${of('failed')}`,
  `update outbox set status = 'dead', attempts = 12, done_at = null, last_error = 'the endpoint answered 500'
   where id in (select id from outbox where effect = 'notify' and status = 'done' order by id desc limit ${STUCK * 2})`,
  `update orders set state = 'parked' where id in ${of('refunded')}`,
  `update orders set state = 'captured' where id in ${of('subscribed')}`,
  `update orders set machine = 'order.v0' where id in ${of('failed')}`,
  `update inbox set verdict = 'unmatched', order_id = null, event = '{}', next_attempt_at = now()
   where (event_key, provider) in (select event_key, provider from inbox where verdict = 'foreign' limit ${STUCK})`,
];

export async function letNightFall(db: Database): Promise<void> {
  for (const change of CHANGES) await db.query(change, []);
  await db.query('vacuum analyze', []);
}
