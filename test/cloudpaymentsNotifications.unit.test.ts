// Every type of notification of CloudPayments, as form and as JSON, translated.
import fc from 'fast-check';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { createCloudPaymentsProvider } from '../src/providers/cloudpayments/adapter.ts';
import type { IncomingCall } from '../src/providers/provider.ts';
import {
  API_SECRET,
  callOf,
  formCall,
  hmacHeaders,
  jsonCall,
  type NoticeFields,
  ORDER_ID,
  PAID,
  PUBLIC_ID,
} from './support/cloudpaymentsNotices.ts';

const provider = createCloudPaymentsProvider({
  settings: { publicId: PUBLIC_ID, apiSecrets: [API_SECRET], apiUrl: 'http://cloudpayments.test' },
  clock: () => new Date('2026-05-04T10:20:00.000Z'),
  jitter: () => 0,
});
const hear = (call: IncomingCall) => provider.parseWebhook(call);
const order = { orderId: ORDER_ID, providerOrderId: ORDER_ID };
const fact = { paymentId: '3051224410', amountMinor: 129_050, currency: 'RUB', live: true };

describe.each([
  ['form', formCall],
  ['JSON', jsonCall],
])('a notification as %s', (_name, callFor) => {
  it('tells of a one-stage payment', () => {
    expect(hear(callFor('pay', PAID))).toEqual({
      ...order,
      eventKey: 'pay:3051224410:completed',
      eventType: 'pay',
      event: { type: 'payment.captured', ...fact, occurredAt: '2026-05-04T10:12:44.000Z' },
    });
  });

  it('tells of a hold, and of its confirmation, whose DateTime is older than itself', () => {
    expect(hear(callFor('pay', { ...PAID, Status: 'Authorized' }))).toMatchObject({
      eventKey: 'pay:3051224410:authorized',
      event: { type: 'payment.authorized', ...fact, occurredAt: '2026-05-04T10:12:44.000Z' },
    });
    expect(hear(callFor('confirm', PAID))).toEqual({
      ...order,
      eventKey: 'confirm:3051224410',
      eventType: 'confirm',
      event: { type: 'payment.captured', ...fact },
    });
  });

  it('tells of a failure with its reason', () => {
    const failed: NoticeFields = { ...PAID, Status: '', Reason: 'DoNotHonor', ReasonCode: '5005', RetryAfter: '' };
    expect(hear(callFor('fail', failed))).toMatchObject({
      ...order,
      eventKey: 'fail:3051224410',
      event: {
        type: 'payment.failed',
        paymentId: '3051224410',
        reason: 'DoNotHonor (5005)',
        occurredAt: '2026-05-04T10:12:44.000Z',
      },
    });
    expect(hear(callFor('fail', { ...failed, Status: 'Declined' }))).toMatchObject({
      event: { type: 'payment.failed' },
    });
  });

  it('tells of a refund, which is a transaction of its own and names no currency', () => {
    const refund = {
      TransactionId: '3051299999',
      PaymentTransactionId: '3051224410',
      Amount: '290.5',
      DateTime: '2026-05-06 07:00:01',
      OperationType: 'Refund',
      InvoiceId: ORDER_ID,
      AccountId: 'customer-17',
    };
    expect(hear(callFor('refund', refund))).toEqual({
      ...order,
      eventKey: 'refund:3051299999',
      eventType: 'refund',
      event: {
        type: 'refund.updated',
        paymentId: '3051224410',
        refundId: '3051299999',
        state: 'completed',
        amountMinor: 29_050,
        occurredAt: '2026-05-06T07:00:01.000Z',
      },
    });
  });

  it('tells of a hold that was given back', () => {
    const canceled = {
      TransactionId: '3051224410',
      Amount: '1290.50',
      DateTime: '2026-05-04 11:00:00',
      InvoiceId: ORDER_ID,
    };
    expect(hear(callFor('cancel', canceled))).toMatchObject({
      ...order,
      eventKey: 'cancel:3051224410',
      event: { type: 'payment.canceled', paymentId: '3051224410', occurredAt: '2026-05-04T11:00:00.000Z' },
    });
  });

  it.each(['Active', 'PastDue', 'Cancelled', 'Rejected', 'Expired'])(
    'keeps a subscription that is %s as no money',
    status => {
      const subscription: NoticeFields = {
        Id: 'sc_9e00aa',
        AccountId: 'customer-17',
        Amount: '1290.50',
        Currency: 'RUB',
        RequireConfirmation: '0',
        StartDate: '2026-06-04 10:12:44',
        Interval: 'Month',
        Period: '1',
        Status: status,
        SuccessfulTransactionsNumber: '1',
        FailedTransactionsNumber: '0',
        LastTransactionDate: '2026-05-04 10:12:44',
      };
      const told = hear(callFor('recurrent', subscription));
      expect(told).toMatchObject({ orderId: null, providerOrderId: null, event: null, because: 'ignored' });
      expect(hear(callFor('recurrent', subscription)).eventKey).toBe(told.eventKey);
      const later = { ...subscription, SuccessfulTransactionsNumber: '2' };
      expect(hear(callFor('recurrent', later)).eventKey).not.toBe(told.eventKey);
    },
  );

  it('names the subscription of a recurring charge, with an invoice or with none', () => {
    const charge: NoticeFields = { ...PAID, InvoiceId: '', SubscriptionId: 'sc_9e00aa' };
    expect(hear(callFor('pay', charge))).toMatchObject({
      orderId: null,
      providerOrderId: null,
      event: { ...fact, subscriptionId: 'sc_9e00aa' },
    });
    expect(hear(callFor('pay', { ...charge, InvoiceId: ORDER_ID }))).toMatchObject({
      ...order,
      event: { ...fact, subscriptionId: 'sc_9e00aa' },
    });
  });

  it('leaves a charge by token without an invoice to nobody', () => {
    const told = hear(callFor('pay', { ...PAID, InvoiceId: '' }));
    expect(told).toMatchObject({ orderId: null, providerOrderId: null, event: fact });
    expect(told.event).not.toHaveProperty('subscriptionId');
  });

  it('reads a payment without a card', () => {
    const sbp = { ...PAID, CardFirstSix: '', CardLastFour: '', CardType: '', CardExpDate: '', PaymentMethod: 'Sbp' };
    expect(hear(callFor('pay', sbp))).toMatchObject({ event: { type: 'payment.captured', ...fact } });
  });

  it('knows an invoice of something else that is sold on this terminal', () => {
    expect(hear(callFor('pay', { ...PAID, InvoiceId: 'shop-55' }))).toMatchObject({
      orderId: null,
      providerOrderId: 'shop-55',
    });
  });

  it('tells test money', () => {
    expect(hear(callFor('pay', { ...PAID, TestMode: '1' }))).toMatchObject({ event: { live: false } });
  });

  it('takes no payout for a payment', () => {
    expect(hear(callFor('pay', { ...PAID, OperationType: 'CardPayout' }))).toMatchObject({
      event: null,
      because: 'ignored',
    });
  });

  it.each([
    ['pay', { ...PAID, Status: 'Sleeping' }],
    ['pay', { ...PAID, Status: '' }],
    ['pay', { ...PAID, Amount: '1290.505' }],
    ['pay', { ...PAID, Amount: '1e3' }],
    ['pay', { ...PAID, Amount: '-1' }],
    ['pay', { ...PAID, Amount: '0.00' }],
    ['pay', { ...PAID, Amount: '1290,50' }],
    ['pay', { ...PAID, Currency: 'roubles' }],
    ['pay', { ...PAID, TransactionId: '' }],
    ['pay', { ...PAID, TransactionId: '../get' }],
    ['pay', { ...PAID, ReasonCode: '5051' }],
    ['pay', { ...PAID, PaymentTransactionId: '1' }],
    ['confirm', { ...PAID, Status: 'Authorized' }],
    ['refund', { ...PAID }],
    ['cancel', { ...PAID }],
    ['fail', { Amount: '1.00' }],
    ['recurrent', { ...PAID }],
    ['nonsense', { ...PAID }],
    ['constructor', { ...PAID }],
  ])('stores what it cannot read, under one key for ever (%s)', (kind, fields) => {
    const told = hear(callFor(kind, fields));
    expect(told).toMatchObject({
      event: null,
      because: 'undecodable',
      eventKey: expect.stringMatching(/:unread:[0-9a-f]{64}$/),
    });
    expect(hear(callFor(kind, fields))).toEqual(told);
  });
});

