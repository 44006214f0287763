// Signature checks against vectors computed here with node:crypto, and every way a call can be wrong.
import { createHmac, randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BadSignature } from '../src/errors.ts';
import {
  checkHexHmac,
  decodeSecret,
  hexHmac,
  signStandardWebhook,
  verifyStandardWebhook,
  WEBHOOK_TOLERANCE_S,
} from '../src/providers/signatures.ts';

const NOW_S = 1_767_225_600;
const clock = () => new Date(NOW_S * 1_000);
const secret = Buffer.from('0123456789abcdef0123456789abcdef');
const body = Buffer.from('{"type":"payment.captured","data":{"amountMinor":49900}}');

const mac = (key: Uint8Array, id: string, timestamp: string | number, bytes: Uint8Array = body) =>
  createHmac('sha256', key).update(`${id}.${timestamp}.`).update(bytes).digest('base64');

function call(change: { headers?: Record<string, string | undefined>; body?: Uint8Array } = {}) {
  const headers: Record<string, string | undefined> = {
    'webhook-id': 'evt_9f2c',
    'webhook-timestamp': String(NOW_S),
    'webhook-signature': `v1,${mac(secret, 'evt_9f2c', NOW_S)}`,
    ...change.headers,
  };
  const given = Object.entries(headers).filter(entry => entry[1] !== undefined) as [string, string][];
  return { headers: Object.fromEntries(given), body: change.body ?? body };
}

const verify = (...args: Parameters<typeof call>) => verifyStandardWebhook(call(...args), [secret], clock);
const refused = (change: Parameters<typeof call>[0], sentence: RegExp) => {
  expect(() => verify(change)).toThrow(BadSignature);
  expect(() => verify(change)).toThrow(sentence);
};

describe('a webhook whose signature holds', () => {
  it('answers its id', () => {
    expect(verify()).toEqual({ webhookId: 'evt_9f2c' });
  });

  it('agrees with a vector computed once and written down', () => {
    expect(call().headers['webhook-signature']).toBe('v1,FOpkb3GYGGTIPBtGvfja8SMZFIOWVRAJHobNMzBPtes=');
  });

  it('holds with any of several secrets, so that keys can be rotated', () => {
    const old = randomBytes(32);
    expect(verifyStandardWebhook(call(), [old, secret], clock)).toEqual({ webhookId: 'evt_9f2c' });
    expect(() => verifyStandardWebhook(call(), [old], clock)).toThrow(BadSignature);
  });

  it('may stand anywhere among eight signatures and unknown schemes', () => {
    const good = `v1,${mac(secret, 'evt_9f2c', NOW_S)}`;
    const other = `v1,${mac(randomBytes(32), 'evt_9f2c', NOW_S)}`;
    const many = `v1a,abc ${other} v2,x ${other} ${other} v1,!! ${other} ${good}`;
    expect(verify({ headers: { 'webhook-signature': many } })).toEqual({ webhookId: 'evt_9f2c' });
  });

  it('holds to the last second of the window on both sides', () => {
    for (const timestamp of [NOW_S - WEBHOOK_TOLERANCE_S, NOW_S + WEBHOOK_TOLERANCE_S]) {
      const headers = {
        'webhook-timestamp': String(timestamp),
        'webhook-signature': `v1,${mac(secret, 'evt_9f2c', timestamp)}`,
      };
      expect(verify({ headers })).toEqual({ webhookId: 'evt_9f2c' });
    }
  });

  it('covers bytes, not text: a body that is no UTF-8 verifies', () => {
    const bytes = Buffer.from([0xff, 0xfe, 0x00, 0x80]);
    const headers = { 'webhook-signature': `v1,${mac(secret, 'evt_9f2c', NOW_S, bytes)}` };
    expect(verify({ headers, body: bytes })).toEqual({ webhookId: 'evt_9f2c' });
  });

  it('is what signStandardWebhook makes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.stringMatching(/^[A-Za-z0-9_-]{1,128}$/), (bytes, id) => {
        const headers = signStandardWebhook(secret, id, NOW_S, bytes);
        expect(verifyStandardWebhook({ headers, body: bytes }, [secret], clock)).toEqual({ webhookId: id });
      }),
    );
  });
});

