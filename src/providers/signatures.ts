// Checks of incoming signatures: Standard Webhooks and plain hex HMACs, always over the raw bytes and before anything is
// parsed. Whatever could be read in two ways is refused, so that a valid signature vouches for exactly one reading.
import { createHmac, timingSafeEqual } from 'node:crypto';
import type { Clock } from '../clock.ts';
import { BadSignature } from '../errors.ts';

/** How far a webhook's clock may be from ours, in seconds, both ways: the Standard Webhooks spec's window against replays. */
export const WEBHOOK_TOLERANCE_S = 5 * 60;
/** Signatures read from one header: a sender rotating its keys needs two or three; more only makes us compute. */
const MAX_SIGNATURES = 8;
/** Longest signature header, in characters: eight entries of the longest known scheme (v1a, 92 characters) fit. */
const MAX_SIGNATURE_HEADER_LENGTH = 1_024;
/** Shortest secret, in bytes once decoded: the least the spec allows; below it guessing offline comes into reach. */
export const MIN_SECRET_BYTES = 24;

const SECRET_PREFIX = 'whsec_';
/**
 * What is signed is `id.timestamp.body`, so an id holding a dot could be cut in two places: `a.1` at time 2 signs the same
 * text as `a` at time 1 with `2.` before the body. Without dots there is one reading. No colon either: keys such as
 * `cb:…` are ours, and a webhook's id becomes an event key.
 */
const WEBHOOK_ID = /^[A-Za-z0-9_-]{1,128}$/;
/** Whole seconds without leading zeros; twelve digits reach past the year 30000. */
const TIMESTAMP = /^[1-9][0-9]{0,11}$/;
const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/;
const HEX_256_BITS = /^[0-9a-f]{64}$/;

/** The part of a call a webhook signature covers. Header names are in lower case. */
export type SignedCall = { body: Uint8Array; headers: Record<string, string> };

/**
 * Decodes a `whsec_<base64>` secret into its bytes.
 * @throws Error with a sentence fit for a start-up message; the secret itself is never part of it.
 */
export function decodeSecret(secret: string): Buffer {
  if (!secret.startsWith(SECRET_PREFIX)) throw new Error(`A webhook secret must start with "${SECRET_PREFIX}".`);
  const bytes = decodeBase64(secret.slice(SECRET_PREFIX.length));
  if (bytes === null)
    throw new Error(`A webhook secret must be "${SECRET_PREFIX}" followed by base64 with its padding.`);
  if (bytes.length < MIN_SECRET_BYTES) {
    throw new Error(`A webhook secret must hold at least ${MIN_SECRET_BYTES} bytes; this one holds ${bytes.length}.`);
  }
  return bytes;
}

/**
 * Verifies a webhook signed by the Standard Webhooks spec with any of `secrets` and answers its id.
 * @throws BadSignature
 */
export function verifyStandardWebhook(
  call: SignedCall,
  secrets: readonly Uint8Array[],
  clock: Clock,
): { webhookId: string } {
  const webhookId = requiredHeader(call, 'webhook-id');
  const timestamp = requiredHeader(call, 'webhook-timestamp');
  const signatures = requiredHeader(call, 'webhook-signature');
  if (!WEBHOOK_ID.test(webhookId)) {
    throw new BadSignature('The webhook-id header must be 1 to 128 letters, digits, "_" or "-".');
  }
  checkTimestamp(timestamp, clock);
  const given = readSignatures(signatures);
  if (!matchesAny(given, expectedSignatures(secrets, webhookId, timestamp, call.body))) {
    throw new BadSignature('No signature of this webhook matches its body, its id and its timestamp.');
  }
  return { webhookId };
}

/** Signs a webhook the way `verifyStandardWebhook` checks it; for the sandbox's own deliveries. */
export function signStandardWebhook(
  secret: Uint8Array,
  webhookId: string,
  timestampS: number,
  body: Uint8Array,
): Record<'webhook-id' | 'webhook-timestamp' | 'webhook-signature', string> {
  const timestamp = String(timestampS);
  const mac = webhookMac(secret, webhookId, timestamp, body);
  return {
    'webhook-id': webhookId,
    'webhook-timestamp': timestamp,
    'webhook-signature': `v1,${mac.toString('base64')}`,
  };
}

