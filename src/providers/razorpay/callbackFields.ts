// Reads what the browser brought back from Razorpay's checkout: a JSON body from the page's handler, or the form that
// checkout posts to callback_url. Either three signed fields, or an unsigned word about a failure.
import { InvalidRequest } from '../../errors.ts';
import type { IncomingCall } from '../provider.ts';
import { fieldOf } from './entities.ts';

/** Without `|`, which joins the two ids in the text that is signed. */
const SIGNED_ID = /^[A-Za-z0-9_-]{1,128}$/;

export type CallbackFields =
  | { kind: 'success'; paymentId: string; providerOrderId: string; signature: string }
  /** Nobody vouches for any of it. */
  | { kind: 'failure'; paymentId: string | null; providerOrderId: string };

/** @throws InvalidRequest naming the field that is missing or malformed */
export function readCallbackFields(call: IncomingCall): CallbackFields {
  const source = readSource(call);
  if (fieldOf(source, 'razorpay_signature') === undefined && saysError(source)) return failure(source);
  return {
    kind: 'success',
    paymentId: signedId(source, 'razorpay_payment_id'),
    providerOrderId: signedId(source, 'razorpay_order_id'),
    signature: text(source, 'razorpay_signature'),
  };
}

function saysError(source: unknown): boolean {
  if (fieldOf(source, 'error') !== undefined) return true;
  return typeof source === 'object' && source !== null && Object.keys(source).some(name => name.startsWith('error['));
}

/** `error[metadata]` comes as JSON in a form, as its own fields, or as an object from `payment.failed` in the page. */
function failure(source: unknown): CallbackFields {
  const told = fieldOf(fieldOf(source, 'error'), 'metadata') ?? parsed(fieldOf(source, 'error[metadata]'));
  const find = (name: string) => {
    const id = fieldOf(told, name) ?? fieldOf(source, `error[metadata][${name}]`);
    return typeof id === 'string' && SIGNED_ID.test(id) ? id : null;
  };
  const providerOrderId = find('order_id');
  if (providerOrderId === null) throw new InvalidRequest('The callback tells of a failure and names no order.');
  return { kind: 'failure', paymentId: find('payment_id'), providerOrderId };
}

function signedId(source: unknown, name: string): string {
  const value = text(source, name);
  if (!SIGNED_ID.test(value)) throw malformed(name);
  return value;
}

function text(source: unknown, name: string): string {
  const value = fieldOf(source, name);
  if (typeof value !== 'string') throw malformed(name);
  return value;
}

const malformed = (name: string) => new InvalidRequest(`The callback's ${name} is missing or malformed.`);

function readSource(call: IncomingCall): unknown {
  if (call.body.length === 0) return call.query;
  const body = readText(call.body);
  const mediaType = call.contentType.split(';')[0]?.trim().toLowerCase();
  if (mediaType === 'application/x-www-form-urlencoded') return Object.fromEntries(new URLSearchParams(body));
  const json = parsed(body);
  if (json === undefined) throw new InvalidRequest('The callback body is not JSON.');
  return json;
}

function readText(body: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(body);
  } catch {
    throw new InvalidRequest('The callback body is not UTF-8.');
  }
}

function parsed(value: unknown): unknown {
  if (typeof value !== 'string') return undefined;
  try {
    return JSON.parse(value);
  } catch {
    return undefined;
  }
}
