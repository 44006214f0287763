// Money as people write it.
import { decimalsOf } from '../../machines/amountText.ts';

/** As many decimals as the currency has: 500 is ¥500, ₹5.00 and KWD 0.500. */
export function formatAmount(amountMinor: number, currency: string): string {
  const format = new Intl.NumberFormat('en', { style: 'currency', currency });
  return format.format(amountMinor / 10 ** decimalsOf(currency));
}
