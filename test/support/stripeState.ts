// What a fake Stripe remembers and refuses: sessions, payment intents, refunds, disputes and invoices, each in the states the real
// ones have, and the things a customer or a bank does to them.

import { createStripeDisputes, type StripeDisputes } from './stripeDisputes.ts';
import { createStripeRefunds } from './stripeRefunds.ts';
import {
  type Fields,
  found,
  list,
  need,
  only,
  SESSION_PARAMS,
  type StripeObject,
  StripeRefusal,
  unexpected,
  ZERO_DECIMALS,
} from './stripeRules.ts';
import { createStripeSubscriptions, type StripeSubscriptions } from './stripeSubscriptions.ts';

export type StripeState = {
  disputes: StripeDisputes;
  subscriptions: StripeSubscriptions;
  sessions: Map<string, StripeObject>;
  intents: Map<string, StripeObject>;
  refunds: Map<string, StripeObject>;
  /** Money sent back in Stripe's dashboard: all that is left unless told. */
  sendBack(intentId: string, more?: StripeObject): StripeObject;
  invoices: Map<string, StripeObject>;
  handle(method: string, path: string, fields: Fields): unknown;
  /** The customer pays on a session's page: with a card that is declined, one that is only authorised, or by bank debit. */
  pay(sessionId: string, how?: 'captured' | 'declined' | 'authorized' | 'processing'): StripeObject;
  /** The bank decides about a payment under way. */
  settle(intentId: string, how: 'succeeded' | 'failed'): StripeObject;
  /** A payment that no session led to, as another application of the merchant makes. */
  addIntent(more?: StripeObject): StripeObject;
};

