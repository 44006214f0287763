// Stripe's signature over a webhook, checked by us rather than by the SDK, which would take any time in the future, a
// time that is no number, and one secret only. Over the raw bytes, before anything is parsed.
import { createHmac, timingSafeEqual } from 'node:crypto';
import type { Clock } from '../../clock.ts';
import { BadSignature } from '../../errors.ts';
import { WEBHOOK_TOLERANCE_S } from '../signatures.ts';

/** Parts read from one header: a time, a v1 for each of several secrets, and the v0 decoys of test mode. */
export const MAX_PARTS = 16;
/** Longest header, in characters: that many parts of 64 hexadecimal digits fit. */
const MAX_HEADER_LENGTH = 1_200;
/** Whole seconds without leading zeros; twelve digits reach past the year 30000. */
const TIMESTAMP = /^[1-9][0-9]{0,11}$/;
const HEX_256_BITS = /^[0-9a-f]{64}$/;

export type StripeSigned = { body: Uint8Array; headers: Record<string, string> };

/**
 * Checks `Stripe-Signature: t=…,v1=…`: hex HMAC-SHA256 of `t.body` under the entire `whsec_…` text. While a secret is
 * rolled there are several v1; any that matches any of ours will do (docs.stripe.com/webhooks).
 * @throws BadSignature
 */
export function verifyStripeSignature(call: StripeSigned, secrets: readonly string[], clock: Clock): void {
  // A missing key must never look like a signature that held, nor like the sender's fault.
  if (secrets.length === 0 || secrets.includes(''))
    throw new Error('A Stripe webhook cannot be verified without a secret.');
  const { timestamp, macs } = readHeader(call.headers);
  const ageS = Math.floor(clock().getTime() / 1_000) - Number(timestamp);
  if (ageS > WEBHOOK_TOLERANCE_S) throw new BadSignature('The webhook was signed too long ago.');
  if (ageS < -WEBHOOK_TOLERANCE_S) throw new BadSignature('The webhook was signed too far in the future.');
  const expected = secrets.map(secret =>
    createHmac('sha256', secret).update(`${timestamp}.`, 'utf8').update(call.body).digest(),
  );
  let matches = 0;
  // Every pair is compared, match or not, so that the time taken tells nothing about which secret matched.
  for (const mac of macs) for (const own of expected) matches += timingSafeEqual(mac, own) ? 1 : 0;
  if (matches === 0) throw new BadSignature('No v1 signature of this webhook matches its body and its time.');
}

function readHeader(headers: Record<string, string>): { timestamp: string; macs: Buffer[] } {
  const header = Object.hasOwn(headers, 'stripe-signature') ? headers['stripe-signature'] : undefined;
  if (header === undefined || header === '') throw new BadSignature('The stripe-signature header is missing.');
  // The length comes first: a header of ten thousand signatures is refused without being split.
  const parts = header.length > MAX_HEADER_LENGTH ? [] : header.split(',').map(part => part.trim());
  if (parts.length === 0 || parts.length > MAX_PARTS) {
    throw new BadSignature(`The stripe-signature header may hold at most ${MAX_PARTS} parts.`);
  }
  const times = parts.filter(part => part.startsWith('t=')).map(part => part.slice(2));
  const timestamp = times[0];
  // Two times could be read in two ways.
  if (timestamp === undefined || times.length > 1 || !TIMESTAMP.test(timestamp)) {
    throw new BadSignature('The stripe-signature header must hold one time "t=" in whole seconds since 1970.');
  }
  // Other schemes are passed over: v0 is a decoy of test mode.
  const macs = parts
    .filter(part => part.startsWith('v1='))
    .map(part => part.slice(3))
    .filter(hex => HEX_256_BITS.test(hex))
    .map(hex => Buffer.from(hex, 'hex'));
  if (macs.length === 0) throw new BadSignature('The stripe-signature header holds no "v1=" of 64 hexadecimal digits.');
  return { timestamp, macs };
}
