// What CloudPayments knows of one terminal and does when it is asked: transactions, links, confirm, void, refund. It refuses
// what the real one refuses, with a sentence in the body and not with a status.
import type { NoticeFields } from './cloudpaymentsNotices.ts';

/** How long an answer is kept under its X-Request-ID. */
const REQUEST_ID_MS = 3_600_000;
const CURRENCIES = new Set('RUB EUR USD GBP KZT INR UZS BYN'.split(' '));

export type Row = {
  TransactionId: number;
  Type: 0 | 1;
  OriginalTransactionId: number | null;
  InvoiceId: string | number | null;
  AccountId: string | null;
  SubscriptionId: string | null;
  Token: string | null;
  Amount: number;
  Currency: string;
  Status: 'AwaitingAuthentication' | 'Authorized' | 'Completed' | 'Cancelled' | 'Declined';
  TestMode: boolean;
  Reason: string;
  ReasonCode: number;
  CreatedDateIso: string;
  AuthDateIso: string | null;
  ConfirmDateIso: string | null;
  JsonData: string | null;
  Refunded: boolean;
};
export type Link = { Id: string; Url: string; Status: 'Created' | 'Paid' | 'Canceled'; body: Body };
export type Subscription = {
  Id: string;
  Status: 'Active' | 'PastDue' | 'Cancelled' | 'Rejected' | 'Expired';
  LastTransactionDateIso: string | null;
};
export type Body = Record<string, unknown>;
export type Answer = { Success: boolean; Message: string | null; Model?: unknown };

const DONE: Answer = { Success: true, Message: null };
const no = (Message: string): Answer => ({ Success: false, Message });
const NOT_ALLOWED = no('Operation is not allowed');

/** A declined one is told, though not as a success. */
const found = (row: Row | undefined): Answer =>
  row ? { Success: row.Status !== 'Declined', Message: null, Model: row } : no('Not found');

export class CloudPaymentsBank {
  readonly rows = new Map<number, Row>();
  readonly links = new Map<string, Link>();
  readonly subscriptions = new Map<string, Subscription>();
  readonly #kept = new Map<string, { at: number; asked: string; answer: Answer }>();
  readonly #clock: () => Date;
  #nextId = 3_051_000_000;

  constructor(clock: () => Date) {
    this.#clock = clock;
  }

  /** A payer at a card form; the state it ends in is the test's to say. */
  charge(invoiceId: string | number | null, more: Partial<Row> = {}): Row {
    const Status = more.Status ?? 'Completed';
    const row: Row = {
      TransactionId: this.#nextId++,
      Type: 0,
      OriginalTransactionId: null,
      InvoiceId: invoiceId,
      AccountId: null,
      SubscriptionId: null,
      Token: null,
      Amount: 499,
      Currency: 'INR',
      TestMode: false,
      Reason: Status === 'Declined' ? 'InsufficientFunds' : 'Approved',
      ReasonCode: Status === 'Declined' ? 5051 : 0,
      CreatedDateIso: this.#now(),
      AuthDateIso: Status === 'Declined' ? null : this.#now(),
      ConfirmDateIso: Status === 'Completed' ? this.#now() : null,
      JsonData: null,
      Refunded: false,
      ...more,
      Status,
    };
    this.rows.set(row.TransactionId, row);
    if (row.SubscriptionId !== null) {
      const kept = this.subscriptions.get(row.SubscriptionId) ?? { Id: row.SubscriptionId, Status: 'Active' as const };
      this.subscriptions.set(kept.Id, { ...kept, LastTransactionDateIso: row.CreatedDateIso });
    }
    return row;
  }

  refundsOf(row: Row): Row[] {
    return [...this.rows.values()].filter(other => other.OriginalTransactionId === row.TransactionId);
  }

