// The port every payment provider stands behind. An adapter turns the provider's words into events of the order
// machine and never decides anything: what it returns goes to dispatch as it is.
import type { UnstampedOrderEvent } from '../../machines/orderEvents.ts';

/** What a provider is asked to open: one order. `orderId` is also the idempotency key at the provider. */
export type CheckoutRequest = {
  orderId: string;
  userId: string;
  planId: string;
  amountMinor: number;
  currency: string;
  /** Where the customer's browser is sent by the provider once the payment page is done. */
  callbackUrl: string;
};

/** The provider's side of an opened order: its id for it, and where to send the customer. */
export type OpenedCheckout = {
  providerOrderId: string;
  url?: string;
  /** What else the provider needs to be told which order is meant, where its order id is not enough. */
  handle?: string;
};

/** An opened order, as the browser's parameters and a served payment page need it. */
export type PayableOrder = Omit<CheckoutRequest, 'callbackUrl'> & OpenedCheckout & { callbackUrl: string };

/** A callback or webhook as it arrived: bytes first, parsed only after its signature held. */
export type IncomingCall = {
  body: Uint8Array;
  /** Header names in lower case. */
  headers: Record<string, string>;
  /** Query parameters, for providers that redirect the browser with GET or sign a query. */
  query: Record<string, string>;
  /** The query as it came, without the question mark. */
  rawQuery: string;
  contentType: string;
  /** The last part of the path where a provider has one address a type of webhook, such as `pay`; else null. */
  kind: string | null;
};

/** What an adapter may ask about our own orders, because a callback proves something only about an order of ours. */
export type KnownOrder = {
  orderId: string;
  providerOrderId: string | null;
  userId: string;
  amountMinor: number;
  currency: string;
  state: string;
};
export type OrderLookup = {
  /** Orders of this provider only. */
  byId(orderId: string): Promise<KnownOrder | null>;
  byProviderOrderId(providerOrderId: string): Promise<KnownOrder | null>;
};

/**
 * A verified call, translated. `event` null means there is nothing for the machine: `ignored` is a type we do not
 * use, `undecodable` a body whose signature held but which cannot be read; both are stored and acknowledged.
 */
export type ReceivedEvent = {
  eventKey: string;
  eventType: string;
  /** Our own id of the order as the provider carries it (receipt, metadata, invoice id); null without such a mark. */
  orderId: string | null;
  providerOrderId: string | null;
  /** The user whose stored card was charged, where the provider names nothing else: a recurring charge without an order. */
  payerId?: string;
} & ({ event: UnstampedOrderEvent } | { event: null; because: 'ignored' | 'undecodable'; detail: string });

export type ProviderRefund = {
  refundId: string;
  state: 'pending' | 'completed' | 'failed';
  amountMinor: number;
  occurredAt?: string;
};

export type ProviderDispute = {
  disputeId: string;
  state: 'opened' | 'won' | 'lost';
  amountMinor: number;
  occurredAt?: string;
};

/** One payment as the provider knows it now. */
export type ProviderPayment = {
  paymentId: string;
  /** Null when the provider's payment names no order. */
  providerOrderId: string | null;
  /** Our own id as the provider carries it. */
  orderId: string | null;
  state: 'pending' | 'authorized' | 'captured' | 'failed' | 'canceled';
  amountMinor: number;
  currency: string;
  /** Test or live, where the payment itself tells. */
  live?: boolean;
  subscriptionId?: string;
  /** The user whose stored card was charged, where the provider names nothing else. */
  payerId?: string;
  reason?: string;
  refunds?: ProviderRefund[];
  /** Where the provider tells them with the payment. */
  disputes?: ProviderDispute[];
  /** The provider's own time of this state, ISO 8601 UTC with milliseconds. */
  occurredAt?: string;
};

export type PaymentPage = { cursor: string | null; payments: ProviderPayment[] };

/** What a provider may list apart from payments: ways on which money goes back, in the order in which they are read. */
export const MONEY_BACK_KINDS = ['disputes', 'refunds'] as const;
export type MoneyBackKind = (typeof MONEY_BACK_KINDS)[number];

/** A payment of which only this much was told. */
export type MoneyBack = Pick<ProviderPayment, 'paymentId' | MoneyBackKind>;
export type MoneyBackPage = { cursor: string | null; found: MoneyBack[] };
/** @throws InvalidRequest for a cursor that is none, ProviderRefused where the key may not read them, ProviderUnreachable */
export type MoneyBackList = (since: Date, cursor: string | null) => Promise<MoneyBackPage>;

