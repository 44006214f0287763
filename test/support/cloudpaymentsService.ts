// The service with CloudPayments as its only provider: the real adapter, talking to the server of the protocol, and that
// server's payers, whose payments are asked about, charged and told of like the real ones.
import { createCloudPaymentsProvider } from '../../src/providers/cloudpayments/adapter.ts';
import { noticeOf, type Row } from './cloudpaymentsBank.ts';
import { API_SECRET, formCall, jsonCall, type NoticeFields, PUBLIC_ID, type Signing } from './cloudpaymentsNotices.ts';
import { type CloudPaymentsServer, startCloudPaymentsServer } from './cloudpaymentsServer.ts';
import type { Json } from './httpService.ts';
import { type Opened, type ProviderService, startProviderService } from './providerService.ts';

export type Answered = { status: number; body: Json };
export type CloudPaymentsService = Omit<ProviderService, 'checkOut'> & {
  bank: CloudPaymentsServer;
  checkOut(): Promise<Opened & { handle: string }>;
  /** A notification by form and then by JSON in turn. */
  notify(kind: string, fields: NoticeFields, signing?: Signing): Promise<Answered>;
  callback(fields: Record<string, unknown>): Promise<Answered>;
  /** Check, then the charge and its notification, unless the answer is no. */
  pay(order: { id: string; userId: string }, more?: Partial<Row>): Promise<{ code: number; row: Row | null }>;
  /** Tells of a transaction under the kind it has. */
  tell(row: Row, kind?: string): Promise<Answered>;
  /** What an operator sends about an order. */
  send(id: string, event: Record<string, unknown>): Promise<Answered>;
};

export async function startCloudPaymentsService(): Promise<CloudPaymentsService> {
  // The server's clock is the service's, which is made first.
  let now = () => new Date();
  const bank = await startCloudPaymentsServer({ clock: () => now() });
  const settings = { publicId: PUBLIC_ID, apiSecrets: [API_SECRET], apiUrl: bank.url };
  const base = await startProviderService({
    make: ({ clock }) => createCloudPaymentsProvider({ settings, clock, jitter: () => 0 }),
    plan: { amountMinor: 49_910, currency: 'INR' },
  });
  now = base.world.clock;
  let notices = 0;

  async function call(...args: Parameters<typeof base.call>): Promise<Answered> {
    const { status, body } = await base.call(...args);
    return { status, body };
  }

  const service: CloudPaymentsService = {
    ...base,
    bank,
    async checkOut() {
      const order = await base.checkOut();
      return { ...order, handle: order.url.split('/').at(-1) ?? '' };
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
    send: (id, event) => call('POST', `/v1/orders/${id}/events`, event, { 'idempotency-key': base.world.newId('req') }),
    async close() {
      await base.close();
      await bank.close();
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
