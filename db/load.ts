// Everything a decision needs, in one SELECT for a whole batch: each event's order with its subscription row, what
// became of its key before, and who owns the payment it names. Every look-up is by key; LIMIT 1 keeps them nested loops.
import type { DeadEffect } from '../machines/orderEvents.ts';
import { statementArrays } from './arrays.ts';
import type { Database, Row } from './client.ts';
import { waitingFor } from './inbox.ts';

/** What one event asks for. The order is named by our id or by the provider's. */
export type LoadRequest = {
  orderId: string | null;
  provider: string | null;
  providerOrderId: string | null;
  eventKey: string;
  paymentId: string | null;
  /** The provider's subscription that the event names. */
  subscriptionId: string | null;
  /** The event may give its order a payment, a subscription or a payer that others were told of too early. */
  needsEarly: boolean;
  /** The event may revoke or restore: all grants of the subscription are needed. */
  needsGrants: boolean;
  /** The event may re-arm dead effects. */
  needsDeadEffects: boolean;
};

export type LoadedOrder = {
  id: string;
  userId: string;
  product: string;
  provider: string | null;
  machine: string;
  version: number;
  state: string;
  /** JSON text, parsed once an order by whoever needs it. */
  snapshot: string;
};

export type LoadedSubscription = {
  version: number;
  grants: number;
  anchorAt: Date | null;
  anchorMonths: number;
  endsAt: Date | null;
  graceDays: number;
  cancelAtEnd: boolean;
};

/** A grant as JSON brings it: instants are ISO texts. */
export type LoadedGrant = Record<string, string | number | null>;

export type Loaded = {
  order: LoadedOrder | null;
  subscription: LoadedSubscription | null;
  allGrants: LoadedGrant[] | null;
  /** The inbox row of this key, if it arrived before. */
  received: { verdict: string; orderId: string | null; bodyHash: string; receivedAt: Date } | null;
  /** The transition this key made, if it did. */
  transition: { version: number; eventType: string; event: Record<string, unknown> } | null;
  paymentOwner: string | null;
  /** Something waits under a name that the event may give its order. */
  early: boolean;
  deadEffects: DeadEffect[];
};

const REQUESTS = statementArrays()<LoadRequest>('q', {
  n: ['int', (_, n) => n],
  order_id: ['text', r => r.orderId],
  provider: ['text', r => r.provider],
  provider_order_id: ['text', r => r.providerOrderId],
  event_key: ['text', r => r.eventKey],
  payment_id: ['text', r => r.paymentId],
  subscription_id: ['text', r => r.subscriptionId],
  needs_early: ['boolean', r => r.needsEarly],
  needs_grants: ['boolean', r => r.needsGrants],
  needs_dead: ['boolean', r => r.needsDeadEffects],
});

const LOAD = `
select q.n,
  o.id, o.user_id, o.product, o.provider, o.machine, o.version, o.state, o.snapshot::text as snapshot,
  s.version as s_version, s.grants as s_grants, s.anchor_at, s.anchor_months, s.ends_at, s.grace_days, s.cancel_at_end,
  case when q.needs_grants or o.state = 'refunded' then (
    select coalesce(jsonb_agg(to_jsonb(g)), '[]') from grants g where g.user_id = o.user_id and g.product = o.product
  ) end as all_grants,
  i.verdict as i_verdict, i.order_id as i_order_id, i.body_hash as i_body_hash, i.received_at as i_received_at,
  t.version as t_version, t.event_type as t_event_type, t.event as t_event,
  p.order_id as payment_owner,
  q.needs_early and coalesce(
    (select true ${waitingFor(`(event->>'paymentId')`, 'q.payment_id')} limit 1),
    (select true ${waitingFor(`(event->>'subscriptionId')`, 'q.subscription_id')} limit 1),
    (select true ${waitingFor('payer_id', 'o.user_id')} limit 1), false) as early,
  case when q.needs_dead then (
    select coalesce(jsonb_agg(jsonb_build_object('effect', x.effect, 'dedupKey', x.dedup_key, 'payload', x.payload) order by x.id), '[]')
    from outbox x where x.order_id = o.id and x.status = 'dead'
  ) end as dead_effects
from ${REQUESTS.from}
left join lateral (
  (select * from orders where id = q.order_id and (q.provider is null or provider = q.provider))
  union all
  (select * from orders where provider_order_id = q.provider_order_id and provider = q.provider)
  limit 1
) o on true
left join lateral (select * from subscriptions where user_id = o.user_id and product = o.product limit 1) s on true
left join lateral (select verdict, order_id, body_hash, received_at from inbox where event_key = q.event_key and provider = coalesce(q.provider, o.provider) limit 1) i on true
left join lateral (select version, event_type, event from transitions where order_id = o.id and event_key = q.event_key limit 1) t on true
left join lateral (select order_id from payments where payment_id = q.payment_id and provider = coalesce(q.provider, o.provider) limit 1) p on true
order by q.n`;

/** One answer a request, in the order asked. */
export async function loadForDecision(db: Database, requests: readonly LoadRequest[]): Promise<Loaded[]> {
  const rows = await db.query<Row>(LOAD, REQUESTS.params(requests, [...requests.keys()]));
  return rows.map(loadedFrom);
}

function loadedFrom(row: Row): Loaded {
  return {
    order: row.id === null ? null : orderFrom(row),
    subscription: row.s_version === null ? null : subscriptionFrom(row),
    allGrants: row.all_grants as LoadedGrant[] | null,
    received:
      row.i_verdict === null
        ? null
        : {
            verdict: row.i_verdict as string,
            orderId: row.i_order_id as string | null,
            bodyHash: row.i_body_hash as string,
            receivedAt: row.i_received_at as Date,
          },
    transition:
      row.t_version === null
        ? null
        : {
            version: row.t_version as number,
            eventType: row.t_event_type as string,
            event: row.t_event as Record<string, unknown>,
          },
    paymentOwner: row.payment_owner as string | null,
    early: row.early as boolean,
    deadEffects: (row.dead_effects as DeadEffect[] | null) ?? [],
  };
}

function orderFrom(row: Row): LoadedOrder {
  return {
    id: row.id as string,
    userId: row.user_id as string,
    product: row.product as string,
    provider: row.provider as string | null,
    machine: row.machine as string,
    version: row.version as number,
    state: row.state as string,
    snapshot: row.snapshot as string,
  };
}

function subscriptionFrom(row: Row): LoadedSubscription {
  return {
    version: row.s_version as number,
    grants: row.s_grants as number,
    anchorAt: row.anchor_at as Date | null,
    anchorMonths: row.anchor_months as number,
    endsAt: row.ends_at as Date | null,
    graceDays: row.grace_days as number,
    cancelAtEnd: row.cancel_at_end as boolean,
  };
}