export type PaymentProvider = {
  name: string;
  /** The merchant account and mode of this deployment at the provider; events of another one do not fit. */
  account: string;
  live: boolean;
  /** True when `cancel` of an order makes it unpayable for good; false where an order stays payable whatever is asked. */
  closesOrders: boolean;
  /** True when everything that moves there is ours, so that a payment of an unknown order is never somebody else's business. */
  onlyOurs?: true;
  /** False where an authorised payment cannot be given back: it is captured, or ends by itself. */
  voidsPayments?: false;
  /** Opens the order at the provider; the same order id always answers the same provider order.
   * @throws InvalidRequest for an amount or currency the provider cannot take, ProviderRefused when it said no,
   *   ProviderUnreachable when nobody knows */
  createCheckout(request: CheckoutRequest): Promise<OpenedCheckout>;
  /** What the browser needs to pay an opened order, derived from it, so that a repeated checkout answers the same. */
  checkoutParams(order: PayableOrder): Record<string, unknown>;
  /** A page of ours that opens the provider's payment form, for providers that have no page of their own. */
  payPage?(order: PayableOrder): { html: string; contentSecurityPolicy: string };
  /** Verifies the browser's callback, then asks the provider for the payment: the answer is the event.
   * @throws BadSignature, InvalidRequest, ProviderRefused, ProviderUnreachable */
  parseCallback(call: IncomingCall, orders: OrderLookup): Promise<ReceivedEvent>;
  /** The types of webhook that have an address of their own, `/v1/webhooks/{provider}/{kind}`; without it there is one address. */
  kinds?: readonly string[];
  /** Verifies a webhook over its raw bytes. Pure but for the clock: no call goes out.
   * @throws BadSignature */
  parseWebhook(call: IncomingCall): ReceivedEvent;
  /** Asks for what a webhook left out and its fact cannot be known by, such as the payment of an invoice; most tell all.
   * @throws ProviderUnreachable: then the webhook is not acknowledged and comes again */
  complete?(event: ReceivedEvent): Promise<ReceivedEvent>;
  /** The question some providers ask before they charge, answered at once and kept nowhere; null when the call is none.
   * @throws BadSignature */
  answerCheck?(call: IncomingCall, orders: OrderLookup): Promise<Record<string, unknown> | null>;
  /** What the provider must read in our 200 to count a webhook as delivered, where it minds. */
  acknowledgement?: Record<string, unknown>;
  /** @throws ProviderRefused when the provider does not know the payment, ProviderUnreachable */
  fetchPayment(paymentId: string): Promise<ProviderPayment>;
  /** Every payment the provider knows for an order of ours, newest last. @throws ProviderUnreachable */
  findPayments(order: { orderId: string; providerOrderId: string }): Promise<ProviderPayment[]>;
  /** Our own id of the order as the provider's order carries it, where its payments do not; null for somebody else's.
   * @throws ProviderRefused, ProviderUnreachable */
  orderMark?(providerOrderId: string): Promise<string | null>;
  /** Payments that changed since, page by page; `cursor` null begins and, in the answer, ends. */
  listPayments(since: Date, cursor: string | null): Promise<PaymentPage>;
  /** Disputes opened and refunds made since, whenever their payments were, each as it stands now; paged like the payments,
   * `since` the same for all pages. Absent where the payments' list tells them, or nothing does. */
  listMoneyBack?: Partial<Record<MoneyBackKind, MoneyBackList>>;
  /** Captures an authorised payment; captured already is success. `key` is the same for ever.
   * @throws ProviderRefused, ProviderUnreachable (then fetch before trying again) */
  capture(request: { paymentId: string; amountMinor: number; currency: string; key: string }): Promise<ProviderPayment>;
  /** Sends money back. The same key never sends it twice. @throws ProviderRefused, ProviderUnreachable */
  refund(request: {
    paymentId: string;
    amountMinor: number;
    currency: string;
    key: string;
    reason?: string;
  }): Promise<ProviderRefund>;
  /** The refund that was sent under this key, as it stands now, or null where none was; nothing is sent. `since` is when
   * it was first asked for, for providers that are searched by day. @throws ProviderRefused, ProviderUnreachable */
  findRefund(request: { paymentId: string; key: string; since: Date }): Promise<ProviderRefund | null>;
  /** Closes an order that nobody shall pay any more, or gives an authorised payment back; done already is success.
   * @throws ProviderRefused when it can no longer be undone, ProviderUnreachable */
  cancel(request: {
    providerOrderId: string;
    handle: string | null;
    paymentId: string | null;
    key: string;
  }): Promise<void>;
  /** Stops the provider's own recurring charges at the end of the paid period; stopped already is success. Absent where
   * the provider has no subscriptions. @throws ProviderRefused, ProviderUnreachable */
  cancelSubscription?(request: { subscriptionId: string; key: string }): Promise<void>;
  /** Every charge the provider made for a subscription of its own, newest last, at most a page.
   * @throws ProviderRefused, ProviderUnreachable */
  findRenewals?(subscriptionId: string): Promise<ProviderPayment[]>;
};
