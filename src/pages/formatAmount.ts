// Money as people write it.

/** As many decimals as the currency has: 500 is ¥500, ₹5.00 and KWD 0.500. */
export function formatAmount(amountMinor: number, currency: string): string {
  const format = new Intl.NumberFormat('en', { style: 'currency', currency });
  const digits = format.resolvedOptions().maximumFractionDigits ?? 0;
  return format.format(amountMinor / 10 ** digits);
}
