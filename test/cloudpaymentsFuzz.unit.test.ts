// Notifications nobody meant: whatever comes unsigned is refused, and whatever is signed ends as an event or a row.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { orderEventSchema } from '../machines/orderEvents.ts';
import { BadSignature } from '../src/errors.ts';
import { createCloudPaymentsProvider } from '../src/providers/cloudpayments/adapter.ts';
import type { IncomingCall } from '../src/providers/provider.ts';
import { API_SECRET, callOf, hmacHeaders, PAID, PUBLIC_ID } from './support/cloudpaymentsNotices.ts';

const provider = createCloudPaymentsProvider({
  settings: { publicId: PUBLIC_ID, apiSecrets: [API_SECRET], apiUrl: 'http://cloudpayments.test' },
  clock: () => new Date('2026-05-04T10:20:00.000Z'),
  jitter: () => 0,
});
const hear = (call: IncomingCall) => provider.parseWebhook(call);

describe('anything at all', () => {
  const kinds = fc.constantFrom('pay', 'confirm', 'fail', 'refund', 'recurrent', 'cancel', 'check', '__proto__');
  const types = fc.constantFrom('application/json', 'application/x-www-form-urlencoded', 'text/plain', '');
  const value = fc.oneof(
    fc.string(),
    fc.double(),
    fc.boolean(),
    fc.constant(null),
    fc.bigInt().map(String),
    fc.array(fc.string()),
  );
  const key = fc.oneof(fc.constantFrom(...Object.keys(PAID), 'Id', 'PaymentTransactionId', '__proto__'), fc.string());
  const body = fc.oneof(
    fc.uint8Array({ maxLength: 300 }).map(bytes => Buffer.from(bytes).toString('latin1')),
    fc.dictionary(key, value).map(fields => JSON.stringify({ ...PAID, ...fields })),
    fc.dictionary(key, value).map(fields => new URLSearchParams(fields as Record<string, string>).toString()),
    fc.json(),
  );

  it('unsigned is refused and nothing else', () => {
    fc.assert(
      fc.property(
        kinds,
        types,
        body,
        fc.dictionary(fc.constantFrom('content-hmac', 'x-content-hmac'), fc.base64String()),
        (kind, type, text, headers) => {
          expect(() => hear(callOf(kind, text, type, headers))).toThrow(BadSignature);
        },
      ),
      { numRuns: 300 },
    );
  });

  it('signed becomes an event the machine can hear, or a row, and never an error', () => {
    fc.assert(
      fc.property(kinds, types, body, (kind, type, text) => {
        const headers = hmacHeaders(text, true, { only: 'content-hmac' });
        const told = hear(callOf(kind, text, type, headers));
        expect(told.eventKey.length).toBeLessThan(200);
        if (told.event !== null) orderEventSchema.parse({ ...told.event, at: '2026-05-04T10:20:00.000Z' });
      }),
      { numRuns: 500 },
    );
  });
});
