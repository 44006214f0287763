// Notifications as CloudPayments sends them: encoded like .NET does, with both HMAC headers, by form or by JSON.
import { createHmac } from 'node:crypto';
import type { IncomingCall } from '../../src/providers/provider.ts';

export const PUBLIC_ID = 'pk_7c1e5d0f4b';
export const API_SECRET = 'f00dcafe51d2e8a4b7c90d3e6f1a2b3c';

export type NoticeFields = Record<string, string | number | boolean | null>;

/** Lower-case hex, `+` for a space, and `-_.!*()` left alone: what .NET's UrlEncode makes of a value. */
export function dotNetEncode(value: string): string {
  return [...Buffer.from(value)]
    .map(byte => {
      const character = String.fromCharCode(byte);
      if (character === ' ') return '+';
      return /[A-Za-z0-9\-_.!*()]/.test(character) ? character : `%${byte.toString(16).padStart(2, '0')}`;
    })
    .join('');
}

export const formOf = (fields: NoticeFields) =>
  Object.entries(fields)
    .map(([name, value]) => `${name}=${dotNetEncode(String(value ?? ''))}`)
    .join('&');

const decoded = (form: string) => decodeURIComponent(form.replaceAll('+', ' '));
export const mac = (message: string, secret = API_SECRET) =>
  createHmac('sha256', secret).update(message).digest('base64');

export type Signing = { secret?: string; only?: 'content-hmac' | 'x-content-hmac' };

export function hmacHeaders(message: string, json: boolean, { secret, only }: Signing = {}): Record<string, string> {
  const both = {
    'content-hmac': mac(message, secret),
    'x-content-hmac': mac(json ? message : decoded(message), secret),
  };
  return only ? { [only]: both[only] } : both;
}

export function formCall(kind: string, fields: NoticeFields, signing: Signing = {}): IncomingCall {
  const text = formOf(fields);
  return callOf(kind, text, 'application/x-www-form-urlencoded', hmacHeaders(text, false, signing));
}

export function jsonCall(kind: string, fields: NoticeFields, signing: Signing = {}): IncomingCall {
  const text = JSON.stringify(fields);
  return callOf(kind, text, 'application/json; charset=utf-8', hmacHeaders(text, true, signing));
}

export function callOf(
  kind: string | null,
  text: string | Uint8Array,
  contentType: string,
  headers: Record<string, string>,
): IncomingCall {
  const query = {};
  return { body: Buffer.from(text as string), headers, query, rawQuery: '', contentType, kind };
}

/** Made at 2026-05-04T09:59:00.000Z, the id says. */
export const ORDER_ID = `ord_01kqs6tgn0${'7abcdefgh2jkmnpq'}`;

/** A one-stage payment by card, with every field such a notification has. */
export const PAID: NoticeFields = {
  TransactionId: '3051224410',
  Amount: '1290.50',
  Currency: 'RUB',
  PaymentAmount: '14.10',
  PaymentCurrency: 'EUR',
  OperationType: 'Payment',
  InvoiceId: ORDER_ID,
  AccountId: 'customer-17',
  SubscriptionId: '',
  Name: 'ANNA PETROVA',
  Email: 'anna@example.org',
  DateTime: '2026-05-04 10:12:44',
  IpAddress: '203.0.113.9',
  IpCity: 'Казань',
  CardFirstSix: '220070',
  CardLastFour: '1144',
  CardType: 'MIR',
  CardExpDate: '08/29',
  Description: 'Подписка & доступ = 1 год',
  TestMode: '0',
  Status: 'Completed',
  GatewayName: 'Tinkoff',
  AuthCode: '77Z1',
  Token: 'tk_5f0e',
  TotalFee: '32.26',
  Rrn: '612345678901',
  Data: '{"orderId":"x","nested":{"a":1}}',
};
const { GatewayName: _g, AuthCode: _a, Token: _t, TotalFee: _f, Rrn: _r, ...ASKED } = PAID;

export { ASKED };