describe('JSON', () => {
  it('may hold numbers and booleans', () => {
    const numbers = { ...PAID, TransactionId: 3051224410, Amount: 1290.5, TestMode: false, SubscriptionId: null };
    expect(hear(jsonCall('pay', numbers))).toMatchObject({ ...order, event: fact });
    expect(hear(jsonCall('pay', { ...PAID, InvoiceId: 77 }))).toMatchObject({ orderId: null, providerOrderId: '77' });
  });

  it('may come under a wrong name', () => {
    const text = JSON.stringify(PAID);
    const headers = hmacHeaders(text, true, { only: 'x-content-hmac' });
    expect(hear(callOf('pay', text, 'application/x-www-form-urlencoded', headers))).toMatchObject({ event: fact });
  });

  it('loses no digit of an id: one that is too long is not read', () => {
    const text = JSON.stringify(PAID).replace('"3051224410"', '90071992547409931234');
    expect(hear(callOf('pay', text, 'application/json', hmacHeaders(text, true)))).toMatchObject({
      because: 'undecodable',
    });
  });
});

describe('amounts', () => {
  const at = (Amount: string | number, Currency = 'RUB') => {
    const { event } = hear(jsonCall('pay', { ...PAID, Amount, Currency }));
    return event && 'amountMinor' in event ? event.amountMinor : null;
  };

  it('come without floating point', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1_000_000_000_000 }), minor => {
        const text = `${Math.floor(minor / 100)}.${String(minor % 100).padStart(2, '0')}`;
        expect(at(text)).toBe(minor);
        expect(at(Number(text))).toBe(minor);
      }),
    );
  });

  it('are ours by ISO 4217, or none where they are finer', () => {
    expect(at('500', 'JPY')).toBe(500);
    expect(at('500.50', 'JPY')).toBeNull();
    expect(at('1.25', 'KWD')).toBe(1_250);
    expect(at('10000000000.01')).toBeNull();
  });
});

describe('times', () => {
  const at = (DateTime: string) => hear(formCall('pay', { ...PAID, DateTime })).event?.occurredAt;

  afterEach(() => vi.unstubAllEnvs());

  it('are UTC wherever the service runs', () => {
    vi.stubEnv('TZ', 'Asia/Vladivostok');
    expect(new Date('2026-05-04T10:12:44').toISOString()).toBe('2026-05-04T00:12:44.000Z');
    expect(at('2026-05-04 10:12:44')).toBe('2026-05-04T10:12:44.000Z');
  });

  it('are UTC without a zone, and left out where they are none', () => {
    expect(at('2026-05-04T10:12:44')).toBe('2026-05-04T10:12:44.000Z');
    expect(at('2026-05-04T10:12:44.1234567Z')).toBe('2026-05-04T10:12:44.000Z');
    expect(at('2026-05-04 13:12:44+03:00')).toBe('2026-05-04T10:12:44.000Z');
    for (const bad of ['', '04.05.2026 10:12', '2026-13-40 10:12:44', 'now']) expect(at(bad)).toBeUndefined();
  });
});
