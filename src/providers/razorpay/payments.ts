// Razorpay's payments from the service's side: read, found, listed, captured, sent back, let go. Each answer is the
// payment's state at Razorpay, never what was asked for.
import { createHash } from 'node:crypto';
import type { Clock } from '../../clock.ts';
import { ProviderRefused, ProviderUnreachable } from '../../errors.ts';
import type { PaymentProvider, ProviderPayment, ProviderRefund } from '../provider.ts';
import { readableText } from '../readableText.ts';
import { idInPath, itemsOf, type RazorpayApi, RazorpayRefusal } from './api.ts';
import { fieldOf, type RazorpayPayment, type RazorpayRefund, readPayment, readRefund } from './entities.ts';
import { madeSince, PAGE_SIZE, readable } from './spans.ts';
import { toRazorpay } from './units.ts';

/**
 * Payments are listed by when they were made, and one may still change five days later: that long a bank is asked about
 * it at the most, and that long it may wait for its capture (late-authorisation.md, capture-settings/api.md).
 */
const LOOK_BACK_MS = 5 * 24 * 60 * 60_000;
/** Payments whose refunds are asked for at the same time: a page of refunded ones must not become a burst of a hundred calls. */
const REFUND_LOOKUPS_AT_ONCE = 5;
/** Under which name a refund's notes hold our key, so that it is found again where the header is not honoured. */
const KEY_NOTE = 'refund_key';
/** Longest value of a note, in characters (api/orders/create.md). */
const MAX_NOTE_LENGTH = 256;

type Outbound = Pick<
  PaymentProvider,
  'fetchPayment' | 'findPayments' | 'listPayments' | 'capture' | 'refund' | 'findRefund' | 'cancel'
>;

/** One payment without its refunds. @throws ProviderRefused, ProviderUnreachable */
export async function readPaymentById(api: RazorpayApi, paymentId: string): Promise<RazorpayPayment> {
  const found = await api.get(`/payments/${idInPath(paymentId)}`, readPayment);
  if (found.payment.paymentId !== paymentId) throw new ProviderUnreachable('Razorpay answered with another payment.');
  return found;
}

/** Every payment of an order without its refunds, oldest first. @throws ProviderRefused, ProviderUnreachable */
export async function readPaymentsOfOrder(api: RazorpayApi, providerOrderId: string): Promise<RazorpayPayment[]> {
  const found = await api.get(`/orders/${idInPath(providerOrderId)}/payments`, json =>
    readable(itemsOf(json), readPayment),
  );
  return found.toSorted((a, b) => a.createdAtS - b.createdAtS);
}

export function razorpayPayments(api: RazorpayApi, clock: Clock): Outbound {
  const outbound: Outbound = {
    async fetchPayment(paymentId) {
      return withRefunds(api, await readPaymentById(api, paymentId));
    },

    async findPayments({ orderId, providerOrderId }) {
      const found = await readPaymentsOfOrder(api, providerOrderId);
      const payments = await inTurns(found, payment => withRefunds(api, payment));
      // Razorpay has filed them under the order that carries our id.
      return payments.map(payment => ({ ...payment, orderId }));
    },

    async listPayments(since, cursor) {
      const from = new Date(since.getTime() - LOOK_BACK_MS);
      const page = await madeSince({ api, clock }, '/payments', { since: from, cursor });
      const found = readable(page.items, readPayment);
      const payments = await inTurns(found, item =>
        item.mayHaveRefunds ? withRefunds(api, item) : Promise.resolve(item.payment),
      );
      return { payments, cursor: page.cursor };
    },

    async capture({ paymentId, amountMinor, currency }) {
      const amount = toRazorpay(amountMinor, currency);
      try {
        const path = `/payments/${idInPath(paymentId)}/capture`;
        return (await api.post(path, { amount, currency }, readPayment)).payment;
      } catch (error) {
        if (!(error instanceof RazorpayRefusal)) throw error;
        return capturedAlready({ paymentId, amountMinor, currency }, error);
      }
    },

    refund: request => refund(api, request),
    findRefund: async ({ paymentId, key }) => (await refundUnder(api, paymentId, refundKeyOf(paymentId, key))) ?? null,

    async cancel({ paymentId }) {
      // An order cannot be closed at Razorpay: it stays payable, and a late payment is told by its own events.
      if (paymentId !== null) await letGo(api, paymentId);
    },
  };

  /** Two published texts say "captured already", so no text is trusted: whatever the no was, the payment tells. */
  async function capturedAlready(
    asked: { paymentId: string; amountMinor: number; currency: string },
    refusal: RazorpayRefusal,
  ): Promise<ProviderPayment> {
    const payment = await outbound.fetchPayment(asked.paymentId);
    const isSame = payment.amountMinor === asked.amountMinor && payment.currency === asked.currency;
    if (payment.state === 'captured' && isSame) return payment;
    throw refusal;
  }

  return outbound;
}

