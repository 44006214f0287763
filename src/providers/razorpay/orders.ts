// Opens an order at Razorpay. There is no idempotency key for orders: our order id is the receipt, and whether an order
// with it exists already is asked before one is made.
import { InvalidRequest, ProviderRefused } from '../../errors.ts';
import type { CheckoutRequest } from '../provider.ts';
import { idInPath, itemsOf, type RazorpayApi, RazorpayRefusal } from './api.ts';
import { ourOrderId, type RazorpayOrder, readOrder } from './entities.ts';
import { toRazorpay } from './units.ts';

/** Smallest amount in INR, in paise (api/orders/create.md); smaller ones are refused here with a better sentence. */
const MIN_INR_MINOR = 100;
/**
 * Minutes after which Razorpay no longer captures by itself what the bank authorised late: as long as it asks the bank at
 * the least (3 days, late-authorisation.md), so that a late success is a success without anybody's doing.
 */
const AUTOMATIC_CAPTURE_MIN = 3 * 24 * 60;
/**
 * Minutes after which an uncaptured payment is given back: the most the API takes, as the pages disagree on 3 or 5 days.
 * Said explicitly because otherwise a setting in the dashboard decides.
 */
const MANUAL_CAPTURE_MIN = 5 * 24 * 60;
/** The answer to a receipt that was used before (error index); on some accounts it is simply taken again. */
const RECEIPT_USED = /receipt.*unique/i;

/** The same order id always answers the same Razorpay order. @throws InvalidRequest, ProviderRefused, ProviderUnreachable */
export async function openOrder(api: RazorpayApi, request: CheckoutRequest): Promise<string> {
  const { orderId, currency } = request;
  const amount = toRazorpay(request.amountMinor, currency);
  if (currency === 'INR' && amount < MIN_INR_MINOR) throw new InvalidRequest('Razorpay takes no less than INR 1.00.');
  // Asked first every time: nobody can tell us whether an earlier call for this order got through.
  const order = (await find()) ?? (await create());
  if (order.amount !== amount || order.currency !== currency) {
    throw new ProviderRefused('Razorpay has this order with another amount or currency.');
  }
  return order.providerOrderId;

  /** The filter is documented as "contains"; should there be several in spite of everything, the oldest is it for ever. */
  async function find(): Promise<RazorpayOrder | undefined> {
    const orders = await api.get('/orders', json => itemsOf(json).map(readOrder), { receipt: orderId }, 'once');
    return orders
      .filter(({ receipt }) => receipt === orderId)
      .sort((a, b) => a.createdAtS - b.createdAtS || (a.providerOrderId < b.providerOrderId ? -1 : 1))[0];
  }

  async function create(): Promise<RazorpayOrder> {
    try {
      return await api.post('/orders', orderBody(orderId, amount, currency), readOrder);
    } catch (error) {
      if (!(error instanceof RazorpayRefusal) || !RECEIPT_USED.test(error.description)) throw error;
      const made = await find();
      if (!made) throw error;
      return made;
    }
  }
}

/** The receipt is ours where it is an order id of ours. @throws ProviderRefused, ProviderUnreachable */
export async function readMark(api: RazorpayApi, providerOrderId: string): Promise<string | null> {
  return ourOrderId((await api.get(`/orders/${idInPath(providerOrderId)}`, readOrder)).receipt);
}

function orderBody(orderId: string, amount: number, currency: string) {
  return {
    amount,
    currency,
    receipt: orderId,
    notes: { order_id: orderId },
    payment: {
      capture: 'automatic',
      capture_options: {
        automatic_expiry_period: AUTOMATIC_CAPTURE_MIN,
        manual_expiry_period: MANUAL_CAPTURE_MIN,
        refund_speed: 'normal',
      },
    },
  };
}
