// What the browser needs to open Razorpay's checkout for an order: the options of checkout.js.
import type { PayableOrder } from '../provider.ts';
import { toRazorpay } from './units.ts';

/** Our user ids may be anything; only one that is plainly an e-mail address is shown to the payer as theirs. */
const EMAIL = /^[A-Za-z0-9._+-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+$/;

/** Derived from the order alone, so that a repeated checkout answers the same. @throws InvalidRequest */
export function checkoutParams(keyId: string, order: PayableOrder): Record<string, unknown> {
  return {
    key: keyId,
    amount: toRazorpay(order.amountMinor, order.currency),
    currency: order.currency,
    order_id: order.providerOrderId,
    // Razorpay's word for the title of its form. A shop that opens the form itself puts its own name here.
    name: order.planId,
    callback_url: order.callbackUrl,
    prefill: EMAIL.test(order.userId) ? { email: order.userId } : {},
    notes: { order_id: order.orderId },
  };
}
