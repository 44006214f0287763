// The service with Stripe as its only provider: the real adapter and the real SDK, talking to the played Stripe, whose
// webhooks and browsers come over HTTP like the real ones.
import Stripe from 'stripe';
import { createStripeProvider } from '../../src/providers/stripe/adapter.ts';
import { type ProviderService, startProviderService, type Told } from './providerService.ts';
import { SECRET, stripeEvent } from './stripeFixtures.ts';
import type { Fields } from './stripeRules.ts';
import { STRIPE_KEY, type StripeFake, startStripeFake } from './stripeServer.ts';
import { heldClock } from './world.ts';

export type StripeService = ProviderService & {
  fake: StripeFake;
  /** Tells an event of Stripe's, signed by the SDK; `id` repeats an earlier one. */
  webhook(type: string, object: Fields, more?: Fields): Promise<Told>;
  /** Stripe sends the browser back. */
  browser(sessionId: string): Promise<Told>;
  /** The state of the object as Stripe would show it in an event. */
  shown(object: Fields): Fields;
};

export async function startStripeService(): Promise<StripeService> {
  const fake = await startStripeFake();
  const settings = { secretKey: STRIPE_KEY, webhookSecrets: [SECRET], apiUrl: fake.url, live: false };
  const service = await startProviderService({
    make: ({ clock }) => createStripeProvider({ settings, clock, jitter: () => 0 }),
    plan: { amountMinor: 1_999, currency: 'EUR' },
    // Sessions are opened with a time of their own, so the service's clock stands at the present.
    clock: heldClock(new Date().toISOString()),
  });
  const { call, world } = service;
  const nowS = () => Math.floor(world.clock().getTime() / 1_000);
  let events = 0;
  return {
    ...service,
    fake,
    webhook(type, object, more = {}) {
      const event = stripeEvent(type, object, { id: `evt_1Life${++events}`, created: nowS(), ...more });
      const payload = JSON.stringify(event);
      const timestamp = nowS();
      const signature = Stripe.webhooks.generateTestHeaderString({ payload, secret: SECRET, timestamp });
      return call('POST', '/v1/webhooks/stripe', payload, { 'stripe-signature': signature });
    },
    browser: sessionId => call('GET', `/v1/callbacks/stripe?session_id=${sessionId}`),
    shown: object => ({ ...object, latest_charge: (object.latest_charge as Fields | null)?.id ?? null }),
    async close() {
      await service.close();
      await fake.close();
    },
  };
}
