// One order by either of its names, for comparing it with what a provider says about it.
import type { Database, Row } from './client.ts';

const COLUMNS = `id as "orderId", provider_order_id as "providerOrderId", user_id as "userId", amount_minor, currency, state`;
const BY = {
  id: `select ${COLUMNS} from orders where id = $1 and provider = $2`,
  provider_order_id: `select ${COLUMNS} from orders where provider_order_id = $1 and provider = $2`,
} as const;

export type KnownOrderName = keyof typeof BY;
export type KnownOrder = {
  orderId: string;
  providerOrderId: string | null;
  userId: string;
  amountMinor: number;
  currency: string;
  state: string;
};

/** The order of this provider under this name, or null. */
export async function readKnownOrder(
  db: Database,
  provider: string,
  by: KnownOrderName,
  id: string,
): Promise<KnownOrder | null> {
  const [row] = await db.query<Row>(BY[by], [id, provider]);
  if (!row) return null;
  const { amount_minor, ...order } = row;
  return { ...(order as Omit<KnownOrder, 'amountMinor'>), amountMinor: Number(amount_minor) };
}
