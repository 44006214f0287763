// Razorpay's API played over real HTTP: it keeps orders, payments, refunds and disputes, refuses what the real one refuses, and
// can act and then lose the answer, answer late, or not at all.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { disputeEntity, type Fields, orderEntity, paymentEntity, RAZORPAY, refundEntity } from './razorpayBodies.ts';
import { checkAmount, checkCapture, checkNotes, checkRefundKey, onlyFields, Refusal } from './razorpayRules.ts';

/** What happens to the answer of the next call, after the call was worked off (except for a number: a status before). */
export type Fault = 'lost' | 'garbage' | { lateMs: number } | number;

export type RazorpayServer = {
  url: string;
  orders: Map<string, Fields>;
  payments: Map<string, Fields>;
  refunds: Map<string, Fields>;
  disputes: Map<string, Fields>;
  subscriptions: Map<string, Fields>;
  invoices: Map<string, Fields>;
  /** `METHOD /path?query`, in the order they came. */
  calls: string[];
  /** Applied to the next calls whose `METHOD /path` matches, one each. */
  faults: { to: RegExp; fault: Fault }[];
  /** Where the documentation contradicts itself. */
  readings: {
    receiptIsUnique: boolean;
    refundKeyIsHonoured: boolean;
    alreadyCapturedText: string;
    /** No page says in which order disputes are listed; a sample has the newest first. */
    disputesOldestFirst: boolean;
    /** The API's page says that refunds are listed by when they were made; the SDKs' tables say payments. */
    refundsByTheirPayments: boolean;
  };
  /** A payment somebody made at the bank, on an order or without one. */
  pay(orderId: string | null, more?: Fields): Fields;
  /** The customer's bank disputes a payment: all of it unless told. */
  dispute(paymentId: unknown, more?: Fields): Fields;
  /** Money sent back on Razorpay's pages: all that is left unless told. */
  refund(paymentId: unknown, more?: Fields): Fields;
  /** A refund that was made comes back. */
  failRefund(refundId: unknown): void;
  /** A charge of a subscription, with the invoice and the order Razorpay makes for it. */
  charge(subscriptionId: string, more?: Fields): Fields;
  close(): Promise<void>;
};

