// The sandbox as a payment provider like the others: this side speaks its protocol over HTTP and knows nothing of the
// server's insides, so that everything proven with it holds for a provider that is really elsewhere.
import { z } from 'zod';
import { providerIdSchema } from '../../../machines/orderEvents.ts';
import type { Clock } from '../../clock.ts';
import { BadSignature } from '../../errors.ts';
import { paymentEvent } from '../paymentEvent.ts';
import type { IncomingCall, PaymentProvider, ProviderPayment, ReceivedEvent } from '../provider.ts';
import { checkHexHmac, decodeSecret, verifyStandardWebhook } from '../signatures.ts';
import { readCallbackFields } from './callbackFields.ts';
import { createSandboxClient } from './client.ts';
import { callbackText, sandboxApiKey } from './keys.ts';
import { sandboxPayments } from './payments.ts';
import { translateWebhookBody } from './webhookBody.ts';

export const SANDBOX_PROVIDER = 'sandbox';

const openedSchema = z.object({ providerOrderId: providerIdSchema, url: z.url({ protocol: /^https?$/ }).max(2_048) });

export type SandboxProviderOptions = {
  /** Where the sandbox listens. */
  url: string;
  /** `whsec_<base64>`, the one secret both sides share. */
  secret: string;
  clock: Clock;
  fetch?: typeof fetch;
};

/** Its callbacks prove themselves: nothing has to be asked about our orders. */
export type SandboxProvider = Omit<PaymentProvider, 'parseCallback'> & {
  parseCallback(call: IncomingCall): Promise<ReceivedEvent>;
};

/** Makes the sandbox provider. @throws Error when the secret is unfit */
export function createSandboxProvider(options: SandboxProviderOptions): SandboxProvider {
  const secret = decodeSecret(options.secret);
  const client = createSandboxClient({
    url: options.url,
    apiKey: sandboxApiKey(secret),
    fetch: options.fetch ?? globalThis.fetch,
  });

  const payments = sandboxPayments(client);

  return {
    name: SANDBOX_PROVIDER,
    account: SANDBOX_PROVIDER,
    live: false,
    closesOrders: true,
    onlyOurs: true,
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
      const payment = await payments.fetchPayment(paymentId);
      if (payment.paymentId !== paymentId || payment.providerOrderId !== providerOrderId) {
        throw new BadSignature('The signed payment belongs to another order than the one it was signed with.');
      }
      return toReceivedEvent(payment);
    },

    ...payments,
  };
}

/** The callback brought no fact, only the question; the payment's state is the answer, and with it the event's key. */
function toReceivedEvent(payment: ProviderPayment): ReceivedEvent {
  const base = {
    eventKey: `cb:${payment.paymentId}:${payment.state}`,
    eventType: `payment.${payment.state}`,
    orderId: null,
    providerOrderId: payment.providerOrderId,
  };
  const event = paymentEvent(payment);
  if (event !== null) return { ...base, event };
  return { ...base, event: null, because: 'ignored', detail: 'The payment is still pending at the provider.' };
}
