// Pays orders by calling dispatch directly, as verified webhooks of the sandbox: everything the service does for a
// payment, without HTTP.

import type { Envelope } from '../src/dispatch/envelope.ts';
import type { Dispatch } from '../src/dispatch.ts';
import { type Run, type Sent, steadyPartOfTurns } from './measure.ts';
import { type Orders, PLAN, PROVIDER, sha256, tailOf, USER_AGENT, webhookBody } from './seed.ts';

/** Makes the envelopes; what it answers pays the orders, `concurrency` at a time, and fails when one is not `subscribed`. */
export function prepareDispatch(dispatch: Dispatch, orders: Orders, concurrency: number): () => Promise<Run> {
  const envelopes = Array.from({ length: orders.count }, (_, n) => paid(tailOf(orders, n)));
  return () => payAll(dispatch, envelopes, concurrency);
}

async function payAll(dispatch: Dispatch, envelopes: readonly Envelope[], concurrency: number): Promise<Run> {
  const all: Sent[] = [];
  let next = 0;
  const caller = async () => {
    for (let envelope = envelopes[next++]; envelope; envelope = envelopes[next++]) {
      const sentMs = performance.now();
      const { verdict, state } = await dispatch(envelope);
      all.push({ sentMs, answeredMs: performance.now() });
      if (verdict !== 'applied' || state !== 'subscribed')
        throw new Error(`a payment was ${verdict} and left ${state}`);
    }
  };
  await Promise.all(Array.from({ length: concurrency }, caller));
  return steadyPartOfTurns(all, Math.min(concurrency, envelopes.length));
}

/** What the webhook endpoint hands to dispatch. */
export function paid(tail: string): Envelope {
  const raw = webhookBody(tail);
  const { amountMinor, currency } = PLAN;
  const headers = {
    'content-type': 'application/json',
    'user-agent': USER_AGENT,
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
