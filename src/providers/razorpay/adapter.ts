// Razorpay as a payment provider: its orders, its signed callbacks and webhooks, its payments. This file puts the parts
// together; what each does stands in its own.
import type { Clock } from '../../clock.ts';
import type { PaymentProvider } from '../provider.ts';
import type { RazorpaySettings } from '../settings.ts';
import { razorpayApi } from './api.ts';
import { takeCallback } from './callback.ts';
import { checkoutParams } from './checkoutParams.ts';
import { razorpayMoneyBack } from './moneyBack.ts';
import { openOrder, readMark } from './orders.ts';
import { razorpayPayments } from './payments.ts';
import { payPage } from './payPage.ts';
import { razorpaySubscriptions } from './subscriptions.ts';
import { translateWebhook } from './webhookEvents.ts';
import { eventKeyOf, verifyWebhook } from './webhookSignature.ts';

export const RAZORPAY_PROVIDER = 'razorpay';

export type RazorpayProviderOptions = {
  settings: RazorpaySettings;
  /** Where browsers reach this service: Razorpay has no payment page, ours opens its form. */
  publicUrl: string;
  clock: Clock;
  fetch?: typeof fetch;
  /** Between 0 and 1, for the pause before a call is sent again. */
  jitter: () => number;
};

export type RazorpayProvider = PaymentProvider & Required<Pick<PaymentProvider, 'payPage'>>;

/** @throws Error when a secret is missing: an empty one would make every signature forgeable */
export function createRazorpayProvider(options: RazorpayProviderOptions): RazorpayProvider {
  const { settings, publicUrl, clock, jitter } = options;
  const { keyId, keySecret, webhookSecrets, live } = settings;
  if (keySecret === '' || webhookSecrets.length === 0 || webhookSecrets.includes('')) {
    throw new Error('Razorpay needs its key secret and at least one webhook secret; none of them may be empty.');
  }
  const api = razorpayApi(settings, { fetch: options.fetch ?? globalThis.fetch, jitter });

  return {
    name: RAZORPAY_PROVIDER,
    // Events name an account of Razorpay's own (acc_…) and no mode: which secret verified them tells both.
    account: keyId,
    live,
    // There is no call that closes an order there.
    closesOrders: false,
    voidsPayments: false,

    async createCheckout(request) {
      const providerOrderId = await openOrder(api, request);
      return { providerOrderId, url: `${publicUrl}/pay/${request.orderId}` };
    },
    checkoutParams: order => checkoutParams(keyId, order),
    payPage: order => payPage(keyId, order),

    parseCallback: (call, orders) => takeCallback({ api, keySecret }, call, orders),
    parseWebhook(call) {
      verifyWebhook(call, webhookSecrets);
      return translateWebhook(call.body, eventKeyOf(call));
    },

    orderMark: providerOrderId => readMark(api, providerOrderId),
    ...razorpayPayments(api, clock),
    ...razorpayMoneyBack(api, clock),
    ...razorpaySubscriptions(api),
  };
}
