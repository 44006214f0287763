// The fields of a notification as texts, whether it came as a form, as JSON or in the query, and how single values of
// CloudPayments are read: ids, times, modes, reasons. Nothing in here throws.
import { instantSchema, providerIdSchema } from '../../../machines/orderEvents.ts';
import type { IncomingCall } from '../provider.ts';
import { readableText } from '../readableText.ts';

/** Only fields with a value: an optional one that is empty comes as `key=`. */
export type Fields = ReadonlyMap<string, string>;

/** Our order ids; an InvoiceId of another shape belongs to something else the merchant sells on this terminal. */
export const OWN_ORDER_ID = /^ord_[0-9a-z]{26}$/;
/** Transactions and subscriptions: numbers, and `sc_…`. */
const THEIR_ID = /^[A-Za-z0-9_-]{1,64}$/;
const TIME = /^(\d{4}-\d{2}-\d{2})[T ](\d{2}:\d{2}:\d{2})(?:\.\d{1,9})?(Z|[+-]\d{2}:\d{2})?$/;
const JSON_TYPE = /^(application|text)\/([a-z.+-]+\+)?json$/;

/** Fields that decide about money: each may be there once, so that a signed body has one reading. */
export const DECISIVE_FIELDS = [
  'TransactionId',
  'PaymentTransactionId',
  'InvoiceId',
  'AccountId',
  'SubscriptionId',
  'Amount',
  'Currency',
  'Status',
  'OperationType',
  'TestMode',
  'DateTime',
  'Id',
] as const;

/** What the provider signed and we read: the body, or for a notification by GET the query. */
export function signedBytes(call: IncomingCall): Uint8Array {
  return call.body.length > 0 ? call.body : Buffer.from(call.rawQuery);
}

/** JSON by its type, or by its first character where a sender labels it as something else. */
export function isJson(call: IncomingCall): boolean {
  const mediaType = call.contentType.split(';')[0]?.trim().toLowerCase() ?? '';
  return call.body.length > 0 && (JSON_TYPE.test(mediaType) || call.body[0] === 0x7b);
}

/** Null when it cannot be read at all, or a decisive field is there twice. */
export function readFields(call: IncomingCall): Fields | null {
  const bytes = signedBytes(call);
  try {
    return isJson(call) ? fromJson(bytes) : fromForm(bytes);
  } catch {
    return null;
  }
}

function fromForm(bytes: Uint8Array): Fields | null {
  const form = new URLSearchParams(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  if (DECISIVE_FIELDS.some(name => form.getAll(name).length > 1)) return null;
  return new Map([...form].filter(([, value]) => value !== ''));
}

function fromJson(bytes: Uint8Array): Fields | null {
  const json: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  if (typeof json !== 'object' || json === null || Array.isArray(json)) return null;
  return new Map(
    Object.entries(json).flatMap(([name, value]): [string, string][] => {
      const text = textOf(value);
      return text === undefined ? [] : [[name, text]];
    }),
  );
}

/** A scalar of JSON as text: ids, amounts and flags come as numbers or texts. A number that lost digits is no number. */
export function textOf(value: unknown): string | undefined {
  if (typeof value === 'boolean') return value ? '1' : '0';
  if (typeof value === 'number' && (!Number.isInteger(value) || Number.isSafeInteger(value))) return String(value);
  return typeof value === 'string' && value !== '' ? value : undefined;
}

export function theirId(text: string | undefined): string | null {
  return text !== undefined && THEIR_ID.test(text) ? text : null;
}

/** Whose payment it is: our order id is the InvoiceId, and so is the provider's name for the order. */
export function orderOf(invoiceId: string | undefined): { orderId: string | null; providerOrderId: string | null } {
  if (invoiceId === undefined || !providerIdSchema.safeParse(invoiceId).success) {
    return { orderId: null, providerOrderId: null };
  }
  return { orderId: OWN_ORDER_ID.test(invoiceId) ? invoiceId : null, providerOrderId: invoiceId };
}

/** What a user of ours can be called; the browser may have named anything. */
const USER_ID = /^[A-Za-z0-9._:@+-]{1,128}$/;

/** A charge by token that the merchant started names only who paid: AccountId, which is our user's id. */
export function payerOf(told: {
  token: string | undefined;
  invoiceId: string | undefined;
  subscriptionId: string | undefined;
  accountId: string | undefined;
}): { payerId?: string } {
  if (!told.token || told.invoiceId || told.subscriptionId) return {};
  const payerId = told.accountId ?? '';
  return USER_ID.test(payerId) ? { payerId } : {};
}

/** TestMode is 1 or 0 in a form, true or false in JSON; undefined where nothing is told. */
export function liveOf(testMode: string | undefined): boolean | undefined {
  if (testMode === undefined) return undefined;
  if (/^(0|false)$/i.test(testMode)) return true;
  return /^(1|true)$/i.test(testMode) ? false : undefined;
}

/**
 * Their times are UTC without saying so (the ISO times of the API agree with the epoch beside them); `new Date` would read
 * them as local. Whole seconds, so that the same moment told twice is the same text.
 */
export function instantOf(text: string | undefined): string | undefined {
  const [, day, time, zone = 'Z'] = TIME.exec(text ?? '') ?? [];
  if (day === undefined || time === undefined) return undefined;
  const instant = new Date(`${day}T${time}${zone}`);
  if (Number.isNaN(instant.getTime())) return undefined;
  const iso = instant.toISOString();
  return instantSchema.safeParse(iso).success ? iso : undefined;
}

/** Why an attempt failed: its words and, behind them, its code. */
export function reasonOf(reason: string | undefined, code: string | undefined): string | undefined {
  const isTold = code !== undefined && code !== '0';
  return readableText([reason, isTold ? `(${code})` : undefined].filter(part => part !== undefined).join(' '));
}
