// What a provider's adapter may ask about our orders: those of its own provider, and of them only what a callback or a
// check is compared with.
import type { Database } from '../db/client.ts';
import { type KnownOrderName, readKnownOrder } from '../db/knownOrder.ts';
import type { OrderLookup } from './providers/provider.ts';

export function orderLookup(db: Database, provider: string): OrderLookup {
  const find = (by: KnownOrderName, id: string) => readKnownOrder(db, provider, by, id);
  return { byId: id => find('id', id), byProviderOrderId: id => find('provider_order_id', id) };
}
