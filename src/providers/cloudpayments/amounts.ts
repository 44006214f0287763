// Amounts as CloudPayments writes them: decimal major units with at most two digits, in every currency. Between the text
// and our minor units there are whole numbers only.
import { MAX_AMOUNT_MINOR } from '../../../machines/orderEvents.ts';
import { InvalidRequest } from '../../errors.ts';
import { fromProviderMinor, isoExponent } from '../minorUnits.ts';

/** Hundredths, whatever the currency: developers.cloudpayments.ru takes and gives two digits and no more. */
const EXPONENT = 2;
const DECIMAL = /^(\d{1,13})(?:\.(\d{1,2}))?$/;

/** Our amount as a decimal. @throws InvalidRequest for a currency whose minor unit is no hundredth: none is in their list */
export function decimalOf(amountMinor: number, currency: string): string {
  if (isoExponent(currency) !== EXPONENT) {
    throw new InvalidRequest(`CloudPayments takes no ${currency}: it counts in hundredths of a currency.`);
  }
  if (!Number.isSafeInteger(amountMinor) || amountMinor < 1) {
    throw new InvalidRequest('An amount is a whole number of minor units, at least 1.');
  }
  const digits = String(amountMinor).padStart(EXPONENT + 1, '0');
  return `${digits.slice(0, -EXPONENT)}.${digits.slice(-EXPONENT)}`;
}

/** A decimal of theirs in our minor units; null when it is none, not positive, or finer than the currency. */
export function minorOf(decimal: string, currency: string): number | null {
  const [, whole, fraction = ''] = DECIMAL.exec(decimal) ?? [];
  if (whole === undefined) return null;
  const hundredths = Number(whole + fraction.padEnd(EXPONENT, '0'));
  const amountMinor = fromProviderMinor({ [currency]: { exponent: EXPONENT } }, hundredths, currency);
  return amountMinor !== null && amountMinor >= 1 && amountMinor <= MAX_AMOUNT_MINOR ? amountMinor : null;
}