export function createStripeState(now: () => Date): StripeState {
  const sessions = new Map<string, StripeObject>();
  const intents = new Map<string, StripeObject>();
  const invoices = new Map<string, StripeObject>();
  let counter = 0;
  const id = (prefix: string) => `${prefix}Fake${String(++counter).padStart(8, '0')}`;
  const seconds = () => Math.floor(now().getTime() / 1_000);

  function addIntent(more: StripeObject = {}): StripeObject {
    const made = {
      id: id('pi_3'),
      status: 'requires_payment_method',
      amount: 1_999,
      amount_capturable: 0,
      amount_received: 0,
      capture_method: 'automatic',
      currency: 'eur',
      created: seconds(),
      canceled_at: null,
      cancellation_reason: null,
      last_payment_error: null,
      latest_charge: null,
      livemode: false,
      metadata: {},
      ...more,
    };
    intents.set(made.id, made);
    return made;
  }

  function createSession(fields: Fields): StripeObject {
    only(fields, SESSION_PARAMS);
    const items = Object.values((fields.line_items ?? {}) as Fields) as StripeObject[];
    const price = items[0]?.price_data;
    need(
      items.length === 1 && items[0]?.quantity === '1' && price?.product_data?.name,
      'line_items',
      'parameter_missing',
    );
    need(fields.mode === 'payment', 'mode', 'parameter_unknown');
    need(/^[a-z]{3}$/.test(price.currency), 'currency', 'parameter_invalid_string');
    need(price.currency !== 'xxx', 'line_items[0][price_data][currency]', 'parameter_invalid_string');
    need(/^[1-9][0-9]{0,7}$/.test(price.unit_amount), 'unit_amount', 'parameter_invalid_integer');
    const amount = Number(price.unit_amount);
    need(!['isk', 'ugx'].includes(price.currency) || amount % 100 === 0, 'unit_amount', 'parameter_invalid_integer');
    need(
      !['kwd', 'bhd', 'jod', 'omr', 'tnd'].includes(price.currency) || amount % 10 === 0,
      'unit_amount',
      'parameter_invalid_integer',
    );
    need(ZERO_DECIMALS.has(price.currency) || amount >= 50, 'unit_amount', 'amount_too_small');
    need(
      URL.canParse(String(fields.success_url)) && URL.canParse(String(fields.cancel_url)),
      'success_url',
      'url_invalid',
    );
    need(String(fields.client_reference_id ?? '').length <= 200, 'client_reference_id', 'parameter_invalid_string');
    if (fields.expires_at !== undefined) {
      const life = Number(fields.expires_at) - seconds();
      need(life >= 30 * 60 && life <= 24 * 3_600, 'expires_at', 'parameter_invalid_integer');
    }
    const sessionId = id('cs_test_b1');
    const made = {
      id: sessionId,
      mode: 'payment',
      status: 'open',
      payment_status: 'unpaid',
      payment_intent: null,
      client_reference_id: fields.client_reference_id ?? null,
      metadata: fields.metadata ?? {},
      amount_total: amount,
      currency: price.currency,
      livemode: false,
      expires_at: Number(fields.expires_at ?? seconds() + 86_400),
      success_url: fields.success_url,
      cancel_url: fields.cancel_url,
      intentData: fields.payment_intent_data ?? {},
      url: `https://checkout.stripe.com/c/pay/${sessionId}#fid`,
    };
    sessions.set(sessionId, made);
    return made;
  }

  function charged(intent: StripeObject): void {
    intent.latest_charge = {
      id: id('ch_3'),
      object: 'charge',
      created: seconds(),
      amount: intent.amount,
      disputed: false,
    };
  }

  function pay(sessionId: string, how = 'captured'): StripeObject {
    const session = sessions.get(sessionId)!;
    if (session.status !== 'open') throw new Error(`the page shows nothing to pay: ${session.status}`);
    const intent =
      intents.get(session.payment_intent) ??
      addIntent({
        amount: session.amount_total,
        currency: session.currency,
        metadata: session.intentData.metadata ?? {},
        capture_method: session.intentData.capture_method ?? 'automatic',
      });
    session.payment_intent = intent.id;
    charged(intent);
    if (how === 'declined') {
      Object.assign(intent, {
        status: 'requires_payment_method',
        last_payment_error: {
          code: 'card_declined',
          decline_code: 'generic_decline',
          message: 'Your card was declined.',
        },
      });
      return intent;
    }
    session.status = 'complete';
    intent.last_payment_error = null;
    if (how === 'processing') intent.status = 'processing';
    else if (how === 'authorized')
      Object.assign(intent, { status: 'requires_capture', capture_method: 'manual', amount_capturable: intent.amount });
    else {
      session.payment_status = 'paid';
      Object.assign(intent, { status: 'succeeded', amount_received: intent.amount });
    }
    return intent;
  }

  function settle(intentId: string, how: 'succeeded' | 'failed'): StripeObject {
    const intent = intents.get(intentId)!;
    if (how === 'succeeded') Object.assign(intent, { status: how, amount_received: intent.amount });
    else
      Object.assign(intent, {
        status: 'requires_payment_method',
        last_payment_error: { code: 'debit_not_authorized' },
      });
    return intent;
  }

  function captureIntent(intent: StripeObject, fields: Fields): StripeObject {
    only(fields, ['amount_to_capture', 'expand']);
    if (intent.status !== 'requires_capture') {
      const why =
        intent.status === 'succeeded' ? 'it has already been captured' : `it has a status of ${intent.status}`;
      throw unexpected(`This PaymentIntent could not be captured because ${why}.`, intent);
    }
    const amount = Number(fields.amount_to_capture ?? intent.amount);
    need(
      Number.isSafeInteger(amount) && amount > 0 && amount <= intent.amount_capturable,
      'amount_to_capture',
      'amount_too_large',
    );
    return Object.assign(intent, { status: 'succeeded', amount_received: amount, amount_capturable: 0 });
  }

  function cancelIntent(intent: StripeObject, fields: Fields): StripeObject {
    only(fields, ['cancellation_reason']);
    if (['succeeded', 'canceled', 'processing'].includes(intent.status)) {
      throw unexpected(`You cannot cancel this PaymentIntent because it has a status of ${intent.status}.`, intent);
    }
    return Object.assign(intent, {
      status: 'canceled',
      canceled_at: seconds(),
      cancellation_reason: 'requested_by_customer',
      amount_capturable: 0,
    });
  }

  function shownIntent(intent: StripeObject, expand: string[]): StripeObject {
    const charge = intent.latest_charge;
    if (charge === null || typeof charge !== 'object') return intent;
    if (!expand.some(path => path.startsWith('latest_charge'))) return { ...intent, latest_charge: charge.id };
    if (!expand.includes('latest_charge.refunds')) return intent;
    return { ...intent, latest_charge: { ...charge, refunds: list(refunding.of(intent.id), 10) } };
  }

  function shownSession(session: StripeObject, expand: string[]): StripeObject {
    const { intentData: _, ...shown } = session;
    const intent = intents.get(session.payment_intent);
    const below = expand.filter(path => path.startsWith('payment_intent'));
    if (!intent || below.length === 0) return shown;
    return {
      ...shown,
      payment_intent: shownIntent(
        intent,
        below.map(path => path.slice('payment_intent.'.length)),
      ),
    };
  }

  function handle(method: string, path: string, fields: Fields): unknown {
    const expand = Object.values((fields.expand ?? {}) as Record<string, string>);
    need(
      expand.every(entry => entry.split('.').length <= 4),
      'expand',
      'parameter_unknown',
    );
    const [, , kind, ...rest] = path.split('/');
    const route = `${method} ${kind}`;
    const [name = '', action] = rest;
    if (kind === 'checkout') {
      if (method === 'POST' && rest.length === 1) return shownSession(createSession(fields), expand);
      const session = found(sessions, rest[1], 'checkout.session');
      if (method === 'POST' && rest[2] === 'expire') {
        if (session.status !== 'open') {
          throw new StripeRefusal(
            400,
            undefined,
            `Only Checkout Sessions with a status in ["open"] can be expired. This Checkout Session has a status of ${session.status}.`,
          );
        }
        session.status = 'expired';
      }
      return shownSession(session, expand);
    }
    if (route === 'GET payment_intents' && name === '') {
      only(fields, ['created', 'limit', 'starting_after', 'expand']);
      const since = Number((fields.created as Fields | undefined)?.gte ?? 0);
      const all = [...intents.values()].filter(({ created }) => created >= since).reverse();
      const below = expand.map(entry => entry.replace(/^data\./, ''));
      const page = list(all, Number(fields.limit ?? 10), fields.starting_after);
      return { ...page, data: page.data.map(intent => shownIntent(intent, below)) };
    }
    if (kind === 'payment_intents') {
      const intent = found(intents, name, 'payment_intent');
      if (method === 'POST' && action === 'capture') return shownIntent(captureIntent(intent, fields), expand);
      if (method === 'POST' && action === 'cancel') return shownIntent(cancelIntent(intent, fields), expand);
      return shownIntent(intent, expand);
    }
    if (kind === 'refunds' && name === '') return refunding.handle(method, fields);
    if (kind === 'disputes') return disputes.handle(method, name, fields);
    if (kind === 'subscriptions' || (route === 'GET invoices' && name === ''))
      return subscriptions.handle(method, name, fields);
    if (route === 'GET invoices') return found(invoices, name, 'invoice');
    throw new StripeRefusal(404, undefined, `Unrecognized request URL (${method}: ${path}).`);
  }

  const refunding = createStripeRefunds({ intents, id, seconds });
  const disputes = createStripeDisputes({ intents, id, seconds });
  const subscriptions = createStripeSubscriptions({ invoices, addIntent, charged, seconds });
  const refunds = refunding.byId;
  const { sendBack } = refunding;
  return { disputes, subscriptions, sessions, intents, refunds, sendBack, invoices, handle, pay, settle, addIntent };
}
