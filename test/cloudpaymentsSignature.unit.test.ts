// The two HMAC headers of a CloudPayments notification: each over its own form of the message, with several secrets.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BadSignature } from '../src/errors.ts';
import { verifyNotification } from '../src/providers/cloudpayments/signature.ts';
import type { IncomingCall } from '../src/providers/provider.ts';
import { API_SECRET, callOf, formCall, formOf, jsonCall, mac, PAID } from './support/cloudpaymentsNotices.ts';

const FORM = 'application/x-www-form-urlencoded';
const holds = (call: IncomingCall, secrets = [API_SECRET]) => verifyNotification(call, secrets);
const refused = (call: IncomingCall, secrets?: string[]) => expect(() => holds(call, secrets)).toThrow(BadSignature);
const form = formOf(PAID);
const decoded = decodeURIComponent(form.replaceAll('+', ' '));
const withHeaders = (headers: Record<string, string>, text = form) => callOf('pay', text, FORM, headers);

describe('a signature', () => {
  it('holds by either header alone, as form and as JSON', () => {
    for (const only of ['content-hmac', 'x-content-hmac'] as const) {
      holds(formCall('pay', PAID, { only }));
      holds(jsonCall('pay', PAID, { only }));
    }
    holds(withHeaders({ 'content-hmac': mac(form), 'x-content-hmac': mac('something else') }));
    holds(withHeaders({ 'content-hmac': mac('something else'), 'x-content-hmac': mac(decoded) }));
  });

  it('is held against its own form of the message only', () => {
    refused(withHeaders({ 'x-content-hmac': mac(form) }));
    refused(withHeaders({ 'content-hmac': mac(decoded) }));
  });

  it('covers the query of a notification by GET', () => {
    const call = { ...callOf('pay', '', '', { 'content-hmac': mac(form) }), rawQuery: form };
    holds(call);
    holds({ ...call, headers: { 'x-content-hmac': mac(decoded) } });
    refused({ ...call, rawQuery: `${form}&x=1` });
    // A body is what counts as soon as there is one.
    refused({ ...call, body: Buffer.from('Amount=1') });
  });

  it('holds under any of the secrets', () => {
    const old = formCall('pay', PAID, { secret: 'the one before' });
    refused(old);
    holds(old, [API_SECRET, 'the one before']);
    holds(formCall('pay', PAID), ['the one to come', API_SECRET]);
  });

  it.each([
    ['no header', {}],
    ['an empty one', { 'content-hmac': '' }],
    ['hexadecimal', { 'content-hmac': Buffer.from(mac(form), 'base64').toString('hex') }],
    ['no padding', { 'content-hmac': mac(form).slice(0, -1) }],
    ['base64url', { 'content-hmac': `${mac(form).slice(0, 20)}_-${mac(form).slice(22)}` }],
    ['two at once', { 'content-hmac': `${mac(form)}, ${mac(form)}` }],
    ['another secret', { 'content-hmac': mac(form, 'guess') }],
    ['an empty secret', { 'content-hmac': mac(form, '') }],
    ['a name in the prototype', Object.create({ 'content-hmac': mac(form) })],
  ])('is refused: %s', (_name, headers) => refused(withHeaders(headers)));

  it('has one spelling', () => {
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
    const signature = mac(form);
    const next = alphabet[alphabet.indexOf(signature[42]!) + 1];
    refused(withHeaders({ 'content-hmac': `${signature.slice(0, 42)}${next}=` }));
  });

  it('breaks with any byte of the body', () => {
    fc.assert(
      fc.property(fc.nat(form.length - 1), fc.integer({ min: 1, max: 255 }), (at, change) => {
        const { headers, body } = formCall('pay', PAID, { only: 'content-hmac' });
        const bytes = Buffer.from(body);
        bytes[at] = bytes[at]! ^ change;
        refused(callOf('pay', bytes, FORM, headers));
      }),
    );
  });

  it('does not vouch for a field made of another one’s text, which decodes to the same', () => {
    const written = { TransactionId: '1', Name: 'x&Amount=0.01', Amount: '9.00' };
    const headers = { 'x-content-hmac': mac('TransactionId=1&Name=x&Amount=0.01&Amount=9.00') };
    refused(withHeaders(headers, formOf(written)));
    refused(withHeaders(headers, 'TransactionId=1&Name=x&Amount=0.01%26Amount=9.00'));
    // The encoded form has one reading, so its own header is enough.
    holds(withHeaders({ 'content-hmac': mac(formOf(written)) }, formOf(written)));
  });

  it('is read over escapes that are none, and over bytes that are no UTF-8', () => {
    for (const [text, message] of [
      ['Name=100%&x=%zz', 'Name=100%&x=%zz'],
      ['Name=a%2', 'Name=a%2'],
    ] as const) {
      holds(withHeaders({ 'x-content-hmac': mac(message) }, text));
    }
    refused(withHeaders({ 'x-content-hmac': mac('Name=\ufffd') }, 'Name=%ff'));
  });
});
