// The sandbox adapter without a sandbox: what signed bodies and callbacks become, and how calls that fail are told apart.
import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { orderEventSchema } from '../machines/orderEvents.ts';
import { BadSignature, InvalidRequest, ProviderRefused, ProviderUnreachable } from '../src/errors.ts';
import type { IncomingCall, ReceivedEvent } from '../src/providers/provider.ts';
import { createSandboxProvider } from '../src/providers/sandbox/adapter.ts';
import { signStandardWebhook } from '../src/providers/signatures.ts';

const NOW_S = 1_767_225_600;
const clock = () => new Date(NOW_S * 1_000);
const secretBytes = Buffer.from('0123456789abcdef0123456789abcdef');
const secret = `whsec_${secretBytes.toString('base64')}`;

type Answer = { status: number; body: unknown } | Error;
type Sent = { url: string; method: string; headers: Record<string, string>; body: unknown };

/** A provider whose network is one canned answer, and what it sent there. */
function withAnswer(answer: Answer = new Error('no call was expected')) {
  const sent: Sent[] = [];
  const fetch = (async (url: URL, init: RequestInit) => {
    const body = init.body === undefined ? undefined : JSON.parse(String(init.body));
    sent.push({ url: String(url), method: init.method!, headers: init.headers as Record<string, string>, body });
    if (answer instanceof Error) throw answer;
    const text = typeof answer.body === 'string' ? answer.body : JSON.stringify(answer.body);
    return new Response(text, { status: answer.status });
  }) as typeof globalThis.fetch;
  return { provider: createSandboxProvider({ url: 'http://sandbox.test', secret, clock, fetch }), sent };
}

const { provider } = withAnswer();
const data = { providerOrderId: 'sbo_77', paymentId: 'pay_a1', amountMinor: 49900, currency: 'INR' };

function receive(body: unknown): ReceivedEvent {
  const bytes = body instanceof Uint8Array ? body : Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
  const headers = signStandardWebhook(secretBytes, 'evt_1', NOW_S, bytes);
  const received = provider.parseWebhook({ body: bytes, headers, query: {}, contentType: 'application/json' });
  if (received.event !== null) {
    orderEventSchema.parse({ ...received.event, at: '2026-01-01T00:00:00.000Z' });
  }
  return received;
}

describe('a signed webhook', () => {
  const { amountMinor, currency, paymentId } = data;

  it.each(['authorized', 'captured'] as const)('payment.%s becomes the event of the same name', state => {
    expect(receive({ type: `payment.${state}`, data })).toEqual({
      eventKey: 'evt_1',
      eventType: `payment.${state}`,
      providerOrderId: 'sbo_77',
      event: { type: `payment.${state}`, paymentId, amountMinor, currency },
    });
  });

  it.each(['failed', 'canceled'] as const)('payment.%s carries its reason and no money', state => {
    expect(receive({ type: `payment.${state}`, data: { ...data, reason: ' card declined ' } }).event).toEqual({
      type: `payment.${state}`,
      paymentId,
      reason: 'card declined',
    });
    expect(receive({ type: `payment.${state}`, data: { providerOrderId: 'sbo_77' } }).event).toEqual({
      type: `payment.${state}`,
    });
  });

  it.each(['completed', 'failed'] as const)('refund.%s becomes the state of that refund', state => {
    const received = receive({ type: `refund.${state}`, data: { ...data, refundId: 'rfd_1', amountMinor: 100 } });
    expect(received.eventType).toBe(`refund.${state}`);
    expect(received.event).toEqual({ type: 'refund.updated', paymentId, refundId: 'rfd_1', state, amountMinor: 100 });
  });

  it.each(['opened', 'won', 'lost'] as const)('dispute.%s becomes the state of that dispute', state => {
    const received = receive({ type: `dispute.${state}`, data: { ...data, disputeId: 'dsp_1' } });
    expect(received.event).toEqual({ type: 'dispute.updated', paymentId, disputeId: 'dsp_1', state, amountMinor });
  });

  it.each([
    ['2026-01-31T10:00:00.000Z', '2026-01-31T10:00:00.000Z'],
    ['2026-01-31T10:00:00Z', '2026-01-31T10:00:00.000Z'],
    ['2026-01-31T15:30:00.123456+05:30', '2026-01-31T10:00:00.123Z'],
    ['yesterday', undefined],
    ['9999-12-31T23:59:59-12:00', undefined],
    [1_767_225_600, undefined],
    [null, undefined],
  ])('with the timestamp %j occurred at %j', (timestamp, occurredAt) => {
    const { event } = receive({ type: 'payment.captured', timestamp, data });
    expect(event).toEqual({
      type: 'payment.captured',
      paymentId,
      amountMinor,
      currency,
      ...(occurredAt && { occurredAt }),
    });
  });

  it('never takes the time of its signature for its own', () => {
    expect(receive({ type: 'payment.captured', data }).event).not.toHaveProperty('occurredAt');
  });

  it('drops fields it does not know', () => {
    const received = receive({ type: 'payment.captured', extra: 1, data: { ...data, account: 'x', live: true } });
    expect(received.event).toEqual({ type: 'payment.captured', paymentId, amountMinor, currency });
  });

  it.each(['settlement.processed', 'constructor', '__proto__', 'order.created', 'grant.recorded', 'xstate.init'])(
    'of the unused type %s is ignored',
    type => {
      expect(receive({ type, data })).toMatchObject({ event: null, because: 'ignored', eventType: type });
      expect(receive({ type })).toMatchObject({ event: null, because: 'ignored', providerOrderId: null });
    },
  );

  it('is refused when its signature does not hold, whatever it says', () => {
    const bytes = Buffer.from(JSON.stringify({ type: 'payment.captured', data }));
    const headers = signStandardWebhook(Buffer.alloc(32), 'evt_1', NOW_S, bytes);
    const call = { body: bytes, headers, query: {}, contentType: 'application/json' };
    expect(() => provider.parseWebhook(call)).toThrow(BadSignature);
  });
});

