// What signed sandbox webhooks become: events, or a reason why not, whatever the bytes.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { orderEventSchema } from '../machines/orderEvents.ts';
import { BadSignature } from '../src/errors.ts';
import type { ReceivedEvent } from '../src/providers/provider.ts';
import { signStandardWebhook } from '../src/providers/signatures.ts';
import { data, NOW_S, secretBytes, withAnswer } from './support/sandboxAdapterRig.ts';

const { provider } = withAnswer();

function receive(body: unknown): ReceivedEvent {
  const bytes = body instanceof Uint8Array ? body : Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
  const headers = signStandardWebhook(secretBytes, 'evt_1', NOW_S, bytes);
  const received = provider.parseWebhook({
    body: bytes,
    headers,
    query: {},
    rawQuery: '',
    contentType: 'application/json',
    kind: null,
  });
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
      orderId: null,
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
    const call = { body: bytes, headers, query: {}, rawQuery: '', contentType: 'application/json', kind: null };
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
      orderId: null,
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
