// The real providers that are on. Each is loaded only when it is: the others' code would cost every start its time.
import type { Clock } from '../clock.ts';
import type { PaymentProvider } from './provider.ts';
import type { ProviderSettings } from './settings.ts';

export type ConfiguredDeps = {
  settings: ProviderSettings;
  /** Where browsers reach the service. */
  publicUrl: string;
  clock: Clock;
  /** Between 0 and 1, for pauses between tries. */
  jitter: () => number;
};

/** The adapters whose settings are there, several live at once. @throws Error with a sentence when a secret is unfit */
export async function configuredProviders({ settings, ...deps }: ConfiguredDeps): Promise<PaymentProvider[]> {
  const { razorpay, cloudpayments, stripe } = settings;
  const loading = [
    razorpay && import('./razorpay/adapter.ts').then(m => m.createRazorpayProvider({ settings: razorpay, ...deps })),
    cloudpayments &&
      import('./cloudpayments/adapter.ts').then(m =>
        m.createCloudPaymentsProvider({ settings: cloudpayments, ...deps }),
      ),
    stripe && import('./stripe/adapter.ts').then(m => m.createStripeProvider({ settings: stripe, ...deps })),
  ];
  return (await Promise.all(loading)).filter(provider => provider !== null);
}
