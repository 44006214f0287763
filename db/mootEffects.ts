// Dead effects that nobody needs any more, because what they were for has come about otherwise: a captured payment needs no
// capture, whoever captured it. Left dead they would call a person to an order that is well.
import type { Database } from './client.ts';

// A refund is never among them: whether its money went back is for its own answer to say. Nor is a void because its payment
// is noted as voided: we note that when we ask for it, and the customer's money is reserved until somebody has let it go.
const RESOLVE = `
with moot as materialized (
  select x.id from outbox x join orders o on o.id = x.order_id
  left join lateral (select state from payments where payment_id = x.payload->>'paymentId' and provider = o.provider limit 1) p on true
  left join lateral (select state from refunds where refund_id = x.payload->>'refundId' and provider = o.provider limit 1) r on true
  where x.status = 'dead' and case
    when x.effect = 'capture' then p.state in ('captured', 'voided', 'failed')
    when x.effect = 'void' then p.state in ('captured', 'failed')
    when x.effect = 'close' then not x.payload ? 'subscriptionId' and o.state in ('captured', 'subscribed', 'refunded')
    when x.effect = 'reconcile' and x.payload ? 'refundId' then r.state <> 'pending'
    when x.effect = 'reconcile' and x.payload ? 'paymentId' then p.state in ('captured', 'voided', 'failed')
    when x.effect = 'reconcile' then o.state in ('subscribed', 'refunded')
    else false end
  for no key update of x skip locked)
update outbox t set status = 'done', done_at = $1::text::timestamptz,
  last_error = coalesce(t.last_error || ', ', '') || 'and is not needed any more'
from moot where t.id = moot.id returning t.id, t.order_id as "orderId", t.effect`;

/** Ends them as done, with their last error kept; answers which. */
export function resolveMootEffects(db: Database, at: Date): Promise<{ id: string; orderId: string; effect: string }[]> {
  return db.query(RESOLVE, [at.toISOString()]);
}
