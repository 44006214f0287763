// The browser's side of Razorpay: what opens its form, the page of ours that does so, and the callback in every form.
import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { BadSignature, InvalidRequest, PaylatchError, ProviderUnreachable } from '../src/errors.ts';
import type { IncomingCall, KnownOrder, OrderLookup } from '../src/providers/provider.ts';
import type { RazorpayProvider } from '../src/providers/razorpay/adapter.ts';
import {
  callbackFields,
  formCall,
  hmac,
  incoming,
  jsonCall,
  RAZORPAY,
  razorpayProvider,
} from './support/razorpayBodies.ts';
import { type RazorpayServer, startRazorpay } from './support/razorpayServer.ts';

const ORDER = {
  orderId: `ord_${'5m'.repeat(13)}`,
  userId: 'asha@example.test',
  planId: 'pro',
  amountMinor: 49_900,
  currency: 'INR',
  callbackUrl: 'https://shop.test/v1/callbacks/razorpay',
  providerOrderId: 'order_B1',
};

let server: RazorpayServer;
let provider: RazorpayProvider;
beforeEach(async () => {
  server = await startRazorpay();
  provider = razorpayProvider(server.url);
});
afterEach(() => server.close());

const KNOWN: KnownOrder = { ...ORDER, state: 'created' };
const orders: OrderLookup = {
  byId: async () => null,
  byProviderOrderId: async id => (id === ORDER.providerOrderId ? KNOWN : null),
};
const take = (call: IncomingCall) => provider.parseCallback(call, orders);

describe('checkout', () => {
  test('parameters of checkout.js', () => {
    expect(provider.checkoutParams(ORDER)).toEqual({
      key: RAZORPAY.keyId,
      amount: 49_900,
      currency: 'INR',
      order_id: 'order_B1',
      name: 'pro',
      callback_url: ORDER.callbackUrl,
      prefill: { email: 'asha@example.test' },
      notes: { order_id: ORDER.orderId },
    });
    expect(provider.checkoutParams({ ...ORDER, userId: 'asha' })).toMatchObject({ prefill: {} });
  });

  test('the page holds them as data, and whatever they hold stays data', () => {
    const hostile = { ...ORDER, planId: `"'><script>alert(1)</script>&quot;` };
    const { html } = provider.payPage(hostile);
    expect(html).not.toContain('alert(1)<');
    const attribute = /data-checkout="([^"]*)"/.exec(html)?.[1] ?? '';
    const entities: Record<string, string> = { quot: '"', '#39': "'", lt: '<', gt: '>', amp: '&' };
    const data = attribute.replace(/&(quot|#39|lt|gt|amp);/g, (_, name) => entities[name] ?? '');
    expect(JSON.parse(data)).toEqual(provider.checkoutParams(hostile));
  });

  test('its policy allows its own script and style by hash, and Razorpay', () => {
    const { html, contentSecurityPolicy } = provider.payPage(ORDER);
    const inline = [...html.matchAll(/<(script|style)>([\s\S]*?)<\/\1>/g)];
    expect(inline.map(([, tag]) => tag)).toEqual(['style', 'script']);
    for (const [, tag, text = ''] of inline) {
      const hash = createHash('sha256').update(text).digest('base64');
      expect(contentSecurityPolicy).toMatch(new RegExp(`${tag}-src [^;]*'sha256-${hash.replace(/[+/]/g, '\\$&')}'`));
    }
    expect(html).not.toMatch(/ on[a-z]+=| style=/);
    expect(contentSecurityPolicy).toContain("default-src 'none'");
    expect(contentSecurityPolicy).not.toMatch(/script-src [^;]*unsafe|\*/);
    expect(contentSecurityPolicy).toContain('form-action https://shop.test ');
  });

  test('its script opens the form, and offers it again when it is closed', () => {
    const { html } = provider.payPage(ORDER);
    const script = /<script>([\s\S]*?)<\/script>/.exec(html)?.[1] ?? '';
    const run = (Razorpay: unknown) => {
      const elements: Record<string, { hidden: boolean; textContent: string; dataset: Record<string, string> }> = {};
      for (const id of ['pay', 'again', 'state']) elements[id] = { hidden: true, textContent: '', dataset: {} };
      elements.pay!.dataset.checkout = JSON.stringify(provider.checkoutParams(ORDER));
      new Function('document', 'Razorpay', script)({ getElementById: (id: string) => elements[id] }, Razorpay);
      return elements;
    };
    let opened: Record<string, never> & { modal?: { ondismiss(): void }; order_id?: string } = {};
    const page = run(
      class {
        constructor(options: typeof opened) {
          opened = options;
        }
        open() {}
      },
    );
    expect(opened.order_id).toBe('order_B1');
    expect(page.again?.hidden).toBe(true);
    opened.modal?.ondismiss();
    expect(page.again?.hidden).toBe(false);
    expect(run(undefined).state?.textContent).toMatch(/could not be loaded/);
  });
});

