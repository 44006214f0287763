// Amounts as Stripe counts them: ISO 4217's minor units but for a few currencies, in at most eight digits.
import { InvalidRequest } from '../../errors.ts';
import { fromProviderMinor, type ProviderUnits, toProviderMinor } from '../minorUnits.ts';

/**
 * docs.stripe.com/currencies: ISK and UGX have no decimals but are sent times a hundred; MGA has none although ISO 4217
 * says two; the last digit of the three-decimal currencies must be 0.
 */
const STRIPE_UNITS: ProviderUnits = {
  ISK: { exponent: 2, multipleOf: 100 },
  UGX: { exponent: 2, multipleOf: 100 },
  MGA: { exponent: 0 },
  ...Object.fromEntries(['BHD', 'JOD', 'KWD', 'OMR', 'TND'].map(code => [code, { exponent: 3, multipleOf: 10 }])),
};
/** Largest amount Stripe takes, in its minor units: eight digits (docs.stripe.com/currencies). */
const MAX_STRIPE_AMOUNT = 99_999_999;

/** @throws InvalidRequest for an amount Stripe cannot take */
export function toStripeAmount(amountMinor: number, currency: string): number {
  const amount = toProviderMinor(STRIPE_UNITS, amountMinor, currency);
  if (amount > MAX_STRIPE_AMOUNT) throw new InvalidRequest('Stripe takes amounts of at most eight digits.');
  return amount;
}

/** Our minor units; null when Stripe's amount has a fraction of ours. `currency` is in capitals. */
export function fromStripeAmount(amount: number, currency: string): number | null {
  return fromProviderMinor(STRIPE_UNITS, amount, currency);
}
