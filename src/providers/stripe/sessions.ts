// Checkout Sessions: the page of Stripe's on which one order is paid. Opened under the order's id, looked at, closed.
import { z } from 'zod';
import { providerIdSchema } from '../../../machines/orderEvents.ts';
import type { Clock } from '../../clock.ts';
import { InvalidRequest, ProviderRefused } from '../../errors.ts';
import type { CheckoutRequest, OpenedCheckout } from '../provider.ts';
import { type StripeApi, StripeSaidNo } from './api.ts';
import { ORDER_MARK, paymentIntentSchema, stripeCurrency } from './objects.ts';
import { toStripeAmount } from './units.ts';

/** Ids Stripe gives to sessions. Others are not asked for. */
export const SESSION_ID = /^cs_[A-Za-z0-9_]{1,250}$/;
/** Stripe puts the session's id in the place of this text, which therefore must arrive as it is, braces and all. */
const SESSION_PLACEHOLDER = '{CHECKOUT_SESSION_ID}';
/** An order can be paid for 30 minutes and a session must live for 30 more when it is opened; five for clocks that differ. */
const SESSION_LIFE_MS = 65 * 60_000;
/** What Stripe allows between now and `expires_at`, in ms. */
const MIN_LIFE_MS = 30 * 60_000;
const MAX_LIFE_MS = 24 * 3_600_000;
/** The digits of our ids, and how many of them tell the time (ids.ts). */
const ID_ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz';
const ID_TIME = /^ord_([0-9a-hjkmnp-tv-z]{10})/;
/** Errors that say the amount or the currency is the trouble, and not the account. */
const AMOUNT_CODES = new Set(['amount_too_small', 'amount_too_large']);

const openedSchema = z.object({
  id: providerIdSchema,
  client_reference_id: z.string(),
  url: z.url({ protocol: /^https?$/ }).max(2_048),
});

export const sessionSchema = z.object({
  id: providerIdSchema,
  status: z.string().nullish(),
  payment_status: z.string().nullish(),
  client_reference_id: z.string().nullish(),
  amount_total: z.int().min(0).nullish(),
  currency: stripeCurrency.nullish(),
  livemode: z.boolean().optional(),
  payment_intent: paymentIntentSchema.nullish().transform(intent => intent ?? null),
});
export type StripeSession = z.infer<typeof sessionSchema>;

/** Opens the session of an order; the order's id is the idempotency key, so all that is sent is derived from the order. */
export async function openSession(api: StripeApi, request: CheckoutRequest, clock: Clock): Promise<OpenedCheckout> {
  const { orderId, planId, amountMinor, currency, callbackUrl } = request;
  const unitAmount = toStripeAmount(amountMinor, currency);
  const expiresAt = expiryOf(orderId, clock);
  const marked = { [ORDER_MARK]: orderId };
  try {
    const session = await api.ask(openedSchema, stripe =>
      stripe.checkout.sessions.create(
        {
          mode: 'payment',
          line_items: [
            {
              quantity: 1,
              price_data: { currency: currency.toLowerCase(), unit_amount: unitAmount, product_data: { name: planId } },
            },
          ],
          client_reference_id: orderId,
          // Metadata is not copied from the session to its payment intent, so both are marked.
          metadata: marked,
          // With anything else a session that says `paid` might only be authorised.
          payment_intent_data: { metadata: marked, capture_method: 'automatic' },
          success_url: withQuery(callbackUrl, `session_id=${SESSION_PLACEHOLDER}`),
          cancel_url: withQuery(callbackUrl, `canceled=${orderId}`),
          ...(expiresAt !== null && { expires_at: expiresAt }),
        },
        { idempotencyKey: orderId },
      ),
    );
    return { providerOrderId: session.id, url: session.url };
  } catch (error) {
    if (
      error instanceof StripeSaidNo &&
      (AMOUNT_CODES.has(error.stripeCode ?? '') || /currency\]?$/.test(error.param ?? ''))
    ) {
      throw new InvalidRequest('Stripe does not take this amount in this currency.');
    }
    throw error;
  }
}

/** @throws ProviderRefused when there is none, ProviderUnreachable */
export async function retrieveSession(api: StripeApi, id: string, expand: string[]): Promise<StripeSession> {
  if (!SESSION_ID.test(id)) throw new ProviderRefused('Stripe never gave a session this id.');
  return api.ask(sessionSchema, stripe => stripe.checkout.sessions.retrieve(id, { expand }));
}

/** Nobody can pay on the session any more; closed already is success. @throws ProviderRefused when it has been paid on */
export async function closeSession(api: StripeApi, id: string, key: string): Promise<void> {
  if (!SESSION_ID.test(id)) throw new ProviderRefused('Stripe never gave a session this id.');
  try {
    await api.ask(z.object({ id: providerIdSchema }), stripe =>
      stripe.checkout.sessions.expire(id, {}, { idempotencyKey: key }),
    );
  } catch (error) {
    if (!(error instanceof StripeSaidNo)) throw error;
    const session = await retrieveSession(api, id, ['payment_intent']);
    if (session.status === 'expired' || session.payment_intent?.status === 'canceled') return;
    throw error;
  }
}

/**
 * When the page closes, in seconds since 1970, derived from the time in the order's id: another time in a second try would
 * be another request under the same idempotency key, which Stripe refuses. Null, which is a day at Stripe, when that time
 * is none that Stripe takes.
 */
function expiryOf(orderId: string, clock: Clock): number | null {
  const digits = ID_TIME.exec(orderId)?.[1];
  if (digits === undefined) return null;
  const madeAt = [...digits].reduce((ms, digit) => ms * 32 + ID_ALPHABET.indexOf(digit), 0);
  const expiresAt = madeAt + SESSION_LIFE_MS;
  const life = expiresAt - clock().getTime();
  return life >= MIN_LIFE_MS && life <= MAX_LIFE_MS ? Math.floor(expiresAt / 1_000) : null;
}

/** Appended as text: through URL the braces of the placeholder would be respelled. */
const withQuery = (url: string, query: string) => `${url}${url.includes('?') ? '&' : '?'}${query}`;
