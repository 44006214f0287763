// Whose payment a payment is: a dry run says beforehand what dispatch would find.
import type { Database, Row } from '../client.ts';

/** The order whose books this provider's payment is in; null when nobody has heard of it. */
export async function readPaymentOwner(db: Database, provider: string, paymentId: string): Promise<string | null> {
  const [row] = await db.query<Row>('select order_id from payments where payment_id = $1 and provider = $2', [
    paymentId,
    provider,
  ]);
  return (row?.order_id as string | undefined) ?? null;
}
