// The service behind its HTTP API with CloudPayments as its only provider: the real adapter, talking to the server of the
// protocol, and that server's payers, whose payments are asked about, charged and told of like the real ones.
import { pino } from 'pino';
import { createCore } from '../../src/core.ts';
import { createApp } from '../../src/http/app.ts';
import { startHttpServer } from '../../src/http/server.ts';
import { createCloudPaymentsProvider } from '../../src/providers/cloudpayments/adapter.ts';
import type { PaymentProvider } from '../../src/providers/provider.ts';
import { noticeOf, type Row } from './cloudpaymentsBank.ts';
import { API_SECRET, formCall, jsonCall, type NoticeFields, PUBLIC_ID, type Signing } from './cloudpaymentsNotices.ts';
import { type CloudPaymentsServer, startCloudPaymentsServer } from './cloudpaymentsServer.ts';
import { ADMIN_KEY, API_KEY, type Json } from './httpService.ts';
import { createWorld, type World } from './world.ts';

export type Told = { status: number; body: Json };
export type CloudPaymentsService = {
  world: World;
  bank: CloudPaymentsServer;
  url: string;
  /** A plan and an order of it, opened at the provider. */
  checkOut(): Promise<{ id: string; userId: string; handle: string }>;
  /** A notification by form and then by JSON in turn. */
  notify(kind: string, fields: NoticeFields, signing?: Signing): Promise<Told>;
  callback(fields: Record<string, unknown>): Promise<Told>;
  /** Check, then the charge and its notification, unless the answer is no. */
  pay(order: { id: string; userId: string }, more?: Partial<Row>): Promise<{ code: number; row: Row | null }>;
  /** Tells of a transaction under the kind it has. */
  tell(row: Row, kind?: string): Promise<Told>;
  /** What an operator sends about an order. */
  send(id: string, event: Record<string, unknown>): Promise<Told>;
  order(id: string): Promise<Json>;
  timeline(id: string): Promise<Json>;
  close(): Promise<void>;
};

export async function startCloudPaymentsService(): Promise<CloudPaymentsService> {
  const world = await createWorld();
  const { clock, newId, db, dispatch } = world;
  const bank = await startCloudPaymentsServer({ clock });
  const settings = { publicId: PUBLIC_ID, apiSecrets: [API_SECRET], apiUrl: bank.url };
  const provider: PaymentProvider = createCloudPaymentsProvider({ settings, clock, jitter: () => 0 });
  const log = pino({ level: 'silent' });
  const readiness = async () => ({ database: true });
  const providers = new Map([[provider.name, provider]]);
  const core = createCore({ db, dispatch, providers, publicUrl: 'http://self.test', clock, newId, log, readiness });
  const app = createApp({ core, keys: { api: API_KEY, admin: ADMIN_KEY }, clock, newId, log });
  const http = await startHttpServer({ app, host: '127.0.0.1', port: 0, log });
  let notices = 0;

  async function call(method: string, path: string, body?: unknown, headers: Record<string, string> = {}) {
    const raw = body instanceof Uint8Array;
    const response = await fetch(http.url + path, {
      method,
      headers: { authorization: `Bearer ${ADMIN_KEY}`, 'content-type': 'application/json', ...headers },
      ...(body !== undefined && { body: raw ? (body as Uint8Array<ArrayBuffer>) : JSON.stringify(body) }),
    });
    return { status: response.status, body: (await response.json()) as Json };
  }

  const service: CloudPaymentsService = {
    world,
    bank,
    url: http.url,
    async checkOut() {
      const plan = { product: 'pro', amountMinor: 49_910, currency: 'INR', period: { months: 1 }, graceDays: 3 };
      await call('PUT', '/v1/plans/pro-monthly', plan);
      const userId = newId('req');
      const asked = { userId, planId: 'pro-monthly', provider: 'cloudpayments' };
      const answer = await call('POST', '/v1/checkouts', asked, { 'idempotency-key': userId });
      if (answer.status !== 201) throw new Error(`checkout answered ${JSON.stringify(answer)}`);
      return { id: answer.body.order.id, userId, handle: answer.body.checkout.url.split('/').at(-1) };
    },
    notify(kind, fields, signing) {
      const make = notices++ % 2 === 0 ? formCall : jsonCall;
      const { body, contentType, headers } = make(kind, fields, signing);
      return call('POST', `/v1/webhooks/cloudpayments/${kind}`, body, { ...headers, 'content-type': contentType });
    },
    callback: fields => call('POST', '/v1/callbacks/cloudpayments', fields),
    async pay({ id, userId }, more = {}) {
      const asked = { TransactionId: '1', Amount: '499.10', Currency: 'INR', InvoiceId: id, AccountId: userId };
      const { body } = await service.notify('check', { ...asked, TestMode: '0', Status: 'Completed' });
      if (body.code !== 0) return { code: body.code, row: null };
      return { code: 0, row: bank.charge(id, { Amount: 499.1, AccountId: userId, ...more }) };
    },
    tell: (row, kind = kindOf(row)) => service.notify(kind, noticeOf(row)),
    send: (id, event) => call('POST', `/v1/orders/${id}/events`, event, { 'idempotency-key': newId('req') }),
    order: async id => (await call('GET', `/v1/orders/${id}`)).body,
    timeline: async id => (await call('GET', `/v1/orders/${id}/timeline`)).body,
    async close() {
      await http.close();
      await bank.close();
      await world.close();
    },
  };
  return service;
}

function kindOf(row: Row): string {
  if (row.Type === 1) return 'refund';
  return { Declined: 'fail', Cancelled: 'cancel', Authorized: 'pay', Completed: 'pay', AwaitingAuthentication: 'pay' }[
    row.Status
  ];
}
