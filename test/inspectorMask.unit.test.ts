// What a person sees of a provider's body: ids and amounts, and nothing that says who somebody is or opens a door.
import { describe, expect, test } from 'vitest';
import { MAX_SHOWN_CHARACTERS, maskBody, maskHeaders } from '../src/inspector/order/mask.ts';

const shown = (body: unknown) => maskBody(Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)), true);

const PRIVATE: Record<string, string | number> = {
  email: 'bob@example.com',
  receipt_email: 'bob@example.com',
  contact: '+919876543210',
  phone: '9876543210',
  name: 'Bob Builder',
  customer_name: 'Bob Builder',
  address_line1: '7 Main Street',
  city: 'Pune',
  postal_code: '411001',
  last4: '4242',
  CardLastFour: 4242,
  CardFirstSix: '411111',
  CardExpDate: '12/29',
  pan: '4242424242424242',
  vpa: 'bob@upi',
  bank: 'HDFC',
  token: 'tok_1N2b3c',
  token_id: 'token_1N2b3c',
  client_secret: 'pi_1_secret_abc',
  signature: 'v1,abcdef',
  razorpay_signature: 'deadbeef',
  authorization: 'Bearer abc',
  api_key: 'k1',
  IpAddress: '10.1.2.3',
  cvv: '123',
  card_fingerprint: 'fp_123',
  customer: 'Bob',
  something_nobody_has_thought_of: 'pay_123',
};

describe('bodies', () => {
  test.each(Object.entries(PRIVATE))('%s is masked, in JSON, in a form, and nested in either', (key, value) => {
    const nested = { payload: { payment: { entity: [{ [key]: value }] } } };
    const bodies = [
      shown({ [key]: value }),
      shown(nested),
      shown(new URLSearchParams({ [key]: String(value) }).toString()),
      shown(new URLSearchParams({ Data: JSON.stringify(nested) }).toString()),
    ];
    for (const { text, masked } of bodies) {
      expect(text).not.toContain(String(value));
      expect(text).toContain('‹masked');
      expect(masked).toBe(1);
    }
  });

  test('ids, amounts, states and instants stay, because they are what is looked for', () => {
    const body = {
      id: 'evt_1',
      type: 'payment.captured',
      created_at: 1_769_853_600,
      livemode: false,
      data: {
        providerOrderId: 'sbo_77',
        paymentId: 'pay_a1',
        amountMinor: 49_900,
        currency: 'INR',
        refund_id: 'rfd_9',
        status: 'captured',
        occurredAt: '2026-01-31T10:00:00.000Z',
        customer_id: 'cus_9',
      },
    };
    const { text, masked } = shown(body);
    expect(JSON.parse(text)).toEqual(body);
    expect(masked).toBe(0);
  });

  test.each([
    ['an e-mail', 'refused for bob@example.com', 'bob@'],
    ['a card', 'card 4242 4242 4242 4242 declined', '4242'],
    ['the last digits of a card', 'card ending in 4242 declined', '4242'],
    ['a telephone', 'call +91 98765 43210', '98765'],
    ['a telephone without a plus', 'call 9876543210', '9876543210'],
    ['a token', 'sent Bearer abcdef123456', 'abcdef123456'],
    ['a secret', 'key sk_live_abcdef123456', 'abcdef'],
    ['a link', 'see https://x.test/?t=abc', 'x.test'],
  ])('%s inside a harmless reason is taken out, the rest of the sentence stays', (_, reason, secret) => {
    const { text, masked } = shown({ reason });
    expect(text).not.toContain(secret);
    expect(masked).toBe(1);
    expect(text).toContain(reason.split(' ')[0]!);
  });

  test('an address under the name of an id is masked, and so is one used as a key', () => {
    expect(shown('AccountId=bob%40example.com').text).not.toContain('bob');
    expect(shown({ notes: { 'bob@example.com': 1 } }).text).not.toContain('bob');
  });

  test('a card number under the name of an id is masked', () => {
    expect(shown({ payment_id: '4242424242424242' }).text).not.toContain('4242');
    expect(shown({ payment_id: '4242424242424241' }).text, 'no card, a mere number').toContain('4242424242424241');
  });

  test('what is neither JSON nor a form is not shown at all', () => {
    for (const body of ['garbage secret', '{"broken": "bob@example.com"', '<xml>bob</xml>', 'a=b\r\nsecret=c'])
      expect(shown(body), body).toEqual({ kind: 'unreadable', text: '', masked: 0, truncated: false });
    expect(shown('').kind).toBe('empty');
  });

  test('a body of which only the beginning was read is not shown', () => {
    expect(maskBody(Buffer.from('{"id":"evt_1"}'), false).kind).toBe('unreadable');
  });

  test('names that mean something to the language are names like others', () => {
    const { text } = shown('{"__proto__": {"id": "evt_1"}, "constructor": {"id": "evt_2"}}');
    expect(text).toContain('evt_1');
    expect(text).toContain('evt_2');
  });

  test('a deep or a long body is cut, and says so', () => {
    const deep = `${'{"data":'.repeat(2_000)}1${'}'.repeat(2_000)}`;
    expect(shown(deep).text).toContain('‹deeper›');
    const long = shown({ data: Array.from({ length: 3_000 }, (_, i) => ({ payment_id: `pay_${i}` })) });
    expect(long.truncated).toBe(true);
    expect(long.text.length).toBe(MAX_SHOWN_CHARACTERS);
  });
});

test('of the headers only the harmless are shown', () => {
  const headers = {
    'content-type': 'application/json',
    'webhook-id': 'evt_1',
    'webhook-signature': 'v1,abc',
    cookie: 'a=b',
    'x-signature': 'abc',
  };
  expect(
    maskHeaders(headers)
      .filter(({ masked }) => !masked)
      .map(({ name }) => name),
  ).toEqual(['content-type', 'webhook-id']);
  expect(JSON.stringify(maskHeaders(headers))).not.toContain('v1,abc');
});
