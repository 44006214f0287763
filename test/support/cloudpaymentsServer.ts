// CloudPayments over real HTTP as far as the service calls it: links, transactions, confirm, void, refund. Strict about what
// the real one refuses, and able to lose an answer after acting, to answer late, and to be overrun.
import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { API_SECRET, type NoticeFields, PUBLIC_ID } from './cloudpaymentsNotices.ts';

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
export type Seen = { path: string; text: string; headers: IncomingMessage['headers'] };
type Body = Record<string, unknown>;
type Answer = { Success: boolean; Message: string | null; Model?: unknown };

/** What happens to the next calls of a path, first come first served. */
export type Mishap = 'lost' | 'late' | number | { status?: number; text: string };

export type CloudPaymentsServer = Awaited<ReturnType<typeof startCloudPaymentsServer>>;

export async function startCloudPaymentsServer(options: { clock: () => Date; lateMs?: number }) {
  const rows = new Map<number, Row>();
  const links = new Map<string, Link>();
  const seen: Seen[] = [];
  const mishaps: { path: string; mishap: Mishap }[] = [];
  const kept = new Map<string, { at: number; answer: Answer }>();
  let nextId = 3_051_000_000;
  const now = () => options.clock().toISOString().slice(0, 19);

  /** A payer at a card form; the state it ends in is the test's to say. */
  function charge(invoiceId: string | number | null, more: Partial<Row> = {}): Row {
    const Status = more.Status ?? 'Completed';
    const row: Row = {
      TransactionId: nextId++,
      Type: 0,
      OriginalTransactionId: null,
      InvoiceId: invoiceId,
      AccountId: null,
      SubscriptionId: null,
      Amount: 499,
      Currency: 'INR',
      TestMode: false,
      Reason: Status === 'Declined' ? 'InsufficientFunds' : 'Approved',
      ReasonCode: Status === 'Declined' ? 5051 : 0,
      CreatedDateIso: now(),
      AuthDateIso: Status === 'Declined' ? null : now(),
      ConfirmDateIso: Status === 'Completed' ? now() : null,
      JsonData: null,
      Refunded: false,
      ...more,
      Status,
    };
    rows.set(row.TransactionId, row);
    return row;
  }

  const found = (row: Row | undefined): Answer =>
    row ? { Success: row.Status !== 'Declined', Message: null, Model: row } : { Success: false, Message: 'Not found' };
  const no = (Message: string): Answer => ({ Success: false, Message });
  const done: Answer = { Success: true, Message: null };

  const rowOf = (body: Body) => (typeof body.TransactionId === 'number' ? rows.get(body.TransactionId) : undefined);

  const CALLS: Record<string, (body: Body) => Answer> = {
    '/payments/get': body => found(rowOf(body)),
    '/v2/payments/find': body => found([...rows.values()].filter(row => `${row.InvoiceId}` === body.InvoiceId).at(-1)),
    '/payments/list': body =>
      typeof body.Date === 'string' && /^\d{4}-\d\d-\d\d$/.test(body.Date)
        ? { ...done, Model: [...rows.values()].filter(row => row.CreatedDateIso.startsWith(body.Date as string)) }
        : no('Date is required'),
    '/payments/confirm'(body) {
      const row = rowOf(body);
      const wrong = wrongAmount(body);
      if (wrong !== null) return no(wrong);
      if (row?.Status !== 'Authorized' || (body.Amount as number) > row.Amount) return no('Operation is not allowed');
      Object.assign(row, { Status: 'Completed', Amount: body.Amount, ConfirmDateIso: now() });
      return done;
    },
    '/payments/void'(body) {
      const row = rowOf(body);
      if (row?.Status !== 'Authorized') return no('Operation is not allowed');
      row.Status = 'Cancelled';
      return done;
    },
    '/payments/refund'(body) {
      const row = rowOf(body);
      const wrong = wrongAmount(body);
      if (wrong !== null) return no(wrong);
      if (row?.Status !== 'Completed' || row.Type !== 0) return no('Operation is not allowed');
      const back = refundsOf(row).reduce((sum, refund) => sum + cents(refund.Amount), 0);
      if (back + cents(body.Amount as number) > cents(row.Amount)) return no('The amount is more than is left');
      row.Refunded = true;
      const refund = charge(row.InvoiceId, {
        Type: 1,
        OriginalTransactionId: row.TransactionId,
        Amount: body.Amount as number,
        Currency: row.Currency,
        JsonData: (body.JsonData as string) ?? null,
      });
      return { ...done, Model: { TransactionId: refund.TransactionId } };
    },
    '/orders/create'(body) {
      const wrong = wrongAmount(body);
      if (wrong !== null) return no(wrong);
      if (!body.Description) return no('Description is required');
      if (!CURRENCIES.has(String(body.Currency))) return no('Currency is not supported');
      const Id = `lnk${links.size}${Buffer.from(String(nextId++)).toString('hex')}`;
      const link: Link = { Id, Url: `https://orders.cloudpayments.test/d/${Id}`, Status: 'Created', body };
      links.set(Id, link);
      const { body: _, ...Model } = link;
      return { ...done, Model };
    },
    '/orders/cancel'(body) {
      const link = links.get(String(body.Id));
      if (link?.Status !== 'Created') return no('Order cannot be canceled');
      link.Status = 'Canceled';
      return done;
    },
  };

  const refundsOf = (row: Row) => [...rows.values()].filter(other => other.OriginalTransactionId === row.TransactionId);

  /** Under an X-Request-ID "only one successful request is processed": a success is answered again as it was. */
  function act(path: string, body: Body, requestId: string | undefined): Answer {
    const before = requestId === undefined ? undefined : kept.get(requestId);
    if (before && options.clock().getTime() - before.at < REQUEST_ID_MS) return before.answer;
    const answer = CALLS[path]!(body);
    if (requestId !== undefined && answer.Success) kept.set(requestId, { at: options.clock().getTime(), answer });
    return answer;
  }

  const expected = `Basic ${Buffer.from(`${PUBLIC_ID}:${API_SECRET}`).toString('base64')}`;
  const http = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const text = Buffer.concat(chunks).toString('utf8');
    const path = request.url ?? '';
    seen.push({ path, text, headers: request.headers });
    const end = (status: number, told: string) =>
      response.writeHead(status, { 'content-type': 'application/json' }).end(told);
    if (request.headers.authorization !== expected) return end(401, '');
    if (request.method !== 'POST' || !CALLS[path] || request.headers['content-type'] !== 'application/json') {
      return end(404, '<html>');
    }
    const at = mishaps.findIndex(entry => entry.path === path);
    const mishap = at < 0 ? undefined : mishaps.splice(at, 1)[0]!.mishap;
    if (typeof mishap === 'number') return end(mishap, '');
    if (typeof mishap === 'object') return end(mishap.status ?? 200, mishap.text);
    const answer = JSON.stringify(act(path, JSON.parse(text), request.headers['x-request-id'] as string | undefined));
    if (mishap === 'lost') return request.socket.destroy();
    if (mishap === 'late') return void setTimeout(() => end(200, answer), options.lateMs ?? 0);
    return end(200, answer);
  });
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
  return {
    url: `http://127.0.0.1:${(http.address() as AddressInfo).port}`,
    rows,
    links,
    seen,
    charge,
    refundsOf,
    /** What the merchant does in the dashboard, or another program with the same secret. */
    byHand: (path: string, body: Body) => CALLS[path]!(body),
    mishap: (path: string, ...list: Mishap[]) => mishaps.push(...list.map(mishap => ({ path, mishap }))),
    calls: (path: string) => seen.filter(call => call.path === path).length,
    forget() {
      rows.clear();
      links.clear();
      kept.clear();
      seen.length = 0;
      mishaps.length = 0;
    },
    async close() {
      http.closeAllConnections();
      http.close();
      await once(http, 'close');
    },
  };
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
