// Money as the chart's sentences say it: `499.00 INR`. People read those sentences, and would read 49900 as too much.

const digitsOf = new Map<string, number>();

/** With as many decimals as the currency has, and its code behind: a sign alone may mean several currencies. */
export function amountText(amountMinor: number, currency: string): string {
  let digits = digitsOf.get(currency);
  if (digits === undefined) {
    const format = new Intl.NumberFormat('en', { style: 'currency', currency });
    digits = format.resolvedOptions().maximumFractionDigits ?? 0;
    digitsOf.set(currency, digits);
  }
  return `${(amountMinor / 10 ** digits).toFixed(digits)} ${currency}`;
}