/** A refund that failed, or is pending, may leave no trace in the payment itself: so the refunds are always asked for. */
export async function withRefunds(
  api: RazorpayApi,
  { payment, mayHaveRefunds }: RazorpayPayment,
): Promise<ProviderPayment> {
  if (!mayHaveRefunds && payment.state !== 'captured') return payment;
  const refunds = await refundsOf(api, payment.paymentId);
  return refunds.length === 0 ? payment : { ...payment, refunds: refunds.map(({ refund }) => refund) };
}

function refundsOf(api: RazorpayApi, paymentId: string): Promise<RazorpayRefund[]> {
  const path = `/payments/${idInPath(paymentId)}/refunds`;
  return api.get(path, json => itemsOf(json).map(readRefund), { count: String(PAGE_SIZE) });
}

/** Our keys are longer than the header's alphabet allows; the payment is hashed in, so that no key can serve two. */
const refundKeyOf = (paymentId: string, key: string) =>
  createHash('sha256').update(`${paymentId}|${key}`).digest('hex').slice(0, 40);

const refundUnder = async (api: RazorpayApi, paymentId: string, refundKey: string) =>
  (await refundsOf(api, paymentId)).find(({ notes }) => fieldOf(notes, KEY_NOTE) === refundKey)?.refund;

/**
 * The header keeps Razorpay from doing it twice, but whether test mode honours it is not documented, and a retry may come
 * after anything; so the refunds are looked through for our key before and, when the answer is no, after.
 */
async function refund(
  api: RazorpayApi,
  { paymentId, amountMinor, currency, key, reason }: Parameters<PaymentProvider['refund']>[0],
): Promise<ProviderRefund> {
  const amount = toRazorpay(amountMinor, currency);
  const refundKey = refundKeyOf(paymentId, key);
  const before = await refundUnder(api, paymentId, refundKey);
  if (before) return sameAmount(before);
  const note = readableText(reason)?.slice(0, MAX_NOTE_LENGTH);
  const notes = { [KEY_NOTE]: refundKey, ...(note && { reason: note }) };
  const path = `/payments/${idInPath(paymentId)}/refund`;
  try {
    const made = await api.post(path, { amount, speed: 'normal', notes }, readRefund, {
      'x-refund-idempotency': refundKey,
    });
    return made.refund;
  } catch (error) {
    if (!(error instanceof RazorpayRefusal)) throw error;
    const after = await refundUnder(api, paymentId, refundKey);
    if (!after) throw error;
    return sameAmount(after);
  }

  function sameAmount(found: ProviderRefund): ProviderRefund {
    if (found.amountMinor === amountMinor) return found;
    throw new ProviderRefused('Razorpay has a refund of another amount under this key.');
  }
}

/**
 * Razorpay has no void. An authorised payment is captured automatically or, in the end, given back, and neither can be
 * hastened: capturing it in order to refund it would first pay the order that nobody wants paid. So the honest answer is
 * no, and whatever becomes of the money is told by its events.
 */
async function letGo(api: RazorpayApi, paymentId: string): Promise<void> {
  const { state } = (await readPaymentById(api, paymentId)).payment;
  if (state === 'authorized') {
    throw new ProviderRefused(
      'Razorpay cannot void an authorised payment: it will be captured, and can then be refunded, or be given back by Razorpay itself.',
    );
  }
  if (state === 'captured') {
    throw new ProviderRefused('The payment was captured: it can no longer be voided, only refunded.');
  }
}

async function inTurns<T, R>(items: T[], work: (item: T) => Promise<R>): Promise<R[]> {
  const done: R[] = [];
  for (let i = 0; i < items.length; i += REFUND_LOOKUPS_AT_ONCE) {
    done.push(...(await Promise.all(items.slice(i, i + REFUND_LOOKUPS_AT_ONCE).map(work))));
  }
  return done;
}
