// The sandbox adapter without a sandbox: callbacks that have to be asked about, and calls that fail told apart.
import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BadSignature, InvalidRequest, ProviderRefused, ProviderUnreachable } from '../src/errors.ts';
import type { IncomingCall } from '../src/providers/provider.ts';
import { createSandboxProvider } from '../src/providers/sandbox/adapter.ts';
import { type Answer, clock, data, secretBytes, withAnswer } from './support/sandboxAdapterRig.ts';

const { provider } = withAnswer();

describe('a callback', () => {
  const signature = createHmac('sha256', secretBytes).update('sbo_77|pay_a1').digest('hex');
  const fields = { providerOrderId: 'sbo_77', paymentId: 'pay_a1', signature };
  const payment = { ...data, state: 'captured', occurredAt: '2026-01-01T00:00:00.000Z' };

  const json = (value: unknown): IncomingCall => ({
    body: Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)),
    headers: {},
    query: {},
    rawQuery: '',
    contentType: 'application/json; charset=utf-8',
    kind: null,
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
      orderId: null,
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
