// The browser after paying. The widget's result and the redirect are not signed, so they only say where to look: what
// happened is what CloudPayments answers about the payment.
import { z } from 'zod';
import { InvalidRequest } from '../../errors.ts';
import { paymentEvent } from '../paymentEvent.ts';
import type { IncomingCall, OrderLookup, ReceivedEvent } from '../provider.ts';
import { isJson, OWN_ORDER_ID, textOf, theirId } from './fields.ts';
import type { Payments } from './payments.ts';

type Claim = { orderId: string; transactionId: string | null };

const resultSchema = z.object({ data: z.unknown().optional(), result: z.unknown().optional() }).loose();

/** @throws InvalidRequest, ProviderRefused, ProviderUnreachable */
export async function hearCallback(
  call: IncomingCall,
  orders: OrderLookup,
  payments: Payments,
): Promise<ReceivedEvent> {
  const { orderId, transactionId } = readClaim(call);
  const order = await orders.byId(orderId);
  if (order === null) throw new InvalidRequest('There is no order of this id at CloudPayments.');
  const payment =
    transactionId === null
      ? (await payments.findPayments({ orderId, providerOrderId: orderId })).at(-1)
      : await payments.fetchPayment(transactionId);
  const base = { orderId, providerOrderId: orderId };
  if (payment === undefined) {
    const detail = 'CloudPayments knows no payment for this order yet.';
    return { ...base, eventKey: `cb:${orderId}:none`, eventType: 'callback', event: null, because: 'ignored', detail };
  }
  // A payment that names another order, or none, says nothing about this one, whichever browser brings it.
  if (payment.orderId !== orderId) throw new InvalidRequest('This payment does not belong to this order.');
  const eventKey = `cb:${payment.paymentId}:${payment.state}`;
  const event = paymentEvent(payment);
  if (event !== null) return { ...base, eventKey, eventType: event.type, event };
  const detail = 'The payment is still pending at CloudPayments.';
  return { ...base, eventKey, eventType: 'callback', event: null, because: 'ignored', detail };
}

/** Our order under any of its names, in the body or in the query; the transaction where the widget told it. */
function readClaim(call: IncomingCall): Claim {
  const told = [call.body.length > 0 ? readBody(call) : {}, call.query];
  const orderId = firstOf(told, ['orderId', 'InvoiceId', 'invoiceId', 'externalId', 'providerOrderId']);
  if (orderId === undefined || !OWN_ORDER_ID.test(orderId)) {
    throw new InvalidRequest("The callback's orderId is missing or malformed.");
  }
  const transaction = firstOf(told, ['transactionId', 'TransactionId', 'paymentId']);
  if (transaction === undefined) return { orderId, transactionId: null };
  const transactionId = theirId(transaction);
  if (transactionId === null) throw new InvalidRequest("The callback's transactionId is malformed.");
  return { orderId, transactionId };
}

function firstOf(told: Record<string, unknown>[], names: string[]): string | undefined {
  for (const fields of told) {
    for (const name of names) {
      const text = Object.hasOwn(fields, name) ? textOf(fields[name]) : undefined;
      if (text !== undefined) return text;
    }
  }
  return undefined;
}

/** @throws InvalidRequest */
function readBody(call: IncomingCall): Record<string, unknown> {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(call.body);
    if (!isJson(call)) return Object.fromEntries(new URLSearchParams(text));
    // The widget's own result has the transaction in its data; it may be passed on as it is, or inside ours.
    const body = resultSchema.parse(JSON.parse(text));
    const result = resultSchema.safeParse(body.result);
    return { ...membersOf(body.data), ...membersOf(result.data?.data), ...body };
  } catch {
    throw new InvalidRequest('The callback body is neither a form nor a JSON object.');
  }
}

const membersOf = (value: unknown) => (typeof value === 'object' && value !== null ? value : {});
