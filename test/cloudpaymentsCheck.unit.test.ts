// The question before the charge: every code, from the order as it stands.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BadSignature } from '../src/errors.ts';
import { createCloudPaymentsProvider } from '../src/providers/cloudpayments/adapter.ts';
import type { IncomingCall, KnownOrder, OrderLookup } from '../src/providers/provider.ts';
import {
  API_SECRET,
  ASKED,
  callOf,
  formCall,
  hmacHeaders,
  jsonCall,
  type NoticeFields,
  ORDER_ID,
  PUBLIC_ID,
} from './support/cloudpaymentsNotices.ts';

const known: KnownOrder = {
  orderId: ORDER_ID,
  providerOrderId: ORDER_ID,
  userId: 'customer-17',
  amountMinor: 129_050,
  currency: 'RUB',
  state: 'created',
};
const lookup = (order: KnownOrder): OrderLookup => ({
  byId: async id => (id === order.orderId ? order : null),
  byProviderOrderId: async () => null,
});
const make = (now = '2026-05-04T10:20:00.000Z', publicId = PUBLIC_ID) =>
  createCloudPaymentsProvider({
    settings: { publicId, apiSecrets: [API_SECRET], apiUrl: 'http://cloudpayments.test' },
    clock: () => new Date(now),
    jitter: () => 0,
  });
const ask = (fields: NoticeFields, order: Partial<KnownOrder> = {}, provider = make()) =>
  provider.answerCheck(formCall('check', { ...ASKED, ...fields }), lookup({ ...known, ...order }));

describe('a check', () => {
  it('is answered 0 for an order as it was made, by form and by JSON, in one stage and in two', async () => {
    expect(await ask({})).toEqual({ code: 0 });
    expect(await ask({ Status: 'Authorized', Amount: '1290.5' })).toEqual({ code: 0 });
    expect(await ask({ AccountId: '' })).toEqual({ code: 0 });
    const json = jsonCall('check', { ...ASKED, TransactionId: 5, Amount: 1290.5, TestMode: false });
    expect(await make().answerCheck(json, lookup(known))).toEqual({ code: 0 });
  });

  it.each<[string, number, NoticeFields, Partial<KnownOrder>]>([
    ['an order nobody knows', 10, { InvoiceId: `ord_${'9'.repeat(26)}` }, {}],
    ['an invoice of something else', 10, { InvoiceId: 'shop-55' }, {}],
    ['neither invoice nor payer', 10, { InvoiceId: '', AccountId: '' }, {}],
    ['another payer', 11, { AccountId: 'customer-18' }, {}],
    ['a smaller amount', 12, { Amount: '1290.49' }, {}],
    ['a larger amount', 12, { Amount: '1290.51' }, {}],
    ['an amount that is none', 12, { Amount: 'all of it' }, {}],
    ['another currency', 12, { Currency: 'KZT' }, {}],
    ['the amount that is charged after conversion', 12, { Amount: '14.10', Currency: 'EUR' }, {}],
    ['a reserved order', 13, {}, { state: 'authorized' }],
    ['a paid order', 13, {}, { state: 'captured' }],
    ['a granted order', 13, {}, { state: 'subscribed' }],
    ['a refunded order', 13, {}, { state: 'refunded' }],
    ['an order in doubt', 13, {}, { state: 'parked' }],
    ['test money on a live terminal', 13, { TestMode: '1' }, {}],
    ['another try after a decline', 0, {}, { state: 'failed' }],
    ['a charge by token, which names no invoice', 0, { InvoiceId: '' }, {}],
    ['a charge of a subscription, which names no invoice', 0, { InvoiceId: '', SubscriptionId: 'sc_1' }, {}],
    [
      'a later charge of a subscription, which names the first invoice',
      0,
      { SubscriptionId: 'sc_1' },
      { state: 'subscribed' },
    ],
    ['the first charge of a subscription, with a wrong amount', 12, { SubscriptionId: 'sc_1', Amount: '1.00' }, {}],
    ['a payout', 0, { OperationType: 'CardPayout', InvoiceId: '' }, {}],
  ])('about %s is answered %i', async (_name, code, fields, order) => {
    expect(await ask(fields, order)).toEqual({ code });
  });

  it('about a failed order is answered 20 once its time to pay is over', async () => {
    expect(await ask({}, { state: 'failed' }, make('2026-05-04T10:29:00.000Z'))).toEqual({ code: 0 });
    expect(await ask({}, { state: 'failed' }, make('2026-05-04T10:29:00.001Z'))).toEqual({ code: 20 });
    expect(await ask({ SubscriptionId: 'sc_1' }, { state: 'failed' }, make('2026-06-04T10:00:00.000Z'))).toEqual({
      code: 0,
    });
    expect(await ask({}, { state: 'created' }, make('2026-05-04T11:00:00.000Z'))).toEqual({ code: 0 });
  });

  it('on a terminal in test mode takes test money only', async () => {
    const test = make(undefined, `test_${PUBLIC_ID}`);
    expect(await ask({ TestMode: '1' }, {}, test)).toEqual({ code: 0 });
    expect(await ask({ TestMode: '0' }, {}, test)).toEqual({ code: 13 });
  });

  it('is no other kind of call, and asks nothing unsigned', async () => {
    const lookups: OrderLookup = {
      byId: () => expect.unreachable(),
      byProviderOrderId: () => expect.unreachable(),
    };
    expect(await make().answerCheck(formCall('pay', ASKED), lookups)).toBeNull();
    const unsigned: IncomingCall = { ...formCall('check', ASKED), headers: {} };
    await expect(make().answerCheck(unsigned, lookups)).rejects.toThrow(BadSignature);
    await expect(make().answerCheck(formCall('check', ASKED, { secret: 'x' }), lookups)).rejects.toThrow(BadSignature);
  });

  it('of any content is answered with one of the six codes', async () => {
    const field = fc.constantFrom(...Object.keys(ASKED));
    const value = fc.oneof(fc.string(), fc.constantFrom(ORDER_ID, '1290.50', 'RUB'));
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(
          fc.json(),
          fc.string(),
          fc.dictionary(field, value).map(f => new URLSearchParams(f).toString()),
        ),
        async text => {
          const call = callOf(
            'check',
            text,
            'application/x-www-form-urlencoded',
            hmacHeaders(text, true, { only: 'content-hmac' }),
          );
          const answer = await make().answerCheck(call, lookup(known));
          expect([0, 10, 11, 12, 13, 20]).toContain(answer?.code);
        },
      ),
    );
  });
});