describe('a signed body that cannot be read', () => {
  const captured = (change: Record<string, unknown>) => ({ type: 'payment.captured', data: { ...data, ...change } });
  const deep = '['.repeat(100_000) + ']'.repeat(100_000);

  it.each<[string, unknown]>([
    ['empty', ''],
    ['no JSON', '{"type":'],
    ['no UTF-8', Uint8Array.from([0x22, 0xff, 0x22])],
    [
      'no UTF-8 in a field nobody reads',
      Buffer.concat([
        Buffer.from(JSON.stringify({ type: 'payment.captured', data }).replace(/}$/, ',"note":"')),
        Buffer.from([0xff, 0x22, 0x7d]),
      ]),
    ],
    ['null', 'null'],
    ['an array', '[]'],
    ['a string', '"payment.captured"'],
    ['deeply nested', deep],
    ['deeply nested data', `{"type":"payment.captured","data":${deep}}`],
    ['no type', { data }],
    ['a type that is a number', { type: 7, data }],
    ['a type with a NUL', { type: 'payment.captured\0', data }],
    ['an endless type', { type: 'x'.repeat(10_000), data }],
    ['no data', { type: 'payment.captured' }],
    ['data null', { type: 'payment.captured', data: null }],
    ['data from __proto__', '{"type":"payment.captured","data":{"__proto__":{"providerOrderId":"sbo_77"}}}'],
    ['a type from __proto__', '{"__proto__":{"type":"payment.captured"},"data":{}}'],
    ['no order', captured({ providerOrderId: undefined })],
    ['no payment', captured({ paymentId: undefined })],
    ['an empty payment id', captured({ paymentId: '' })],
    ['a payment id with a NUL', captured({ paymentId: 'pay\0' })],
    [
      'a payment id with a lone surrogate',
      '{"type":"payment.captured","data":{"providerOrderId":"sbo_77","paymentId":"\\ud800","amountMinor":1,"currency":"INR"}}',
    ],
    ['a fractional amount', captured({ amountMinor: 499.5 })],
    ['a negative amount', captured({ amountMinor: -49900 })],
    ['a zero amount', captured({ amountMinor: 0 })],
    ['an amount as text', captured({ amountMinor: '49900' })],
    [
      'an amount beyond numbers',
      '{"type":"payment.captured","data":{"providerOrderId":"sbo_77","paymentId":"p","amountMinor":1e400,"currency":"INR"}}',
    ],
    ['an amount beyond exactness', captured({ amountMinor: 2 ** 53 })],
    ['a currency in small letters', captured({ currency: 'inr' })],
    ['no currency', captured({ currency: undefined })],
    ['a refund without its id', { type: 'refund.completed', data }],
    ['a dispute without its id', { type: 'dispute.lost', data }],
  ])('%s: is undecodable under its own key', (_name, body) => {
    const received = receive(body);
    expect(received).toMatchObject({ eventKey: 'evt_1', event: null, because: 'undecodable' });
    expect('detail' in received && received.detail).toMatch(/^The body.*\.$/s);
  });

  it('names the field, and the order where it can', () => {
    const received = receive(captured({ amountMinor: -1 }));
    expect(received).toMatchObject({
      providerOrderId: 'sbo_77',
      detail: expect.stringContaining('"data.amountMinor"'),
    });
  });

  it('keeps a reason readable: no NUL, no half characters, not endless', () => {
    const { event } = receive({
      type: 'payment.failed',
      data: { ...data, reason: `a\0b\ud800c${'😀'.repeat(5_000)}` },
    });
    const reason = event?.type === 'payment.failed' ? event.reason! : '';
    expect(reason).toMatch(/^a\ufffdb\ufffdc/);
    expect(reason.length).toBeLessThanOrEqual(500);
    expect(reason).not.toMatch(/\p{Surrogate}/u);
  });

  it('whatever the bytes, the answer is a result', () => {
    const hostile = fc.oneof(
      fc.uint8Array({ maxLength: 200 }),
      fc.json({ stringUnit: 'binary' }).map(text => Buffer.from(text)),
      fc
        .record({
          type: fc.constantFrom('payment.captured', 'payment.failed', 'refund.completed', 'dispute.won', 'x'),
          timestamp: fc.anything(),
          data: fc.oneof(
            fc.anything(),
            fc.record({
              providerOrderId: fc.oneof(fc.string(), fc.constant('sbo_77')),
              paymentId: fc.oneof(fc.string({ unit: 'binary' }), fc.constant('p')),
              refundId: fc.string(),
              disputeId: fc.string(),
              amountMinor: fc.oneof(fc.double(), fc.nat()),
              currency: fc.constantFrom('INR', 'inr', ''),
              reason: fc.anything(),
            }),
          ),
        })
        .map(value => Buffer.from(safeStringify(value))),
    );
    fc.assert(
      fc.property(hostile, bytes => {
        const received = receive(Buffer.from(bytes));
        expect(received.eventKey).toBe('evt_1');
        expect(received.eventType).toMatch(/^[\x21-\x7e]{1,100}$/);
      }),
      { numRuns: 2_000 },
    );
  });

  function safeStringify(value: unknown): string {
    try {
      return JSON.stringify(value, (_key, inner) => (typeof inner === 'bigint' ? String(inner) : inner)) ?? '';
    } catch {
      return '';
    }
  }
});

