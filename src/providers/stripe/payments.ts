// Stripe's payments from the service's side: read, listed, captured, sent back, let go. Each answer is the payment's
// state at Stripe, never what was asked for; a no that may mean "done already" is looked into before it is passed on.

import { z } from 'zod';
import { ProviderRefused, ProviderUnreachable } from '../../errors.ts';
import type { PaymentProvider, ProviderPayment, ProviderRefund, ReceivedEvent } from '../provider.ts';
import { type StripeApi, StripeSaidNo } from './api.ts';
import { INVOICE_ID, intentOf, invoiceSchema, subscriptionOf } from './invoices.ts';
import { madeSince, PAGE_SIZE } from './lists.ts';
import { withDisputes } from './moneyBack.ts';
import {
  PAYMENT_EXPANSION,
  paymentFrom,
  paymentIntentSchema,
  refundFrom,
  refundListSchema,
  refundSchema,
  type StripePaymentIntent,
  type StripeRefund,
} from './objects.ts';
import { closeSession, retrieveSession } from './sessions.ts';
import { toStripeAmount } from './units.ts';

/** Ids Stripe gives to payment intents. Others are not asked for. */
const INTENT_ID = /^pi_[A-Za-z0-9_]{1,250}$/;
/** Pages of refunds read for one payment: five hundred refunds of one payment are no shop's doing. */
const MAX_REFUND_PAGES = 5;
/** Where a refund carries the key it was asked for with: Stripe forgets idempotency keys after a day, its metadata never. */
const REFUND_KEY = 'paylatch_key';
/** Longest metadata value Stripe keeps, in characters. */
const MAX_METADATA_LENGTH = 500;

const intentsSchema = z.object({ data: z.array(paymentIntentSchema), has_more: z.boolean() });

type Outbound = Pick<
  PaymentProvider,
  'fetchPayment' | 'findPayments' | 'listPayments' | 'capture' | 'refund' | 'findRefund' | 'cancel' | 'complete'
>;

export function stripePayments(api: StripeApi): Outbound {
  return {
    async fetchPayment(paymentId) {
      const { intentId, subscriptionId } = await resolve(api, paymentId);
      const intent = await retrieveIntent(api, intentId);
      const payment = await withDisputes(api, intent, told(intent));
      const refunds = (await everyRefund(api, intentId)).map(refundTold);
      // Known to us by the id it was first told with.
      return { ...payment, paymentId, refunds, ...(subscriptionId !== null && { subscriptionId }) };
    },
    async findPayments({ providerOrderId }) {
      try {
        const session = await retrieveSession(api, providerOrderId, [`payment_intent.${PAYMENT_EXPANSION}`]);
        // One session has at most one payment intent, however often the customer tries.
        const intent = session.payment_intent;
        return intent === null ? [] : [await withDisputes(api, intent, told(intent, providerOrderId))];
      } catch (error) {
        if (isMissing(error)) return [];
        throw error;
      }
    },
    async listPayments(since, cursor) {
      const page = await madeSince(api, intentsSchema, { since, cursor }, (stripe, call) =>
        stripe.paymentIntents.list({ ...call, expand: [`data.${PAYMENT_EXPANSION}`] }),
      );
      return {
        // One that cannot be said in our minor units must not hide the others of its page.
        payments: page.data.map(intent => paymentFrom(intent)).filter(payment => payment !== null),
        cursor: page.cursor,
      };
    },
    complete: event => withItsPayment(api, event),
    capture: request => capture(api, request),
    refund: request => refund(api, request),
    async findRefund({ paymentId, key }) {
      const found = await refundUnder(api, (await resolve(api, paymentId)).intentId, key);
      return found ? refundTold(found) : null;
    },
    cancel: ({ providerOrderId, paymentId, key }) =>
      paymentId === null ? closeSession(api, providerOrderId, key) : cancelIntent(api, paymentId, key),
  };
}

/**
 * The bodies of newer API versions do not name the payment of an invoice, but refunds and disputes begun in Stripe's
 * dashboard name nothing else: so it is asked for before anything is kept under the invoice's id.
 */
async function withItsPayment(api: StripeApi, received: ReceivedEvent): Promise<ReceivedEvent> {
  const { event } = received;
  if (event?.type !== 'payment.captured' || !INVOICE_ID.test(event.paymentId)) return received;
  try {
    const { intentId } = await resolve(api, event.paymentId);
    return { ...received, event: { ...event, paymentId: intentId } };
  } catch (error) {
    // Paid by other means than a payment of Stripe: then the invoice is all there is. A no to our key says nothing about it.
    if (isMissing(error) || (error instanceof ProviderRefused && !(error instanceof StripeSaidNo))) return received;
    throw error;
  }
}