export async function startRazorpay(): Promise<RazorpayServer> {
  const state: Omit<RazorpayServer, 'url' | 'close'> = {
    orders: new Map(),
    payments: new Map(),
    refunds: new Map(),
    disputes: new Map(),
    subscriptions: new Map(),
    invoices: new Map(),
    calls: [],
    faults: [],
    readings: {
      receiptIsUnique: true,
      refundKeyIsHonoured: true,
      alreadyCapturedText: 'This payment has already been captured',
      disputesOldestFirst: false,
      refundsByTheirPayments: false,
    },
    pay(orderId, more = {}) {
      const order = orderId === null ? undefined : state.orders.get(orderId);
      if (order) order.status = more.status === 'captured' ? 'paid' : 'attempted';
      const { amount = 49_900, currency = 'INR' } = (order ?? {}) as { amount?: number; currency?: string };
      const id = nextId('pay');
      const payment = paymentEntity({ id, order_id: orderId, amount, currency, status: 'captured', ...more });
      state.payments.set(id, payment);
      return payment;
    },
    dispute(paymentId, more = {}) {
      const { id: payment_id, amount, currency } = known('payments', String(paymentId));
      const dispute = disputeEntity({ id: nextId('disp'), payment_id, amount, currency, ...more });
      state.disputes.set(String(dispute.id), dispute);
      return dispute;
    },
    refund(paymentId, more = {}) {
      const payment = known('payments', String(paymentId));
      return sendBack(payment, { amount: Number(payment.amount) - Number(payment.amount_refunded), ...more });
    },
    failRefund(refundId) {
      const refund = state.refunds.get(String(refundId))!;
      const payment = known('payments', String(refund.payment_id));
      refund.status = 'failed';
      payment.amount_refunded = Number(payment.amount_refunded) - Number(refund.amount);
      const isNone = payment.amount_refunded === 0;
      Object.assign(payment, { status: 'captured', refund_status: isNone ? null : 'partial' });
    },
    charge(subscription_id, more = {}) {
      if (!state.subscriptions.has(subscription_id)) {
        state.subscriptions.set(subscription_id, { id: subscription_id, entity: 'subscription', status: 'active' });
      }
      const payment = state.pay(null, { order_id: nextId('order'), ...more });
      const id = nextId('inv');
      const isPaid = payment.status === 'captured';
      const paid = { payment_id: isPaid ? payment.id : null, status: isPaid ? 'paid' : 'issued' };
      const made = { issued_at: 1_772_000_000 + serial, created_at: 1_772_000_000 + serial };
      state.invoices.set(id, { id, entity: 'invoice', subscription_id, order_id: payment.order_id, ...paid, ...made });
      return payment;
    },
  };
  const keys = new Map<string, { body: string; refund: Fields }>();
  const server = createServer((request, response) => void answer(request, response));
  await new Promise<void>(done => server.listen(0, '127.0.0.1', done));

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = '', url = '' } = request;
    state.calls.push(`${method} ${url}`);
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const index = state.faults.findIndex(({ to }) => to.test(`${method} ${url}`));
    const fault = index < 0 ? undefined : state.faults.splice(index, 1)[0]!.fault;
    if (typeof fault === 'number') return void response.writeHead(fault).end('<html>busy</html>');
    const { status, body } = work(request, new URL(url, 'http://razorpay.test'), Buffer.concat(chunks).toString());
    if (fault === 'lost') return void request.socket.destroy();
    if (fault === 'garbage') return void response.writeHead(200).end('{"id":');
    if (fault) await new Promise(done => setTimeout(done, fault.lateMs));
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  }

  function work(request: IncomingMessage, url: URL, text: string): { status: number; body: unknown } {
    try {
      const basic = Buffer.from(`${RAZORPAY.keyId}:${RAZORPAY.keySecret}`).toString('base64');
      if (request.headers.authorization !== `Basic ${basic}`) throw new Refusal('Authentication failed', 401);
      if (request.method === 'GET') return { status: 200, body: read(url) };
      if (request.headers['content-type'] !== 'application/json') throw new Refusal('The request body is not JSON.');
      const key = request.headers['x-refund-idempotency'] as string | undefined;
      return { status: 200, body: write(url.pathname, JSON.parse(text), text, key) };
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      const { status, code, message: description } = error;
      return { status, body: { error: { code, description } } };
    }
  }

  function read({ pathname, searchParams }: URL): unknown {
    const [, , kind = '', id = '', of] = pathname.split('/');
    const query = Object.fromEntries(searchParams);
    if (of === 'payments')
      return collection([...state.payments.values()].filter(p => p.order_id === known(kind, id).id));
    if (of === 'refunds') {
      onlyFields(query, ['from', 'to', 'count', 'skip']);
      return page(
        [...state.refunds.values()].filter(r => r.payment_id === known(kind, id).id),
        query,
      );
    }
    if (id !== '') return known(kind, id);
    if (kind === 'refunds') {
      onlyFields(query, ['from', 'to', 'count', 'skip']);
      return page([...state.refunds.values()], query, { madeAt: refundListedAt });
    }
    if (kind === 'disputes') {
      onlyFields(query, ['count', 'skip']);
      return page([...state.disputes.values()], query, { oldestFirst: state.readings.disputesOldestFirst });
    }
    if (kind === 'invoices') {
      onlyFields(query, ['type', 'payment_id', 'receipt', 'customer_id', 'subscription_id', 'count', 'skip']);
      return page(
        [...state.invoices.values()].filter(invoice => invoice.subscription_id === query.subscription_id),
        query,
      );
    }
    onlyFields(query, kind === 'orders' ? ['receipt', 'from', 'to', 'count', 'skip'] : ['from', 'to', 'count', 'skip']);
    const all = [...(kind === 'orders' ? state.orders : state.payments).values()];
    // The filter is documented as "contains".
    return page(
      all.filter(item => !query.receipt || String(item.receipt).includes(query.receipt)),
      query,
    );
  }

  function known(kind: string, id: string): Fields {
    const { orders, subscriptions, disputes } = state;
    const maps: Record<string, Map<string, Fields>> = { orders, subscriptions, disputes };
    const found = (maps[kind] ?? state.payments).get(id);
    if (!found) throw new Refusal('The id provided does not exist');
    return found;
  }

  function write(path: string, body: Fields, text: string, key: string | undefined): unknown {
    if (path === '/v1/orders') return createOrder(body);
    const [, subscription] = /^\/v1\/subscriptions\/([^/]+)\/cancel$/.exec(path) ?? [];
    if (subscription !== undefined) return cancelSubscription(known('subscriptions', subscription), body);
    const [, id = '', action] = /^\/v1\/payments\/([^/]+)\/(capture|refund)$/.exec(path) ?? [];
    if (action === undefined) throw new Refusal('The requested URL was not found on the server.', 404);
    const payment = known('payments', id);
    return action === 'capture' ? capture(payment, body) : refund(payment, body, text, key);
  }

  function createOrder(body: Fields): Fields {
    onlyFields(body, ['amount', 'currency', 'receipt', 'notes', 'payment', 'partial_payment']);
    const amount = checkAmount(body.amount, body.currency);
    checkNotes(body.notes);
    if (body.payment !== undefined) checkCapture(body.payment);
    if (String(body.receipt).length > 40) throw new Refusal('The receipt may not be greater than 40 characters.');
    const used = [...state.orders.values()].some(order => order.receipt === body.receipt);
    if (used && state.readings.receiptIsUnique) throw new Refusal('Order receipt should be unique.');
    const { currency, receipt, notes } = body;
    const fresh = {
      status: 'created',
      amount_paid: 0,
      amount_due: amount,
      attempts: 0,
      created_at: 1_772_000_000 + serial,
    };
    const order = orderEntity({ id: nextId('order'), amount, currency, receipt, notes, ...fresh });
    state.orders.set(String(order.id), order);
    return order;
  }

  /** At the end of the cycle: until then it stays active. */
  function cancelSubscription(subscription: Fields, body: Fields): Fields {
    onlyFields(body, ['cancel_at_cycle_end']);
    if (['cancelled', 'completed', 'expired'].includes(String(subscription.status))) {
      throw new Refusal(`Subscription is not cancellable in ${subscription.status} status.`);
    }
    return Object.assign(
      subscription,
      body.cancel_at_cycle_end === true ? { endsWithCycle: true } : { status: 'cancelled' },
    );
  }

  function capture(payment: Fields, body: Fields): Fields {
    onlyFields(body, ['amount', 'currency']);
    if (payment.status === 'captured') throw new Refusal(state.readings.alreadyCapturedText);
    if (payment.status !== 'authorized') throw new Refusal('Only payments which have been authorized can be captured.');
    if (checkAmount(body.amount, body.currency) !== payment.amount) {
      throw new Refusal('Capture amount must be equal to the amount authorized.');
    }
    return Object.assign(payment, { status: 'captured', captured: true });
  }

  function refund(payment: Fields, body: Fields, text: string, key: string | undefined): Fields {
    onlyFields(body, ['amount', 'speed', 'notes', 'receipt']);
    checkRefundKey(key);
    const before = state.readings.refundKeyIsHonoured && key !== undefined ? keys.get(key) : undefined;
    if (before && before.body !== text) {
      throw new Refusal('Different request with the same idempotency key has already been processed.');
    }
    if (before) return before.refund;
    const left = Number(payment.amount) - Number(payment.amount_refunded);
    if (payment.status === 'refunded') throw new Refusal('The payment has been fully refunded already.');
    if (payment.status !== 'captured')
      throw new Refusal('The payment status should be captured for action to be taken');
    const amount = checkAmount(body.amount, payment.currency);
    if (amount > left) throw new Refusal('The refund amount provided is greater than amount captured.');
    const made = sendBack(payment, { amount, notes: body.notes ?? [] });
    if (key !== undefined) keys.set(key, { body: text, refund: made });
    return made;
  }

  function sendBack(payment: Fields, more: Fields & { amount: number }): Fields {
    const { currency, id: payment_id } = payment;
    const made = refundEntity({ id: nextId('rfnd'), payment_id, currency, ...more });
    state.refunds.set(String(made.id), made);
    payment.amount_refunded = Number(payment.amount_refunded) + more.amount;
    const isWhole = payment.amount_refunded === payment.amount;
    Object.assign(payment, isWhole ? { status: 'refunded', refund_status: 'full' } : { refund_status: 'partial' });
    return made;
  }

  function refundListedAt(refund: Fields): number {
    const made = state.readings.refundsByTheirPayments ? known('payments', String(refund.payment_id)) : refund;
    return Number(made.created_at);
  }

  return Object.assign(state, {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async close() {
      server.closeAllConnections();
      await new Promise(done => server.close(done));
    },
  });
}

let serial = 0;
const nextId = (prefix: string) => `${prefix}_F${String(++serial).padStart(6, '0')}`;

const collection = (items: Fields[]) => ({ entity: 'collection', count: items.length, items });

type Reading = { oldestFirst?: boolean; madeAt?: (item: Fields) => number };

/** Newest first, ten unless told. */
function page(items: Fields[], query: Record<string, string>, reading: Reading = {}): unknown {
  const { oldestFirst = false, madeAt = item => Number(item.created_at) } = reading;
  const { from = 0, to = Number.MAX_SAFE_INTEGER, count = 10, skip = 0 } = query;
  if (Number(count) > 100) throw new Refusal('The count may not be greater than 100.');
  const inTime = items.filter(item => madeAt(item) >= Number(from) && madeAt(item) <= Number(to));
  inTime.sort((a, b) => madeAt(b) - madeAt(a));
  if (oldestFirst) inTime.reverse();
  return collection(inTime.slice(Number(skip), Number(skip) + Number(count)));
}
