// Razorpay's amounts: integers in the currency's smallest unit, by its own published list of currency exponents.
import { fromProviderMinor, type ProviderUnits, toProviderMinor } from '../minorUnits.ts';

/**
 * Where the list says more than ISO 4217: amounts with three decimals must end in 0 (payments/international-payments.md).
 * The exponents themselves agree with ISO, in particular none for ISK and UGX, which other providers count in hundredths.
 */
const RAZORPAY_UNITS: ProviderUnits = Object.fromEntries(
  ['BHD', 'IQD', 'JOD', 'KWD', 'OMR', 'TND'].map(currency => [currency, { exponent: 3, multipleOf: 10 }]),
);

/** @throws InvalidRequest when Razorpay cannot say this amount */
export const toRazorpay = (amountMinor: number, currency: string) =>
  toProviderMinor(RAZORPAY_UNITS, amountMinor, currency);

/** Null for an amount that no order of ours can have. */
export const fromRazorpay = (amount: number, currency: string) => fromProviderMinor(RAZORPAY_UNITS, amount, currency);
