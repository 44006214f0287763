// The three played providers as a race needs them: how to reach them, who pays there, and everything that browser and
// provider then send at once for one payment.
import Stripe from 'stripe';
import { noticeOf } from './cloudpaymentsBank.ts';
import { API_SECRET, formCall, jsonCall, PUBLIC_ID } from './cloudpaymentsNotices.ts';
import { startCloudPaymentsServer } from './cloudpaymentsServer.ts';
import { callbackFields, envelope, RAZORPAY, signedWebhook } from './razorpayBodies.ts';
import { startRazorpay } from './razorpayServer.ts';
import { SECRET, stripeEvent } from './stripeFixtures.ts';
import { STRIPE_KEY, startStripeFake } from './stripeServer.ts';

/** One HTTP call to the service. */
export type Shot = {
  method: 'GET' | 'POST';
  path: string;
  headers: Record<string, string>;
  body?: string | Uint8Array;
};
export type Paid = { orderId: string; providerOrderId: string; userId: string };

export type Racer = {
  name: string;
  currency: string;
  amountMinor: number;
  /** What the service is started with. */
  env: Record<string, string>;
  /** Somebody pays the order; answers two callbacks and six webhook deliveries of that payment. */
  pay(order: Paid): Shot[];
  close(): Promise<unknown>;
};

const json = { 'content-type': 'application/json' };

export async function razorpayRacer(): Promise<Racer> {
  const bank = await startRazorpay();
  return {
    name: 'razorpay',
    currency: 'INR',
    amountMinor: 49_900,
    env: {
      RAZORPAY_KEY_ID: RAZORPAY.keyId,
      RAZORPAY_KEY_SECRET: RAZORPAY.keySecret,
      RAZORPAY_WEBHOOK_SECRETS: RAZORPAY.webhookSecrets.join(','),
      RAZORPAY_API_URL: bank.url,
    },
    pay({ providerOrderId }) {
      const payment = bank.pay(providerOrderId);
      const id = String(payment.id);
      const told = (event: string, eventId: string): Shot => {
        const { body, headers } = signedWebhook(envelope(event, { payment }), { eventId });
        return { method: 'POST', path: '/v1/webhooks/razorpay', headers: { ...json, ...headers }, body };
      };
      const back: Shot = {
        method: 'POST',
        path: '/v1/callbacks/razorpay',
        headers: json,
        body: JSON.stringify(callbackFields(id, providerOrderId)),
      };
      const captured = [1, 1, 1, 2].map(n => told('payment.captured', `${id}-captured-${n}`));
      const authorized = told('payment.authorized', `${id}-authorized`);
      return [back, back, ...captured, authorized, authorized];
    },
    close: () => bank.close(),
  };
}

export async function cloudpaymentsRacer(): Promise<Racer> {
  const server = await startCloudPaymentsServer({ clock: () => new Date() });
  return {
    name: 'cloudpayments',
    currency: 'INR',
    amountMinor: 49_910,
    env: {
      CLOUDPAYMENTS_PUBLIC_ID: PUBLIC_ID,
      CLOUDPAYMENTS_API_SECRET: API_SECRET,
      CLOUDPAYMENTS_API_URL: server.url,
    },
    pay({ orderId, userId }) {
      const row = server.charge(orderId, { Amount: 499.1, AccountId: userId });
      const told = (make: typeof formCall): Shot => {
        const { body, contentType, headers } = make('pay', noticeOf(row));
        return {
          method: 'POST',
          path: '/v1/webhooks/cloudpayments/pay',
          headers: { ...headers, 'content-type': contentType },
          body,
        };
      };
      const fields = JSON.stringify({ orderId, transactionId: row.TransactionId });
      const back: Shot = { method: 'POST', path: '/v1/callbacks/cloudpayments', headers: json, body: fields };
      return [back, back, ...Array.from({ length: 6 }, (_, n) => told(n % 2 ? formCall : jsonCall))];
    },
    close: () => server.close(),
  };
}

export async function stripeRacer(): Promise<Racer> {
  const fake = await startStripeFake();
  return {
    name: 'stripe',
    currency: 'EUR',
    amountMinor: 1_999,
    env: { STRIPE_SECRET_KEY: STRIPE_KEY, STRIPE_WEBHOOK_SECRETS: SECRET, STRIPE_API_URL: fake.url },
    pay({ providerOrderId }) {
      const intent = fake.state.pay(providerOrderId);
      const { intentData: _, ...session } = fake.state.sessions.get(providerOrderId)!;
      const shown = { ...intent, latest_charge: (intent.latest_charge as { id?: string } | null)?.id ?? null };
      const timestamp = Math.floor(Date.now() / 1_000);
      const told = (type: string, object: Record<string, unknown>, id: string): Shot => {
        const payload = JSON.stringify(stripeEvent(type, object, { id, created: timestamp }));
        const signature = Stripe.webhooks.generateTestHeaderString({ payload, secret: SECRET, timestamp });
        return {
          method: 'POST',
          path: '/v1/webhooks/stripe',
          headers: { ...json, 'stripe-signature': signature },
          body: payload,
        };
      };
      const succeeded = [1, 1, 2, 2].map(n => told('payment_intent.succeeded', shown, `evt_${intent.id}_${n}`));
      const completed = told('checkout.session.completed', session, `evt_${intent.id}_session`);
      const back: Shot = { method: 'GET', path: `/v1/callbacks/stripe?session_id=${providerOrderId}`, headers: {} };
      return [back, back, ...succeeded, completed, completed];
    },
    close: () => fake.close(),
  };
}