describe('a webhook that is refused', () => {
  it.each(['webhook-id', 'webhook-timestamp', 'webhook-signature'])('without %s', name => {
    refused({ headers: { [name]: undefined } }, new RegExp(`${name} header is missing`));
    refused({ headers: { [name]: '' } }, new RegExp(`${name} header is missing`));
  });

  it('whose headers are only inherited', () => {
    const headers = Object.create(call().headers) as Record<string, string>;
    expect(() => verifyStandardWebhook({ headers, body }, [secret], clock)).toThrow(/missing/);
  });

  it('with the same JSON written in other bytes', () => {
    refused({ body: Buffer.from(JSON.stringify(JSON.parse(body.toString()), null, 1)) }, /No signature/);
    refused({ body: Buffer.concat([body, Buffer.from('\n')]) }, /No signature/);
  });

  it.each([-301, 301, -86_400, 86_400])('signed %i s from now', offset => {
    const headers = {
      'webhook-timestamp': String(NOW_S + offset),
      'webhook-signature': `v1,${mac(secret, 'evt_9f2c', NOW_S + offset)}`,
    };
    refused({ headers }, offset < 0 ? /too long ago/ : /too far in the future/);
  });

  it.each(['0', '-1', '+1', '1e9', ' 1', '1 ', '0x10', '01767225600', '1767225600.0', 'NaN', '１２３', '9'.repeat(13)])(
    'whose timestamp is %j',
    timestamp => {
      const headers = {
        'webhook-timestamp': timestamp,
        'webhook-signature': `v1,${mac(secret, 'evt_9f2c', timestamp)}`,
      };
      refused({ headers }, /whole seconds/);
    },
  );

  it.each(['a.b', 'evt:1', 'evt 1', 'evt\n1', 'évt', 'evt_1, evt_2', 'a'.repeat(129)])('whose id is %j', id => {
    const headers = { 'webhook-id': id, 'webhook-signature': `v1,${mac(secret, id, NOW_S)}` };
    refused({ headers }, /webhook-id header must be/);
  });

  it('cut elsewhere in id.timestamp.body, although the signed text is the same', () => {
    const signed = mac(secret, 'evt_1', NOW_S, Buffer.from(`${NOW_S}.{}`));
    const headers = { 'webhook-id': `evt_1.${NOW_S}`, 'webhook-signature': `v1,${signed}` };
    refused({ headers, body: Buffer.from('{}') }, /webhook-id header must be/);
  });

  it('with ten thousand signatures, the good one among them, quickly', () => {
    const many = Array(10_000).fill(`v1,${mac(secret, 'evt_9f2c', NOW_S)}`);
    refused({ headers: { 'webhook-signature': many.join(' ') } }, /at most 8/);
    refused({ headers: { 'webhook-signature': many.slice(0, 9).join(' ') } }, /at most 8/);
  });

  it('with one endless entry beside the good one', () => {
    const long = `v1a,${'A'.repeat(2_000)} v1,${mac(secret, 'evt_9f2c', NOW_S)}`;
    refused({ headers: { 'webhook-signature': long } }, /at most 8/);
  });

  it('whose signature is another scheme, bare, hex, short, unpadded or sloppy base64', () => {
    const good = mac(secret, 'evt_9f2c', NOW_S);
    const hex = Buffer.from(good, 'base64').toString('hex');
    const forms = [
      good,
      `v2,${good}`,
      `V1,${good}`,
      `v1a,${good}`,
      `v1,${hex}`,
      `v1=${good}`,
      `v1,${good.slice(0, -1)}`,
    ];
    const sloppy = [`v1,${good}=`, `v1,${good},`, `v1,${good}\t`, `v1, ${good}`, `v1,-${good}`, 'v1,', ' ', 'v1,AAAA'];
    for (const value of [...forms, ...sloppy]) refused({ headers: { 'webhook-signature': value } }, /holds no "v1,"/);
  });

  it('whose last base64 digit carries bits that decode to nothing', () => {
    const good = mac(secret, 'evt_9f2c', NOW_S);
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
    const last = alphabet[alphabet.indexOf(good[42]!) + 1];
    const twin = `${good.slice(0, 42)}${last}=`;
    expect(Buffer.from(twin, 'base64')).toEqual(Buffer.from(good, 'base64'));
    refused({ headers: { 'webhook-signature': `v1,${twin}` } }, /holds no "v1,"/);
  });

  it('under another id or another time than it was signed for', () => {
    refused({ headers: { 'webhook-id': 'evt_other' } }, /No signature/);
    refused({ headers: { 'webhook-timestamp': String(NOW_S + 1) } }, /No signature/);
  });

  it('whatever is written into its headers, and never with anything but BadSignature', () => {
    const text = fc.oneof(fc.string({ unit: 'binary' }), fc.string());
    fc.assert(
      fc.property(text, text, text, fc.uint8Array(), (id, timestamp, signature, bytes) => {
        const headers = { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': signature };
        expect(() => verifyStandardWebhook({ headers, body: bytes }, [secret], clock)).toThrow(BadSignature);
      }),
    );
  });

  it('is not BadSignature when we hold no secret at all: that is our fault', () => {
    expect(() => verifyStandardWebhook(call(), [], clock)).toThrow(/without a secret/);
    expect(() => verifyStandardWebhook(call(), [], clock)).not.toThrow(BadSignature);
  });
});

describe('decodeSecret', () => {
  const encoded = (size: number) => `whsec_${Buffer.alloc(size, 7).toString('base64')}`;

  it('answers the bytes', () => {
    expect(decodeSecret(encoded(24))).toEqual(Buffer.alloc(24, 7));
    expect(decodeSecret(encoded(64))).toEqual(Buffer.alloc(64, 7));
  });

  it.each([
    ['too short', encoded(23), /at least 24 bytes; this one holds 23/],
    ['empty', 'whsec_', /at least 24 bytes/],
    ['another prefix', encoded(32).replace('whsec_', 'whpk_'), /must start with/],
    ['no prefix', Buffer.alloc(32).toString('base64'), /must start with/],
    ['padding cut off', encoded(32).slice(0, -1), /base64/],
    ['base64url', `whsec_${'-_'.repeat(22)}`, /base64/],
    ['a line break at its end', `${encoded(24)}\n`, /base64/],
  ])('refuses a secret: %s', (_name, value, sentence) => {
    expect(() => decodeSecret(value)).toThrow(sentence);
  });

  it('never repeats the secret in its refusal', () => {
    const value = `whsec_${'-_'.repeat(22)}`;
    expect(() => decodeSecret(value)).toThrow(
      expect.objectContaining({ message: expect.not.stringContaining('-_-_') }),
    );
  });
});

describe('hex signatures', () => {
  const signature = createHmac('sha256', secret).update('sbo_77|pay_a1').digest('hex');

  it('hold over the very text', () => {
    expect(hexHmac(secret, 'sbo_77|pay_a1')).toBe(signature);
    expect(() => checkHexHmac(secret, 'sbo_77|pay_a1', signature)).not.toThrow();
  });

  it('are refused for another text, another key, and any other spelling', () => {
    const wrong = [signature.toUpperCase(), signature.slice(1), `${signature}0`, ` ${signature}`, '', 'g'.repeat(64)];
    for (const value of wrong) expect(() => checkHexHmac(secret, 'sbo_77|pay_a1', value)).toThrow(BadSignature);
    expect(() => checkHexHmac(secret, 'sbo_77|pay_a2', signature)).toThrow(BadSignature);
    expect(() => checkHexHmac(randomBytes(32), 'sbo_77|pay_a1', signature)).toThrow(BadSignature);
  });
});
