// The customer's browser comes back. Its signature says that a payment of an order was authorised once, no more; what the
// payment is now, Razorpay is asked, and the answer is the event.
import { BadSignature, InvalidRequest } from '../../errors.ts';
import type { IncomingCall, KnownOrder, OrderLookup, ReceivedEvent } from '../provider.ts';
import { checkHexHmac } from '../signatures.ts';
import type { RazorpayApi } from './api.ts';
import { readCallbackFields } from './callbackFields.ts';
import { paymentEvent } from './paymentEvent.ts';
import { readPaymentById } from './payments.ts';

/** @throws BadSignature, InvalidRequest, ProviderRefused, ProviderUnreachable */
export async function takeCallback(
  { api, keySecret }: { api: RazorpayApi; keySecret: string },
  call: IncomingCall,
  orders: OrderLookup,
): Promise<ReceivedEvent> {
  const fields = readCallbackFields(call);
  const known = await orders.byProviderOrderId(fields.providerOrderId);
  const { paymentId } = fields;
  if (fields.kind === 'success') {
    // Over the id in our own books (integration-steps.md). Where we know none the given one stands in, so that a guessed
    // id and a known one are refused alike: nobody learns here which orders exist.
    const signed = `${known?.providerOrderId ?? fields.providerOrderId}|${fields.paymentId}`;
    checkHexHmac(Buffer.from(keySecret, 'utf8'), signed, fields.signature);
  }
  if (known === null || known.providerOrderId === null)
    throw new InvalidRequest('The callback names no order of ours.');
  const address = { orderId: known.orderId, providerOrderId: known.providerOrderId };
  return paymentId === null ? hint(address) : stateOf(api, address, paymentId, fields.kind);
}

type Address = Pick<KnownOrder, 'orderId'> & { providerOrderId: string };

/** A failed attempt that names no payment: nothing to ask about. One row an order, however often it is told. */
function hint(address: Address): ReceivedEvent {
  const detail = 'The browser says that a payment failed; nobody vouches for that.';
  const eventKey = `cb:${address.providerOrderId}:hint`;
  return { ...address, eventKey, eventType: 'callback.failure', event: null, because: 'ignored', detail };
}

async function stateOf(
  api: RazorpayApi,
  address: Address,
  paymentId: string,
  kind: 'success' | 'failure',
): Promise<ReceivedEvent> {
  const { payment } = await readPaymentById(api, paymentId);
  if (payment.providerOrderId !== address.providerOrderId) {
    if (kind === 'failure') throw new InvalidRequest('The callback names a payment of another order.');
    throw new BadSignature('The signed payment belongs to another order than the one it was signed with.');
  }
  const eventKey = `cb:${paymentId}:${payment.state}`;
  const base = { ...address, eventKey, eventType: `payment.${payment.state}` };
  const event = paymentEvent(payment);
  if (event !== null) return { ...base, event };
  return { ...base, event: null, because: 'ignored', detail: 'The payment is still pending at Razorpay.' };
}