describe('callback', () => {
  test.each([
    ['JSON of the handler', jsonCall],
    ['form of callback_url', formCall],
  ])('%s: the answer is the payment as it is now', async (_, call) => {
    const { id } = server.pay('order_B1');
    expect(await take(call(callbackFields(String(id), 'order_B1')))).toEqual({
      eventKey: `cb:${id}:captured`,
      eventType: 'payment.captured',
      orderId: ORDER.orderId,
      providerOrderId: 'order_B1',
      event: { type: 'payment.captured', paymentId: id, amountMinor: 49_900, currency: 'INR' },
    });
  });

  test.each([
    ['authorized', { type: 'payment.authorized' }],
    ['failed', { type: 'payment.failed' }],
    ['created', null],
  ])('the payment is %s', async (status, event) => {
    const { id } = server.pay('order_B1', { status });
    const heard = await take(jsonCall(callbackFields(String(id), 'order_B1')));
    if (event) expect(heard.event).toMatchObject(event);
    else expect(heard).toMatchObject({ event: null, because: 'ignored', eventKey: `cb:${id}:pending` });
  });

  test.each([
    [
      'swapped ids',
      (f: Record<string, string>) => ({
        ...f,
        razorpay_signature: hmac(RAZORPAY.keySecret, `${f.razorpay_payment_id}|order_B1`),
      }),
    ],
    [
      'a webhook secret',
      (f: Record<string, string>) => ({
        ...f,
        razorpay_signature: hmac(RAZORPAY.webhookSecrets[0]!, `order_B1|${f.razorpay_payment_id}`),
      }),
    ],
    ['another payment', (f: Record<string, string>) => ({ ...f, razorpay_payment_id: 'pay_other' })],
    ['upper case', (f: Record<string, string>) => ({ ...f, razorpay_signature: f.razorpay_signature!.toUpperCase() })],
    ['an unknown order, guessed', (f: Record<string, string>) => ({ ...f, razorpay_order_id: 'order_B2' })],
  ])('refused, nothing asked: %s', async (_, change) => {
    const { id } = server.pay('order_B1');
    await expect(take(jsonCall(change(callbackFields(String(id), 'order_B1'))))).rejects.toThrow(BadSignature);
    expect(server.calls).toEqual([]);
  });

  test('a signature over an order that is not ours', async () => {
    await expect(take(jsonCall(callbackFields('pay_1', 'order_B2')))).rejects.toThrow(InvalidRequest);
    expect(server.calls).toEqual([]);
  });

  test('a signed payment that Razorpay has under another order', async () => {
    const { id } = server.pay('order_B2');
    await expect(take(jsonCall(callbackFields(String(id), 'order_B1')))).rejects.toThrow(BadSignature);
  });

  test('Razorpay cannot be asked', async () => {
    const { id } = server.pay('order_B1');
    for (let i = 0; i < 2; i++) server.faults.push({ to: /payments/, fault: 503 });
    await expect(take(jsonCall(callbackFields(String(id), 'order_B1')))).rejects.toThrow(ProviderUnreachable);
  });

  const metadata = (id: unknown, order = 'order_B1') => ({ payment_id: String(id), order_id: order });
  test.each([
    [
      'form, metadata as JSON',
      (id: unknown) =>
        formCall({ 'error[code]': 'BAD_REQUEST_ERROR', 'error[metadata]': JSON.stringify(metadata(id)) }),
    ],
    [
      'form, metadata as fields',
      (id: unknown) =>
        formCall({
          'error[code]': 'X',
          'error[metadata][payment_id]': String(id),
          'error[metadata][order_id]': 'order_B1',
        }),
    ],
    ['JSON of payment.failed', (id: unknown) => jsonCall({ error: { code: 'X', metadata: metadata(id) } })],
  ])('a failure nobody signed is asked about: %s', async (_, call) => {
    const failed = server.pay('order_B1', { status: 'failed', error_description: 'No funds' });
    expect(await take(call(failed.id))).toMatchObject({
      eventKey: `cb:${failed.id}:failed`,
      event: { type: 'payment.failed', paymentId: failed.id, reason: 'No funds' },
    });
    const paid = server.pay('order_B1');
    expect(await take(call(paid.id))).toMatchObject({ event: { type: 'payment.captured' } });
  });

  test('a failure without payment: the order’s own payments tell, if it has any', async () => {
    server.orders.set('order_B1', { id: 'order_B1', amount: 49_900, currency: 'INR' });
    const call = jsonCall({ error: { code: 'X', metadata: { order_id: 'order_B1' } } });
    await expect(take(call)).rejects.toThrow(InvalidRequest);
    const paid = server.pay('order_B1', { status: 'authorized', created_at: 1_772_000_001 });
    expect(await take(call)).toMatchObject({ eventKey: `cb:${paid.id}:authorized` });
    server.pay('order_B1', { status: 'failed', created_at: 1_772_000_002 });
    expect(await take(call)).toMatchObject({ event: { type: 'payment.failed' } });
    Object.assign(paid, { status: 'captured' });
    expect(await take(call)).toMatchObject({ eventKey: `cb:${paid.id}:captured` });
  });

  test.each([
    ['of an order that is not ours', { error: { metadata: { order_id: 'order_B2', payment_id: 'pay_1' } } }],
    ['of no order', { error: { code: 'X' } }],
    ['of nothing', { error: null }],
  ])('a failure %s is refused', async (_, body) => {
    await expect(take(jsonCall(body))).rejects.toThrow(InvalidRequest);
  });

  test('a failure that names a payment of somebody else is refused', async () => {
    const { id } = server.pay('order_B2');
    await expect(take(jsonCall({ error: { metadata: metadata(id) } }))).rejects.toThrow(InvalidRequest);
  });

  test('whatever a browser sends: refused with a sentence, and nothing asked', async () => {
    const { id } = server.pay('order_B1');
    const names = Object.keys(callbackFields('', ''));
    const fields = fc.dictionary(
      fc.constantFrom(...names, 'error[code]', '__proto__'),
      fc.oneof(fc.string(), fc.constantFrom(String(id), 'order_B1')),
    );
    const calls = fc.oneof(
      fields.map(formCall),
      fc.oneof(fields, fc.jsonValue()).map(jsonCall),
      fc.tuple(fc.uint8Array(), fc.string()).map(([body, type]) => incoming(body, type)),
    );
    await fc.assert(
      fc.asyncProperty(calls, async call => {
        const error = await take(call).catch(reason => reason);
        expect(error).toBeInstanceOf(PaylatchError);
        expect(error.status).toBeLessThan(500);
      }),
    );
    expect(server.calls).toEqual([]);
  });
});