describe('a callback', () => {
  const signature = createHmac('sha256', secretBytes).update('sbo_77|pay_a1').digest('hex');
  const fields = { providerOrderId: 'sbo_77', paymentId: 'pay_a1', signature };
  const payment = { ...data, state: 'captured', occurredAt: '2026-01-01T00:00:00.000Z' };

  const json = (value: unknown): IncomingCall => ({
    body: Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)),
    headers: {},
    query: {},
    contentType: 'application/json; charset=utf-8',
  });
  const form = (value: Record<string, string>): IncomingCall => ({
    ...json(new URLSearchParams(value).toString()),
    contentType: 'application/x-www-form-urlencoded',
  });
  const query = (value: Record<string, string>): IncomingCall => ({ ...json(''), query: value, contentType: '' });

  it.each([
    ['JSON', json(fields)],
    ['a form', form(fields)],
    ['a query', query(fields)],
  ])('as %s makes the adapter ask for the payment', async (_name, call) => {
    const { provider, sent } = withAnswer({ status: 200, body: payment });
    expect(await provider.parseCallback(call)).toEqual({
      eventKey: 'cb:pay_a1:captured',
      eventType: 'payment.captured',
      providerOrderId: 'sbo_77',
      event: {
        type: 'payment.captured',
        paymentId: 'pay_a1',
        amountMinor: 49900,
        currency: 'INR',
        occurredAt: '2026-01-01T00:00:00.000Z',
      },
    });
    expect(sent).toHaveLength(1);
    expect(sent[0]).toMatchObject({ method: 'GET', url: 'http://sandbox.test/api/payments/pay_a1' });
    const apiKey = createHmac('sha256', secretBytes).update('api').digest('hex');
    expect(sent[0]!.headers.authorization).toBe(`Bearer ${apiKey}`);
  });

  it.each(['authorized', 'failed', 'canceled'])('of a payment that is %s says so', async state => {
    const { provider } = withAnswer({ status: 200, body: { ...payment, state, reason: 'declined' } });
    const received = await provider.parseCallback(json(fields));
    expect(received).toMatchObject({ eventKey: `cb:pay_a1:${state}`, event: { type: `payment.${state}` } });
  });

  it('of a pending payment holds nothing for the machine yet', async () => {
    const { provider } = withAnswer({ status: 200, body: { ...payment, state: 'pending' } });
    expect(await provider.parseCallback(json(fields))).toMatchObject({ event: null, because: 'ignored' });
  });

  it('of a payment that belongs to another order is refused', async () => {
    const { provider } = withAnswer({ status: 200, body: { ...payment, providerOrderId: 'sbo_78' } });
    await expect(provider.parseCallback(json(fields))).rejects.toThrow(BadSignature);
  });

  it.each([
    ['of the other order', { ...fields, providerOrderId: 'sbo_78' }],
    ['of the other payment', { ...fields, paymentId: 'pay_a2' }],
    ['in capitals', { ...fields, signature: signature.toUpperCase() }],
    ['empty', { ...fields, signature: '' }],
    ['cut', { ...fields, signature: signature.slice(2) }],
    ['with the ids swapped', { ...fields, providerOrderId: 'pay_a1', paymentId: 'sbo_77' }],
  ])('with a signature %s is refused before anybody is asked', async (_name, value) => {
    const { provider, sent } = withAnswer({ status: 200, body: payment });
    await expect(provider.parseCallback(json(value))).rejects.toThrow(BadSignature);
    expect(sent).toEqual([]);
  });

  it.each<[string, IncomingCall]>([
    ['no signature', json({ ...fields, signature: undefined })],
    ['no order', form({ paymentId: 'pay_a1', signature })],
    ['an id that is a number', json({ ...fields, paymentId: 7 })],
    ['an id with the separator', json({ ...fields, providerOrderId: 'sbo|77' })],
    ['an empty query', query({})],
    ['no JSON', json('{')],
    ['JSON null', json('null')],
    ['no UTF-8', { ...json(''), body: Uint8Array.from([0xff]) }],
  ])('with %s is an invalid request', async (_name, call) => {
    await expect(provider.parseCallback(call)).rejects.toThrow(InvalidRequest);
  });

  it('whatever its fields, is refused by name', async () => {
    const text = fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('sbo_77', 'pay_a1', '..'));
    await fc.assert(
      fc.asyncProperty(text, text, fc.anything(), async (providerOrderId, paymentId, given) => {
        const refusal = await provider
          .parseCallback(json(JSON.stringify({ providerOrderId, paymentId, signature: String(typeof given) })))
          .catch(error => error);
        expect(refusal instanceof BadSignature || refusal instanceof InvalidRequest).toBe(true);
      }),
    );
  });
});

