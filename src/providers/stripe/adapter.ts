// Stripe as a payment provider: Checkout Sessions to pay on, signed webhooks, and the official SDK to ask with.
import type { Clock } from '../../clock.ts';
import type { PaymentProvider } from '../provider.ts';
import type { StripeSettings } from '../settings.ts';
import { createStripeApi } from './api.ts';
import { readCallback } from './callback.ts';
import { stripeMoneyBack } from './moneyBack.ts';
import { stripePayments } from './payments.ts';
import { openSession } from './sessions.ts';
import { verifyStripeSignature } from './signature.ts';
import { stripeSubscriptions } from './subscriptions.ts';
import { translateWebhook } from './webhookEvents.ts';

export const STRIPE_PROVIDER = 'stripe';

export type StripeProviderOptions = {
  settings: StripeSettings;
  clock: Clock;
  /** Between 0 and 1, for the pause between two tries. */
  jitter: () => number;
  fetch?: typeof fetch;
};

export function createStripeProvider({ settings, clock, jitter, fetch }: StripeProviderOptions): PaymentProvider {
  const api = createStripeApi({ settings, jitter, fetch: fetch ?? globalThis.fetch });
  return {
    name: STRIPE_PROVIDER,
    // A key does not tell its account, and what is derived from a key would change when the key is rolled, although the
    // account stays; a deployment has one account, so its name need not tell it from another.
    account: STRIPE_PROVIDER,
    live: settings.live,
    closesOrders: true,
    createCheckout: request => openSession(api, request, clock),
    checkoutParams: ({ providerOrderId }) => ({ sessionId: providerOrderId }),
    parseCallback: (call, orders) => readCallback(api, call, orders),
    parseWebhook(call) {
      verifyStripeSignature(call, settings.webhookSecrets, clock);
      return translateWebhook(call.body, settings.live);
    },
    ...stripePayments(api),
    ...stripeMoneyBack(api),
    ...stripeSubscriptions(api),
  };
}
