// The sandbox as a payment provider like the others: this side speaks its protocol over HTTP and knows nothing of the
// server's insides, so that everything proven with it holds for a provider that is really elsewhere.
import { z } from 'zod';
import {
  amountMinorSchema,
  currencySchema,
  providerIdSchema,
  type UnstampedOrderEvent,
} from '../../../machines/orderEvents.ts';
import type { Clock } from '../../clock.ts';
import { BadSignature, ProviderRefused } from '../../errors.ts';
import type { PaymentProvider, ProviderPayment, ReceivedEvent } from '../provider.ts';
import { checkHexHmac, decodeSecret, verifyStandardWebhook } from '../signatures.ts';
import { readCallbackFields } from './callbackFields.ts';
import { createSandboxClient, type SandboxClient } from './client.ts';
import { callbackText, sandboxApiKey } from './keys.ts';
import { normaliseInstant, normaliseReason, translateWebhookBody } from './webhookBody.ts';

export const SANDBOX_PROVIDER = 'sandbox';

/** Ids the sandbox gives. Others are not asked for: `..` as an id would address another resource. */
const SANDBOX_ID = /^[A-Za-z0-9_-]{1,128}$/;

const openedSchema = z.object({ providerOrderId: providerIdSchema, url: z.url({ protocol: /^https?$/ }).max(2_048) });
const paymentSchema = z.object({
  paymentId: providerIdSchema,
  providerOrderId: providerIdSchema,
  state: z.enum(['pending', 'authorized', 'captured', 'failed', 'canceled']),
  amountMinor: amountMinorSchema,
  currency: currencySchema,
  reason: z.unknown().optional(),
  occurredAt: z.unknown().optional(),
});

export type SandboxProviderOptions = {
  /** Where the sandbox listens. */
  url: string;
  /** `whsec_<base64>`, the one secret both sides share. */
  secret: string;
  clock: Clock;
  fetch?: typeof fetch;
};

/** Makes the sandbox provider. @throws Error when the secret is unfit */
export function createSandboxProvider(options: SandboxProviderOptions): PaymentProvider {
  const secret = decodeSecret(options.secret);
  const client = createSandboxClient({
    url: options.url,
    apiKey: sandboxApiKey(secret),
    fetch: options.fetch ?? globalThis.fetch,
  });

  return {
    name: SANDBOX_PROVIDER,
    account: SANDBOX_PROVIDER,
    live: false,
    // The pay page needs nothing but its URL, which the checkout carries already.
    checkoutParams: () => ({}),

    createCheckout: request =>
      client.call({
        method: 'POST',
        path: '/api/orders',
        idempotencyKey: request.orderId,
        body: request,
        answer: openedSchema,
      }),

    parseWebhook(call) {
      const { webhookId } = verifyStandardWebhook(call, [secret], options.clock);
      return translateWebhookBody(call.body, webhookId);
    },

    async parseCallback(call) {
      const { providerOrderId, paymentId, signature } = readCallbackFields(call);
      checkHexHmac(secret, callbackText(providerOrderId, paymentId), signature);
      const payment = await fetchPayment(client, paymentId);
      if (payment.paymentId !== paymentId || payment.providerOrderId !== providerOrderId) {
        throw new BadSignature('The signed payment belongs to another order than the one it was signed with.');
      }
      return toReceivedEvent(payment);
    },

    fetchPayment: paymentId => fetchPayment(client, paymentId),
  };
}

async function fetchPayment(client: SandboxClient, paymentId: string): Promise<ProviderPayment> {
  if (!SANDBOX_ID.test(paymentId)) throw new ProviderRefused('The sandbox never gave a payment this id.');
  const {
    reason: givenReason,
    occurredAt: givenTime,
    ...payment
  } = await client.call({
    method: 'GET',
    path: `/api/payments/${paymentId}`,
    answer: paymentSchema,
  });
  const reason = normaliseReason(givenReason);
  const occurredAt = normaliseInstant(givenTime);
  return { ...payment, ...(reason !== undefined && { reason }), ...(occurredAt !== undefined && { occurredAt }) };
}

/** The callback brought no fact, only the question; the payment's state is the answer, and with it the event's key. */
function toReceivedEvent(payment: ProviderPayment): ReceivedEvent {
  const base = {
    eventKey: `cb:${payment.paymentId}:${payment.state}`,
    eventType: `payment.${payment.state}`,
    providerOrderId: payment.providerOrderId,
  };
  const event = toEvent(payment);
  if (event !== null) return { ...base, event };
  return { ...base, event: null, because: 'ignored', detail: 'The payment is still pending at the provider.' };
}

function toEvent(payment: ProviderPayment): UnstampedOrderEvent | null {
  const { paymentId, state, amountMinor, currency, reason, occurredAt } = payment;
  const time = occurredAt === undefined ? {} : { occurredAt };
  switch (state) {
    case 'pending':
      return null;
    case 'authorized':
    case 'captured':
      return { type: `payment.${state}`, paymentId, amountMinor, currency, ...time };
    case 'failed':
    case 'canceled':
      return { type: `payment.${state}`, paymentId, ...(reason !== undefined && { reason }), ...time };
  }
}
