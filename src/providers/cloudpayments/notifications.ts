// Translates a verified notification of CloudPayments into an event of the order machine. The body does not say of which
// type it is: the address does. Nothing in here throws.
import { createHash } from 'node:crypto';
import { currencySchema, type UnstampedOrderEvent } from '../../../machines/orderEvents.ts';
import type { IncomingCall, ReceivedEvent } from '../provider.ts';
import { minorOf } from './amounts.ts';
import {
  type Fields,
  instantOf,
  liveOf,
  orderOf,
  payerOf,
  readFields,
  reasonOf,
  signedBytes,
  theirId,
} from './fields.ts';

/** As in our addresses; CloudPayments writes them with a capital. There is no type for a void: it comes as cancel. */
export const KINDS = ['check', 'pay', 'confirm', 'fail', 'refund', 'recurrent', 'cancel'] as const;

/** The currency in which a refund's amount is written is not told; every currency taken here has hundredths. */
const HUNDREDTHS = 'RUB';

type Told = { key: string; event: UnstampedOrderEvent } | { key: string; ignored: string } | { unreadable: string };

// A Map, because a kind such as "constructor" must find nothing.
const TRANSLATIONS = new Map<string, (fields: Fields) => Told>([
  ['pay', pay],
  ['confirm', confirm],
  ['fail', fail],
  ['refund', refund],
  ['cancel', cancel],
  ['recurrent', recurrent],
]);

export function translateNotification(call: IncomingCall): ReceivedEvent {
  const kind = call.kind ?? 'unknown';
  const fields = readFields(call);
  const field = (name: string) => fields?.get(name);
  const invoiceId = field('InvoiceId');
  const base = { eventType: kind, ...orderOf(invoiceId) };
  const told = fields === null ? UNREADABLE : (TRANSLATIONS.get(kind)?.(fields) ?? UNUSED);
  // There is no id to go by, but a redelivery repeats the bytes.
  if ('unreadable' in told) {
    const eventKey = `${kind}:unread:${createHash('sha256').update(signedBytes(call)).digest('hex')}`;
    return { ...base, eventKey, event: null, because: 'undecodable', detail: told.unreadable };
  }
  const eventKey = `${kind}:${told.key}`;
  if ('ignored' in told) return { ...base, eventKey, event: null, because: 'ignored', detail: told.ignored };
  const payer = {
    token: field('Token'),
    invoiceId,
    subscriptionId: field('SubscriptionId'),
    accountId: field('AccountId'),
  };
  return { ...base, ...payerOf(payer), eventKey, event: told.event };
}

const UNREADABLE: Told = { unreadable: 'The body is neither a form nor a JSON object with each field once, in UTF-8.' };
const UNUSED: Told = { unreadable: 'This type of notification is not known.' };
const without = (field: string): Told => ({ unreadable: `The field ${field} is missing or cannot be read.` });

/** One stage: `Completed` is charged. Two stages: `Authorized` is held, and a Confirm follows with the same TransactionId. */
function pay(fields: Fields): Told {
  const status = fields.get('Status');
  if (status !== 'Completed' && status !== 'Authorized') return without('Status');
  // What a refund or a failed payment says of itself: its address in the dashboard is wrong, and it is no money for us.
  if (fields.has('PaymentTransactionId')) return { unreadable: 'This is a refund, sent to the address of payments.' };
  if ((fields.get('ReasonCode') ?? '0') !== '0')
    return { unreadable: 'This is a failure, sent to the address of payments.' };
  return money(fields, status, `:${status.toLowerCase()}`, instantOf(fields.get('DateTime')));
}

/** Its DateTime is when the payment was made, not when it was confirmed, so it says no time of this state. */
function confirm(fields: Fields): Told {
  if ((fields.get('Status') ?? 'Completed') !== 'Completed') return without('Status');
  return money(fields, 'Completed', '', undefined);
}

