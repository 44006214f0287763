// The other providers of a whole service, each played over real HTTP at the service's clock.
import { createCloudPaymentsProvider } from '../../src/providers/cloudpayments/adapter.ts';
import type { PaymentProvider } from '../../src/providers/provider.ts';
import { createRazorpayProvider } from '../../src/providers/razorpay/adapter.ts';
import { createStripeProvider } from '../../src/providers/stripe/adapter.ts';
import { API_SECRET, PUBLIC_ID } from './cloudpaymentsNotices.ts';
import { type CloudPaymentsServer, startCloudPaymentsServer } from './cloudpaymentsServer.ts';
import { RAZORPAY } from './razorpayBodies.ts';
import { type RazorpayServer, startRazorpay } from './razorpayServer.ts';
import { SECRET as STRIPE_SECRET } from './stripeFixtures.ts';
import { STRIPE_KEY, type StripeFake, startStripeFake } from './stripeServer.ts';
import type { HeldClock } from './world.ts';

export type BankName = 'razorpay' | 'stripe' | 'cloudpayments';
/** Those that were not asked for are missing; a test that uses one has asked for it. */
export type Banks = { razorpay: RazorpayServer; stripe: StripeFake; cloudpayments: CloudPaymentsServer };

export async function startBanks(names: readonly BankName[], clock: HeldClock, publicUrl: string) {
  const banks: Partial<Banks> = {};
  const providers: PaymentProvider[] = [];
  const jitter = () => 0;
  if (names.includes('razorpay')) {
    banks.razorpay = await startRazorpay();
    const settings = { ...RAZORPAY, apiUrl: banks.razorpay.url };
    providers.push(createRazorpayProvider({ settings, publicUrl, clock, jitter }));
  }
  if (names.includes('stripe')) {
    banks.stripe = await startStripeFake(clock);
    const apiUrl = banks.stripe.url;
    const settings = { secretKey: STRIPE_KEY, webhookSecrets: [STRIPE_SECRET], apiUrl, live: false };
    providers.push(createStripeProvider({ settings, clock, jitter }));
  }
  if (names.includes('cloudpayments')) {
    banks.cloudpayments = await startCloudPaymentsServer({ clock });
    const settings = { publicId: PUBLIC_ID, apiSecrets: [API_SECRET], apiUrl: banks.cloudpayments.url };
    providers.push(createCloudPaymentsProvider({ settings, clock, jitter }));
  }
  return {
    banks: banks as Banks,
    providers,
    async close() {
      for (const bank of Object.values(banks)) await bank.close();
    },
  };
}
