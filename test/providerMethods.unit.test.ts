// Payment methods differ in what they fill in and leave out, never in what a payment means: each method of each provider
// becomes the same fact, whatever else its body carries.
import { describe, expect, test } from 'vitest';
import { createCloudPaymentsProvider } from '../src/providers/cloudpayments/adapter.ts';
import { translateWebhook } from '../src/providers/stripe/webhookEvents.ts';
import { API_SECRET, formCall, jsonCall, type NoticeFields, PAID, PUBLIC_ID } from './support/cloudpaymentsNotices.ts';
import {
  envelope,
  type Fields,
  orderEntity,
  paymentEntity,
  razorpayProvider,
  signedWebhook,
} from './support/razorpayBodies.ts';
import { bytesOf, INTENT, intent, session, stripeEvent } from './support/stripeFixtures.ts';

describe('Razorpay', () => {
  const provider = razorpayProvider('http://razorpay.test');
  const none = { card_id: null, bank: null, wallet: null, vpa: null };
  const card = {
    id: 'card_Q1',
    entity: 'card',
    name: 'A. Rao',
    last4: '0007',
    network: 'RuPay',
    type: 'debit',
    issuer: null,
    emi: false,
  };
  const METHODS: [string, Fields][] = [
    ['card', { ...none, card_id: 'card_Q1', card, acquirer_data: { auth_code: '004411' }, token_id: 'token_Q1' }],
    [
      'emi',
      { ...none, card_id: 'card_Q1', card: { ...card, emi: true }, emi: { issuer: 'HDFC', rate: 1300, duration: 6 } },
    ],
    ['cardless_emi', { ...none, wallet: 'zestmoney', acquirer_data: {} }],
    [
      'upi',
      {
        ...none,
        vpa: 'asha@okbank',
        upi: { vpa: 'asha@okbank', payer_account_type: 'bank_account' },
        fee: null,
        tax: null,
      },
    ],
    ['netbanking', { ...none, bank: 'SBIN', acquirer_data: { bank_transaction_id: '77001' } }],
    ['wallet', { ...none, wallet: 'payzapp', acquirer_data: { transaction_id: null } }],
    ['paylater', { ...none, wallet: 'lazypay', notes: { campaign: 'x' } }],
    ['bank_transfer', { ...none, bank: null, acquirer_data: {}, fee: 0 }],
    ['a_method_of_tomorrow', { something_new: { deep: [1] } }],
  ];

  test.each(METHODS)('%s captured, authorised and failed', (method, more) => {
    const hear = (event: string, status: string) => {
      // Every spelling of `captured` that the published samples have, right or wrong: the status decides.
      const payment = paymentEntity({ method, ...more, status, captured: status === 'failed' ? true : '1' });
      return provider.parseWebhook(signedWebhook(envelope(event, { payment }))).event;
    };
    const money = { paymentId: 'pay_Q1', amountMinor: 49_900, currency: 'INR' };
    expect(hear('payment.captured', 'captured')).toMatchObject({ type: 'payment.captured', ...money });
    expect(hear('payment.authorized', 'authorized')).toMatchObject({ type: 'payment.authorized', ...money });
    expect(hear('payment.failed', 'failed')).toMatchObject({ type: 'payment.failed', paymentId: 'pay_Q1' });
    const paid = envelope('order.paid', { payment: paymentEntity({ method, ...more }), order: orderEntity() });
    expect(provider.parseWebhook(signedWebhook(paid)).event).toMatchObject({ type: 'payment.captured', ...money });
  });
});

describe('CloudPayments', () => {
  const provider = createCloudPaymentsProvider({
    settings: { publicId: PUBLIC_ID, apiSecrets: [API_SECRET], apiUrl: 'http://cloudpayments.test' },
    clock: () => new Date('2026-05-04T10:20:00.000Z'),
    jitter: () => 0,
  });
  const noCard = { CardFirstSix: '', CardLastFour: '', CardType: '', CardExpDate: '', Issuer: '', AuthCode: '' };
  const METHODS: [string, NoticeFields][] = [
    ['a card', {}],
    ['a card of a wallet', { PaymentMethod: 'GooglePay', TokenRecipient: '' }],
    ['Apple Pay', { PaymentMethod: 'ApplePay' }],
    ['SBP', { ...noCard, PaymentMethod: 'Sbp', Rrn: '' }],
    ['T-Pay', { ...noCard, PaymentMethod: 'TinkoffPay' }],
    ['SberPay', { ...noCard, PaymentMethod: 'SberPay', Token: '' }],
    ['instalments', { ...noCard, PaymentMethod: 'TinkoffInstallment', Name: '', Email: '' }],
    ['a method of tomorrow', { ...noCard, PaymentMethod: 'Telepathy', NewField: 'new' }],
  ];

  test.each(METHODS)('%s, charged at once, held and refused, as form and as JSON', (_name, more) => {
    for (const callFor of [formCall, jsonCall]) {
      const hear = (kind: string, fields: NoticeFields) =>
        provider.parseWebhook(callFor(kind, { ...PAID, ...more, ...fields })).event;
      const money = { paymentId: PAID.TransactionId, amountMinor: 129_050, currency: 'RUB' };
      expect(hear('pay', { Status: 'Completed' })).toMatchObject({ type: 'payment.captured', ...money });
      expect(hear('pay', { Status: 'Authorized' })).toMatchObject({ type: 'payment.authorized', ...money });
      expect(hear('confirm', { Status: 'Completed' })).toMatchObject({ type: 'payment.captured', ...money });
      const refused = { Status: 'Declined', Reason: 'InsufficientFunds', ReasonCode: '5051' };
      expect(hear('fail', refused)).toMatchObject({ type: 'payment.failed', paymentId: PAID.TransactionId });
    }
  });
});

describe('Stripe', () => {
  const hear = (type: string, object: Record<string, unknown>) =>
    translateWebhook(bytesOf(stripeEvent(type, object)), false).event;
  const AT_ONCE = [
    'card',
    'link',
    'ideal',
    'bancontact',
    'p24',
    'alipay',
    'wechat_pay',
    'cashapp',
    'klarna',
    'a_method_of_tomorrow',
  ];
  const DELAYED = [
    'sepa_debit',
    'us_bank_account',
    'bacs_debit',
    'au_becs_debit',
    'boleto',
    'oxxo',
    'multibanco',
    'customer_balance',
  ];
  const captured = { type: 'payment.captured', paymentId: INTENT, amountMinor: 1_999, currency: 'EUR' };

  test.each(AT_ONCE)('%s is captured when its session is complete', method => {
    const about = { payment_method_types: [method], payment_method_options: { [method]: {} } };
    expect(hear('checkout.session.completed', session({ ...about, payment_status: 'paid' }))).toMatchObject(captured);
    expect(hear('payment_intent.succeeded', intent(about))).toMatchObject(captured);
  });

  test.each(DELAYED)('%s is nothing yet when its session is complete, and captured or failed days later', method => {
    const about = { payment_method_types: [method] };
    expect(hear('checkout.session.completed', session({ ...about, payment_status: 'unpaid' }))).toBeNull();
    expect(
      hear('payment_intent.processing', intent({ ...about, status: 'processing', amount_received: 0 })),
    ).toBeNull();
    expect(hear('checkout.session.async_payment_succeeded', session(about))).toMatchObject(captured);
    expect(
      hear('checkout.session.async_payment_failed', session({ ...about, payment_status: 'unpaid' })),
    ).toMatchObject({ type: 'payment.failed' });
  });
});
