// What sessions, payment intents and charges tell in webhooks, as facts about one payment: always named by its payment
// intent, so that whichever event comes first, the others say the same again.
import { z } from 'zod';
import { amountMinorSchema, providerIdSchema } from '../../../machines/orderEvents.ts';
import { readableText } from '../readableText.ts';
import { ignored, undecodable } from '../signedBody.ts';
import {
  instantOf,
  ORDER_MARK,
  orderIdIn,
  paymentIntentSchema,
  reasonOf,
  reference,
  type StripePaymentIntent,
  stripeCurrency,
  worthOf,
} from './objects.ts';
import { type EventAbout, type Translated, timeOf } from './translation.ts';
import { fromStripeAmount } from './units.ts';

const metadata = z.record(z.string(), z.unknown()).nullish().catch(null);
const sessionSchema = z.object({
  id: providerIdSchema,
  mode: z.string().nullish(),
  payment_status: z.string().nullish(),
  payment_intent: reference,
  client_reference_id: z.unknown().optional(),
  metadata,
  livemode: z.boolean().optional(),
  amount_total: z.int().nullish(),
  currency: z.unknown().optional(),
});
/** What a session that was paid must tell besides. */
const paidSchema = z.object({
  payment_intent: reference.pipe(providerIdSchema),
  amount_total: z.int(),
  currency: stripeCurrency,
});
type Session = z.infer<typeof sessionSchema>;

const chargeSchema = z.object({ payment_intent: reference, metadata });

export function sessionCompleted(object: unknown, about: EventAbout): Translated {
  const session = sessionSchema.parse(object);
  const address = addressOf(session);
  if (session.mode === 'subscription')
    return { ...address, ...ignored('The invoices of the subscription tell what was paid.') };
  // A white list: Stripe may add states, and what is not said to be paid is not.
  if (session.payment_status === 'paid') return captured(object, session, about);
  const isFree = session.payment_status === 'no_payment_required';
  const detail = isFree
    ? 'Stripe asked for no money, so none came.'
    : 'The money is still on its way; a later event tells.';
  return { ...address, ...ignored(detail) };
}

export function sessionSucceeded(object: unknown, about: EventAbout): Translated {
  const session = sessionSchema.parse(object);
  if (session.mode === 'subscription') {
    return { ...addressOf(session), ...ignored('The invoices of the subscription tell what was paid.') };
  }
  return captured(object, session, about);
}

function captured(object: unknown, session: Session, about: EventAbout): Translated {
  const { payment_intent: paymentId, amount_total: amount, currency } = paidSchema.parse(object);
  return {
    ...addressOf(session),
    ...money('payment.captured', { paymentId, amount, currency, live: session.livemode }, about),
  };
}

export function sessionFailed(object: unknown, about: EventAbout): Translated {
  const session = sessionSchema.parse(object);
  const paymentId = session.payment_intent === null ? {} : { paymentId: session.payment_intent };
  return { ...addressOf(session), event: { type: 'payment.failed', ...paymentId, ...timeOf(about) } };
}

/** Nobody paid on the page: no payment is named, because none has to be given back. */
export function sessionExpired(object: unknown, about: EventAbout): Translated {
  const session = sessionSchema.parse(object);
  const reason = 'The payment page has expired.';
  return { ...addressOf(session), event: { type: 'payment.canceled', reason, ...timeOf(about) } };
}

export const intentSucceeded = (object: unknown, about: EventAbout): Translated =>
  intentMoney('payment.captured', object, about);

/** Also told when a part of what was authorised has been captured; the capture itself then says `succeeded`. */
export function intentAuthorized(object: unknown, about: EventAbout): Translated {
  const intent = paymentIntentSchema.parse(object);
  if (intent.status === 'requires_capture') return intentMoney('payment.authorized', object, about);
  return {
    orderId: orderOf(intent),
    ...ignored(`Nothing waits for its capture: the payment is ${knownStatus(intent)}.`),
  };
}

function intentMoney(type: 'payment.authorized' | 'payment.captured', object: unknown, about: EventAbout): Translated {
  const intent = paymentIntentSchema.parse(object);
  const { id: paymentId, currency, livemode: live } = intent;
  return { orderId: orderOf(intent), ...money(type, { paymentId, amount: worthOf(intent), currency, live }, about) };
}

/** One attempt of the customer; the same payment intent may succeed later. */
export function intentFailed(object: unknown, about: EventAbout): Translated {
  const intent = paymentIntentSchema.parse(object);
  return { orderId: orderOf(intent), event: { type: 'payment.failed', ...attemptOf(intent), ...timeOf(about) } };
}

export function intentCanceled(object: unknown, about: EventAbout): Translated {
  const intent = paymentIntentSchema.parse(object);
  const at = instantOf(intent.canceled_at);
  const time = at === undefined ? timeOf(about) : { occurredAt: at };
  return { orderId: orderOf(intent), event: { type: 'payment.canceled', ...attemptOf(intent), ...time } };
}

/** The authorisation ran out before it was captured. */
export function chargeExpired(object: unknown, about: EventAbout): Translated {
  const charge = chargeSchema.parse(object);
  const orderId = orderIdIn(charge.metadata?.[ORDER_MARK]);
  if (charge.payment_intent === null) return { orderId, ...ignored('The charge belongs to no payment intent.') };
  const reason = 'The authorisation has run out.';
  return { orderId, event: { type: 'payment.canceled', paymentId: charge.payment_intent, reason, ...timeOf(about) } };
}

type Money = {
  paymentId: string;
  amount: number;
  currency: string;
  live: boolean | undefined;
  subscriptionId?: string;
};

/** A fact about money that came, in our minor units. @throws ZodError for an amount no order can cost */
export function money(
  type: 'payment.authorized' | 'payment.captured',
  { paymentId, amount, currency, live: own, subscriptionId }: Money,
  about: EventAbout,
): Translated {
  const inOurUnit = fromStripeAmount(amount, currency);
  if (inOurUnit === null) return undecodable('The amount has a fraction of a minor unit.');
  const amountMinor = amountMinorSchema.parse(inOurUnit);
  const live = own ?? about.live;
  const more = { ...(live !== undefined && { live }), ...(subscriptionId !== undefined && { subscriptionId }) };
  return { event: { type, paymentId, amountMinor, currency, ...more, ...timeOf(about) } };
}

function addressOf(session: Session) {
  const orderId = orderIdIn(session.client_reference_id, session.metadata?.[ORDER_MARK]);
  return { orderId, providerOrderId: session.id };
}

const orderOf = (intent: StripePaymentIntent) => orderIdIn(intent.metadata?.[ORDER_MARK]);

const knownStatus = (intent: StripePaymentIntent) => readableText(intent.status)?.slice(0, 50) ?? 'in no state';

function attemptOf(intent: StripePaymentIntent) {
  const reason = reasonOf(intent);
  return { paymentId: intent.id, ...(reason !== undefined && { reason }) };
}
