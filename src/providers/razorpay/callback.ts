// The customer's browser comes back. Its signature says that a payment of an order was authorised once, no more; what the
// payment is now, Razorpay is asked, and the answer is the event.
import { BadSignature, InvalidRequest } from '../../errors.ts';
import { paymentEvent } from '../paymentEvent.ts';
import type { IncomingCall, OrderLookup, ProviderPayment, ReceivedEvent } from '../provider.ts';
import { checkHexHmac } from '../signatures.ts';
import type { RazorpayApi } from './api.ts';
import { readCallbackFields } from './callbackFields.ts';
import { readPaymentById, readPaymentsOfOrder } from './payments.ts';

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
  if (known === null || known.providerOrderId === null) throw nothingOfOurs();
  const address = { orderId: known.orderId, providerOrderId: known.providerOrderId };
  if (paymentId === null) return eventOf(address, await attemptOf(api, address.providerOrderId));
  const { payment } = await readPaymentById(api, paymentId);
  if (payment.providerOrderId !== address.providerOrderId) {
    if (fields.kind === 'failure') throw nothingOfOurs();
    throw new BadSignature('The signed payment belongs to another order than the one it was signed with.');
  }
  return eventOf(address, payment);
}

/** One sentence for all of them: an unsigned guess learns nothing from the answer. */
const nothingOfOurs = () => new InvalidRequest('The callback names no payment of an order of ours.');

/** A failure that names no payment is nobody's word: the order's own payments tell, the one that succeeded before all. */
async function attemptOf(api: RazorpayApi, providerOrderId: string): Promise<ProviderPayment> {
  const payments = (await readPaymentsOfOrder(api, providerOrderId)).map(({ payment }) => payment);
  const attempt = payments.find(({ state }) => state === 'captured') ?? payments.at(-1);
  if (!attempt) throw nothingOfOurs();
  return attempt;
}

/** The callback brought no fact, only the question; the payment's state is the answer, and with it the event's key. */
function eventOf(address: { orderId: string; providerOrderId: string }, payment: ProviderPayment): ReceivedEvent {
  const { paymentId, state } = payment;
  const base = { ...address, eventKey: `cb:${paymentId}:${state}`, eventType: `payment.${state}` };
  const event = paymentEvent(payment);
  if (event !== null) return { ...base, event };
  return { ...base, event: null, because: 'ignored', detail: 'The payment is still pending at Razorpay.' };
}