/** The HMAC-SHA256 of a text as 64 lower-case hex digits. */
export function hexHmac(secret: Uint8Array, text: string): string {
  return createHmac('sha256', secret).update(text, 'utf8').digest('hex');
}

/**
 * Checks that `signature` is the hex HMAC-SHA256 of `text`. Upper case is refused: one signature, one spelling.
 * @throws BadSignature
 */
export function checkHexHmac(secret: Uint8Array, text: string, signature: string): void {
  if (!HEX_256_BITS.test(signature)) throw new BadSignature('The signature must be 64 lower-case hexadecimal digits.');
  if (!timingSafeEqual(Buffer.from(signature, 'hex'), Buffer.from(hexHmac(secret, text), 'hex'))) {
    throw new BadSignature('The signature does not match what it signs.');
  }
}

function requiredHeader(call: SignedCall, name: string): string {
  const value = Object.hasOwn(call.headers, name) ? call.headers[name] : undefined;
  if (value === undefined || value === '') throw new BadSignature(`The ${name} header is missing.`);
  return value;
}

function checkTimestamp(timestamp: string, clock: Clock): void {
  if (!TIMESTAMP.test(timestamp)) {
    throw new BadSignature('The webhook-timestamp header must be a time in whole seconds since 1970.');
  }
  const ageS = Math.floor(clock().getTime() / 1_000) - Number(timestamp);
  if (ageS > WEBHOOK_TOLERANCE_S) throw new BadSignature('The webhook was signed too long ago.');
  if (ageS < -WEBHOOK_TOLERANCE_S) throw new BadSignature('The webhook was signed too far in the future.');
}

/** Schemes other than v1 are passed over, as the spec asks; a v1 entry that is not strict base64 matches nothing. */
function readSignatures(header: string): Buffer[] {
  // The length comes first: a header of ten thousand signatures is refused without being split.
  const entries = header.length > MAX_SIGNATURE_HEADER_LENGTH ? [] : header.split(' ');
  if (entries.length === 0 || entries.length > MAX_SIGNATURES) {
    throw new BadSignature(
      `The webhook-signature header may hold at most ${MAX_SIGNATURES} signatures in ${MAX_SIGNATURE_HEADER_LENGTH} characters.`,
    );
  }
  const macs = entries
    .filter(entry => entry.startsWith('v1,'))
    .map(entry => decodeBase64(entry.slice('v1,'.length)))
    .filter((mac): mac is Buffer => mac !== null && mac.length === 32);
  if (macs.length === 0) {
    throw new BadSignature('The webhook-signature header holds no "v1," signature of 32 bytes in base64.');
  }
  return macs;
}

function expectedSignatures(
  secrets: readonly Uint8Array[],
  webhookId: string,
  timestamp: string,
  body: Uint8Array,
): Buffer[] {
  // A missing key must never look like a signature that held, nor like the sender's fault.
  if (secrets.length === 0) throw new Error('A webhook cannot be verified without a secret.');
  return secrets.map(secret => webhookMac(secret, webhookId, timestamp, body));
}

/** Compares every pair, match or not, so that the time taken tells nothing about which key or entry matched. */
function matchesAny(given: readonly Buffer[], expected: readonly Buffer[]): boolean {
  let matches = 0;
  for (const mac of given) {
    for (const own of expected) matches += timingSafeEqual(mac, own) ? 1 : 0;
  }
  return matches > 0;
}

function webhookMac(secret: Uint8Array, webhookId: string, timestamp: string, body: Uint8Array): Buffer {
  return createHmac('sha256', secret).update(`${webhookId}.${timestamp}.`, 'utf8').update(body).digest();
}

/** Node's decoder skips what it does not know; comparing with the re-encoded bytes makes it strict. */
function decodeBase64(text: string): Buffer | null {
  if (!BASE64.test(text)) return null;
  const bytes = Buffer.from(text, 'base64');
  return bytes.toString('base64') === text ? bytes : null;
}
