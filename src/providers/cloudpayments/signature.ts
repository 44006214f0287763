// The signature of a CloudPayments notification: base64 HMAC-SHA256 under the API secret, in two headers over two forms of
// the same message (developers.cloudpayments.ru, "Проверка уведомлений"). Each header is held against its own form only.
import { createHmac, timingSafeEqual } from 'node:crypto';
import { BadSignature } from '../../errors.ts';
import type { IncomingCall } from '../provider.ts';
import { DECISIVE_FIELDS, isJson, signedBytes } from './fields.ts';

/** 32 bytes in base64, in their one spelling: of the last digit before the padding two bits are unused and must be 0. */
const MAC_IN_BASE64 = /^[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=$/;

const PLUS = 0x2b;
const PERCENT = 0x25;
const SPACE = 0x20;

/** @throws BadSignature when neither header vouches for what came */
export function verifyNotification(call: IncomingCall, secrets: readonly string[]): void {
  const own = headerOf(call, 'content-hmac');
  const decodedOwn = headerOf(call, 'x-content-hmac');
  if (own === undefined && decodedOwn === undefined) {
    throw new BadSignature('The Content-HMAC and X-Content-HMAC headers are missing.');
  }
  const raw = signedBytes(call);
  if (matches(own, raw, secrets)) return;
  // JSON is not encoded for a URL, so there is nothing to decode ("URL decoded, or not encoded").
  const decoded = isJson(call) ? raw : urlDecoded(raw);
  if (matches(decodedOwn, decoded, secrets) && (isJson(call) || hasOneReading(decoded))) return;
  throw new BadSignature('No signature of this notification matches its body.');
}

function headerOf({ headers }: IncomingCall, name: string): string | undefined {
  return Object.hasOwn(headers, name) ? headers[name] : undefined;
}

/** Every secret is tried, match or not, so that the time taken tells nothing about which one it was. */
function matches(header: string | undefined, message: Uint8Array, secrets: readonly string[]): boolean {
  if (header === undefined || !MAC_IN_BASE64.test(header)) return false;
  const given = Buffer.from(header, 'base64');
  let found = 0;
  for (const secret of secrets) {
    found += timingSafeEqual(given, createHmac('sha256', secret).update(message).digest()) ? 1 : 0;
  }
  return found > 0;
}

/** `+` is a space and `%xx` a byte, the whole text at once; what is no escape stays as it is. */
function urlDecoded(raw: Uint8Array): Uint8Array {
  const decoded = Buffer.alloc(raw.length);
  let length = 0;
  for (let i = 0; i < raw.length; i++) {
    const byte = raw[i] as number;
    const escaped = byte === PERCENT ? Number.parseInt(hexPair(raw, i + 1), 16) : Number.NaN;
    if (!Number.isNaN(escaped)) i += 2;
    decoded[length++] = Number.isNaN(escaped) ? (byte === PLUS ? SPACE : byte) : escaped;
  }
  return decoded.subarray(0, length);
}

function hexPair(raw: Uint8Array, at: number): string {
  const pair = Buffer.from(raw.subarray(at, at + 2)).toString('latin1');
  return /^[0-9a-f]{2}$/i.test(pair) ? pair : '';
}

/**
 * Once decoded, an `&Amount=1` that a payer wrote into a free text looks like a field, and the same signature would hold
 * for a body in which it is one. Where only the decoded form vouches, no field that decides may be there twice.
 */
function hasOneReading(decoded: Uint8Array): boolean {
  const text = `&${Buffer.from(decoded).toString('latin1')}`;
  return DECISIVE_FIELDS.every(name => text.split(`&${name}=`).length <= 2);
}
