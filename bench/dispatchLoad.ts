// Pays orders by calling dispatch directly, as verified webhooks of the sandbox: everything the service does for a
// payment, without HTTP.

import type { Envelope } from '../src/dispatch/envelope.ts';
import type { Dispatch } from '../src/dispatch.ts';
import type { Run } from './measure.ts';
import { type Orders, PLAN, PROVIDER, sha256, tailOf, webhookBody } from './seed.ts';

/** Pays every one of the orders, `concurrency` at a time. @throws Error when one does not end in `subscribed` */
export async function payThroughDispatch(dispatch: Dispatch, orders: Orders, concurrency: number): Promise<Run> {
  const envelopes = Array.from({ length: orders.count }, (_, n) => paid(tailOf(orders, n)));
  const latenciesMs: number[] = [];
  let next = 0;
  const caller = async () => {
    for (let envelope = envelopes[next++]; envelope; envelope = envelopes[next++]) {
      const startedAt = performance.now();
      const { verdict, state } = await dispatch(envelope);
      latenciesMs.push(performance.now() - startedAt);
      if (verdict !== 'applied' || state !== 'subscribed')
        throw new Error(`a payment was ${verdict} and left ${state}`);
    }
  };
  const startedAt = performance.now();
  await Promise.all(Array.from({ length: concurrency }, caller));
  return { orders: orders.count, seconds: (performance.now() - startedAt) / 1e3, latenciesMs };
}

/** What the webhook endpoint hands to dispatch. */
export function paid(tail: string): Envelope {
  const raw = webhookBody(tail);
  const { amountMinor, currency } = PLAN;
  const headers = {
    'content-type': 'application/json',
    'webhook-id': `evt_${tail}`,
    'webhook-timestamp': String(Math.floor(Date.now() / 1e3)),
  };
  return {
    source: 'webhook',
    orderId: null,
    provider: PROVIDER,
    providerOrderId: `sbo_${tail}`,
    eventKey: `evt_${tail}`,
    event: {
      type: 'payment.captured',
      paymentId: `pay_${tail}`,
      amountMinor,
      currency,
      occurredAt: new Date().toISOString(),
    },
    received: { eventType: 'payment.captured', raw, bodyHash: sha256(raw), headers },
  };
}
