// Amounts between our minor units (ISO 4217) and a provider's, which differ for a handful of currencies. Whole numbers
// only: what cannot be said exactly in the other unit is refused, never rounded.
import { InvalidRequest } from '../errors.ts';

/** ISO 4217: currencies whose minor unit is not a hundredth. */
const ISO_EXPONENTS: Readonly<Record<string, number>> = {
  ...Object.fromEntries(
    [
      'BIF',
      'CLP',
      'DJF',
      'GNF',
      'ISK',
      'JPY',
      'KMF',
      'KRW',
      'PYG',
      'RWF',
      'UGX',
      'UYI',
      'VND',
      'VUV',
      'XAF',
      'XOF',
      'XPF',
    ].map(currency => [currency, 0]),
  ),
  ...Object.fromEntries(['BHD', 'IQD', 'JOD', 'KWD', 'LYD', 'OMR', 'TND'].map(currency => [currency, 3])),
  ...Object.fromEntries(['CLF', 'UYW'].map(currency => [currency, 4])),
};

/** Decimals of the currency's minor unit by ISO 4217. */
export function isoExponent(currency: string): number {
  return ISO_EXPONENTS[currency] ?? 2;
}

/** What a provider does differently: decimals it counts in, and of what its amounts must be a multiple. */
export type ProviderUnits = Readonly<Record<string, { exponent: number; multipleOf?: number }>>;

/** Our amount in the provider's unit. @throws InvalidRequest when it cannot be said exactly there */
export function toProviderMinor(units: ProviderUnits, amountMinor: number, currency: string): number {
  const { exponent, multipleOf = 1 } = units[currency] ?? { exponent: isoExponent(currency) };
  const shift = exponent - isoExponent(currency);
  const amount = shift >= 0 ? amountMinor * 10 ** shift : amountMinor / 10 ** -shift;
  if (!Number.isSafeInteger(amount) || amount % multipleOf !== 0) {
    throw new InvalidRequest(
      `The provider cannot take ${amountMinor} ${currency} (minor units): its amounts are coarser.`,
    );
  }
  return amount;
}

/** A provider's amount in our unit; null when it has a fraction of ours, which no order of ours can cost. */
export function fromProviderMinor(units: ProviderUnits, amount: number, currency: string): number | null {
  const shift = (units[currency]?.exponent ?? isoExponent(currency)) - isoExponent(currency);
  const amountMinor = shift >= 0 ? amount / 10 ** shift : amount * 10 ** -shift;
  return Number.isSafeInteger(amountMinor) ? amountMinor : null;
}
