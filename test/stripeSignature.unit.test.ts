// Stripe's webhook signature as we check it, against the generator in Stripe's own SDK and against everything it leaves open.
import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import Stripe from 'stripe';
import { describe, expect, it } from 'vitest';
import { BadSignature } from '../src/errors.ts';
import { MAX_PARTS, verifyStripeSignature } from '../src/providers/stripe/signature.ts';
import { CREATED, SECRET } from './support/stripeFixtures.ts';

const clock = () => new Date(CREATED * 1_000);
const body = Buffer.from('{"id":"evt_1","note":"ünïcode"}\n');
const check = (header: string | undefined, bytes: Uint8Array = body, secrets = [SECRET]) =>
  verifyStripeSignature(
    { body: bytes, headers: header === undefined ? {} : { 'stripe-signature': header } },
    secrets,
    clock,
  );
const sdk = (more: Record<string, unknown> = {}) =>
  Stripe.webhooks.generateTestHeaderString({ payload: body.toString(), secret: SECRET, timestamp: CREATED, ...more });
const v1 = (t: string | number, secret = SECRET) =>
  createHmac('sha256', secret).update(`${t}.`).update(body).digest('hex');

describe('a signature of the official SDK', () => {
  it('holds', () => {
    expect(() => check(sdk())).not.toThrow();
  });

  it('holds for any bytes, and for no others', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1 }), fc.nat(), (bytes, at) => {
        const text = new TextDecoder().decode(bytes);
        const payload = Buffer.from(text);
        const header = Stripe.webhooks.generateTestHeaderString({ payload: text, secret: SECRET, timestamp: CREATED });
        expect(() => check(header, payload)).not.toThrow();
        const changed = Buffer.from(payload);
        if (changed.length === 0) return;
        changed[at % changed.length]! ^= 1;
        expect(() => check(header, changed)).toThrow(BadSignature);
      }),
    );
  });

  it.each([-300, -1, 0, 1, 300])('%i s away from our clock holds', offset => {
    expect(() => check(sdk({ timestamp: CREATED + offset }))).not.toThrow();
  });

  it.each([-301, 301, 86_400_000])('%i s away from our clock does not', offset => {
    expect(() => check(sdk({ timestamp: CREATED + offset }))).toThrow(BadSignature);
  });

  it('holds under any of our secrets and with any of its own', () => {
    const old = 'whsec_old_0123456789abcdefghijkl';
    expect(() => check(sdk({ secret: old }), body, [SECRET, old])).not.toThrow();
    expect(() => check(`t=${CREATED},v1=${v1(CREATED, old)},v1=${v1(CREATED)}`)).not.toThrow();
    expect(() => check(sdk({ secret: old }))).toThrow(BadSignature);
  });
});

describe('a header', () => {
  const good = v1(CREATED);
  it.each([
    ['missing', undefined],
    ['empty', ''],
    ['without a time', `v1=${good}`],
    ['with two times', `t=${CREATED},t=${CREATED},v1=${good}`],
    ['with a time that is no number', `t=soon,v1=${v1('soon')}`],
    ['with a time NaN', `t=NaN,v1=${v1('NaN')}`],
    ['with a fraction', `t=${CREATED}.5,v1=${v1(`${CREATED}.5`)}`],
    ['with a leading zero', `t=0${CREATED},v1=${v1(`0${CREATED}`)}`],
    ['with a hexadecimal time', `t=0x${CREATED.toString(16)},v1=${v1(`0x${CREATED.toString(16)}`)}`],
    ['with the right digest under v0', `t=${CREATED},v0=${good}`],
    ['with a digest in capitals', `t=${CREATED},v1=${good.toUpperCase()}`],
    ['with a digest cut short', `t=${CREATED},v1=${good.slice(2)}`],
    ['with no digest', `t=${CREATED},v1=`],
    ['with a digest of another time', `t=${CREATED + 1},v1=${good}`],
    ['with too many parts', `t=${CREATED},${'v0=00,'.repeat(MAX_PARTS)}v1=${good}`],
    ['too long', `t=${CREATED},v1=${good},v0=${'0'.repeat(4_000)}`],
  ])('%s is refused', (_name, header) => {
    expect(() => check(header)).toThrow(BadSignature);
  });

  it('with as many parts as are read holds', () => {
    expect(() => check(`t=${CREATED},${'v0=00,'.repeat(MAX_PARTS - 2)}v1=${good}`)).not.toThrow();
  });

  it('of any text throws nothing but BadSignature', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.string().map(text => `t=${CREATED},v1=${text}`),
        ),
        header => {
          expect(() => check(header)).toThrow(BadSignature);
        },
      ),
    );
  });
});

it('without a secret is no verdict about the sender', () => {
  expect(() => check(sdk(), body, [])).toThrow(/without a secret/);
  expect(() => check(sdk({ secret: 'x' }), body, [''])).toThrow(/without a secret/);
});

it('over a body without its last newline does not hold', () => {
  expect(() => check(sdk(), body.subarray(0, -1))).toThrow(BadSignature);
});