function money(fields: Fields, status: string, suffix: string, occurredAt: string | undefined): Told {
  const paymentId = theirId(fields.get('TransactionId'));
  if (paymentId === null) return without('TransactionId');
  const key = paymentId + suffix;
  if (isNoPayment(fields)) return { key, ignored: 'This operation takes no money from a payer.' };
  const currency = currencySchema.safeParse(fields.get('Currency'));
  if (!currency.success) return without('Currency');
  const amountMinor = minorOf(fields.get('Amount') ?? '', currency.data);
  if (amountMinor === null) return without('Amount');
  const live = liveOf(fields.get('TestMode'));
  const subscriptionId = theirId(fields.get('SubscriptionId'));
  const event: UnstampedOrderEvent = {
    type: status === 'Completed' ? 'payment.captured' : 'payment.authorized',
    paymentId,
    amountMinor,
    currency: currency.data,
    ...(live !== undefined && { live }),
    ...(subscriptionId !== null && { subscriptionId }),
    ...(occurredAt !== undefined && { occurredAt }),
  };
  return { key, event };
}

/** OperationType is Payment, Refund or CardPayout; old notifications have none. */
export function isNoPayment(fields: Fields): boolean {
  return (fields.get('OperationType') ?? 'Payment') !== 'Payment';
}

/** Not the end: the payer may try again in the same widget, and a fallback bank may succeed under a new TransactionId. */
function fail(fields: Fields): Told {
  const paymentId = theirId(fields.get('TransactionId'));
  if (paymentId === null) return without('TransactionId');
  if (isNoPayment(fields)) return { key: paymentId, ignored: 'This operation takes no money from a payer.' };
  const reason = reasonOf(fields.get('Reason'), fields.get('ReasonCode'));
  return { key: paymentId, event: { type: 'payment.failed', paymentId, ...attempt(fields, reason) } };
}

/** A hold given back, by the merchant or by `/payments/void`. */
function cancel(fields: Fields): Told {
  const paymentId = theirId(fields.get('TransactionId'));
  if (paymentId === null) return without('TransactionId');
  // A Cancel has no status; one that tells of money taken was sent to the wrong address.
  if (['Completed', 'Authorized'].includes(fields.get('Status') ?? '')) return without('Status');
  return { key: paymentId, event: { type: 'payment.canceled', paymentId, ...attempt(fields, undefined) } };
}

function attempt(fields: Fields, reason: string | undefined) {
  const occurredAt = instantOf(fields.get('DateTime'));
  return { ...(reason !== undefined && { reason }), ...(occurredAt !== undefined && { occurredAt }) };
}

/** A refund is a transaction of its own, told of once it is done. */
function refund(fields: Fields): Told {
  const refundId = theirId(fields.get('TransactionId'));
  if (refundId === null) return without('TransactionId');
  const paymentId = theirId(fields.get('PaymentTransactionId'));
  if (paymentId === null) return without('PaymentTransactionId');
  const amountMinor = minorOf(fields.get('Amount') ?? '', HUNDREDTHS);
  if (amountMinor === null) return without('Amount');
  const occurredAt = instantOf(fields.get('DateTime'));
  const state = 'completed' as const;
  return {
    key: refundId,
    event: {
      type: 'refund.updated',
      paymentId,
      refundId,
      state,
      amountMinor,
      ...(occurredAt !== undefined && { occurredAt }),
    },
  };
}

/** What makes two deliveries the same change of a subscription: it has no id of its own. */
const RECURRENT_KEY = [
  'Status',
  'SuccessfulTransactionsNumber',
  'FailedTransactionsNumber',
  'LastTransactionDate',
  'NextTransactionDate',
];

function recurrent(fields: Fields): Told {
  const subscriptionId = theirId(fields.get('Id'));
  if (subscriptionId === null) return without('Id');
  const told = JSON.stringify(RECURRENT_KEY.map(name => fields.get(name) ?? ''));
  const key = `${subscriptionId}:${createHash('sha256').update(told).digest('hex').slice(0, 32)}`;
  return { key, ignored: "A subscription's state moves no money; each of its charges is told of as a payment." };
}
