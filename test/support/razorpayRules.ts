// What the fake Razorpay refuses, in the words of the real one: checks of requests that need no state.
import type { Fields } from './razorpayBodies.ts';

/** An answer of 4xx with Razorpay's error document. */
export class Refusal extends Error {
  readonly status: number;
  readonly code: string;
  constructor(description: string, status = 400, code = 'BAD_REQUEST_ERROR') {
    super(description);
    this.status = status;
    this.code = code;
  }
}

export function onlyFields(body: Fields, allowed: string[]): void {
  const extra = Object.keys(body).filter(name => !allowed.includes(name));
  if (extra.length > 0) throw new Refusal(`${extra.join(', ')} is/are not required and should not be sent`);
}

export function checkAmount(amount: unknown, currency: unknown): number {
  if (typeof amount !== 'number' || !Number.isInteger(amount)) throw new Refusal('The amount must be an integer.');
  if (typeof currency !== 'string' || !/^[A-Z]{3}$/.test(currency)) throw new Refusal('The currency is not supported.');
  if (currency === 'INR' && amount < 100) throw new Refusal('The amount must be at least INR 1.00');
  if (['BHD', 'KWD', 'OMR'].includes(currency) && amount % 10 !== 0) throw new Refusal('The amount must end in 0.');
  return amount;
}

export function checkNotes(notes: unknown): void {
  if (notes === undefined) return;
  if (typeof notes !== 'object' || notes === null) throw new Refusal('notes must be an array');
  const entries = Object.values(notes);
  if (entries.length > 15) throw new Refusal('Number of fields in notes should be less than or equal to 15');
  if (entries.some(value => typeof value !== 'string' || value.length > 256)) throw new Refusal('A note is too long');
}

export function checkCapture(payment: unknown): void {
  const { capture, capture_options: options } = payment as {
    capture: string;
    capture_options: Record<string, unknown>;
  };
  onlyFields(payment as Fields, ['capture', 'capture_options']);
  onlyFields(options, ['automatic_expiry_period', 'manual_expiry_period', 'refund_speed']);
  const automatic = options.automatic_expiry_period as number;
  const manual = options.manual_expiry_period as number;
  if (!['automatic', 'manual'].includes(capture)) throw new Refusal('capture is invalid');
  if (!Number.isInteger(automatic) || automatic < 12) throw new Refusal('automatic_expiry_period must be at least 12');
  if (!Number.isInteger(manual) || manual < automatic || manual > 7_200) {
    throw new Refusal('manual_expiry_period must be between automatic_expiry_period and 7200');
  }
}

export function checkRefundKey(key: string | undefined): void {
  if (key !== undefined && !/^[A-Za-z0-9_-]{10,}$/.test(key)) throw new Refusal('The idempotency key is invalid.');
}