  readonly calls: Readonly<Record<string, (body: Body) => Answer>> = {
    '/payments/get': body => found(this.#rowOf(body)),
    '/v2/payments/find': body => found(this.#having(row => `${row.InvoiceId}` === body.InvoiceId).at(-1)),
    '/payments/list': ({ Date: day, TimeZone }) => {
      if (typeof day !== 'string' || !/^\d{4}-\d\d-\d\d$/.test(day) || TimeZone !== 'UTC')
        return no('Date is required');
      return { ...DONE, Model: this.#having(row => row.CreatedDateIso.startsWith(day)) };
    },
    '/payments/confirm': body => this.#confirm(body),
    '/payments/void': body => {
      const row = this.#rowOf(body);
      if (row?.Status !== 'Authorized') return NOT_ALLOWED;
      row.Status = 'Cancelled';
      return DONE;
    },
    '/payments/refund': body => this.#refund(body),
    '/orders/create': body => this.#open(body),
    '/orders/cancel': body => {
      const link = this.links.get(String(body.Id));
      if (link?.Status !== 'Created') return no('Order cannot be canceled');
      link.Status = 'Canceled';
      return DONE;
    },
    '/subscriptions/get': body => {
      const subscription = this.subscriptions.get(String(body.Id));
      return subscription ? { ...DONE, Model: subscription } : no('Not found');
    },
    '/subscriptions/cancel': body => {
      const subscription = this.subscriptions.get(String(body.Id));
      if (!subscription || !['Active', 'PastDue'].includes(subscription.Status)) return NOT_ALLOWED;
      subscription.Status = 'Cancelled';
      return DONE;
    },
  };

  /**
   * Under an X-Request-ID "only one successful request is processed": a success is answered again as it was. An id that is
   * used for something else is a mistake of the caller's, told by null.
   */
  act(path: string, text: string, requestId: string | undefined): Answer | null {
    const asked = `${path} ${text}`;
    const at = this.#clock().getTime();
    const before = requestId === undefined ? undefined : this.#kept.get(requestId);
    if (before && at - before.at < REQUEST_ID_MS) return before.asked === asked ? before.answer : null;
    const answer = this.calls[path]!(JSON.parse(text));
    if (requestId !== undefined && answer.Success) this.#kept.set(requestId, { at, asked, answer });
    return answer;
  }

  forget(): void {
    this.rows.clear();
    this.links.clear();
    this.subscriptions.clear();
    this.#kept.clear();
  }

  #confirm(body: Body): Answer {
    const row = this.#rowOf(body);
    const wrong = wrongAmount(body);
    if (wrong !== null) return no(wrong);
    if (row?.Status !== 'Authorized' || (body.Amount as number) > row.Amount) return NOT_ALLOWED;
    Object.assign(row, { Status: 'Completed', Amount: body.Amount, ConfirmDateIso: this.#now() });
    return DONE;
  }

  #refund(body: Body): Answer {
    const row = this.#rowOf(body);
    const wrong = wrongAmount(body);
    if (wrong !== null) return no(wrong);
    if (row?.Status !== 'Completed' || row.Type !== 0) return NOT_ALLOWED;
    const back = this.refundsOf(row).reduce((sum, refund) => sum + cents(refund.Amount), 0);
    if (back + cents(body.Amount as number) > cents(row.Amount)) return no('The amount is more than is left');
    row.Refunded = true;
    const refund = this.charge(row.InvoiceId, {
      Type: 1,
      OriginalTransactionId: row.TransactionId,
      Amount: body.Amount as number,
      Currency: row.Currency,
      JsonData: (body.JsonData as string) ?? null,
    });
    return { ...DONE, Model: { TransactionId: refund.TransactionId } };
  }

  #open(body: Body): Answer {
    const wrong = wrongAmount(body);
    if (wrong !== null) return no(wrong);
    if (!body.Description) return no('Description is required');
    if (!CURRENCIES.has(String(body.Currency))) return no('Currency is not supported');
    const Id = `lnk${Buffer.from(String(this.#nextId++)).toString('hex')}`;
    const link: Link = { Id, Url: `https://orders.cloudpayments.test/d/${Id}`, Status: 'Created', body };
    this.links.set(Id, link);
    return { ...DONE, Model: { Id, Url: link.Url, Status: link.Status, StatusCode: 0, Number: this.links.size } };
  }

  #rowOf({ TransactionId }: Body): Row | undefined {
    return typeof TransactionId === 'number' ? this.rows.get(TransactionId) : undefined;
  }

  #having(test: (row: Row) => boolean): Row[] {
    return [...this.rows.values()].filter(test);
  }

  #now(): string {
    return this.#clock().toISOString().slice(0, 19);
  }
}

const cents = (amount: number) => Math.round(amount * 100);

function wrongAmount({ Amount }: Body): string | null {
  if (typeof Amount !== 'number') return 'Amount is required';
  return /^\d+(\.\d{1,2})?$/.test(String(Amount)) && Amount > 0 ? null : 'Amount is wrong';
}

/** The notification of a transaction, with the fields its type has. */
export function noticeOf(row: Row): NoticeFields {
  const common = {
    TransactionId: String(row.TransactionId),
    Amount: row.Amount.toFixed(2),
    DateTime: row.CreatedDateIso.replace('T', ' '),
    InvoiceId: row.InvoiceId === null ? '' : String(row.InvoiceId),
    AccountId: row.AccountId ?? '',
  };
  if (row.Type === 1)
    return { ...common, PaymentTransactionId: String(row.OriginalTransactionId), OperationType: 'Refund' };
  if (row.Status === 'Cancelled') return common;
  return {
    ...common,
    Currency: row.Currency,
    PaymentAmount: common.Amount,
    PaymentCurrency: row.Currency,
    OperationType: 'Payment',
    SubscriptionId: row.SubscriptionId ?? '',
    TestMode: row.TestMode ? '1' : '0',
    ...(row.Status === 'Declined'
      ? { Reason: row.Reason, ReasonCode: String(row.ReasonCode) }
      : { Status: row.Status, GatewayName: 'Test', AuthCode: 'A1' }),
  };
}
