// Messages to merchants carry signatures that the receiver's own library accepts, over any rotation.

import { Webhook } from 'standardwebhooks';
import { describe, expect, test } from 'vitest';
import { MAX_RETRY_AFTER_S, retryAtOf } from '../src/notifications/post.ts';
import { endpointSecret, signedHeaders } from '../src/notifications/secrets.ts';
import { decodeSecret } from '../src/providers/signatures.ts';

const KEY = 'ntf_0123456789abcdef0123456789abcdef';
const ID = 'ept_06c7qfdzx8m2k4r9t0v1w3y5ab';
const BODY = '{"type":"order.subscribed","data":{"product":"профи"}}';
/** The library's verifier reads the clock itself. */
const at = new Date();
const later = new Date(at.getTime() + 60_000);

const accepts = (secret: string, headers: Record<string, string>, body = BODY) => {
  try {
    return new Webhook(secret).verify(body, headers);
  } catch {
    return null;
  }
};

describe('a secret', () => {
  test('is the same whenever it is needed, long enough for the spec, and another for each endpoint, generation and key', () => {
    const secrets = [
      endpointSecret(KEY, ID, 1),
      endpointSecret(KEY, ID, 2),
      endpointSecret(KEY, `${ID}x`, 1),
      endpointSecret(`${KEY}x`, ID, 1),
    ];
    expect(endpointSecret(KEY, ID, 1)).toBe(secrets[0]);
    expect(new Set(secrets).size).toBe(4);
    for (const secret of secrets) expect(decodeSecret(secret)).toHaveLength(32);
  });

  test('is what it has always been: a change would cut every merchant off', () => {
    expect(endpointSecret(KEY, ID, 1)).toMatchInlineSnapshot(`"whsec_CalhL/mt6z3WjqPjGUaXpu543TdAJAq4aidm/GUB22Y="`);
  });
});

describe('a message', () => {
  const headers = signedHeaders(KEY, { id: ID, generation: 1, previousUntil: null }, { id: 'eff_1', body: BODY, at });

  test('is accepted by the receiver’s library, and not one byte of it may change', () => {
    expect(accepts(endpointSecret(KEY, ID, 1), headers)).toEqual(JSON.parse(BODY));
    expect(accepts(endpointSecret(KEY, ID, 1), headers, BODY.replace('subscribed', 'refunded'))).toBeNull();
    expect(accepts(endpointSecret(KEY, ID, 1), { ...headers, 'webhook-id': 'eff_2' })).toBeNull();
    expect(accepts(endpointSecret(KEY, ID, 2), headers)).toBeNull();
    expect(headers['webhook-signature'].split(' ')).toHaveLength(1);
  });

  test('carries the time of the try, not of the event, or it would be too old when it is sent again', () => {
    expect(headers['webhook-timestamp']).toBe(String(Math.floor(at.getTime() / 1_000)));
  });
});

describe('after a rotation', () => {
  const rotated = { id: ID, generation: 2, previousUntil: later };

  test('the old secret and the new one are both accepted until the day is over', () => {
    const headers = signedHeaders(KEY, rotated, { id: 'eff_1', body: BODY, at });
    expect(headers['webhook-signature']).toMatch(/^v1,\S+ v1,\S+$/);
    expect(accepts(endpointSecret(KEY, ID, 1), headers)).not.toBeNull();
    expect(accepts(endpointSecret(KEY, ID, 2), headers)).not.toBeNull();
    expect(accepts(endpointSecret(KEY, ID, 3), headers)).toBeNull();
  });

  test('and then the new one only', () => {
    const headers = signedHeaders(KEY, { ...rotated, previousUntil: at }, { id: 'eff_1', body: BODY, at });
    expect(accepts(endpointSecret(KEY, ID, 1), headers)).toBeNull();
    expect(accepts(endpointSecret(KEY, ID, 2), headers)).not.toBeNull();
  });

  test('a second one ends the oldest secret at once: that is what to do with one that leaked', () => {
    const headers = signedHeaders(KEY, { ...rotated, generation: 3 }, { id: 'eff_1', body: BODY, at });
    expect(accepts(endpointSecret(KEY, ID, 1), headers)).toBeNull();
    expect(accepts(endpointSecret(KEY, ID, 2), headers)).not.toBeNull();
    expect(accepts(endpointSecret(KEY, ID, 3), headers)).not.toBeNull();
  });
});

describe('Retry-After', () => {
  const now = new Date('2026-01-31T10:00:00.000Z');
  test.each([
    ['120', '2026-01-31T10:02:00.000Z'],
    [' 1 ', '2026-01-31T10:00:01.000Z'],
    ['Sat, 31 Jan 2026 11:00:00 GMT', '2026-01-31T11:00:00.000Z'],
    ['86400', '2026-01-31T16:00:00.000Z'],
    ['9999999999', '2026-01-31T16:00:00.000Z'],
    ['Sun, 31 Jan 2027 11:00:00 GMT', '2026-01-31T16:00:00.000Z'],
  ])('%j is kept to, up to the cap', (header, iso) => {
    expect(MAX_RETRY_AFTER_S).toBe(6 * 3_600);
    expect(retryAtOf(header, now)?.toISOString()).toBe(iso);
  });

  test.each([
    undefined,
    '',
    '0',
    '-5',
    '1.5',
    '1e3',
    '99999999999',
    'soon',
    '2027-01-01',
    'Sat, 31 Jan 2026 09:00:00 GMT',
  ])('%j asks for nothing', header => {
    expect(retryAtOf(header, now)).toBeNull();
  });
});
