// The browser comes back from Stripe's page with a session id that nothing signs. It only says where to look: the session
// is retrieved, must be the one we opened for its order, and its payment intent is the answer.
import { z } from 'zod';
import { BadSignature, InvalidRequest } from '../../errors.ts';
import { paymentEvent } from '../paymentEvent.ts';
import type { IncomingCall, KnownOrder, OrderLookup, ReceivedEvent } from '../provider.ts';
import type { StripeApi } from './api.ts';
import { PAYMENT_EXPANSION, paymentFrom } from './objects.ts';
import { retrieveSession, SESSION_ID, type StripeSession } from './sessions.ts';

const fieldsSchema = z.union([
  z.object({ session_id: z.string().regex(SESSION_ID) }),
  // From the page's way back: the order, whose session we know ourselves.
  z.object({ canceled: z.string().max(64) }),
]);

/** @throws BadSignature, InvalidRequest, ProviderRefused, ProviderUnreachable */
export async function readCallback(api: StripeApi, call: IncomingCall, orders: OrderLookup): Promise<ReceivedEvent> {
  const fields = fieldsSchema.safeParse(readSource(call));
  if (!fields.success) throw new InvalidRequest('The callback must name a session of Stripe in "session_id".');
  const named = fields.data;
  const order =
    'session_id' in named ? await orders.byProviderOrderId(named.session_id) : await orders.byId(named.canceled);
  // Stripe is not asked about ids that strangers make up.
  if (!order?.providerOrderId) throw new InvalidRequest('No order here is paid with this session.');
  const session = await retrieveSession(api, order.providerOrderId, [`payment_intent.${PAYMENT_EXPANSION}`]);
  return eventOf(session, order, order.providerOrderId);
}

function eventOf(session: StripeSession, { orderId }: KnownOrder, providerOrderId: string): ReceivedEvent {
  if (session.id !== providerOrderId || session.client_reference_id !== orderId) {
    throw new BadSignature('The session belongs to another order.');
  }
  const intent = session.payment_intent;
  if (intent === null) return withoutPayment(session, orderId);
  const payment = paymentFrom(intent, session.id);
  const event = payment && paymentEvent(payment);
  // Under a key of its own: what the payment becomes later must not look like a repetition of this.
  if (!payment || !event) {
    const detail = payment
      ? `The payment is ${intent.status} at Stripe.`
      : 'The amount has a fraction of a minor unit.';
    return {
      ...addressed(orderId, session.id, `${intent.id}:pending`, 'payment.pending'),
      event: null,
      because: payment ? 'ignored' : 'undecodable',
      detail,
    };
  }
  return { ...addressed(orderId, session.id, `${payment.paymentId}:${payment.state}`, event.type), event };
}

/** A page nobody has paid on yet has no payment intent; one that ran out never will. */
function withoutPayment(session: StripeSession, orderId: string): ReceivedEvent {
  const status = session.status ?? 'unknown';
  if (status === 'expired') {
    const base = addressed(orderId, session.id, `${session.id}:canceled`, 'payment.canceled');
    return { ...base, event: { type: 'payment.canceled', reason: 'The payment page has expired.' } };
  }
  const isFree = session.payment_status === 'no_payment_required';
  return {
    ...addressed(orderId, session.id, `${session.id}:pending`, 'payment.pending'),
    event: null,
    because: 'ignored',
    detail: isFree ? 'Stripe asked for no money, so none came.' : 'Nobody has paid on this page yet.',
  };
}

const addressed = (orderId: string, providerOrderId: string, key: string, eventType: string) => ({
  eventKey: `cb:${key}`,
  eventType,
  orderId,
  providerOrderId,
});

/** Stripe sends the browser with GET; a merchant's own page may post the same field as JSON or a form. */
function readSource(call: IncomingCall): unknown {
  if (call.body.length === 0) return call.query;
  const text = new TextDecoder().decode(call.body);
  const mediaType = call.contentType.split(';')[0]?.trim().toLowerCase();
  if (mediaType === 'application/x-www-form-urlencoded') return Object.fromEntries(new URLSearchParams(text));
  try {
    return JSON.parse(text);
  } catch {
    throw new InvalidRequest('The callback body is not JSON.');
  }
}