describe('a call to the sandbox', () => {
  const request = {
    orderId: 'ord_1',
    userId: 'user-1',
    planId: 'pro',
    amountMinor: 49900,
    currency: 'INR',
    callbackUrl: 'http://shop.test/v1/callbacks/sandbox',
  };
  const opened = { providerOrderId: 'sbo_77', url: 'http://sandbox.test/pay/sbo_77' };

  it('opens an order under the order id as idempotency key', async () => {
    const { provider, sent } = withAnswer({ status: 201, body: { ...opened, status: 'open' } });
    expect(await provider.createCheckout(request)).toEqual(opened);
    expect(sent[0]).toMatchObject({ method: 'POST', url: 'http://sandbox.test/api/orders', body: request });
    expect(sent[0]!.headers['idempotency-key']).toBe('ord_1');
  });

  it.each([400, 401, 404, 409, 422])('answered %i was refused, with the sandbox’s sentence', async status => {
    const { provider } = withAnswer({ status, body: { detail: 'The amount is too small.' } });
    await expect(provider.createCheckout(request)).rejects.toThrow(ProviderRefused);
    await expect(provider.createCheckout(request)).rejects.toThrow(/The amount is too small/);
    await expect(provider.fetchPayment('pay_a1')).rejects.toThrow(ProviderRefused);
  });

  it.each<[string, Answer]>([
    ['the network breaks', new TypeError('fetch failed')],
    ['time is up', new DOMException('The operation was aborted due to timeout', 'TimeoutError')],
    ['it answers 500', { status: 500, body: {} }],
    ['it answers 503', { status: 503, body: '<html>' }],
    ['it answers 429', { status: 429, body: {} }],
    ['it answers 408', { status: 408, body: {} }],
    ['it redirects', { status: 302, body: '' }],
    ['it answers no JSON', { status: 200, body: '<html>' }],
    ['it answers something else', { status: 201, body: { providerOrderId: 7 } }],
    ['it sends customers to a script', { status: 201, body: { ...opened, url: 'javascript:alert(1)' } }],
  ])('is never a no when %s', async (_name, answer) => {
    const { provider } = withAnswer(answer);
    await expect(provider.createCheckout(request)).rejects.toThrow(ProviderUnreachable);
    await expect(provider.fetchPayment('pay_a1')).rejects.toThrow(ProviderUnreachable);
  });

  it.each(['..', '.', 'a/b', 'a?b', ''])('never leaves for a payment id such as %j', async id => {
    const { provider, sent } = withAnswer({ status: 200, body: {} });
    await expect(provider.fetchPayment(id)).rejects.toThrow(ProviderRefused);
    expect(sent).toEqual([]);
  });

  it('needs a fit secret from the start', () => {
    expect(() => createSandboxProvider({ url: 'http://sandbox.test', secret: 'whsec_c2hvcnQ=', clock })).toThrow(/24/);
  });
});
