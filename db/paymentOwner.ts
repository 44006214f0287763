// Whose payment a payment is: it belongs to the order that heard of it first.
import type { Database } from './client.ts';

/** The order whose books this provider's payment is in; null when nobody has heard of it. */
export async function paymentOwner(db: Database, provider: string, paymentId: string): Promise<string | null> {
  const [row] = await db.query<{ orderId: string }>(
    'select order_id as "orderId" from payments where payment_id = $1 and provider = $2',
    [paymentId, provider],
  );
  return row?.orderId ?? null;
}
