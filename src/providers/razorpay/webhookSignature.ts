// Checks that a webhook is Razorpay's, over its raw bytes and before anything reads them, and names it: the name is the
// event key under which it is kept once.
import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { BadSignature } from '../../errors.ts';
import type { IncomingCall } from '../provider.ts';

const HEX_256_BITS = /^[0-9a-f]{64}$/;
/** No colon: keys such as `cb:…` are ours. */
const EVENT_ID = /^[A-Za-z0-9_-]{1,128}$/;

/**
 * Any of the secrets will do: events made before a change of the secret are signed with the old one whenever they are
 * delivered (webhooks/faqs.md). Nothing signed tells a time, so there is no window: repetitions are known by their key.
 * @throws BadSignature
 */
export function verifyWebhook({ body, headers }: IncomingCall, secrets: readonly string[]): void {
  const given = headerOf(headers, 'x-razorpay-signature') ?? '';
  if (!HEX_256_BITS.test(given)) {
    throw new BadSignature('The x-razorpay-signature header must be 64 lower-case hexadecimal digits.');
  }
  const mac = Buffer.from(given, 'hex');
  let matches = 0;
  // Every secret is tried, match or not, so that the time taken does not tell which one matched.
  for (const secret of secrets) {
    matches += timingSafeEqual(mac, createHmac('sha256', secret).update(body).digest()) ? 1 : 0;
  }
  if (matches === 0) throw new BadSignature('The x-razorpay-signature does not match the body.');
}

/**
 * The event's id, the same in every delivery. A delivery without a usable one is not refused: Razorpay would repeat it for
 * a day and then switch the webhook off, over a fact about money that is signed. Its bytes name it then; a repetition
 * brings the same bytes, and if it ever did not, the same fact told twice changes nothing.
 */
export function eventKeyOf({ body, headers }: IncomingCall): string {
  const id = headerOf(headers, 'x-razorpay-event-id') ?? '';
  return EVENT_ID.test(id) ? id : `sha256-${createHash('sha256').update(body).digest('hex')}`;
}

function headerOf(headers: Record<string, string>, name: string): string | undefined {
  return Object.hasOwn(headers, name) ? headers[name] : undefined;
}
