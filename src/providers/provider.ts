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
export type OpenedCheckout = { providerOrderId: string; url?: string };

/** A callback or webhook as it arrived: bytes first, parsed only after its signature held. */
export type IncomingCall = {
  body: Uint8Array;
  /** Header names in lower case. */
  headers: Record<string, string>;
  /** Query parameters, for providers that redirect the browser with GET. */
  query: Record<string, string>;
  contentType: string;
};

/** The order an event is about, in the provider's words. */
export type ProviderAddress = { provider: string; providerOrderId: string };

/**
 * A verified call, translated. `event` null means there is nothing for the machine: `ignored` is a type we do not
 * use, `undecodable` a body whose signature held but which cannot be read; both are stored and acknowledged.
 */
export type ReceivedEvent = {
  eventKey: string;
  eventType: string;
  providerOrderId: string | null;
} & ({ event: UnstampedOrderEvent } | { event: null; because: 'ignored' | 'undecodable'; detail: string });

/** One payment as the provider knows it now. */
export type ProviderPayment = {
  paymentId: string;
  providerOrderId: string;
  state: 'pending' | 'authorized' | 'captured' | 'failed' | 'canceled';
  amountMinor: number;
  currency: string;
  reason?: string;
  /** The provider's own time of this state, ISO 8601 UTC with milliseconds. */
  occurredAt?: string;
};

export type PaymentProvider = {
  name: string;
  /** The merchant account and mode of this deployment at the provider; events of another one do not fit. */
  account: string;
  live: boolean;
  /** Opens the order at the provider; the same order id always answers the same provider order.
   * @throws ProviderRefused when the provider said no, ProviderUnreachable when nobody knows. */
  createCheckout(request: CheckoutRequest): Promise<OpenedCheckout>;
  /** What the browser needs to pay an opened order, derived from it, so that a repeated checkout answers the same. */
  checkoutParams(opened: OpenedCheckout): Record<string, unknown>;
  /** Verifies the browser's callback, then asks the provider for the payment: the answer is the event.
   * @throws BadSignature, InvalidRequest, ProviderRefused, ProviderUnreachable */
  parseCallback(call: IncomingCall): Promise<ReceivedEvent>;
  /** Verifies a webhook over its raw bytes. Pure but for the clock: no call goes out.
   * @throws BadSignature */
  parseWebhook(call: IncomingCall): ReceivedEvent;
  /** @throws ProviderRefused when the provider does not know the payment, ProviderUnreachable */
  fetchPayment(paymentId: string): Promise<ProviderPayment>;
};
