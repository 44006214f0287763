// CloudPayments as a payment provider: orders are paid on its hosted page or in its widget, told of by a notification a
// type, and asked about before they are charged.
import type { Clock } from '../../clock.ts';
import type { PayableOrder, PaymentProvider } from '../provider.ts';
import type { CloudPaymentsSettings } from '../settings.ts';
import { decimalOf } from './amounts.ts';
import { createApi } from './api.ts';
import { hearCallback } from './callback.ts';
import { answerOf } from './check.ts';
import { KINDS, translateNotification } from './notifications.ts';
import { paymentsOf } from './payments.ts';
import { verifyNotification } from './signature.ts';
import { subscriptionsOf } from './subscriptions.ts';
import { type Terminal, terminalOf } from './terminal.ts';
import { callbackOf, writesOf } from './writes.ts';

export const CLOUDPAYMENTS_PROVIDER = 'cloudpayments';

export type CloudPaymentsOptions = {
  settings: CloudPaymentsSettings;
  clock: Clock;
  /** Between 0 and 1, for the pause before a repeated call. */
  jitter: () => number;
  fetch?: typeof fetch;
};

/** @throws Error when there is no secret */
export function createCloudPaymentsProvider(options: CloudPaymentsOptions) {
  const { settings, clock, jitter } = options;
  const terminal = terminalOf(settings);
  const api = createApi({ fetch: options.fetch ?? globalThis.fetch, jitter }, { apiUrl: settings.apiUrl, terminal });
  const payments = paymentsOf(api, clock);

  return {
    name: CLOUDPAYMENTS_PROVIDER,
    account: terminal.account,
    live: terminal.live,
    closesOrders: true,
    kinds: KINDS,
    // Anything else than 0 would only be repeated a hundred times, whatever became of the event.
    acknowledgement: { code: 0 },
    checkoutParams: order => widgetOf(order, terminal),

    async answerCheck(call, orders) {
      if (call.kind !== 'check') return null;
      verifyNotification(call, terminal.secrets);
      return answerOf(call, orders, { terminal, clock });
    },

    parseWebhook(call) {
      verifyNotification(call, terminal.secrets);
      return translateNotification(call);
    },

    parseCallback: (call, orders) => hearCallback(call, orders, payments),

    fetchPayment: payments.fetchPayment,
    findPayments: payments.findPayments,
    listPayments: payments.listPayments,
    ...writesOf(api, payments),
    ...subscriptionsOf(api, payments),
  } satisfies PaymentProvider;
}

/** What `new cp.CloudPayments().start(…)` takes. The browser could change it, which Check and the comparison of Pay stop. */
function widgetOf(order: PayableOrder, { publicId }: Terminal): Record<string, unknown> {
  const back = callbackOf(order.callbackUrl, order.orderId);
  return {
    publicTerminalId: publicId,
    // The widget wants a number; JSON writes it with the digits of the decimal.
    amount: Number(decimalOf(order.amountMinor, order.currency)),
    currency: order.currency,
    paymentSchema: 'Single',
    description: order.planId,
    externalId: order.orderId,
    userInfo: { accountId: order.userId },
    metadata: { orderId: order.orderId },
    successRedirectUrl: back,
    failRedirectUrl: back,
  };
}
