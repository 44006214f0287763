// One order's life for its replay: what its row says, its transitions with their events from the first one on, and what
// became of the effects they asked for. One statement, so that the check compares what was true together.
import type { Database, Row } from '../client.ts';
import { iso } from '../orders.ts';
import type { TransitionWrite } from '../writes.ts';
import type { EffectRow } from './orderPageRows.ts';

/** As it was written. Its instant is ISO 8601 UTC with milliseconds, like every instant here. */
export type LifeTransition = Omit<TransitionWrite, 'orderId' | 'event'> & { event: Record<string, unknown> };

/** What became of an effect. */
export type LifeEffect = Pick<EffectRow, 'effect' | 'payload' | 'dedupKey' | 'orderVersion' | 'status' | 'attempts'>;

export type Life = {
  id: string;
  machine: string;
  version: number;
  state: string;
  wakeAt: string | null;
  snapshot: unknown;
  provider: string | null;
  currency: string;
  /** Oldest first; at most `limit`. */
  transitions: LifeTransition[];
  effects: LifeEffect[];
};

/** Effects an order has at most on its replay: each transition asks for a few. Past this something floods the order. */
const MAX_EFFECTS = 5_000;

const LIFE = `
select o.id, o.machine, o.version, o.state, o.snapshot, o.provider, o.currency, ${iso('o.wake_at')} as "wakeAt",
  coalesce((
    select jsonb_agg(jsonb_build_object('version', t.version, 'eventType', t.event_type, 'event', t.event, 'from', t.from_state,
      'to', t.to_state, 'source', t.source, 'eventKey', t.event_key, 'at', ${iso('t.at')}) order by t.version)
    from (select * from transitions where order_id = o.id order by version limit $2::int) t
  ), '[]') as transitions,
  coalesce((
    select jsonb_agg(jsonb_build_object('effect', x.effect, 'payload', x.payload, 'dedupKey', x.dedup_key,
      'orderVersion', x.order_version, 'status', x.status, 'attempts', x.attempts) order by x.order_version, x.id)
    from (select * from outbox where order_id = o.id limit ${MAX_EFFECTS}) x
  ), '[]') as effects
from orders o where o.id = $1`;

/** Null when there is no such order. */
export async function readLife(db: Database, id: string, limit: number): Promise<Life | null> {
  const [row] = await db.query<Row>(LIFE, [id, limit]);
  return row ? (row as Life) : null;
}