/** An invoice that stood in for its payment is asked which one it was. */
async function resolve(api: StripeApi, id: string): Promise<{ intentId: string; subscriptionId: string | null }> {
  if (INTENT_ID.test(id)) return { intentId: id, subscriptionId: null };
  if (!INVOICE_ID.test(id)) throw new ProviderRefused('Stripe never gave a payment this id.');
  const invoice = await api.ask(invoiceSchema, stripe => stripe.invoices.retrieve(id, { expand: ['payments'] }));
  const intentId = intentOf(invoice);
  if (intentId === null || !INTENT_ID.test(intentId)) {
    throw new ProviderRefused('This invoice was not paid through a payment of Stripe.');
  }
  return { intentId, subscriptionId: subscriptionOf(invoice) };
}

const retrieveIntent = (api: StripeApi, id: string): Promise<StripePaymentIntent> =>
  api.ask(paymentIntentSchema, stripe => stripe.paymentIntents.retrieve(id, { expand: ['latest_charge'] }));

/** Newest last. */
async function everyRefund(api: StripeApi, intentId: string): Promise<StripeRefund[]> {
  const refunds: StripeRefund[] = [];
  for (let page = 0; page < MAX_REFUND_PAGES; page++) {
    const after = refunds.at(-1)?.id;
    const answer = await api.ask(refundListSchema, stripe =>
      stripe.refunds.list({ payment_intent: intentId, limit: PAGE_SIZE, ...(after && { starting_after: after }) }),
    );
    refunds.push(...answer.data);
    if (!answer.has_more || answer.data.length === 0) return refunds.reverse();
  }
  // Half a list would make the rest of the money look as if it had never gone back.
  throw new ProviderUnreachable('Stripe lists more refunds of this payment than are read.');
}

async function capture(
  api: StripeApi,
  { paymentId, amountMinor, currency, key }: Parameters<Outbound['capture']>[0],
): Promise<ProviderPayment> {
  const { intentId } = await resolve(api, paymentId);
  const amount = toStripeAmount(amountMinor, currency);
  try {
    const options = { idempotencyKey: key };
    const call = { amount_to_capture: amount, expand: ['latest_charge'] };
    return told(await api.ask(paymentIntentSchema, stripe => stripe.paymentIntents.capture(intentId, call, options)));
  } catch (error) {
    if (!(error instanceof StripeSaidNo)) throw error;
    // "already been captured" (payment_intent_unexpected_state) is what was wanted; any other no stays one.
    const intent = await retrieveIntent(api, intentId);
    if (intent.status !== 'succeeded') throw error;
    return told(intent);
  }
}

/**
 * A key is used once for ever, and Stripe remembers it for a day only: so the refunds are read first, and one that carries
 * the key is the answer. Within that day the idempotency key keeps two calls at once apart.
 */
async function refund(
  api: StripeApi,
  { paymentId, amountMinor, currency, key, reason }: Parameters<Outbound['refund']>[0],
): Promise<ProviderRefund> {
  const { intentId } = await resolve(api, paymentId);
  const amount = toStripeAmount(amountMinor, currency);
  const before = await refundUnder(api, intentId, key);
  if (before) return refundTold(before);
  // Stripe's own `reason` is a closed list with consequences (`fraudulent` blocks the card): ours goes into metadata.
  const metadata = { [REFUND_KEY]: key, ...(reason && { reason: reason.slice(0, MAX_METADATA_LENGTH) }) };
  const call = { payment_intent: intentId, amount, metadata };
  try {
    return refundTold(await api.ask(refundSchema, stripe => stripe.refunds.create(call, { idempotencyKey: key })));
  } catch (error) {
    if (!(error instanceof StripeSaidNo)) throw error;
    // charge_already_refunded: perhaps by this very key, in a call of which the answer was lost.
    const since = await refundUnder(api, intentId, key);
    if (!since) throw error;
    return refundTold(since);
  }
}

const refundUnder = async (api: StripeApi, intentId: string, key: string) =>
  (await everyRefund(api, intentId)).find(entry => entry.metadata?.[REFUND_KEY] === key);

async function cancelIntent(api: StripeApi, paymentId: string, key: string): Promise<void> {
  const { intentId } = await resolve(api, paymentId);
  const options = { idempotencyKey: key };
  try {
    await api.ask(paymentIntentSchema, stripe => stripe.paymentIntents.cancel(intentId, {}, options));
  } catch (error) {
    if (!(error instanceof StripeSaidNo)) throw error;
    if ((await retrieveIntent(api, intentId)).status !== 'canceled') throw error;
  }
}

const isMissing = (error: unknown) => error instanceof StripeSaidNo && error.stripeCode === 'resource_missing';

function told(intent: StripePaymentIntent, providerOrderId: string | null = null): ProviderPayment {
  const payment = paymentFrom(intent, providerOrderId);
  if (!payment) throw new ProviderUnreachable('Stripe tells an amount with a fraction of a minor unit.');
  return payment;
}

function refundTold(refund: StripeRefund): ProviderRefund {
  const told = refundFrom(refund);
  if (!told) throw new ProviderUnreachable('Stripe tells an amount with a fraction of a minor unit.');
  return told;
}
