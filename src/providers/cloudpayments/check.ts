// The question CloudPayments asks before it charges, answered from the order as it stands. Nothing of it is kept: a payment
// that slips through two questions at once is a surplus, and goes back.
import { PAYMENT_WINDOW_MS } from '../../../machines/orderSetup.ts';
import type { Clock } from '../../clock.ts';
import type { IncomingCall, KnownOrder, OrderLookup } from '../provider.ts';
import { minorOf } from './amounts.ts';
import { type Fields, liveOf, orderOf, readFields } from './fields.ts';
import { isNoPayment } from './notifications.ts';
import type { Terminal } from './terminal.ts';

/** developers.cloudpayments.ru, Check: anything but 0 declines the payment, and 20 is shown to the payer as "expired". */
const ANSWERS = {
  goOn: 0,
  wrongInvoice: 10,
  wrongAccount: 11,
  wrongAmount: 12,
  notAcceptable: 13,
  expired: 20,
} as const;
type Code = (typeof ANSWERS)[keyof typeof ANSWERS];

/** Our ids begin with their time: ten digits of base 32, in milliseconds. */
const ID_ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz';

export async function answerOf(
  call: IncomingCall,
  orders: OrderLookup,
  { terminal, clock }: { terminal: Terminal; clock: Clock },
): Promise<{ code: Code }> {
  const fields = readFields(call);
  if (fields === null) return { code: ANSWERS.notAcceptable };
  // A payout to a card is the merchant's own doing and none of our orders.
  if (isNoPayment(fields)) return { code: ANSWERS.goOn };
  const live = liveOf(fields.get('TestMode'));
  if (live !== undefined && live !== terminal.live) return { code: ANSWERS.notAcceptable };
  const invoiceId = fields.get('InvoiceId');
  // Whether charges of a subscription or a token are asked about is not documented. They name the payer and no invoice:
  // the merchant started them, and a no would end the subscription.
  if (invoiceId === undefined) {
    return { code: fields.has('SubscriptionId') || fields.has('AccountId') ? ANSWERS.goOn : ANSWERS.wrongInvoice };
  }
  const { orderId } = orderOf(invoiceId);
  const order = orderId === null ? null : await orders.byId(orderId);
  // A later charge of a subscription may repeat the invoice of the first one, which is long paid.
  if (fields.has('SubscriptionId') && (order === null || !isOpen(order))) return { code: ANSWERS.goOn };
  return { code: order === null ? ANSWERS.wrongInvoice : compare(fields, order, clock) };
}

function compare(fields: Fields, order: KnownOrder, clock: Clock): Code {
  const accountId = fields.get('AccountId');
  if (accountId !== undefined && accountId !== order.userId) return ANSWERS.wrongAccount;
  const amountMinor = minorOf(fields.get('Amount') ?? '', order.currency);
  if (fields.get('Currency') !== order.currency || amountMinor !== order.amountMinor) return ANSWERS.wrongAmount;
  if (!isOpen(order)) return ANSWERS.notAcceptable;
  return isExpired(order, clock) && !fields.has('SubscriptionId') ? ANSWERS.expired : ANSWERS.goOn;
}

/** Not yet paid, reserved or in doubt. `failed` is open: after a decline the payer tries again in the same widget. */
const isOpen = (order: KnownOrder) => order.state === 'created' || order.state === 'failed';

/**
 * A failed order is answered 0 while its payment window is open, because a decline made it so and another try is welcome.
 * After the window it counts as expired: its link is closed, and somebody who is told so before the charge checks out anew
 * at today's price. Money that comes without a question, or was asked about in time, still pays for it.
 */
function isExpired(order: KnownOrder, clock: Clock): boolean {
  return order.state === 'failed' && clock().getTime() - madeAt(order.orderId) > PAYMENT_WINDOW_MS;
}

function madeAt(orderId: string): number {
  let time = 0;
  for (const digit of orderId.slice('ord_'.length, 'ord_'.length + 10)) time = time * 32 + ID_ALPHABET.indexOf(digit);
  return time;
}
